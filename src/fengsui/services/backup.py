"""`fengsui backup` and `fengsui restore`: one file holds the whole platform.

In: a data folder, running or not. Out: a tar file of the database, the streams (the engine's snapshots lie in one), the
Parquet history, the evidence and the keys, with a manifest of SHA-256 sums as its last member. The database is
taken first and the streams after it, so that the relay, whose position lies in the database, finds every message
after that position again. The keys are in it: keep it as safe as the platform.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from fengsui import __version__, moment
from fengsui.services import folder as folders
from fengsui.services import foundation, postgres, reach, streams
from fengsui.services.failure import Failure
from fengsui.services.folder import Folder

_MANIFEST = "manifest.json"
_LEFT_OUT = {"pg", "pg.new", "nats", "logs", "static", "up.lock"}
Say = Callable[[str], None]


def backup(path: Path, target: Path, say: Say) -> int:
    """Write a backup of the folder at ``path`` to ``target``; its size in bytes.

    Raises `Failure`: the target exists, the disk is full, database or stream cannot be read. A broken attempt
    leaves no file.
    """
    folder = folders.find(path)
    if target.exists():
        raise Failure("readonly", f"{target} exists already; a backup never overwrites.", "Name another file.")
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with (
            foundation.standing(folder) as environment,
            os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw,
        ):
            with tarfile.open(fileobj=raw, mode="w") as archive:
                _fill(Writer(archive), folder, environment, say)
            raw.flush()
            os.fsync(raw.fileno())
        fresh.rename(target)
    except OSError as error:
        raise folders.disk_failure(error, target.parent) from error
    finally:
        fresh.unlink(missing_ok=True)
    return target.stat().st_size


class Writer:
    """A tar file that remembers each member's SHA-256."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.sums: dict[str, str] = {}

    def add(self, name: str, source: Path) -> None:
        """Add a file as ``name``, as it is at this moment."""
        with source.open("rb") as file:
            self.add_open(name, file, os.fstat(file.fileno()).st_size)

    def add_open(self, name: str, file: IO[bytes], size: int) -> None:
        """Add ``size`` bytes of an open file."""
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(moment.now().timestamp())
        reading = _Summed(file)
        self._archive.addfile(member, reading)  # type: ignore[arg-type]
        self.sums[name] = reading.sum.hexdigest()


class _Summed:
    """A file that sums what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read and sum."""
        data = self._file.read(size)
        self.sum.update(data)
        return data


def _fill(writer: Writer, folder: Folder, environment: dict[str, str], say: Say) -> None:
    with tempfile.TemporaryDirectory(prefix="fengsui-backup-", dir=folder.path) as room:
        say("database")
        dump = Path(room) / "database.dump"
        _pg("pg_dump", ["--format=custom", "--compress=1", "--no-owner", "--no-privileges", f"--file={dump}"], environment)
        writer.add("database.dump", dump)
        dump.unlink()
        kept = streams.run(_save_streams(writer, Path(room), environment["NATS_URL"], say))
        say("files")
        with _unmerged(folder.path / "history"):
            for file in _files(folder.path, Path(room)):
                writer.add(f"files/{file.relative_to(folder.path).as_posix()}", file)
        manifest = {
            "format": folders.FORMAT,
            "fengsui": __version__,
            "made": moment.now().isoformat(),
            "streams": kept,
            "sha256": writer.sums,
        }
        file = Path(room) / _MANIFEST
        file.write_text(json.dumps(manifest, indent=1))
        writer.add(_MANIFEST, file)


@contextmanager
def _unmerged(history: Path) -> Iterator[None]:
    """While it lasts no engine merges the history's files: none vanishes between listing and reading."""
    if not history.is_dir():
        yield
        return
    with (history / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _save_streams(writer: Writer, room: Path, url: str, say: Say) -> dict[str, Any]:
    client = await streams.connect(url)
    kept = {}
    try:
        for name in await streams.names(client):
            say(f"stream {name}")
            file = room / "stream"
            with file.open("wb") as snapshot:
                kept[name] = await streams.save(client, name, snapshot)
            writer.add(f"streams/{name}", file)
            file.unlink()
    finally:
        await client.close()
    return kept


def _files(path: Path, room: Path) -> Iterator[Path]:
    """All files of the folder that are not the servers' own, temporary or logs."""
    for top in sorted(path.iterdir()):
        if top.name in _LEFT_OUT or top == room or top.is_symlink():
            continue
        for file in [top] if top.is_file() else sorted(top.rglob("*")):
            if file.is_file() and not file.is_symlink() and file.suffix not in (".new", ".lock") and file.name != "lock":
                yield file
    local = path / "nats" / "local.conf"
    if local.exists():
        yield local


def _pg(program: str, words: list[str], environment: dict[str, str]) -> None:
    """Run one of PostgreSQL's programs on the owner's database. Raises `Failure` database with its words."""
    url = environment["DATABASE_URL"]
    done = subprocess.run(
        [str(postgres.binaries() / program), *words, f"--dbname={_without_password(url)}"],
        env={**environment, "PGPASSWORD": _password(url)}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        if "No space left" in done.stderr:
            raise Failure("disk", "The disk is full.", "Free some space, then run it again.")
        raise Failure(
            "database", f"{program} failed: {done.stderr.strip()[-600:]}", "Is the server newer than this Fengsui's programs?"
        )


def _without_password(url: str) -> str:
    """The address without its password, which would stand in the list of processes."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.hostname or ''}{port}"))


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or os.environ.get("PGPASSWORD", ""))


def read_manifest(source: Path, say: Say) -> dict[str, Any]:
    """Read a backup to its end, compare every sum, and give its manifest. Raises `Failure` archive or format."""
    sums: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    say("reading the backup")
    try:
        with tarfile.open(source, "r:") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() and _inside(member.name) else None
                if file is None:
                    raise Failure("archive", f"{source} holds {member.name!r}, which no backup has.", "Use another backup.")
                if member.name == _MANIFEST:
                    manifest = json.loads(file.read())
                else:
                    sums[member.name] = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except (tarfile.TarError, ValueError, OSError) as error:
        raise Failure("archive", f"{source} cannot be read: {error}.", "Use another backup.") from error
    if manifest is None:
        raise Failure("archive", f"{source} is cut off, or not a backup: it has no manifest.", "Use another backup.")
    if manifest.get("format") != folders.FORMAT:
        raise Failure(
            "format",
            f"{source} has layout {manifest.get('format')}; this Fengsui uses {folders.FORMAT}.",
            "Restore it with that version.",
        )
    expected = manifest["sha256"]
    wrong = sorted(name for name in expected.keys() | sums.keys() if expected.get(name) != sums.get(name))
    if wrong:
        raise Failure(
            "archive",
            f"{source} is damaged: {', '.join(wrong[:5])} {'differs' if len(wrong) == 1 else 'differ'}.",
            "Use another backup.",
        )
    return manifest


def _inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in Path(name).parts


def restore(source: Path, path: Path, say: Say) -> None:
    """Make the platform of the backup ``source`` in the empty folder ``path``.

    Raises `Failure` before anything is written when the backup is damaged or the folder or the named database is
    not empty; later failures leave the folder as empty as it was.
    """
    path = path.absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Failure(
            "foreign",
            f"{path} is not empty; a backup is restored into an empty folder only. Nothing was changed.",
            "Name another with --data.",
        )
    if url := folders.external_database():
        reach.database(url)
        _check_empty(url)
    manifest = read_manifest(source, say)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fengsui-restore-", dir=path.parent) as room:
            _extract(source, path, Path(room))
            folder = folders.make(path)
            for name, (before, port) in folders.free_ports(folder).items():
                say(f"port {before} ({name}) is taken here: config.toml now names {port}")
            with foundation.standing(folder) as environment:
                say("database")
                words = ["--exit-on-error", "--no-owner", "--no-privileges", str(Path(room) / "database.dump")]
                _pg("pg_restore", words, environment)
                streams.run(_load_streams(Path(room), manifest["streams"], environment["NATS_URL"], say))
                say("privileges and versions")
                _prepare(environment)
    except BaseException as error:
        for child in path.iterdir() if path.exists() else ():
            shutil.rmtree(child) if child.is_dir() else child.unlink()
        if isinstance(error, OSError):
            raise folders.disk_failure(error, path) from error
        raise


def _check_empty(url: str) -> None:
    import psycopg

    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if row and row[0]:
        raise Failure(
            "foreign", f"The database {reach.shown(url)} is not empty. Nothing was changed.", "Name an empty one in DATABASE_URL."
        )


def _extract(source: Path, path: Path, room: Path) -> None:
    """Files into the folder, everything else into ``room``; names were checked by `read_manifest`."""
    with tarfile.open(source, "r:") as archive:
        for member in archive:
            kept = member.name.startswith("files/")
            target = path / member.name.removeprefix("files/") if kept else room / member.name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = archive.extractfile(member)
            assert file is not None
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                shutil.copyfileobj(file, out)


async def _load_streams(room: Path, kept: dict[str, Any], url: str, say: Say) -> None:
    client = await streams.connect(url)
    try:
        for name, about in kept.items():
            with (room / "streams" / name).open("rb") as file:
                say(f"stream {name}: {await streams.load(client, name, about, file)} messages")
    finally:
        await client.close()


def _prepare(environment: dict[str, str]) -> None:
    """Migrate to this version and give the application's role its privileges."""
    done = subprocess.run([sys.executable, "-m", "fengsui.services.prepare"], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(
            "database",
            f"The restored database could not be prepared: {done.stderr.strip()[-600:]}",
            "Restore it with the version that made it.",
        )
