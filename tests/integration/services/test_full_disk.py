"""The stream server on a real little disk that fills: it starts there, and keeps again once there is room."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fengsui.services import parts, streams
from fengsui.services.folder import Folder
from fengsui.services.supervisor import Supervisor
from fengsui.watch import stream
from tests.integration.services.conftest import mount_little, new_folder, wait_for


@pytest.fixture
def folder(room: Path, without_servers: None) -> Iterator[Folder]:
    """A data folder on a disk of 160 MB, where this machine lets a test mount one."""
    disk = room / "disk"
    disk.mkdir()
    mount_little(disk, 160)
    yield new_folder(disk / "data")
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def publish(url: str, *, make: bool = False) -> str:
    """Make the streams, or send one sample; why it was not kept, or ''."""
    client = await streams.connect(url)
    try:
        if make:
            await asyncio.wait_for(stream.ensure(client), 20)
        await client.jetstream().publish("tele.HC-1.json", b"x" * 2000, timeout=2)
        return ""
    except Exception as error:
        return str(error) or type(error).__name__
    finally:
        await client.close()


def test_the_stream_server_keeps_again_once_there_is_room(folder: Folder) -> None:
    """Its streams may grow far beyond this disk; a failed write is not for ever."""
    parts.write_stream_configuration(folder)
    supervisor = Supervisor([parts.stream(folder)])
    url = folder.environment()["NATS_URL"]
    try:
        wait_for(lambda: supervisor.tick() or supervisor.ready, 20, 0.05)
        assert asyncio.run(publish(url, make=True)) == ""
        filler = folder.path / "filler"
        with filler.open("wb") as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        assert any(asyncio.run(publish(url)) for _ in range(40)), "the disk was not full"
        pid = supervisor.children["nats"].pid
        for _ in range(40):
            supervisor.tick()
        supervisor.children["nats"].looked = 0.0
        supervisor.tick()
        assert supervisor.children["nats"].pid == pid, "a new start would not help while the disk is full"
        filler.unlink()
        wait_for(lambda: supervisor.tick() or (supervisor.ready and supervisor.children["nats"].pid != pid), 40, 0.05)
        assert any("keeps nothing" in event.words for event in supervisor.recent)
        assert asyncio.run(publish(url)) == ""
    finally:
        supervisor.stop()
