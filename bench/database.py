"""A PostgreSQL of its own for one benchmark: the embedded server on a fresh folder, migrated."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def fresh(*, fsync: bool = True) -> Iterator[Path]:
    """Start the server, set Django up on it, migrate, and yield the data folder; end the server afterwards."""
    from tests.real_parts import free_port

    from fengsui.services import postgres

    folder = Path(tempfile.mkdtemp(prefix="fengsui-bench-"))
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
        (folder / "data").mkdir()
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield folder / "data"
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: does not wait for open connections
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
