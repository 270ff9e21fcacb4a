"""A pytest plugin (``-p tests.real_parts``): starts the real PostgreSQL before Django reads its settings.

It is a plugin and not a fixture because pytest-django reads the settings before any conftest is
loaded. pytest-xdist's workers inherit the address from the controller. ``DATABASE_URL`` in the
environment replaces the server started here.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

_started: list[tuple[subprocess.Popen[bytes], Path]] = []


def free_port() -> int:
    """A loopback TCP port nobody listens on now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def give_tokens(folder: Path, *sites: str) -> dict[str, str]:
    """Tokens for sites of a stream server without a database: code → token. With one, the sites' own command gives them."""
    import json
    import secrets

    from fengsui import files
    from fengsui.services import nats

    tokens = {site: secrets.token_hex(32) for site in sites}
    files.write_whole(nats.tokens_file(folder), json.dumps(tokens))
    return tokens


def _start_postgres(folder: Path) -> subprocess.Popen[bytes]:
    from fengsui.services import postgres

    port = free_port()
    postgres.initialise(folder / "pg")
    words, user = postgres.command(folder / "pg", port, fsync=False)
    with (folder / "pg.log").open("wb") as log:
        server = subprocess.Popen(words, user=user, stdout=log, stderr=log, cwd="/")
    ready = [str(postgres.binaries() / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
    deadline = time.monotonic() + 30
    while subprocess.run(ready, stdout=subprocess.DEVNULL).returncode != 0:
        if time.monotonic() > deadline or server.poll() is not None:
            raise pytest.UsageError(f"PostgreSQL did not start: {(folder / 'pg.log').read_text()[-500:]}")
        time.sleep(0.05)
    os.environ["DATABASE_URL"] = postgres.url(port, "postgres")
    return server


if "PYTEST_XDIST_WORKER" not in os.environ and "FENGSUI_TEST_PARTS" not in os.environ:
    from fengsui.services import assets

    assets.compile_catalogues()
    base = Path(tempfile.mkdtemp(prefix="fengsui-tests-"))
    base.chmod(0o711)
    os.environ["FENGSUI_TEST_PARTS"] = str(base)
    os.environ["FENGSUI_DATA"] = str(base / "data")
    (base / "data").mkdir()
    if "DATABASE_URL" not in os.environ:
        _started.append((_start_postgres(base), base))


def pytest_unconfigure() -> None:
    """End what was started here, by its own id."""
    for server, folder in _started:
        server.send_signal(signal.SIGINT)  # fast: does not wait for clients
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
    _started.clear()
