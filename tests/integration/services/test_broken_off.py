"""A start that is broken off midway, by Ctrl-C or a closed terminal, is begun again by the next one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fengsui.services import demonstration, postgres
from fengsui.services import folder as folders
from tests.integration.services.conftest import environment, new_folder, wait_for

pytestmark = pytest.mark.platform

PREPARING, FILLING = "preparing tables", demonstration.FILLING


def broken_off(data: Path, at: str, number: int) -> str:
    """Start the demo, send it the signal once it says ``at``; everything it said."""
    out = data.parent / "demo.out"
    words = [sys.executable, "-m", "fengsui.services.cli", "demo", "--still", "--plain", "--data", str(data)]
    with out.open("wb") as file:
        process = subprocess.Popen(
            words, env=environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # the tests themselves may run under nohup
        )  # fmt: skip
    children: list[psutil.Process] = []
    try:
        wait_for(lambda: process.poll() is not None or at in out.read_text(), 120)
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
        assert process.wait(60) == 0, out.read_text()
    finally:
        process.kill()
    assert not psutil.wait_procs(children, 10)[1], "something was left running"
    return out.read_text()


def test_a_demo_that_was_stopped_while_it_was_made_is_made_again(room: Path) -> None:
    data = new_folder(room / "data").path
    broken_off(data, PREPARING, signal.SIGINT)
    assert not (data / "DEMO").exists()
    broken_off(data, FILLING, signal.SIGHUP)
    assert not (data / "DEMO").exists(), "a region that is not filled passes for a filled one"
    first = (data / "pg" / "PG_VERSION").stat().st_ctime_ns  # an inode's number may be given to the next file
    assert FILLING in broken_off(data, FILLING, signal.SIGTERM)
    assert (data / "pg" / "PG_VERSION").stat().st_ctime_ns != first, "the half-filled database was kept"
    assert postgres.stop_left_over(data / "pg") is None and not folders.running(folders.find(data))
