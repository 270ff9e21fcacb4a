"""Data folders of real platforms, on free ports, that PostgreSQL's own user can reach."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fengsui.services import folder as folders
from fengsui.services.folder import Folder

_PORTS = ("web", "database", "stream", "mqtt", "monitor")


def free_ports(number: int) -> list[int]:
    """Different loopback ports that nobody listens on now."""
    doors = [socket.socket() for _ in range(number)]
    try:
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [int(door.getsockname()[1]) for door in doors]
    finally:
        for door in doors:
            door.close()


def environment() -> dict[str, str]:
    """Ours, without the test database: the command starts its own servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FENGSUI_")}
    for name in ("DATABASE_URL", "NATS_URL"):
        kept.pop(name, None)
    source = str(Path(__file__).resolve().parents[3] / "src")
    return {**kept, "PYTHONPATH": source, "COLUMNS": "120"}


def fengsui(*words: str, seconds: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; ``more`` goes into its environment."""
    return subprocess.run(
        [sys.executable, "-m", "fengsui.services.cli", *words],
        env={**environment(), **more}, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for(what: Callable[[], object], seconds: float = 60, every: float = 0.1) -> None:
    """Wait until ``what`` is true. Fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(every)


def new_folder(path: Path) -> Folder:
    """A data folder on free ports, so that tests run beside each other and beside a platform."""
    folder = folders.make(path)
    folders.write_config(path / "config.toml", "127.0.0.1", dict(zip(_PORTS, free_ports(5), strict=True)))
    return folder


@pytest.fixture
def room() -> Iterator[Path]:
    """A temporary folder that every user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="fengsui-services-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process too, no server but the folder's own."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("NATS_URL", raising=False)


def mount_little(disk: Path, megabytes: int) -> None:
    """Mount a real disk of that size on the folder. Skips only where the system refuses this user; fails on all else."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if shutil.which("mount") is None:
        pytest.fail("there is no `mount` here: install util-linux")
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode == 0:
        return
    if any(said in done.stderr for said in ("permission denied", "must be superuser", "not permitted")):
        pytest.skip("this user may not mount a disk")
    pytest.fail(f"a disk of {megabytes} MB could not be mounted: {done.stderr.strip()}")
