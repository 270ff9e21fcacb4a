"""Pages that renew themselves: one event stream per browser, one poller thread per process.

In: outbox rows that the publisher gave a position, seen at once by LISTEN and each second anyway. Out:
server-sent events ``news`` with ``{topic, id}`` for what the reader may see; ``Last-Event-ID`` resumes. What the reader may
see is asked anew every few seconds (``hearing``); a stream whose session has ended, ends.
A browser's tabs share their stream (``switchboard.js``): HTTP/1.1 allows it six connections in all.
Never: the ORM inside a stream (the poller reads; a stream only takes from its queue), a case's content.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import Error as DatabaseError
from django.db import connections

from fengsui import moment
from fengsui.region.scoping import Scope

if TYPE_CHECKING:
    from fengsui.cockpit.hearing import Claim, Seated

KEPT = 4096
"""How many events a process remembers for readers that come back."""

CHANNEL = "fengsui_ledger"
BREATH = 15.0
"""Seconds between two comments that keep the line open through proxies."""
LOOK = 3.0
"""Seconds after which the poller asks again what its listeners may hear."""


@dataclass(frozen=True, slots=True)
class News:
    """One change: the position orders it; the rest decides who may hear it."""

    position: int
    topic: str
    id: str
    place_path: str = ""
    duty: str = ""
    offices: frozenset[int] = frozenset()
    readers: frozenset[int] | None = None  # set: confidential, these offices only

    def wire(self, **more: Any) -> str:
        """The event as it goes over the line, with ``more`` beside topic and id."""
        return f"id: {self.position}\nevent: news\ndata: {json.dumps({'topic': self.topic, 'id': self.id, **more})}\n\n"


@dataclass(frozen=True, slots=True)
class Ear:
    """Who listens: the scopes of all posts held, and the topics wanted (none: all)."""

    scopes: tuple[Scope, ...]
    topics: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def hears(self, news: News) -> bool:
        """Whether this reader may see the change and asked for it."""
        if self.topics and news.topic not in self.topics:
            return False
        if self.ids and news.id not in self.ids:
            return False
        return any(_within(scope, news) for scope in self.scopes)

    def wire(self, news: News) -> str:
        """The event as this reader gets it."""
        return news.wire()


@dataclass(frozen=True, slots=True)
class Seats:
    """Several readers on one line, by name: each event names those who may hear it (the demo's split screen)."""

    ears: Mapping[str, Ear]

    def hears(self, news: News) -> bool:
        """Whether one of them may see the change."""
        return any(ear.hears(news) for ear in self.ears.values())

    def wire(self, news: News) -> str:
        """The event with the names of those who may see it."""
        return news.wire(seats=[name for name, ear in self.ears.items() if ear.hears(news)])


def _within(scope: Scope, news: News) -> bool:
    if news.readers is not None:
        return bool(scope.office_ids & news.readers)
    if scope.office_ids & news.offices:
        return True
    if not scope.territorial or not news.place_path.startswith(scope.place_path):
        return False
    return "*" in scope.duties or not news.duty or news.duty in scope.duties


@dataclass(slots=True)
class Listener:
    """One open stream: a queue of its event loop. ``claim`` says by what it was opened; without one nothing is asked again."""

    ear: Ear | Seats
    loop: asyncio.AbstractEventLoop
    claim: Claim | Seated | None = None
    queue: asyncio.Queue[News | None] = field(default_factory=lambda: asyncio.Queue(maxsize=500))
    ended: bool = False

    def offer(self, news: News) -> None:
        """Called in the loop; a reader too slow for 500 events loses the oldest and renews on the next."""
        if self.ended:
            return
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(news)

    def end(self) -> None:
        """Called in the loop: nothing more is heard, not even what waits; the stream closes."""
        self.ended = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Board:
    """The process's poller and its listeners."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._kept: deque[News] = deque(maxlen=KEPT)
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def join(self, ear: Ear | Seats, after: int | None, claim: Claim | Seated | None = None) -> tuple[Listener, list[News]]:
        """A new listener and what it missed since ``after``."""
        mine = Listener(ear, asyncio.get_running_loop(), claim)
        with self._lock:
            missed = [news for news in self._kept if after is not None and news.position > after and ear.hears(news)]
            self._listeners = [*self._listeners, mine]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._poll, name="live", daemon=True)
                self._thread.start()
        return mine, missed

    def leave(self, listener: Listener) -> None:
        """The page was closed."""
        with self._lock:
            self._listeners = [one for one in self._listeners if one is not listener]

    def spread(self, news: News) -> None:
        """Hand a change to everybody who may hear it."""
        with self._lock:
            self._kept.append(news)
            listeners = [one for one in self._listeners if one.ear.hears(news)]
        for one in listeners:
            try:
                one.loop.call_soon_threadsafe(one.offer, news)
            except RuntimeError:  # its loop has ended
                self.leave(one)

    def look_again(self, now: datetime) -> None:
        """Ask what the listeners may hear at ``now``: an ended session ends its streams, a lost right is heard no more."""
        from fengsui.cockpit import hearing

        with self._lock:
            asked = [(one, one.claim) for one in self._listeners if one.claim is not None]
        known = hearing.ears({claim for _, claim in asked}, now) if asked else {}
        for one, claim in asked:
            if (ear := known.get(claim)) is not None:
                one.ear = ear
                continue
            self.leave(one)
            with contextlib.suppress(RuntimeError):  # its loop has ended
                one.loop.call_soon_threadsafe(one.end)

    def _poll(self) -> None:
        last: int | None = None
        looked = time.monotonic()
        while not self._stop.is_set():
            try:
                with psycopg.connect(**_address(), autocommit=True) as line:
                    line.execute(f"LISTEN {CHANNEL}")
                    while not self._stop.is_set():
                        if time.monotonic() - looked >= LOOK:
                            self.look_again(moment.now())
                            looked = time.monotonic()
                        last = self._read(last)
                        for _ in line.notifies(timeout=1.0, stop_after=1):
                            pass
            except (psycopg.Error, DatabaseError):
                self._stop.wait(1.0)  # the database is away: readers keep their page and we ask again
            finally:
                connections.close_all()

    def _read(self, last: int | None) -> int:
        from fengsui.cockpit import outbox

        if last is None:
            return outbox.latest()
        for news in outbox.since(last):
            self.spread(news)
            last = news.position
        return last


def _address() -> dict[str, Any]:
    wanted = connections["default"].get_connection_params()
    return {name: value for name, value in wanted.items() if name not in {"cursor_factory", "context", "prepare_threshold"}}


board = Board()


async def stream(ear: Ear | Seats, after: int | None, claim: Claim | Seated | None = None) -> AsyncIterator[str]:
    """One event stream; it ends when its claim does."""
    listener, missed = board.join(ear, after, claim)
    try:
        yield "retry: 3000\n\n"
        for news in missed:
            yield ear.wire(news)
        while True:
            try:
                next_one = await asyncio.wait_for(listener.queue.get(), BREATH)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if next_one is None:
                return
            if listener.ear.hears(next_one):  # a right may have been lost while it waited
                yield listener.ear.wire(next_one)
    finally:
        board.leave(listener)
