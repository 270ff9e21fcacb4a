"""An engine worker's process: its partitions' samples in, events and history out, snapshots into the stream server.

Any number of workers share the 64 partitions (``fleet``). Order of every round: take messages, store their events and
wait for the acknowledgements; every few seconds write the history's part, then the snapshots. Whoever owns a partition
next goes on from its snapshot and says again only what the ALARM stream lacks. It needs no database.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import socket
import threading
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from nats.aio.client import Client
from nats.errors import Error as NatsError

from fengsui.watch import fleet, history, snapshots, stream
from fengsui.watch.engine import SECOND, Batch, Engine, Level, Points, Rules
from fengsui.watch.outlet import Outlet
from fengsui.watch.shard import Event, Shard
from fengsui.watch.slot import Slot
from fengsui.watch.snapshots import Overtaken, Snapshots
from fengsui.watch.tail import Stored, Tail

log = logging.getLogger(__name__)

_ROUND = 2_000
_SAVE_EVERY = 10 * SECOND
_MOST_SAMPLES = 2_000_000
_BREATH = 16
"""After so many sites' newest values the event loop looks after alarms again."""


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set; reconnects for ever. ``FENGSUI_ENGINE`` tells this data folder's workers apart."""
    name = os.environ.get("FENGSUI_ENGINE", "1")
    asyncio.run(EngineWorker(settings.NATS_URL, settings.DATA_DIR, name).serve(stop))


def _warm_up() -> None:
    """Load or compile the kernel before anything waits for it: its first use may take ten seconds, without a heartbeat."""
    engine = Engine(Points.of([1]), Rules.of([(1, 1, Level.HH, 1.0, 0.0, 0, 0)]))
    engine.step([1], [1], [0.0], [0], SECOND)
    engine.advance(2 * SECOND)


@dataclass
class Held:
    """A partition in this worker's hands."""

    shard: Shard
    outlet: Outlet
    token: int
    revision: int  # of its snapshot


class EngineWorker:
    """One worker; its history goes to ``folder/history``, everything else to the stream server."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        self._url = url
        self._slot = Slot(folder / "engine", name)
        # The slot's lock speaks for one data folder alone: another folder's worker of this name is no former self.
        where = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:6]
        self._name = f"{re.sub('[^A-Za-z0-9-]', '-', socket.gethostname())}-{where}-{name}"
        self._history = history.Store(folder / "history")
        self._halt = asyncio.Event()
        self._held: dict[int, Held] = {}
        self._samples: list[Batch] = []
        self._waiting = 0  # samples in that list
        self._saved_ns = 0
        self._saving: asyncio.Task[None] | None = None
        self._pending = self._lost = 0
        self._position = 0  # in the stream: everything up to it is judged and its events are stored
        self._between = asyncio.Lock()  # rounds: a snapshot must not be ahead of the events that are stored

    async def serve(self, stop: threading.Event) -> None:
        """Connect, share the partitions, work; on ``stop`` leave a last snapshot and let the partitions go."""
        with self._slot:
            _warm_up()
            watcher = asyncio.create_task(self._watch(stop))
            client = await stream.connect(self._url, f"fengsui engine {self._name}")
            try:
                await self._serve(client)
            finally:
                watcher.cancel()
                await client.close()

    async def _serve(self, client: Client) -> None:
        found = await stream.ensure(client)
        store = await stream.engine_store(client)
        self._epoch = stream.epoch(found[stream.TELE])
        self._snapshots = Snapshots(store)
        self._fleet = fleet.Fleet(store, f"{self._name}.{uuid.uuid4().hex[:8]}")
        jobs: list[Callable[[Client], Coroutine[Any, Any, None]]] = [self._beat, self._show, self._tidy]
        others = [asyncio.create_task(job(client)) for job in jobs]
        for task in others:
            task.add_done_callback(lambda _: self._halt.set())
        try:
            await self._work(client)
            for task in others:
                if task.done():
                    task.result()  # none ends by itself: raise what ended it
        finally:
            for task in others:
                task.cancel()
        with contextlib.suppress(NatsError, TimeoutError, OSError):  # the lease then ends by itself
            await self._fleet.leave()

    async def _watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            await asyncio.sleep(0.1)
        self._halt.set()

    # ------------------------------------------------------------ owning partitions

    async def _take_up(self, client: Client) -> bool:
        """Let go what is another's now and claim what is newly ours; whether the subjects to read have changed."""
        wanted = dict(self._fleet.mine)
        gone = [number for number, held in self._held.items() if wanted.get(number) != held.token]
        for number in gone:
            del self._held[number]
        fresh = [number for number in wanted if number not in self._held]
        claimed = await asyncio.gather(*(self._claim(client, number, wanted[number]) for number in fresh))
        new = {held.shard.partition: held for held in claimed if held is not None}
        self._held |= new
        if bare := [held.shard for held in new.values() if not held.shard.seq]:
            await self._prepare(client, bare)
        if len(new) < len(fresh):
            await asyncio.sleep(0.2)  # the others at the next round
        if gone or new:
            log.info("%s owns %d partitions, %d of them newly", self._name, len(self._held), len(new))
        return bool(gone or new)

    async def _claim(self, client: Client, number: int, token: int) -> Held | None:
        outlet = Outlet(client, self._epoch, number, token)
        try:
            await outlet.claim()
            shard, revision = await self._snapshots.claim(number, token)
        except Overtaken as error:
            log.warning("%s; asking for a newer one", error)
            with contextlib.suppress(NatsError, TimeoutError, OSError):  # a store lost just now: the next beat makes it anew
                await self._fleet.outbid(number, error.token)
            return None
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("partition %d not claimed yet (%s)", number, error or type(error).__name__)
            return None
        if shard is None:
            shard = Shard(self._epoch, number)
        elif shard.epoch != self._epoch:
            log.error("partition %d: the stream is another than the snapshot's; reading it from its begin", number)
            shard.epoch, shard.seq = self._epoch, 0
        return Held(shard, outlet, token, revision)

    async def _prepare(self, client: Client, bare: list[Shard]) -> None:
        """Without a snapshot: know the configuration before the first sample is judged."""
        tail = Tail(client, stream.TELE, 0, [f"{stream.CONFIG}.*"])
        known = False
        while not self._halt.is_set():
            messages = await tail.fetch(_ROUND, 1.0)
            known |= bool(messages)
            for shard in bare:
                shard.prepare([message for message in messages if shard.hears(message.subject)])
            if not messages and known:
                break
        await tail.close()

    def _lose(self, number: int, error: Overtaken) -> None:
        log.warning("%s has lost partition %d: %s", self._name, number, error)
        self._held.pop(number, None)

    # ------------------------------------------------------------ rounds

    async def _work(self, client: Client) -> None:
        tail: Tail | None = None
        while not self._halt.is_set():
            if await self._take_up(client) and self._held:
                if tail is not None:
                    await tail.close()
                begin = min(held.shard.seq for held in self._held.values())
                tail = Tail(client, stream.TELE, begin, stream.heard_by(list(self._held)))
                self._position = begin
            if tail is None or not self._held:
                await asyncio.sleep(0.1)
                continue
            if not await self._round(await tail.fetch(_ROUND, 0.2)):
                return  # not all stored: the snapshots must not move on
            self._pending, self._lost, self._position = tail.pending, self._lost + tail.lost, tail.seq
            tail.lost = 0
            self._save_in_time()
        await self._save_last()

    async def _round(self, messages: list[Stored]) -> bool:
        """Judge the messages and store their events; False where the halt came before all were stored."""
        due: dict[int, list[Event]] = {}
        async with self._between:
            for message in messages:
                number = stream.partition_of(message.subject)
                for held in self._held.values() if number < 0 else filter(None, [self._held.get(number)]):
                    if events := held.shard.take(message):
                        due.setdefault(held.shard.partition, []).extend(events)
            self._gather()
            stored = await asyncio.gather(*(self._send(number, events) for number, events in due.items()))
            if not all(stored):
                self._held.clear()  # nor may a save that waits take them
            return all(stored)

    async def _send(self, number: int, events: list[Event]) -> bool:
        held = self._held.get(number)
        try:
            return held is None or await held.outlet.send(events, self._halt)
        except Overtaken as error:
            self._lose(number, error)
            return True

    def _gather(self) -> None:
        for held in self._held.values():
            if held.shard.samples:
                self._samples += held.shard.samples
                self._waiting += sum(len(batch.point) for batch in held.shard.samples)
                held.shard.samples.clear()

    # ------------------------------------------------------------ snapshots and history

    def _now_ns(self) -> int:
        return max((held.shard.engine.now_ns for held in self._held.values()), default=0)

    def _save_in_time(self) -> None:
        """Begin a save, beside the rounds, where one is due and none runs."""
        if self._saving is not None:
            if not self._saving.done():
                return
            self._saving.result()
            self._saving = None
        self._saved_ns = self._saved_ns or self._now_ns()
        if self._now_ns() - self._saved_ns >= _SAVE_EVERY or self._waiting > _MOST_SAMPLES:
            self._saving = asyncio.create_task(self._save())

    async def _save_last(self) -> None:
        if self._saving is not None:
            await self._saving
        await self._save()

    async def _save(self) -> None:
        """History first: a snapshot without its samples would be a hole; samples without it are only written again."""
        self._saved_ns = self._now_ns()
        ready: list[tuple[int, Held, bytes]] = []
        for number, held in list(self._held.items()):
            async with self._between:  # whose turns alternate; what rounds add to the samples is kept with them
                if held.shard.settled and self._held.get(number) is held:
                    ready.append((number, held, held.shard.snapshot()))
            await asyncio.sleep(0)
        samples, self._samples, self._waiting = self._samples, [], 0
        try:
            await asyncio.to_thread(self._history.write_part, samples)
        except OSError as error:
            self._keep(samples, error)
            return
        for number, held, snapshot in ready:
            packed = await asyncio.to_thread(snapshots.pack, snapshot)
            try:
                held.revision = await self._snapshots.save(number, held.token, packed, held.revision)
            except Overtaken as error:
                if self._held.get(number) is held:
                    self._lose(number, error)
            except (NatsError, TimeoutError, OSError) as error:
                log.warning("snapshots wait: %s", error or type(error).__name__)
                return

    def _keep(self, samples: list[Batch], error: OSError) -> None:
        """The disk refuses the history: alarms go on, snapshots wait; too many samples are let go and read again."""
        number = sum(len(batch.point) for batch in samples)
        if number > 2 * _MOST_SAMPLES:
            log.error("history not written: %s; going back to the snapshots, the stream still has its samples", error)
            self._held.clear()
            return
        log.error("history not written, trying again: %s", error)
        self._samples = samples + self._samples
        self._waiting += number

    # ------------------------------------------------------------ beside the rounds

    async def _beat(self, client: Client) -> None:
        """Each second one message, so that the stream's time passes when no device speaks; and the lease renewed."""
        reconnects = client.stats["reconnects"]
        while True:
            try:
                if client.stats["reconnects"] != reconnects:
                    reconnects = client.stats["reconnects"]
                    await stream.ensure(client)  # what a server keeps in memory is gone after its restart
                    for held in self._held.values():
                        held.shard.touched = set(held.shard.sites)
                await client.publish(stream.BEAT, b"")
                await self._fleet.beat(self._word(), self._formerly)
                if self._fleet.member == min(self._fleet.roll.members, default=""):
                    await client.publish("latest.-engine", orjson.dumps(fleet.word_of(self._fleet.roll)))
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("no heartbeat: %s", error)
                if not self._fleet.valid:
                    log.warning("%s cannot renew its lease (%s)", self._name, error or type(error).__name__)
                    await stream.engine_store(client)  # lost with its server: made anew, tokens are then outbid
            await asyncio.sleep(1.0)

    def _formerly(self, member: str) -> bool:
        """Whether a member is this worker's former self: the slot's lock says that it is dead."""
        return member.rpartition(".")[0] == self._name

    def _word(self) -> dict[str, int]:
        """How far this worker is: the stream's time, its position, what waits.

        The position is the reader's, not the foremost partition's: one that is read again from an older snapshot holds
        it back, and while a partition is not claimed yet nothing can be said of how far it is.
        """
        shards = [held.shard for held in self._held.values()]
        word = {"pending": self._pending, "lost": self._lost}
        word |= {"points": sum(len(shard.engine.ids) for shard in shards), "sites": sum(len(shard.sites) for shard in shards)}
        if shards:
            whole = len(shards) == len(self._fleet.mine)
            word |= {"now_ns": self._now_ns(), "seq": self._position if whole else 0}
        return word

    async def _show(self, client: Client) -> None:
        """Put the newest values of the sites that changed where pages find them."""
        while True:
            await asyncio.sleep(1.0)
            if not self._fleet.valid:
                continue  # another may own them, and know better
            shown = 0
            try:
                for shard in [held.shard for held in self._held.values()]:
                    sites, shard.touched = shard.touched, set()
                    for site in sites:
                        await client.publish(f"latest.{site}", shard.latest(site))
                        shown += 1
                        if shown % _BREATH == 0:
                            await asyncio.sleep(0)
            except (NatsError, OSError) as error:
                log.debug("newest values not shown: %s", error)

    async def _tidy(self, client: Client) -> None:
        """Merge the history's small files beside the engine's own work."""
        del client
        while True:
            await asyncio.sleep(20.0)
            try:
                await asyncio.to_thread(self._history.merge)
            except OSError as error:
                log.error("history not merged: %s", error)
