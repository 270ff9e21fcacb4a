"""What the platform is made of: its child processes, in the order they can start.

In: a data folder. Out: a `Part` for PostgreSQL, NATS (unless they are the operator's own) and each process.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from fengsui.services import folder as folders
from fengsui.services import nats, postgres
from fengsui.services.folder import Folder
from fengsui.services.supervisor import Part
from fengsui.services.worker import ROOMS, find_module

_ROOM_AGAIN = 64 * 1024 * 1024  # bytes free, so that a stream server that could not write is worth a new start
# Seconds; a part that lives and takes longer for a question that costs it nothing is not well. A machine that is short of
# everything answers late: nothing that works may be ended for that, so it is long, and two in a row are needed.
_ANSWERS_WITHIN = 20.0
_SILENT = f"it has not answered for {_ANSWERS_WITHIN:.0f} s"
_ALIVE = "/manifest.webmanifest"
"""A page for which the web server needs Django and no database: while PostgreSQL is away, a new start would help nobody."""
_PULSELESS = 300.0
"""Seconds without a sign of life, while two others give some, after which a process is started again. Pages say it after 30."""
_SELDOM = 20.0  # seconds between two questions of the database
T = TypeVar("T")
_BEATING = ("relay", "clock", "sealer", "jobs")
"""The processes that write their own sign of life; the engine's is written by the relay."""
DATABASE, STREAM, WEB = "postgresql", "nats", "web"
PROCESSES = tuple(name for name in ("web", "engine", "relay", "clock", "sealer", "jobs") if find_module(ROOMS[name]))


def processes(folder: Folder) -> tuple[str, ...]:
    """The processes of this folder: `PROCESSES`, and ``engine-2`` … where its config.toml wants more engine workers."""
    return (*PROCESSES, *(f"engine-{number}" for number in range(2, folder.config.engines + 1)))


def _http_ok(port: int, path: str, *, host: str = "127.0.0.1") -> bool:
    """Whether ``GET path`` answers below 500 within two seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _asked(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and first words of the answer to ``GET path``. Raises `TimeoutError` where none comes in time, else `OSError`."""
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWERS_WITHIN)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(4096).decode(errors="replace")
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _web_stuck(port: int, host: str) -> str:
    """Why the web server must be started anew: nothing at all is answered. Whatever it answers, it lives."""
    try:
        _asked(port, _ALIVE, host)
    except TimeoutError:
        return _SILENT
    except OSError as error:
        return f"it takes no connection ({error.strerror or error})"
    return ""


def _database_stuck(port: int) -> str:
    """Why PostgreSQL must be started anew: it lives and lets nobody in, nor says why. One that is full or busy says so."""
    return f"it lets nobody in within {_ANSWERS_WITHIN:.0f} s" if postgres.silent(port, _ANSWERS_WITHIN) else ""


def _stream_stuck(folder: Folder) -> str:
    """Why the stream server keeps nothing though the disk has room again, or that it is silent; '' where it is well or must
    wait for room.

    NATS (2.15) remembers a failed write and refuses everything after it until it is started anew.
    """
    try:
        status, words = _asked(folder.config.monitor, "/healthz")
    except TimeoutError:
        return _SILENT
    except OSError:
        return ""
    if status < 500 or "write error" not in words or shutil.disk_usage(folder.path).free < _ROOM_AGAIN:
        return ""
    return "it keeps nothing since a write failed"


def pulseless(address: str, name: str) -> str:
    """Why a process that lives must be started anew: the database at ``address`` has no sign of life of it for long.

    It is held against the signs of two others, not against this machine's clock; where nothing can be asked, nothing is said.
    """
    import psycopg

    others = "SELECT at FROM ledger_beat WHERE process = ANY(%s) ORDER BY at DESC OFFSET 1 LIMIT 1"
    query = f"SELECT extract(epoch FROM ({others}) - at) FROM ledger_beat WHERE process = %s"  # noqa: S608 - constants
    try:
        with psycopg.connect(address, connect_timeout=5, options="-c statement_timeout=5000") as connection:
            row = connection.execute(query, [[*_BEATING, "engine"], name]).fetchone()
    except psycopg.Error:
        return ""
    return f"it has given no sign of life for {row[0]:.0f} s" if row and (row[0] or 0) > _PULSELESS else ""


def _aside(check: Callable[[], str]) -> Callable[[], str | None]:
    """Ask ``check`` in a thread: each call gives what the one before had it find out, each finding once, and waits for nothing.

    None until there is an answer. The supervisor's tick looks after every part: it may not stand still for the seconds that
    one of them takes to answer.
    """
    found: list[str] = []
    asking: list[threading.Thread] = []

    def ask() -> str | None:
        if asking and asking[0].is_alive():
            return None
        said = found.pop() if found else None
        asking[:] = [threading.Thread(target=lambda: found.append(check()), daemon=True, name="stuck?")]
        asking[0].start()
        return said

    return ask


def _throttled(check: Callable[[], T], every: float, between: T) -> Callable[[], T]:
    """Ask ``check`` at most each ``every`` seconds; the answer is ``between`` until then."""
    last = 0.0

    def ask() -> T:
        nonlocal last
        now = time.monotonic()
        if now - last < every:
            return between
        last = now
        return check()

    return ask


def database(folder: Folder) -> Part:
    """The embedded PostgreSQL; its cluster must have been made."""
    config = folder.config
    cluster = folder.path / "pg"
    words, user = postgres.command(Path("{place}"), config.database)
    return Part(
        name=DATABASE, command=words, user=user, log=folder.log(DATABASE), layer=-1, stop=signal.SIGINT, patience=30,
        deaf_patience=300,
        enter=lambda: postgres.entrance(cluster, user),
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        ready=_throttled(lambda: postgres.ready(config.database), 0.1, False),
        stuck=_aside(lambda: _database_stuck(config.database)),
        address=f"127.0.0.1:{config.database}",
    )  # fmt: skip


def stream(folder: Folder) -> Part:
    """The embedded NATS server; `write_stream_configuration` first."""
    config = folder.config
    return Part(
        name=STREAM, command=nats.command(folder.path), log=folder.log(STREAM), layer=0, patience=20,
        environment={"PATH": "/usr/bin:/bin"},
        ready=_throttled(lambda: _http_ok(config.monitor, "/healthz"), 0.1, False), stuck=_aside(lambda: _stream_stuck(folder)),
        address=f"127.0.0.1:{config.stream}, mqtt 127.0.0.1:{config.mqtt}",
    )  # fmt: skip


def write_stream_configuration(folder: Folder) -> None:
    """Write NATS's configuration from the folder's ports and its sites' tokens."""
    config = folder.config
    # Made-up samples need no sync each: 644 a second are too many for a slow disk. A killed server loses none.
    sync = "1s" if os.environ.get("FENGSUI_DEMO") == "1" else "always"
    ports = nats.Ports(config.stream, config.mqtt, config.monitor)
    nats.configure(folder.path, ports, nats.site_tokens(folder.path), sync=sync)


def process(folder: Folder, name: str) -> Part:
    """One of the platform's own processes (`processes`)."""
    config = folder.config
    room, _, number = name.partition("-")
    environment = folder.environment()
    environment |= {"FENGSUI_SUPERVISED": "1", "PYTHONUNBUFFERED": "1", "FENGSUI_ENGINE": number or "1"}
    needs = tuple(part for part, own in ((DATABASE, folders.external_database()), (STREAM, folders.external_stream())) if not own)
    if name == WEB:
        environment |= {"FENGSUI_BIND": config.bind, "FENGSUI_PORT": str(config.web), "FENGSUI_WORKERS": str(config.workers)}
        host = "127.0.0.1" if config.bind in ("0.0.0.0", "::") else config.bind  # noqa: S104
        ready: Callable[[], bool] = _throttled(lambda: _http_ok(config.web, "/sign-in/", host=host), 0.25, False)
        stuck = _aside(lambda: _web_stuck(config.web, host))
    else:
        ready, stuck = _lives_for(1.0), lambda: ""
        if name in _BEATING:
            stuck = _throttled(_aside(lambda: pulseless(environment["DATABASE_URL"], name)), _SELDOM, None)
    return Part(
        name=name, command=[sys.executable, "-m", "fengsui.services.cli", room], log=folder.log(name), ready=ready, stuck=stuck,
        grace=_PULSELESS if name in _BEATING else 0.0,
        environment=environment, needs=needs, layer=2 if name == WEB else 1, address=folder.address if name == WEB else "",
    )  # fmt: skip


def _lives_for(seconds: float) -> Callable[[], bool]:
    """Ready once asked for ``seconds`` on end; a gap of a second (it died) begins anew."""
    first = last = 0.0

    def ask() -> bool:
        nonlocal first, last
        now = time.monotonic()
        if now - last > 1.0:
            first = now
        last = now
        return now - first >= seconds

    return ask


class SiteTokens:
    """Has NATS read the sites' tokens again when their file changed: new sites without a dropped connection."""

    def __init__(self, folder: Folder, pid: Callable[[], int | None], say: Callable[..., None]) -> None:
        self._folder, self._pid, self._say = folder, pid, say
        self._complained = ""
        self._file: Path = nats.tokens_file(folder.path)
        self._seen = self._stamp()

    def _stamp(self) -> int:
        try:
            return self._file.stat().st_mtime_ns
        except OSError:
            return 0

    def __call__(self) -> None:
        """Compare and, when the file changed, write the configuration and send SIGHUP.

        What cannot be read or written is told once and tried again: the server goes on with the tokens that it has.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return
        pid = self._pid()
        if pid is None:
            return
        try:
            write_stream_configuration(self._folder)
        except (OSError, ValueError) as error:
            if str(error) != self._complained:
                self._complained = str(error)
                self._say(STREAM, f"keeps the sites' tokens that it has: {error}", bad=True)
            return
        self._seen, self._complained = stamp, ""
        os.kill(pid, signal.SIGHUP)
