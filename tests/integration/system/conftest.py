"""One running platform with a small region, under load, for all tests of a module."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from tests.integration.services.conftest import environment, new_folder, wait_for
from tests.integration.system.load import Devices, Person
from tests.integration.whole_platform import Platform

from fengsui.moment import now as present

PACE = "60"
"""Minutes of the plants' warnings pass as seconds, so that many rungs fire while parts are killed."""


@dataclass
class World:
    """The platform, its secrets, and the load on it."""

    platform: Platform
    known: dict[str, Any]
    devices: Devices
    people: list[Person]
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    calmed: datetime = field(default_factory=present)

    def begin(self) -> None:
        """Start the load."""
        self.devices.start()
        self.threads = [threading.Thread(target=one.work, args=(self.stop,), name=one.name) for one in self.people]
        for thread in self.threads:
            thread.start()

    def calm(self) -> None:
        """End the load and wait until everything that was acknowledged has been worked off."""
        self.stop.set()
        if self.threads:
            self.devices.stop()
        for thread in self.threads:
            thread.join(120)
            assert not thread.is_alive()
        self.threads = []
        wait_for(self._worked_off, 60, 0.3)
        self.calmed = present()

    def end(self) -> None:
        """End the load, whatever has become of it."""
        self.stop.set()
        self.devices.give_up()
        for thread in self.threads:
            thread.join(20)

    def _worked_off(self) -> bool:
        engine, last = self.stream(_positions)
        try:
            applied = self.ask("SELECT seq FROM watch_relayposition WHERE stream = 'ALARM'")
        except psycopg.OperationalError:
            return False
        # the heartbeat goes on, so the engine is done when it has passed what the devices sent last
        return bool(applied) and applied[0]["seq"] >= last and engine >= self.stream(_last_of_devices)

    def url(self, *, owner: bool = True) -> str:
        """The database's address, for its owner or for the platform's processes."""
        return self.platform.folder.environment(owner=owner)["DATABASE_URL"]

    def ask(self, query: str, *given: object, owner: bool = True) -> list[dict[str, Any]]:
        """Rows of the platform's database."""
        with psycopg.connect(self.url(owner=owner), row_factory=dict_row, connect_timeout=5) as connection:
            return connection.execute(query, given).fetchall()

    def stream(self, question: Callable[..., Any]) -> Any:
        """``await question(client)`` on a connection of its own."""
        from fengsui.watch import stream

        async def asking() -> Any:
            client = await stream.connect(self.platform.folder.environment()["NATS_URL"], "test")
            try:
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(asking())


async def _positions(client: Any) -> tuple[int, int]:
    """How far the engine is, and the last event."""
    js = client.jetstream()
    last = (await js.stream_info("ALARM")).state.last_seq
    try:
        word = json.loads((await js.get_last_msg("LATEST", "latest.-engine")).data or b"{}")
    except Exception:  # nothing shown yet
        return 0, last
    return word.get("seq", 0), last


async def _last_of_devices(client: Any) -> int:
    from fengsui.watch.stream import partition

    js = client.jetstream()
    return max([(await js.get_last_msg("TELE", f"part.{partition(site)}.{site}.json")).seq for site in ("HC-1", "HC-2")])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "NATS_URL"):
            patch.delenv(name, raising=False)
        room = Path(tempfile.mkdtemp(prefix="fengsui-system-"))
        room.chmod(0o711)
        platform = Platform(new_folder(room / "data"), FENGSUI_EXERCISE_PACE=PACE)
        made = None
        try:
            platform.wait_open()
            made = World(platform, _fill(platform, room / "known.json"), *_load(platform, room / "known.json"))
            wait_for(lambda: made.stream(_configured), 60, 0.3)
            yield made
        finally:
            if made is not None:
                made.end()
            if platform.process.poll() is None:
                platform.stop()
            shutil.rmtree(room, ignore_errors=True)


def _fill(platform: Platform, target: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "tests.integration.system.region", str(target)]
    given = {**platform.folder.environment(owner=True), "PYTHONPATH": f"{environment()['PYTHONPATH']}:{Path.cwd()}"}
    done = subprocess.run(words, env={**given, "FENGSUI_EXERCISE_PACE": PACE}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(target.read_text())


def _load(platform: Platform, target: Path) -> tuple[Devices, list[Person]]:
    known, config = json.loads(target.read_text()), platform.folder.config
    return Devices(config.mqtt, known["sites"]), [Person(name, config.web, known) for name in ("one", "two")]


async def _configured(client: Any) -> bool:
    """Whether the engine has been told of both plants' rules."""
    from nats.js.errors import NotFoundError

    try:
        for site in ("HC-1", "HC-2"):
            await client.jetstream().get_last_msg("TELE", f"watch.config.{site}")
    except NotFoundError:
        return False
    return True
