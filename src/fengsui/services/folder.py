"""The data folder: everything one running platform keeps, under one marker file.

In: a path. Out: its parts' places, the ports it remembers, the environment its processes need, and the lock
that lets one supervisor run on it. It never changes a folder that it does not know.

``FENGSUI-DATA`` (the marker, JSON), ``config.toml`` (ports and address, made once, then the operator's),
``up.lock`` (who runs), ``pg/``, ``nats/``, ``keys/`` (0700), ``evidence/``, ``history/``, ``engine/``,
``static/``, ``logs/``.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
import time
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from fengsui import files
from fengsui.services.failure import Failure

FORMAT = 1
"""The version of the folder's layout; a new layout gets a new number and a step in ``docs/how-to``."""

MARKER = "FENGSUI-DATA"
APPLICATION = "fengsui_app"
"""The database role of every process but those that migrate, back up and restore (``ledger.database.ROLE``)."""
LEAST_FREE = 512 * 1024 * 1024  # bytes; below it PostgreSQL and JetStream may stop in the middle of a write
_SOCKET_PATH = 107  # bytes in a Unix socket's address
_PORTS = ("web", "database", "stream", "mqtt", "monitor")
_WISHED = {"web": 8000, "database": 54321, "stream": 4222, "mqtt": 1883, "monitor": 8222}


_LOOKS, _LOOK = 20, 0.05  # tries, and seconds between them, while another only looks who runs

_MOST_ENGINES = 64  # one for each partition of the stream


@dataclass(frozen=True)
class BaseMap:
    """``[map]``: the licensed base map under the sketch, and the number the map was approved under 审图号.

    ``tiles`` are address templates with ``{z}``, ``{x}``, ``{y}`` and, where the provider asks for one, ``{key}``.
    """

    approval: str = ""
    tiles: tuple[str, ...] = ()
    credit: str = ""


@dataclass(frozen=True)
class Config:
    """``config.toml``: where the parts listen. ``bind`` is the web server's address, loopback unless changed."""

    bind: str
    web: int
    database: int
    stream: int
    mqtt: int
    monitor: int
    hosts: tuple[str, ...] = ()
    workers: int = 1
    engines: int = 1  # engine workers that share the partitions
    map: BaseMap = BaseMap()


@dataclass(frozen=True)
class Folder:
    """A known data folder at ``path`` (absolute)."""

    path: Path

    @property
    def config(self) -> Config:
        """The ports and the address, as the folder remembers them."""
        return _read_config(self.path / "config.toml")

    @property
    def address(self) -> str:
        """The page's address, for people."""
        config = self.config
        host = "127.0.0.1" if config.bind in ("0.0.0.0", "::") else config.bind  # noqa: S104
        return f"http://{host}:{config.web}/"

    def log(self, name: str) -> Path:
        """The log file of a part."""
        return self.path / "logs" / f"{name}.log"

    def environment(self, *, owner: bool = False) -> dict[str, str]:
        """The environment of a process of this folder; ``owner`` for migrations and backups.

        ``DATABASE_URL`` and ``NATS_URL`` of the caller stay; without them the embedded servers' addresses. A process
        signs in to the database as the application's role: on an operator's server where ``FENGSUI_APP_DATABASE_URL``
        says how, else it signs in as the owner and assumes that role.
        """
        from fengsui.services import nats, postgres

        config = self.config
        environment = dict(os.environ)
        environment["DJANGO_SETTINGS_MODULE"] = "fengsui.settings"
        environment["FENGSUI_DATA"] = str(self.path)
        environment["FENGSUI_DB_ROLE"] = "" if owner else APPLICATION
        if not external_database():
            environment["DATABASE_URL"] = postgres.url(config.database, password=postgres.password(self.path))
            environment["FENGSUI_APP_DATABASE_URL"] = postgres.url(
                config.database, password=postgres.application_password(self.path), user=APPLICATION
            )
        if not owner and (own := environment.get("FENGSUI_APP_DATABASE_URL")):
            environment["DATABASE_URL"] = own
        if not external_stream():
            environment["NATS_URL"] = nats.url(self.path, config.stream)
            environment["FENGSUI_MQTT"] = f"127.0.0.1:{config.mqtt}"
        environment.setdefault("FENGSUI_MAP_APPROVAL", config.map.approval)
        environment.setdefault("FENGSUI_MAP_TILES", " ".join(config.map.tiles))
        environment.setdefault("FENGSUI_MAP_CREDIT", config.map.credit)
        if config.hosts:
            environment.setdefault("FENGSUI_HOSTS", ",".join(("localhost", "127.0.0.1", "[::1]", *config.hosts)))
        return environment


def external_database() -> str:
    """The operator's own PostgreSQL (``DATABASE_URL``), or ''."""
    return os.environ.get("DATABASE_URL", "")


def external_stream() -> str:
    """The operator's own NATS (``NATS_URL``), or ''."""
    return os.environ.get("NATS_URL", "")


def _read_config(path: Path) -> Config:
    try:
        table = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise Failure("notready", f"{path.parent} holds no config.toml.", "Run `fengsui up` on it once.") from error
    except tomllib.TOMLDecodeError as error:
        raise Failure(
            "foreign", f"{path} cannot be read: {error}.", "Correct that line, or delete the file for new ports."
        ) from error
    ports = table.get("ports", {})
    missing = [name for name in _PORTS if not isinstance(ports.get(name), int) or not 0 < ports[name] < 65536]
    if missing:
        raise Failure(
            "foreign", f"{path}: [ports] lacks a number 1–65535 for {', '.join(missing)}.", "Correct it, or delete the file."
        )
    web = table.get("web", {})
    engines = table.get("engine", {}).get("workers", 1)
    if not isinstance(engines, int) or not 1 <= engines <= _MOST_ENGINES:
        raise Failure(
            "foreign", f"{path}: [engine] workers must be a number 1–{_MOST_ENGINES}.", "Correct it, or delete the line."
        )
    return Config(
        bind=str(web.get("bind", "127.0.0.1")),
        hosts=tuple(map(str, web.get("hosts", ()))),
        workers=int(web.get("workers", 1)),
        engines=engines,
        map=_read_map(path, table.get("map", {})),
        **{name: ports[name] for name in _PORTS},
    )


def _read_map(path: Path, table: dict[str, object]) -> BaseMap:
    tiles = table.get("tiles", [])
    sound = isinstance(tiles, list) and all(
        isinstance(one, str) and re.match(r"https?://[^/\s{}]+/\S*$", one) and all(part in one for part in ("{z}", "{x}", "{y}"))
        for one in tiles
    )
    if not sound:
        raise Failure(
            "foreign",
            f"{path}: [map] tiles must be a list of addresses with {{z}}, {{x}} and {{y}}.",
            'Correct it, for example tiles = ["https://tiles.example.org/{z}/{x}/{y}.png?tk={key}"].',
        )
    return BaseMap(str(table.get("approval", "")), tuple(map(str, tiles)), str(table.get("credit", "")))  # type: ignore[call-overload]


def port_free(port: int, bind: str = "127.0.0.1") -> bool:
    """Whether nothing listens on ``bind:port`` now."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((bind, port))
        except OSError:
            return False
        return True


def choose_ports(avoid: Collection[int] = ()) -> dict[str, int]:
    """A free loopback port for each listener, none of ``avoid``: the well-known one where free, else one the system gives."""
    chosen: dict[str, int] = {}
    for name in _PORTS:
        port = _WISHED[name]
        while port in avoid or port in chosen.values() or not port_free(port):
            with socket.socket() as door:
                door.bind(("127.0.0.1", 0))
                port = int(door.getsockname()[1])
        chosen[name] = port
    return chosen


def free_ports(folder: Folder) -> dict[str, tuple[int, int]]:
    """Give each listener whose remembered port is taken a free one in ``config.toml``: name → (before, now).

    For a folder that came from elsewhere: a backup restored beside the platform that it was made of. Everything else that
    the operator wrote into the file stays.
    """
    config, path = folder.config, folder.path / "config.toml"
    binds = {"web": config.bind}
    taken = [name for name in _PORTS if not port_free(getattr(config, name), binds.get(name, "127.0.0.1"))]
    if not taken:
        return {}
    fresh, text = choose_ports([getattr(config, name) for name in _PORTS]), path.read_text()
    given = {name: (getattr(config, name), fresh[name]) for name in taken}
    head, section, rest = text.partition("[ports]")
    for name, (_, port) in given.items():
        rest = re.sub(rf"(?m)^(\s*{name}\s*=\s*)\d+", rf"\g<1>{port}", rest, count=1)
    files.write_whole(path, head + section + rest, mode=path.stat().st_mode & 0o777)
    return given


def write_config(path: Path, bind: str, ports: dict[str, int]) -> None:
    """Write a fresh ``config.toml``; an operator's later changes are kept by never writing it again."""
    lines = ["# Where this folder's parts listen. Change it while nothing runs.", "", "[web]", f'bind = "{bind}"']
    lines += ['# hosts = ["fengsui.example.org"]  # names people may reach it by', "# workers = 2", ""]
    lines += [
        "# [engine]",
        "# workers = 2  # more share the 64 partitions; one judges millions of samples a second",
        "",
        "[ports]",
    ]
    lines += [f"{name} = {ports[name]}" for name in _PORTS]
    lines += [
        "",
        "# [map]",
        '# approval = "审图号 …"  # printed on every map',
        '# tiles = ["https://…/{z}/{x}/{y}.png?tk={key}"]',
    ]
    lines += ['# credit = "…"  # the key: FENGSUI_MAP_KEY or keys/map_key']
    files.write_whole(path, "\n".join(lines) + "\n", mode=0o644)


def _holds_something(path: Path) -> bool:
    """Whether ``path`` is a file or a folder that is not empty. Raises `Failure` where it cannot be looked at.

    A marker that was being written when the power went is nothing.
    """
    try:
        return path.exists() and (not path.is_dir() or any(not _half_marker(one) for one in path.iterdir()))
    except OSError as error:
        raise disk_failure(error, path) from error


def _half_marker(path: Path) -> bool:
    return path.name.startswith(f"{MARKER}.") and path.name.endswith(files.FRESH)


def find(path: Path) -> Folder:
    """The known data folder at ``path``. Raises `Failure` foreign, format or notready; changes nothing."""
    path = path.absolute()
    marker = path / MARKER
    if not _holds_something(path):
        raise Failure("notready", f"There is no data folder at {path}.", "Run `fengsui up`, or name another one with --data.")
    if not path.is_dir() or not marker.exists():
        raise Failure(
            "foreign",
            f"{path} is not a Fengsui data folder: it has no {MARKER} file. Nothing in it was changed.",
            "Name another folder with --data.",
        )
    try:
        format_ = int(json.loads(marker.read_text())["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("foreign", f"{marker} is damaged. Nothing was changed.", "Restore it from a backup.") from error
    if format_ != FORMAT:
        age = "an older" if format_ < FORMAT else "a newer"
        raise Failure(
            "format",
            f"{path} was written by {age} Fengsui (layout {format_}; this one uses {FORMAT}). Nothing was changed.",
            "Make a backup with that version and restore it with this one; see docs/how-to/backup.md.",
        )
    return Folder(path)


def make(path: Path, *, bind: str = "127.0.0.1") -> Folder:
    """The data folder at ``path``, made when there is nothing yet.

    Raises `Failure`: foreign or format (something else is there), readonly, disk. A folder that is not
    empty and has no marker is never touched.
    """
    path = path.absolute()
    if _holds_something(path):
        folder = find(path)
        _check_writable(folder.path)
    else:
        try:
            path.mkdir(parents=True, exist_ok=True)
            files.write_whole(path / MARKER, json.dumps({"format": FORMAT, "id": secrets.token_hex(8)}) + "\n", mode=0o644)
        except OSError as error:
            raise disk_failure(error, path) from error
        folder = Folder(path)
    try:
        path.chmod(0o711)  # PostgreSQL's own user passes through to pg/
        for name in ("keys", "evidence", "history", "logs"):
            (path / name).mkdir(mode=0o700, exist_ok=True)
        if not (path / "config.toml").exists():
            write_config(path / "config.toml", bind, choose_ports())
    except OSError as error:
        raise disk_failure(error, path) from error
    return folder


def disk_failure(error: OSError, path: Path) -> Failure:
    """What an operating system's error on ``path`` means: disk, path or readonly."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("disk", f"The disk of {path} is full.", "Free some space, then run it again.")
    if error.errno == errno.ENAMETOOLONG:
        return Failure("path", f"The path is too long for this system: {str(path)[:80]}….", "Choose a shorter one with --data.")
    return Failure(
        "readonly",
        f"{path} cannot be written: {error.strerror}.",
        "Give this user the right to write there, or name another folder with --data.",
    )


def _check_writable(path: Path) -> None:
    probe = path / f".probe-{os.getpid()}"
    try:
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        raise disk_failure(error, path) from error


def check_room(path: Path, *, least: int = LEAST_FREE) -> None:
    """Raise `Failure` disk when less than ``least`` bytes are free where ``path`` lies."""
    free = shutil.disk_usage(path).free
    if free < least:
        raise Failure(
            "disk",
            f"The disk of {path} has {free // 2**20} MiB free; at least {least // 2**20} MiB are needed to start safely.",
            "Free some space (old logs and backups first), then run it again.",
        )


def check_socket_path(url: str) -> None:
    """Raise `Failure` path when a database address names a socket folder whose path no socket can have."""
    host = parse_qs(urlsplit(url).query).get("host", [""])[-1]
    if host.startswith("/") and len(f"{host}/.s.PGSQL.65535".encode()) > _SOCKET_PATH:
        raise Failure(
            "path",
            f"DATABASE_URL's socket folder has {len(host.encode())} bytes; a Unix socket's path may have {_SOCKET_PATH} in all.",
            "Use a shorter folder, or a host and a port.",
        )


class Lock:
    """The right to supervise a folder: an advisory lock on ``up.lock``, given back when the process ends, however it ends."""

    def __init__(self, folder: Folder) -> None:
        self._path = folder.path / "up.lock"
        self._address = folder.address
        self._file: IO[Any] | None = None

    def __enter__(self) -> Lock:
        self._file = self._path.open("a+")
        try:
            self._take(self._file)
        except OSError as error:
            holder = holder_of(self._path)
            self._file.close()
            raise Failure(
                "running",
                f"Fengsui already runs on {self._path.parent} (process {holder.get('pid', '?')}): {holder.get('address', '')}",
                "Use that one, stop it with Ctrl-C where it runs, or name another folder with --data.",
            ) from error
        self._file.truncate(0)
        self._file.write(json.dumps({"pid": os.getpid(), "address": self._address}))
        self._file.flush()
        return self

    def _take(self, file: IO[Any]) -> None:
        """Lock the file. `running` holds it for an instant to look: who finds it held by nobody named tries again."""
        for left in reversed(range(_LOOKS)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not left or holder_of(self._path):
                    raise
                time.sleep(_LOOK)

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.truncate(0)
            self._file.close()


def holder_of(path: Path) -> dict[str, Any]:
    """Who wrote the lock file: ``{"pid", "address"}``; empty when nobody holds it."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def running(folder: Folder) -> dict[str, Any]:
    """The supervisor that now holds the folder (``{"pid", "address"}``), or empty."""
    path = folder.path / "up.lock"
    if not path.exists():
        return {}
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return holder_of(path)
    return {}
