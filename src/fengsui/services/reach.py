"""Whether the database and the stream that somebody named can be reached and used.

In: addresses. Out: nothing, or a `Failure` that never shows a password.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from fengsui.services.failure import Failure

_LEAST_VERSION = 15


def shown(url: str) -> str:
    """An address without its password or token, for messages."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def database(url: str) -> None:
    """Raise `Failure` database unless a PostgreSQL ≥ 15 answers at ``url`` within five seconds."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10000
    except (psycopg.Error, ValueError) as error:
        words = str(error).strip().splitlines()
        raise Failure(
            "database",
            f"DATABASE_URL ({shown(url)}) cannot be used: {words[-1] if words else type(error).__name__}",
            "Start that server and make its database, correct DATABASE_URL, or unset it for the embedded server.",
        ) from error
    if version < _LEAST_VERSION:
        raise Failure(
            "database",
            f"DATABASE_URL is a PostgreSQL {version}; {_LEAST_VERSION} or newer is needed.",
            "Upgrade it, or unset DATABASE_URL.",
        )


def stream(url: str) -> None:
    """Raise `Failure` stream unless a NATS server with JetStream answers at ``url`` within five seconds."""
    try:
        asyncio.run(asyncio.wait_for(_ask(url), 6))
    except Exception as error:
        raise Failure(
            "stream",
            f"NATS_URL ({shown(url)}) cannot be used: {str(error) or type(error).__name__}",
            "Start that server with JetStream, correct NATS_URL, or unset it for the embedded server.",
        ) from error


async def _ask(url: str) -> None:
    import nats

    async def quiet(error: Exception) -> None:
        pass

    client = await nats.connect(url, connect_timeout=3, allow_reconnect=False, max_reconnect_attempts=0, error_cb=quiet)
    try:
        await client.jetstream().account_info()
    finally:
        await client.close()


def stop_left_over_stream(folder: Path, *, patience: float = 10) -> None:
    """End a NATS server that a killed supervisor left on this folder."""
    try:
        pid = int((folder / "nats" / "nats.pid").read_text())
        if str(folder / "nats" / "nats.conf") not in psutil.Process(pid).cmdline():
            return
    except (OSError, ValueError, psutil.Error):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    """Whether the process still runs; one that ended and that nobody has collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
