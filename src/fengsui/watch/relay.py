"""The relay's process: events of the engine into the database, configuration back to the engine.

It alone applies transitions, each batch in one transaction with its position; so it may be killed anywhere. It waits
for the database as it waits for the stream: for ever, with growing pauses. The engine never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import orjson
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from fengsui.ledger import health
from fengsui.moment import now
from fengsui.watch import applying, capacity, credentials, housekeeping, intrusions, stream, warnings
from fengsui.watch.tail import Stored, Tail

log = logging.getLogger(__name__)

T = TypeVar("T")
_ROUND = 500
_TOGETHER = 100
_HOUSEKEEPING = 2.0
_LOOK = timedelta(seconds=15)
_SETTLE = timedelta(minutes=1)


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set."""
    asyncio.run(Relay(settings.NATS_URL, exercise=settings.EXERCISE_PACE > 1).serve(stop))


class Relay:
    """Reads ALARM, writes the database."""

    def __init__(self, url: str, *, exercise: bool = False) -> None:
        self._url = url
        self._exercise = exercise
        self._halt = asyncio.Event()
        self._teller = housekeeping.Teller()
        self._last_stored_ns = 0
        self._pending = 0
        self._refused = ""  # why the stream kept our last heartbeat not; empty: it did
        self._looked: datetime | None = None
        self._settled: datetime | None = None

    async def serve(self, stop: threading.Event) -> None:
        """Connect and work until ``stop``."""
        watcher = asyncio.create_task(self._watch(stop))
        client = await stream.connect(self._url, "fengsui relay")
        try:
            found = await stream.ensure(client)
            others = [asyncio.create_task(job) for job in (self._keep(client), self._pulse(client))]
            for task in others:
                task.add_done_callback(lambda _: self._halt.set())
            await self._work(client, stream.epoch(found[stream.ALARM]))
            for task in others:
                if task.done():
                    task.result()  # none ends by itself: raise what ended it
                task.cancel()
        finally:
            watcher.cancel()
            await client.close()

    async def _watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            await asyncio.sleep(0.1)
        self._halt.set()

    async def _work(self, client: Client, epoch: str) -> None:
        pause = 0.2
        while not self._halt.is_set():
            tail = None
            try:
                seq = await _in_database(lambda: applying.position(stream.ALARM, epoch, now()))
                tail = Tail(client, stream.ALARM, seq)
                while not self._halt.is_set():
                    messages = await tail.fetch(_ROUND, 0.5)
                    self._pending = tail.pending
                    for portion in applying.portions(messages):
                        await _in_database(partial(self._apply, epoch, portion))
                        self._last_stored_ns = portion[-1].time_ns
                        pause = 0.2
            except (DatabaseError, applying.MovedOn, applying.RelayPosition.DoesNotExist) as error:
                log.warning("events wait: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
            finally:
                if tail is not None:
                    await tail.close()

    def _apply(self, epoch: str, messages: Sequence[Stored]) -> int:
        return applying.apply(stream.ALARM, epoch, messages, now(), exercise=self._exercise)

    async def _keep(self, client: Client) -> None:
        watched = intrusions.Watch()
        while True:
            # The sign of life comes first, and each by itself: a stream server that takes nothing is no fault of the relay's.
            for each in (
                self._beat,
                self._tell,
                lambda _: _in_database(lambda: housekeeping.keep(now(), exercise=self._exercise)),
                lambda _: _in_database(lambda: watched.count(now())),
                lambda _: self._settle(),
                self._look,
            ):
                try:
                    await each(client)
                except (DatabaseError, NatsError, TimeoutError, OSError) as error:
                    log.warning("housekeeping waits: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
            await asyncio.sleep(_HOUSEKEEPING)

    async def _tell(self, client: Client) -> None:
        js = client.jetstream()
        try:
            due = await _in_database(lambda: self._teller.due(now()))
            for start in range(0, len(due), _TOGETHER):
                some = due[start : start + _TOGETHER]
                await asyncio.gather(*(js.publish(f"{stream.CONFIG}.{site}", message, timeout=10) for site, message in some))
                for site, message in some:
                    self._teller.told(site, message)
        except (NatsError, TimeoutError):
            self._teller.forget()
            raise

    async def _settle(self) -> None:
        """At the start and each minute: let the file of gateways' tokens follow the database, whatever a crash left of it."""
        moment = now()
        if self._settled is not None and moment - self._settled < _SETTLE:
            return
        self._settled = moment
        try:
            if changed := await _in_database(lambda: credentials.settle(moment)):
                log.warning("gateways' tokens followed the database: %s", ", ".join(changed[:20]))
        except (OSError, ValueError) as error:
            log.error("gateways' tokens wait: %s", error)

    async def _look(self, client: Client) -> None:
        """Now and then: lower warnings, and tell pages whether the stream server can keep what devices send."""
        moment = now()
        if self._looked is not None and moment - self._looked < _LOOK:
            return
        self._looked = moment
        await _in_database(lambda: warnings.lower(moment))
        fills = await capacity.look(client, moment)
        troubles = capacity.judge(fills, capacity.free_percent(settings.DATA_DIR), self._refused)
        detail = {"troubles": troubles, "streams": [fill._asdict() for fill in fills]}
        await _in_database(lambda: health.beat(capacity.PROCESS, moment, 0.0, detail))

    async def _pulse(self, client: Client) -> None:
        """A heartbeat each second, as the engine's: quiet partitions' time passes while no engine works; else its return
        would look like an outage. Its answer tells whether the stream still keeps what it is sent.
        """
        js = client.jetstream(timeout=5)
        while True:
            try:
                await js.publish(stream.BEAT, b"")
                self._refused = ""
            except APIError as error:
                self._refused = str(error.description or error)
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("no heartbeat: %s", error)
            await asyncio.sleep(1.0)

    async def _beat(self, client: Client) -> None:
        """Say that relay and engine live, and how far they are behind."""
        moment = now()
        behind = moment - applying.moment(self._last_stored_ns) if self._pending else timedelta(0)
        await _in_database(lambda: health.beat("relay", moment, behind.total_seconds(), {"pending": self._pending}))
        try:
            told = orjson.loads((await client.jetstream().get_last_msg(stream.LATEST, "latest.-engine")).data or b"{}")
        except NotFoundError:
            return
        if "now_ns" not in told:
            return
        at = applying.moment(told["now_ns"])
        await _in_database(lambda: health.beat("engine", at, max(0.0, (moment - at).total_seconds()), told))


async def _in_database(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread; a broken connection is closed, so that the next try opens another."""

    def doing() -> T:
        close_old_connections()
        try:
            return work()
        except DatabaseError:
            connection.close()
            raise

    return await asyncio.to_thread(doing)
