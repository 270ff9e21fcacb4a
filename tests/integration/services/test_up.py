"""One real platform: every part killed in turn returns, a second start is refused, a stop is clean."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fengsui.services import folder as folders
from fengsui.services.failure import EXIT_CODES
from fengsui.services.parts import PROCESSES
from tests.integration.services.conftest import environment, fengsui, new_folder, wait_for
from tests.integration.whole_platform import Platform

pytestmark = pytest.mark.platform


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    import shutil
    import tempfile

    room = Path(tempfile.mkdtemp(prefix="fengsui-up-"))
    room.chmod(0o711)
    made = Platform(new_folder(room / "data"))
    made.wait_open()
    yield made
    if made.process.poll() is None:
        made.stop()
    shutil.rmtree(room, ignore_errors=True)


def test_it_serves_pages_on_loopback_only(platform: Platform) -> None:
    assert platform.answers()
    listens = set()
    for process in psutil.Process(platform.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error, FileNotFoundError):  # a database session that ends while we look
            listens |= {c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listens == {"127.0.0.1"}


@pytest.mark.parametrize("name", ["web", "engine", "relay", "clock", "sealer", "jobs", "nats", "postgresql"])
def test_a_killed_part_returns(platform: Platform, name: str) -> None:
    platform.kill(name)


def test_a_part_that_hangs_is_told_and_started_again(platform: Platform) -> None:
    """Stopped (SIGSTOP) they live, hold their ports and answer nothing."""
    names = ("web", "nats", "postgresql")
    first = {name: platform.child(name) for name in names}
    before = {name: platform.said().count(f"{name}: ready") for name in names}
    for pid in first.values():
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            process.suspend()
    for name in names:
        wait_for(lambda name=name: platform.said().count(f"{name}: ready") > before[name], 150)
    wait_for(platform.answers, 30)
    for name in names:
        assert platform.child(name) not in (0, first[name])
        assert f"{name}: is not well: it" in platform.said() and f"{name}: is stuck (it" in platform.said()


def test_everything_lives_after_the_kills(platform: Platform) -> None:
    wait_for(lambda: all(platform.child(name) for name in (*PROCESSES, "nats", "postgresql")), 60)
    assert "Traceback" not in platform.said()


def test_a_second_start_names_the_first(platform: Platform) -> None:
    done = fengsui("up", "--data", str(platform.folder.path))
    assert done.returncode == EXIT_CODES["running"][0]
    assert f"process {platform.process.pid}" in done.stderr and platform.folder.address in done.stderr
    assert platform.answers()


def test_a_new_site_may_publish_without_a_restart(platform: Platform) -> None:
    from paho.mqtt import client as mqtt

    server = platform.child("nats")
    _add_a_site(platform)
    done = fengsui("gateway", "HC-1", "--data", str(platform.folder.path))
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    wait_for(lambda: "HC-1" in (platform.folder.path / "nats" / "sites.conf").read_text(), 60)

    def accepted() -> bool:
        device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="HC-1", protocol=mqtt.MQTTv311)
        device.username_pw_set("HC-1", token)
        codes: list[bool] = []
        device.on_connect = lambda *given: codes.append(not given[3].is_failure)
        device.connect("127.0.0.1", platform.folder.config.mqtt)
        device.loop_start()
        wait_for(lambda: codes, 30, 0.02)
        device.loop_stop()
        device.disconnect()
        return codes[0]

    wait_for(accepted, 60)
    assert platform.child("nats") == server


def _add_a_site(platform: Platform) -> None:
    """The small region, as its owner seeds it: a gateway's token is that of a site which the database knows."""
    words = "import django; django.setup(); from fengsui import moment; from tests.small_region import build; build(moment.now())"
    with pytest.MonkeyPatch.context() as patch:  # the folder's own database, not the one of the other tests
        for name in ("DATABASE_URL", "NATS_URL"):
            patch.delenv(name, raising=False)
        given = {**platform.folder.environment(owner=True), "PYTHONPATH": f"{environment()['PYTHONPATH']}:{Path.cwd()}"}
    done = subprocess.run([sys.executable, "-c", words], env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_doctor_finds_it_well(platform: Platform) -> None:
    done = fengsui("doctor", "--data", str(platform.folder.path))
    assert "BAD" not in re.sub(r"BAD\s+process", "", done.stdout), done.stdout
    assert "SKIP LOCKED works" in done.stdout


def test_a_killed_supervisor_leaves_nothing_in_the_way(platform: Platform) -> None:
    mine = [platform.child(name) for name in PROCESSES]
    platform.process.kill()
    platform.process.wait()
    wait_for(lambda: not any(psutil.pid_exists(pid) for pid in mine if pid), 30)
    platform.again()
    platform.wait_open()
    assert platform.answers()


def test_it_stops_cleanly(platform: Platform) -> None:
    pids = [platform.child(name) for name in (*PROCESSES, "nats", "postgresql")]
    assert platform.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)
    assert "did not stop within" not in platform.said()
    assert not folders.running(platform.folder)
    assert "database system is shut down" in platform.folder.log("postgresql").read_text()
