"""The engine's process: stream in, events and history out, position in its own snapshot.

Order of every round: take messages, store their events and wait for the acknowledgements; every few
seconds write the history's part, then the snapshot (beside, fsync, rename, fsync the folder). After a
kill it goes on from the snapshot and says again only what the ALARM stream lacks. It needs no database.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import threading
from pathlib import Path

import orjson
from django.conf import settings
from nats.aio.client import Client
from nats.errors import Error as NatsError

from fengsui.watch import history, stream
from fengsui.watch.engine import SECOND, SnapshotError
from fengsui.watch.outlet import Outlet
from fengsui.watch.shard import Shard
from fengsui.watch.tail import Tail

log = logging.getLogger(__name__)

_ROUND = 2_000
_SNAPSHOT_EVERY = 10 * SECOND
_MOST_SAMPLES = 2_000_000
_SHOW_EVERY = 1.0


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set; reconnects for ever."""
    asyncio.run(EngineWorker(settings.NATS_URL, settings.DATA_DIR).serve(stop))


class AlreadyRunning(RuntimeError):
    """Another engine works on this data folder."""


class EngineWorker:
    """One worker over all partitions, with its state in ``folder/engine`` and its history in ``folder/history``."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._home = folder / "engine"
        self._history = history.Store(folder / "history")
        self._home.mkdir(parents=True, exist_ok=True)
        self._shard = Shard("")
        self._saved_ns = 0
        self._halt = asyncio.Event()
        self._pending = 0
        self._lost = 0

    async def serve(self, stop: threading.Event) -> None:
        """Connect, restore, work; on ``stop`` leave a last snapshot."""
        lock = (self._home / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"an engine already works on {self._home}: stop it first") from error
        watcher = asyncio.create_task(self._watch(stop))
        client = await stream.connect(self._url, "fengsui engine")
        try:
            found = await stream.ensure(client)
            self._restore(stream.epoch(found[stream.TELE]))
            if not self._shard.seq:
                await self._prepare(client)
            others = [asyncio.create_task(job) for job in (self._beat(client), self._show(client), self._tidy())]
            for task in others:
                task.add_done_callback(lambda _: self._halt.set())
            await self._work(client)
            for task in others:
                if task.done():
                    task.result()  # none ends by itself: raise what ended it
                task.cancel()
        finally:
            watcher.cancel()
            await client.close()
            lock.close()

    async def _watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            await asyncio.sleep(0.1)
        self._halt.set()

    def _restore(self, epoch: str) -> None:
        self._shard = Shard(epoch)
        for path in (self._home / "state", self._home / "state.before"):
            if not path.exists():
                continue
            try:
                found = Shard.restore(path.read_bytes())
            except SnapshotError as error:
                log.error("%s: %s", path.name, error)
                continue
            if found.epoch != epoch:
                log.error("the stream is another than the snapshot's: reading it from its begin, limits' states are kept")
                found.epoch, found.seq = epoch, 0
            self._shard = found
            break
        self._saved_ns = self._shard.engine.now_ns
        self._history.forget_after(self._shard.seq)
        log.info("engine goes on after message %d with %d points", self._shard.seq, len(self._shard.engine.ids))

    async def _prepare(self, client: Client) -> None:
        """Without a snapshot: wait for the configuration before the first sample is judged."""
        tail = Tail(client, stream.TELE, 0, [f"{stream.CONFIG}.*"])
        while not self._halt.is_set():
            messages = await tail.fetch(_ROUND, 1.0)
            self._shard.prepare(messages)
            if not messages and self._shard.sites:
                break
        await tail.close()

    async def _work(self, client: Client) -> None:
        tail = Tail(client, stream.TELE, self._shard.seq)
        outlet = Outlet(client, self._shard.epoch)
        first = self._shard.seq + 1
        while not self._halt.is_set():
            events = [event for message in await tail.fetch(_ROUND, 0.5) for event in self._shard.take(message)]
            self._pending, self._lost = tail.pending, tail.lost
            if events and not await outlet.send(events, self._halt):
                return  # not all stored: the snapshot must not move on
            if self._due():
                await asyncio.to_thread(self._save, first)
                first = self._shard.seq + 1
        if self._shard.settled and self._shard.seq >= first:
            self._save(first)

    def _due(self) -> bool:
        if not self._shard.settled:
            return False
        waiting = sum(len(batch.point) for batch in self._shard.samples[-_ROUND:])
        passed = self._shard.engine.now_ns - self._saved_ns >= _SNAPSHOT_EVERY
        return passed or waiting * (1 + len(self._shard.samples) // _ROUND) > _MOST_SAMPLES

    def _save(self, first: int) -> None:
        """History first: a part without its snapshot is forgotten at the next start, a snapshot without its part is a hole."""
        shard = self._shard
        self._history.write_part(first, shard.seq, shard.samples)
        shard.samples.clear()
        fresh, kept = self._home / "state.new", self._home / "state"
        with fresh.open("wb") as file:
            file.write(shard.snapshot())
            file.flush()
            os.fsync(file.fileno())
        if kept.exists():
            kept.replace(self._home / "state.before")
        fresh.replace(kept)
        history.sync_folder(self._home)
        self._saved_ns = shard.engine.now_ns

    async def _beat(self, client: Client) -> None:
        """Each second one message, so that the stream's time passes when no device speaks."""
        reconnects = client.stats["reconnects"]
        while True:
            try:
                if client.stats["reconnects"] != reconnects:
                    reconnects = client.stats["reconnects"]
                    await stream.ensure(client)  # what a server keeps in memory is gone after its restart
                    self._shard.touched = set(self._shard.sites)
                await client.publish(stream.BEAT, b"")
            except (NatsError, OSError) as error:
                log.debug("no heartbeat: %s", error)
            await asyncio.sleep(1.0)

    async def _show(self, client: Client) -> None:
        """Put the newest values of the sites that changed where pages find them."""
        while True:
            await asyncio.sleep(_SHOW_EVERY)
            sites, self._shard.touched = self._shard.touched, set()
            try:
                for site in sites:
                    await client.publish(f"latest.{site}", self._shard.latest(site))
                await client.publish("latest.-engine", self._word())
            except (NatsError, OSError) as error:
                log.debug("newest values not shown: %s", error)

    def _word(self) -> bytes:
        """How far the engine is: the stream's time, its position, what waits."""
        shard = self._shard
        word = {"now_ns": shard.engine.now_ns, "seq": shard.seq, "pending": self._pending, "lost": self._lost}
        return orjson.dumps(word | {"points": len(shard.engine.ids), "sites": len(shard.sites)})

    async def _tidy(self) -> None:
        """Merge the history's small files, at low priority, beside the engine's own work."""
        while True:
            await asyncio.sleep(20.0)
            try:
                await asyncio.to_thread(self._history.merge)
            except OSError as error:
                log.error("history not merged: %s", error)
