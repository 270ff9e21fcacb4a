"""Starts the parts as child processes, restarts what dies, stops them in order.

In: a list of `Part`. Out: running processes, and an event for each change. It knows nothing of databases or
of the web: a part says how it is started and when it is ready.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import psutil

from fengsui.services.failure import Failure

_TICK = 0.1  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # seconds before a dead part is started again
_LOOK = 2.0  # seconds between two looks whether a part that lives is stuck
_STARVED = 5.0  # seconds between two ticks: we did not run ourselves, so what did not answer meanwhile may be well
_STUCK_TWICE = 2  # answers in a row that say so, and it is started again; after each such start twice as many, at most 64
_CALM_AFTER = 600.0  # seconds of health after which starts for being stuck are forgotten
_STEADY_AFTER = 20.0  # seconds of life after which earlier deaths are forgotten
_LOG_CAP = 16 * 1024 * 1024  # bytes


class State(StrEnum):
    """What a part is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    PAUSING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Part:
    """One child process.

    ``command`` gives the command line; ``user`` the account to run as (None: ours); ``ready`` is asked every
    tick while it starts; ``enter`` wraps a start and gives the place (for ``{place}`` in the command) and the
    descriptors to inherit; ``stuck`` says why a living part will not recover without a new start ('' while it is well, None
    while the answer is not there yet), asked from ``grace`` seconds after its start on;
    ``needs`` names parts that must be ready before it starts; ``stop`` is the signal that
    ends it and ``patience`` the seconds it may take; ``deaf_patience`` those of one that is ended because it is stuck, where it
    needs more (PostgreSQL writes out what it has, however slow the disk). Parts of a lower ``layer`` stop later.
    """

    name: str
    command: list[str]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str]
    user: str | None = None
    enter: Callable[[], AbstractContextManager[tuple[str, tuple[int, ...]]]] = lambda: nullcontext(("", ()))
    stuck: Callable[[], str | None] = lambda: ""
    grace: float = 0.0
    needs: tuple[str, ...] = ()
    stop: int = signal.SIGTERM
    patience: float = 10.0
    deaf_patience: float = 0.0
    layer: int = 1
    address: str = ""


@dataclass
class Child:
    """A part's process as it is now; times are of the monotonic clock, in seconds."""

    part: Part
    state: State = State.WAITING
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    ready_after: float | None = None
    restarts: int = 0
    failures: int = 0
    next_try: float = 0.0
    last_exit: int | None = None
    refused: str = ""  # why the system would not start it the last time
    looked: float = 0.0  # when it was last asked whether it is stuck
    stuck: str = ""  # what it said then
    complaints: int = 0  # so many answers in a row said so
    freed: int = 0  # how often it was started again for that
    freed_at: float = 0.0
    ending: float | None = None  # when it was told to end because it is stuck

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.process.pid if self.process and self.process.poll() is None else None


@dataclass(frozen=True)
class Event:
    """Something a person may want to read: a part's name and words."""

    name: str
    words: str
    bad: bool = False


@dataclass
class Supervisor:
    """Keeps ``parts`` alive. ``told`` hears each `Event`; ``each_tick`` is called about ten times a second."""

    parts: Iterable[Part]
    told: Callable[[Event], None] = lambda event: None
    each_tick: list[Callable[[], None]] = field(default_factory=list)
    children: dict[str, Child] = field(default_factory=dict)
    recent: deque[Event] = field(default_factory=lambda: deque(maxlen=8))

    def __post_init__(self) -> None:
        self._ticked = 0.0
        for part in self.parts:
            self.add(part)

    def add(self, part: Part) -> None:
        """Take one more part; it starts at the next tick when what it needs is ready."""
        self.children[part.name] = Child(part)

    def say(self, name: str, words: str, *, bad: bool = False) -> None:
        """Let whoever watches know what happens to ``name``."""
        event = Event(name, words, bad)
        self.recent.append(event)
        self.told(event)

    @property
    def ready(self) -> bool:
        """Whether every part is ready."""
        return all(child.state is State.READY for child in self.children.values())

    def tick(self) -> None:
        """Look at every part once: start, find ready, or bury and plan the restart."""
        now = time.monotonic()
        if now - self._ticked > _STARVED:
            for child in self.children.values():
                child.complaints = 0
        self._ticked = now
        for child in self.children.values():
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now)
            if child.process is None and now >= child.next_try and self._served(child.part):
                self._try_to_start(child, now)
            elif child.state is State.STARTING and child.part.ready():
                child.state, child.ready_after = State.READY, now - child.started
                self.say(child.part.name, f"ready after {child.ready_after:.1f} s")
            elif child.state is State.READY or child.ending is not None:
                self._look_after(child, now)
        for call in self.each_tick:
            call()

    def _look_after(self, child: Child, now: float) -> None:
        """Forget deaths of long ago; end a part that is stuck, so that it is started anew."""
        if child.failures and now - child.started > _STEADY_AFTER:
            child.failures = 0
        if child.freed and not child.stuck and now - child.freed_at > _CALM_AFTER:
            child.freed = 0
        if child.ending is not None:
            if child.process is not None and now - child.ending > max(child.part.patience, child.part.deaf_patience):
                _kill_family(child.process)
            return
        if now - child.looked < _LOOK or now - child.started < child.part.grace:
            return
        child.looked = now
        if (found := child.part.stuck()) is not None:
            self._hear(child, found, now)

    def _hear(self, child: Child, found: str, now: float) -> None:
        """Tell what was found out about a living part; end it where it stays so."""
        name, before = child.part.name, child.stuck
        child.stuck, child.complaints = found, child.complaints + 1 if found else 0
        if before and not found:
            self.say(name, "is well again")
        elif found and not before:
            self.say(name, f"is not well: {found}", bad=True)
        # A part that is only slow is not made faster by a new start: each such start waits longer for the next.
        if child.complaints >= _STUCK_TWICE * 2 ** min(child.freed, 5) and child.process is not None:
            self.say(name, f"is stuck ({found}); started again", bad=True)
            child.state, child.ending, child.freed_at = State.PAUSING, now, now
            child.freed += 1
            child.process.send_signal(child.part.stop)
            for one in (child.process, *_descendants(child.process.pid)):
                with contextlib.suppress(psutil.Error, ProcessLookupError):
                    one.send_signal(signal.SIGCONT)  # one that was stopped hears the other signal only then

    def _served(self, part: Part) -> bool:
        return all(self.children[name].state is State.READY for name in part.needs if name in self.children)

    def _try_to_start(self, child: Child, now: float) -> None:
        """Start it; what the system refuses (a full disk, no more processes) is planned anew like a death."""
        try:
            self._start(child, now)
            child.refused = ""
        except OSError as error:
            child.refused = error.strerror or str(error)
            pause = self._plan(child, now)
            self.say(child.part.name, f"could not be started ({child.refused}); tried again in {pause:.1f} s", bad=True)

    def _start(self, child: Child, now: float) -> None:
        part = child.part
        with contextlib.suppress(FileNotFoundError):
            if part.log.stat().st_size > _LOG_CAP:
                part.log.replace(part.log.with_suffix(".log.1"))
        with part.log.open("ab") as log, part.enter() as (place, descriptors):
            # Its own session: Ctrl-C reaches only us, and leftovers of a killed part are ended as a group.
            # The pipe is never written to: it closes when we die, and our own processes then stop.
            child.process = subprocess.Popen(
                [place if word == "{place}" else word for word in part.command], user=part.user,
                cwd="/" if part.user else None, env=dict(part.environment), start_new_session=True,
                stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=descriptors,
            )  # fmt: skip
        child.state, child.started, child.ready_after = State.STARTING, now, None
        child.looked, child.stuck, child.complaints, child.ending = now, "", 0, None

    def _bury(self, child: Child, now: float) -> None:
        assert child.process is not None
        child.last_exit = child.process.returncode
        _end_group(child.process.pid)
        if child.process.stdin:
            child.process.stdin.close()
        child.process = None
        child.restarts += 1
        pause = self._plan(child, now)
        self.say(child.part.name, f"ended ({exit_words(child.last_exit)}); started again in {pause:.1f} s", bad=True)

    def _plan(self, child: Child, now: float) -> float:
        """After how many seconds it is started again."""
        pause = min(_FIRST_PAUSE * 2 ** min(child.failures, 16), _LONGEST_PAUSE)
        child.failures += 1
        child.state, child.next_try = State.PAUSING, now + pause
        return pause

    def wait_ready(self, names: Iterable[str], patience: float, stop: threading.Event) -> None:
        """Tick until ``names`` are ready, or ``stop``. Raises `Failure` part with the log's last words."""
        deadline = time.monotonic() + patience
        wanted = [self.children[name] for name in names]
        while not stop.is_set() and not all(child.state is State.READY for child in wanted):
            self.tick()
            for child in wanted:
                if child.failures >= 4 or (time.monotonic() > deadline and child.state is not State.READY):
                    raise Failure(
                        "part",
                        f"{child.part.name} did not start. Its last words: {child.refused or last_words(child.part.log)}",
                        f"Its log is {child.part.log}; `fengsui doctor` tests what it stands on.",
                    )
            stop.wait(_TICK / 2)

    def run(self, stop: threading.Event) -> None:
        """Keep the parts alive until ``stop`` is set."""
        while not stop.wait(_TICK):
            self.tick()

    def stop(self) -> None:
        """End all parts, the upper layers first; one that does not end in its time is killed."""
        for layer in sorted({child.part.layer for child in self.children.values()}, reverse=True):
            children = [child for child in self.children.values() if child.part.layer == layer and child.process]
            for child in children:
                assert child.process is not None
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(child.part.stop)
            for child in children:
                self._wait_end(child)

    def _wait_end(self, child: Child) -> None:
        assert child.process is not None
        try:
            child.process.wait(child.part.patience)
            self.say(child.part.name, "stopped")
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
            self.say(child.part.name, f"killed: it did not stop within {child.part.patience:.0f} s", bad=True)
        _end_group(child.process.pid)
        child.state = State.STOPPED
        child.process = None


def _descendants(pid: int) -> list[psutil.Process]:
    """The processes that ``pid`` started, and those that they started."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _kill_family(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it started, itself first: PostgreSQL's sessions have groups of their own and hold its memory."""
    family = _descendants(process.pid)
    process.kill()
    for one in family:
        with contextlib.suppress(psutil.Error):
            one.kill()


def _end_group(pid: int) -> None:
    """Kill what a dead part left in its process group (a web server's workers hold its port)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def exit_words(code: int | None) -> str:
    """An exit code in words: ``exit code 1``, ``killed by SIGKILL``."""
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def last_words(log: Path, lines: int = 3) -> str:
    """The last non-empty lines of a log, at most 600 characters."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            text = file.read().decode(errors="replace")
    except OSError:
        return "none"
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])[-600:] or "none"
