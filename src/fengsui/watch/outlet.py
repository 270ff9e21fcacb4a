"""Writes the engine's events into the ALARM stream: in order, each once, whatever breaks in between.

The stream always holds a prefix of the events in their order: each message names the id of the one
before it (``Nats-Expected-Last-Msg-Id``), so that after a broken connection nothing can overtake.
What the stream holds already is told by its last message and is not sent again.
"""

from __future__ import annotations

import asyncio
import logging

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from fengsui.watch.shard import Event
from fengsui.watch.stream import ALARM

log = logging.getLogger(__name__)

_TOGETHER = 500
_PATIENCE = 10.0


class Outlet:
    """The door to the ALARM stream. One worker at a time goes through it."""

    def __init__(self, client: Client, epoch: str) -> None:
        self._js = client.jetstream(timeout=_PATIENCE, publish_async_max_pending=2 * _TOGETHER)
        self._epoch = epoch
        self._known = False
        self._last_id = ""
        self._last = (0, -1)

    async def send(self, events: list[Event], stop: asyncio.Event) -> bool:
        """Store the events and wait for their acknowledgement; tries for ever, gives False where ``stop`` came first."""
        pause = 0.1
        while not stop.is_set():
            try:
                if not self._known:
                    await self._look()
                due = [event for event in events if event.order > self._last]
                for start in range(0, len(due), _TOGETHER):
                    await self._send(due[start : start + _TOGETHER])
                return True
            except (NatsError, TimeoutError, OSError) as error:
                log.warning("events not stored yet (%s)", error or type(error).__name__)
                self._known = False
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 2)
        return False

    async def _look(self) -> None:
        """Learn the last event stored, so that a repeated one is not sent again."""
        info = await self._js.stream_info(ALARM)
        self._last_id, self._last = "", (0, -1)
        if info.state.messages:
            try:
                message = await self._js.get_msg(ALARM, info.state.last_seq)
            except NotFoundError:
                message = None
            identity = (message.headers or {}).get("Nats-Msg-Id", "") if message else ""
            self._last_id = identity
            words = identity.split("-")
            if len(words) == 4 and words[0] == self._epoch:
                self._last = (int(words[2]), int(words[3]))
        self._known = True

    async def _send(self, events: list[Event]) -> None:
        futures = []
        previous = self._last_id
        for event in events:
            headers = {"Nats-Msg-Id": event.id}
            if previous:
                headers["Nats-Expected-Last-Msg-Id"] = previous
            futures.append(await self._js.publish_async(f"alarm.{event.partition}", event.body, headers=headers))
            previous = event.id
        await asyncio.wait_for(asyncio.gather(*futures), _PATIENCE)
        self._last_id, self._last = events[-1].id, events[-1].order
