"""A partition's door to the ALARM stream: its events in order, each once, from its present owner alone.

All messages of ``alarm.PARTITION`` form a chain: each names the sequence of the one before it
(``Nats-Expected-Last-Subject-Sequence``), so nothing can overtake, and a worker that has lost the partition finds the
chain gone on without it. An owner begins with an empty message under its own token; from then on the former owner is
refused. What the stream holds already is told by its last message and is not sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import BadRequestError, NotFoundError

from fengsui.watch.shard import Event
from fengsui.watch.snapshots import Overtaken
from fengsui.watch.stream import ALARM

log = logging.getLogger(__name__)

TOGETHER = 500
"""Events of one message at most."""
_PATIENCE = 5.0
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_TOKEN, _ORDER = "Fengsui-Token", "Fengsui-Order"


class Outlet:
    """The door of one partition under one token."""

    def __init__(self, client: Client, epoch: str, partition: int, token: int) -> None:
        self._js = client.jetstream(timeout=_PATIENCE)
        self._epoch, self._token = epoch, token
        self._subject = f"alarm.{partition}"
        self._known = False
        self._seq = 0
        self._order = (0, -1)

    async def claim(self) -> None:
        """Shut the former owner out. Raises ``Overtaken``, and the stream's errors: then try again."""
        while True:
            await self._look()
            try:
                await self._put([])
                return
            except BadRequestError:
                continue  # somebody wrote between the look and the message

    async def send(self, events: Sequence[Event], stop: asyncio.Event) -> bool:
        """Store the events that the stream lacks and wait until they are; False where ``stop`` came first.

        Tries for ever while the stream is away. Raises ``Overtaken``.
        """
        pause = 0.1
        while not stop.is_set():
            try:
                if not self._known:
                    await self._look()
                due = [event for event in events if event.order > self._order]
                for start in range(0, len(due), TOGETHER):
                    await self._put(due[start : start + TOGETHER])
                return True
            except (NatsError, TimeoutError, OSError) as error:
                # Stored or not, or refused since another's message came between: the stream's last message tells.
                log.warning("%s: events not stored yet (%s)", self._subject, error or type(error).__name__)
                self._known = False
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 2)
        return False

    async def _look(self) -> None:
        """Learn the last event stored and who stored it."""
        try:
            last = await self._js.get_last_msg(ALARM, self._subject)
        except NotFoundError:
            self._seq, self._order = 0, (0, -1)
        else:
            headers = last.headers or {}
            if (owner := int(headers.get(_TOKEN, "0"))) > self._token:
                raise Overtaken(self._subject, owner)
            epoch, seq, index = headers.get(_ORDER, " 0 -1").split(" ")
            self._seq = last.seq or 0
            self._order = (int(seq), int(index)) if epoch == self._epoch else (0, -1)
        self._known = True

    async def _put(self, events: Sequence[Event]) -> None:
        order = events[-1].order if events else self._order
        headers = {
            _EXPECTED: str(self._seq),
            _TOKEN: str(self._token),
            _ORDER: f"{self._epoch} {order[0]} {order[1]}",
            # The token in it: what a former owner stored must not answer for what this one sends.
            "Nats-Msg-Id": f"{events[-1].id if events else self._epoch}-{self._subject}-{self._token}",
        }
        body = orjson.dumps({"token": self._token, "events": [event.body for event in events]})
        stored = await self._js.publish(self._subject, body, headers=headers)
        self._seq, self._order = stored.seq, order
