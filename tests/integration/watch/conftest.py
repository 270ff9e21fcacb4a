"""A real stream server, an engine and a relay as child processes, and a small site with points."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fengsui.services import nats
from tests.real_parts import free_port, give_tokens

ABOUT_NO_ALARM = ("COUNTS", "CONFIGURED", "OUTAGE")
"""Events that concern no point: counters, words on configuration, and a server whose restart took long on a busy machine."""
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class StreamServer:
    """The embedded NATS server on a folder of its own, with tokens for ``sites``; ``kill`` is kill -9.

    Without sites it knows the tokens that the folder holds already.
    """

    def __init__(self, folder: Path, sites: Sequence[str] = ("HC-1", "HC-2")) -> None:
        self.folder = folder
        self.ports = nats.Ports(free_port(), free_port(), free_port())
        self.tokens: dict[str, str] = give_tokens(folder, *sites) if sites else nats.site_tokens(folder)
        nats.configure(folder, self.ports, self.tokens, sync="2m")
        self.url = nats.url(folder, self.ports.client)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(nats.command(self.folder))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(10)


class Child:
    """One of the platform's own processes, started as the supervisor starts it; ``kill`` is kill -9."""

    def __init__(self, module: str, folder: Path, url: str, database: str = "", **more: str) -> None:
        self.environment = {
            **os.environ,
            **more,
            "PYTHONPATH": "src",
            "DJANGO_SETTINGS_MODULE": "fengsui.settings",
            "FENGSUI_DATA": str(folder),
            "NATS_URL": url,
        }
        if database:
            self.environment["DATABASE_URL"] = database
        self.words = [
            sys.executable,
            "-c",
            "import django, logging, signal, threading; logging.basicConfig(level=30); django.setup(); stop = threading.Event(); "
            "signal.signal(signal.SIGTERM, lambda *_: stop.set()); "
            f"from {module} import run; run(stop)",
        ]
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.words, env=self.environment)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def pause(self) -> None:
        """SIGSTOP: it keeps its connection and its memory, and knows nothing of the time that passes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="fengsui-watch-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[StreamServer]:
    made = StreamServer(folder)
    yield made
    made.stop()


def until(true: Callable[[], object], seconds: float = 60.0) -> object:
    """Wait for something other processes do; fails loudly when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come in time")


def ask(server: StreamServer, question: Callable[..., object]) -> object:
    """Run ``await question(client, js)`` on a connection of its own."""
    from fengsui.watch import stream

    async def asking() -> object:
        client = await stream.connect(server.url, "test")
        try:
            return await question(client, client.jetstream())
        finally:
            await client.close()

    return asyncio.run(asking())


def told(server: StreamServer) -> list[dict[str, object]]:
    """All events of the ALARM stream in their order."""
    from fengsui.watch import stream
    from fengsui.watch.tail import Tail

    async def reading(client, js):
        last = (await js.stream_info(stream.ALARM)).state.last_seq
        tail, found = Tail(client, stream.ALARM, 0), []
        while tail.seq < last:
            found += await tail.fetch(1000, 1.0)
        await tail.close()
        return [event for message in found for event in json.loads(message.data)["events"]]

    return ask(server, reading)


def events_of(server: StreamServer) -> list[dict[str, object]]:
    """What happened to points' alarms."""
    return [event for event in told(server) if event["kind"] not in ABOUT_NO_ALARM]
