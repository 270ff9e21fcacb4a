"""A real server with the demo region in a database of its own, and a browser that fails on every console error.

The database is made once per session beside the tests' own, migrated and seeded by the product itself;
granian serves it as in production. Tests change it only through the browser and the doors.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.chromium import FLAGS, find
from tests.real_parts import free_port

SETUP = """
import django; django.setup()
from django.core.management import call_command
call_command('migrate', verbosity=0)
from fengsui import moment
from fengsui.ledger import mechanisms
mechanisms.store(moment.now())
from fengsui.services.demo import seed
seed.run(lambda *words: None, moment.now())
"""
PUBLISH = """
import django; django.setup()
from threading import Event
from fengsui.ledger import publisher
publisher.run(Event())
"""
"""What the clock's process does for open pages: outbox rows get their positions."""

NAME = "fengsui_browser"
OPEN_SLOWLY = 30_000  # ms; the machine is shared
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies here needs a Chromium."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    path = find()
    if path is None:
        pytest.fail("no Chromium on this machine: install one, or leave these tests out with -m 'not browser'")
    return {"executable_path": path, "args": list(FLAGS), "headless": True}


class House:
    """The running product: its address, and a way to run code inside it."""

    def __init__(self, base: str, env: dict[str, str]) -> None:
        self.base, self.env = base, env

    def run(self, code: str) -> str:
        """Run Python in the product's own settings and give what it printed."""
        words = [sys.executable, "-c", "import django; django.setup()\n" + code]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """PostgreSQL's own database, the seeded region, granian on a free port."""
    owner = urlsplit(os.environ["DATABASE_URL"])
    name = f"{NAME}_{os.getpid()}"
    with psycopg.connect(urlunsplit(owner._replace(path="/postgres")), autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{name}"')
    root = Path(__file__).resolve().parents[2]
    env = {
        **os.environ,
        "DATABASE_URL": urlunsplit(owner._replace(path=f"/{name}")),
        "FENGSUI_DATA": str(tmp_path_factory.mktemp("house")),
        "FENGSUI_DEMO": "1",
        "FENGSUI_SECRET_KEY": "only for these tests",
        "DJANGO_SETTINGS_MODULE": "fengsui.settings",
        "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
    }
    env.pop("FENGSUI_DEBUG", None)
    subprocess.run([sys.executable, "-c", SETUP], env=env, check=True, timeout=300)
    port = free_port()
    words = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    with (Path(env["FENGSUI_DATA"]) / "web.log").open("wb") as log:
        server = subprocess.Popen([*words, "fengsui.asgi:application"], env=env, stdout=log, stderr=log)
        publisher = subprocess.Popen([sys.executable, "-c", PUBLISH], env=env, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{base}/sign-in/", server)
        yield House(base, env)
    finally:
        for process in (server, publisher):
            process.terminate()
            process.wait(20)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended while starting"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{url} answers {error.code}; see web.log in FENGSUI_DATA") from error
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within a minute")


@pytest.fixture(scope="session")
def base_url(house: House) -> str:
    return house.base


Enter = Callable[..., Page]


def take_post(context: BrowserContext, role: str) -> None:
    """Sign the browser in by the request that a click on the role sends, without showing the sign-in page and the desk first.

    The click itself is in ``test_every_demo_role_reaches_its_desk``.
    """
    assert context.request.get("/sign-in/").ok
    token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken")
    answer = context.request.post("/demo/enter/", form={"role": role, "csrfmiddlewaretoken": token}, max_redirects=0)
    assert answer.status == 302, f"{role}: {answer.status} {answer.text()[:300]}"


@pytest.fixture
def cut() -> Callable[[BrowserContext], None]:
    """``cut(page.context)`` takes the line away: from then on, what does not load in this browser is no fault."""

    def take(context: BrowserContext) -> None:
        without_line.add(id(context))
        context.set_offline(True)

    without_line: set[int] = set()
    take.without_line = without_line  # type: ignore[attr-defined]
    return take


@pytest.fixture
def enter(browser: Browser, house: House, cut: Any) -> Iterator[Enter]:
    """``enter("duty", path="/desk/", size=(390, 844), theme="dark", language="en")``: a page signed in as a demo role.

    A console error, a page error, a request of ours that fails or a breach of the content security policy fails the test.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def watch(page: Page, context: BrowserContext) -> None:
        def said(message: ConsoleMessage) -> None:
            loading = "net::ERR_" in message.text  # told with its address by the failed request itself
            if message.type == "error" and not loading and not expected(message.text):
                wrong.append(message.text)

        def failed(request: Request) -> None:
            given_up = "ERR_ABORTED" in (request.failure or "")  # the page was left before it was there
            if request.url.startswith(house.base) and not given_up and id(context) not in cut.without_line:
                wrong.append(f"{request.method} {request.url}: {request.failure}")

        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", failed)

    def open_as(
        role: str | None,
        path: str = "/desk/",
        size: tuple[int, int] = (1440, 900),
        theme: str = "light",
        language: str = "zh-hans",
    ) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, base_url=house.base, locale="zh-CN")
        contexts.append(context)
        context.set_default_timeout(OPEN_SLOWLY)
        context.add_cookies(
            [
                {"name": "fs_theme", "value": theme, "url": house.base},
                {"name": "django_language", "value": language, "url": house.base},
            ]
        )
        context.on("page", lambda page: watch(page, context))
        if role:
            take_post(context, role)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert not wrong, "\n".join(wrong)


def expected(text: str) -> bool:
    """What Chromium reports as a failed load though the test meant it: pages that answer 4xx on purpose."""
    return any(f"status of {code}" in text for code in (403, 404, 409, 412, 413, 422, 429, 502, 503))


RAISE = """
import uuid
from fengsui import moment
from fengsui.ledger import doors
from fengsui.ledger.doors.shapes import About
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.reading.possible import actor_of
from fengsui.region.acting import actings
from fengsui.region.models import Account, Site
now = moment.now()
safety = actings(Account.objects.get(username='demo.safety'), now)[0]
site = Site.objects.unscoped('a test').filter(office_id=safety.office_id).first()
about = About('site', str(site.pk), site.place_id, site.duties[0], {title!r})
"""


@pytest.fixture
def hazard(house: House) -> Callable[[str], str]:
    """Open a hazard at the demo plant as its inspector; gives the case's id."""

    def make(title: str) -> str:
        return house.run(
            RAISE.format(title=title)
            + "who = actings(Account.objects.get(username='demo.inspector'), now)[0]\n"
            + "values = {'finding': 'seen'}\n"
            + "print(doors.open('hazard', 'found_here', values, actor_of(who), about, key=str(uuid.uuid4()), now=now).case)"
        )

    return make


@pytest.fixture
def warning(house: House) -> Callable[[str, str], str]:
    """Raise a warning at the demo plant as the alarm engine does; gives the case's id."""

    def make(title: str, colour: str) -> str:
        return house.run(
            RAISE.format(title=title)
            + "from fengsui.ledger import mechanisms\n"
            + "from fengsui.ledger.models import Case\n"
            + "open_ones = Case.objects.filter(mechanism='warning', ended=False, about_id=about.id)\n"
            + "taken = set(open_ones.values_list('fields__hazard_kind', flat=True))\n"
            + "kind = next(one for one in mechanisms.current('warning').fields['hazard_kind'].of if one not in taken)\n"
            + "values = {'hazard_kind': kind, 'colour': "
            + repr(colour)
            + "}\n"
            + "who = Actor(kind='event', name='warning.level')\n"
            + "print(doors.open('warning', 'by_alarm', values, who, about, key=str(uuid.uuid4()), now=now).case)"
        )

    return make
