"""A PostgreSQL of its own for one benchmark: the embedded server on a fresh folder, migrated, or a large ledger kept.

``FENGSUI_BENCH_KEEP=FOLDER`` keeps what ``filled`` makes, so that the next benchmark need not fill again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def fresh(*, fsync: bool = True) -> Iterator[Path]:
    """Start the server, set Django up on it, migrate, and yield the data folder; end the server and forget it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fengsui-bench-"))
    try:
        with _served(folder, fsync=fsync) as data:
            yield data
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _served(folder: Path, *, fsync: bool) -> Iterator[Path]:
    from tests.real_parts import free_port

    from fengsui.services import postgres

    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
    port = free_port()
    postgres.initialise(folder / "pg")
    words, user = postgres.command(folder / "pg", port, fsync=fsync)
    with (folder / "pg.log").open("wb") as log:
        server = subprocess.Popen(words, user=user, stdout=log, stderr=log, cwd="/")
    try:
        ready = [str(postgres.binaries() / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(ready, stdout=subprocess.DEVNULL).returncode != 0:
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: see {folder}/pg.log")
            time.sleep(0.05)
        os.environ["DATABASE_URL"] = postgres.url(port, "postgres")
        os.environ["FENGSUI_DATA"] = str(folder / "data")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengsui.settings")
        (folder / "data").mkdir(exist_ok=True)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield folder / "data"
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: does not wait for open connections
        server.wait(60)


@dataclass(frozen=True, slots=True)
class Filled:
    """A large ledger: the region's offices and people, what is in it, and how long making it took (0 when it was kept)."""

    small: Any  # tests.small_region.Small
    cases: int
    entries: int
    fill_s: float
    seal_s: float


@contextlib.contextmanager
def filled(cases: int) -> Iterator[Filled]:
    """A sealed, vacuumed ledger of at least so many cases (``bench.fill``), ten entries or more each.

    Only to be read: with ``FENGSUI_BENCH_KEEP`` the next benchmark finds it again, as long as lives and copies are
    composed as they are now. Two benchmarks with one folder wait for each other.
    """
    kept = os.environ.get("FENGSUI_BENCH_KEEP", "")
    folder = Path(kept or tempfile.mkdtemp(prefix="fengsui-bench-"))
    folder.mkdir(exist_ok=True)
    try:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = _made(cases)
            if not (folder / "filled.json").exists() or json.loads((folder / "filled.json").read_text()) != made:
                for name in ("pg", "data"):
                    shutil.rmtree(folder / name, ignore_errors=True)
                (folder / "filled.json").unlink(missing_ok=True)
            with _served(folder, fsync=False):
                yield _large(folder, cases, made)
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _made(cases: int) -> dict[str, Any]:
    """What decides about the content of a filled database."""
    from bench import fill, lives

    sources = b"".join(Path(str(one.__file__)).read_bytes() for one in (fill, lives))
    return {"cases": cases, "form": sha256(sources).hexdigest()}


def _large(folder: Path, cases: int, made: dict[str, Any]) -> Filled:
    from django.db import connection

    from bench import fill, lives
    from fengsui.ledger import sealer, sealing
    from fengsui.ledger.models import Case, Entry

    done, begun = folder / "filled.json", time.perf_counter()
    filling = sealing_ = 0.0
    if not done.exists():
        fill.fill(cases)
        filling = time.perf_counter() - begun
        sealer.round_(sealing.Grower.load(), lives.NOW)
        sealing_ = time.perf_counter() - begun - filling
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        done.write_text(json.dumps(made))
    return Filled(lives.region(), Case.objects.count(), Entry.objects.count(), round(filling, 1), round(sealing_, 1))
