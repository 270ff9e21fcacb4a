"""What somebody meets first: the demo up to a role's desk by one click, and a platform on a database of one's own."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, build_opener

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


def browser() -> OpenerDirector:
    """Keeps its cookies and follows redirects, as a browser does."""
    return build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))


def ends(platform: Platform) -> None:
    """A clean end: code 0, no process left, the folder free."""
    family = psutil.Process(platform.process.pid).children(recursive=True)
    assert platform.stop() == 0, platform.said()
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert "did not stop within" not in platform.said() and "Traceback" not in platform.said()
    assert not folders.running(platform.folder)


def test_the_demo_opens_and_one_click_leads_to_the_desk(place: Path) -> None:
    platform = Platform(new_folder(place / "data"), command="demo")
    try:
        platform.wait_open(PATIENCE)
        address, visitor = platform.folder.address, browser()
        with visitor.open(address, timeout=30) as first:
            assert first.status == 200
            page = first.read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        form = re.search(r'action="([^"]+)">(?:(?!</form>).)*name="role" value="duty"', page, re.S)
        assert token and form, page[:2000]
        sent = urlencode({"csrfmiddlewaretoken": token[1], "role": "duty"}).encode()
        with visitor.open(f"{address.rstrip('/')}{form[1]}", sent, timeout=30) as desk:
            assert (desk.status, urlsplit(desk.url).path) == (200, "/desk/")
            assert "fs-desk-row" in desk.read().decode(), "the duty officer's desk of a filled region is not empty"
        for name in ("postgresql", "nats", *PROCESSES, "simulator", "exercise"):
            assert f"{name}: ready" in platform.said(), name
        assert all(platform.child(name) for name in (*PROCESSES, "nats", "postgresql"))
        assert (platform.folder.path / "DEMO").exists() and not (platform.folder.path / "DEMO.half").exists()
        ends(platform)
    finally:
        if platform.process.poll() is None:
            platform.stop()


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
