"""A platform on a database of one's own. (The demo from nothing is played in the browser: ``test_exercise``.)"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest

from fengsui.services import folder as folders
from fengsui.services.parts import PROCESSES
from tests.integration.services.conftest import new_folder, wait_for
from tests.integration.whole_platform import Platform

pytestmark = pytest.mark.platform

PATIENCE = 400
"""Seconds for the demo to fill its region and open: about one minute on a quiet machine, several on a shared one."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A room for one data folder, which PostgreSQL's own user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="fengsui-first-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def ends(platform: Platform) -> None:
    """A clean end: code 0, no process left, the folder free."""
    family = psutil.Process(platform.process.pid).children(recursive=True)
    assert platform.stop() == 0, platform.said()
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert "did not stop within" not in platform.said() and "Traceback" not in platform.said()
    assert not folders.running(platform.folder)


@pytest.fixture
def outside() -> Iterator[str]:
    """The address of an empty database on a server that is not the platform's own."""
    owner, name = urlsplit(os.environ["DATABASE_URL"]), f"fengsui_outside_{os.getpid()}"
    with psycopg.connect(urlunsplit(owner._replace(path="/postgres")), autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(owner._replace(path=f"/{name}"))
        line.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_platform_runs_on_a_database_given_from_outside(place: Path, outside: str) -> None:
    platform = Platform(new_folder(place / "data"), DATABASE_URL=outside)
    try:
        platform.wait_open(PATIENCE)
        assert platform.answers()
        wait_for(lambda: all(platform.child(name) for name in (*PROCESSES, "nats")), 60)
        assert platform.child("postgresql") == 0 and not (platform.folder.path / "pg").exists()
        with psycopg.connect(outside) as line:
            stored = line.execute("SELECT count(*) FROM ledger_mechanismversion WHERE current").fetchone()
            assert stored is not None and stored[0] > 10
            at_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            sessions = line.execute(at_work).fetchone()
            assert sessions is not None and sessions[0] > 0, "the processes work on it"
        ends(platform)
        with psycopg.connect(outside) as line:
            assert line.execute("SELECT 1").fetchone() == (1,), "a server of the operator's goes on"
    finally:
        if platform.process.poll() is None:
            platform.stop()
