"""What a newcomer meets: the demo from nothing, a role's desk by one click, and the exercise played to its end in the browser."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from fengsui.services import folder as folders
from fengsui.services.parts import PROCESSES
from tests.integration.services.conftest import fengsui, new_folder
from tests.integration.whole_platform import Platform

FILLS = 400
"""Seconds for the demo to fill its region and open: about one minute on a quiet machine, several on a shared one."""
SLOWLY = 120_000
"""Milliseconds for a screen to light up or to go out: about ten seconds on a quiet machine."""
PLAYS = 300_000
"""Milliseconds for the script to come to its end: two minutes on a quiet machine."""


@pytest.fixture(scope="module")
def demo() -> Iterator[Platform]:
    place = Path(tempfile.mkdtemp(prefix="fengsui-exercise-"))
    place.chmod(0o711)  # PostgreSQL's own user passes through
    platform = Platform(new_folder(place / "data"), command="demo")
    try:
        platform.wait_open(FILLS)
        yield platform
        family = psutil.Process(platform.process.pid).children(recursive=True)
        assert platform.stop() == 0, platform.said()
        assert psutil.wait_procs(family, timeout=10)[1] == []
        assert "did not stop within" not in platform.said() and "Traceback" not in platform.said()
        assert not folders.running(platform.folder)
    finally:
        if platform.process.poll() is None:
            platform.stop()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def page(demo: Platform, browser: Browser) -> Iterator[Page]:
    """A newcomer's browser, in which nothing may go wrong by itself."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="en-GB", base_url=demo.folder.address)
    context.add_cookies([{"name": "django_language", "value": "en", "url": demo.folder.address}])
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert not wrong, "\n".join(wrong)


def frame(page: Page, place: int) -> str:
    """What the frame at this place shows now; its post may have been changed by the narrator."""
    return page.frame_locator(f'[data-seat-frame="{place}"] iframe').locator("body").inner_text()


def test_the_exercise_is_played_from_the_sensor_to_the_cancelled_number(demo: Platform, page: Page) -> None:
    """Nobody acts but the script; the screens light up by themselves, and the ledger verifies at the end."""
    page.goto("/demo/four/")
    red = '[data-seat-key="{}"] [data-red]'
    page.locator('[data-when="begin"]').click()
    expect(page.locator(red.format("control"))).to_be_visible(timeout=SLOWLY)
    expect(page.locator(red.format("league"))).to_be_hidden()
    expect(page.locator(red.format("county"))).to_be_visible(timeout=SLOWLY)  # the ladder, and nobody forwarded anything
    expect(page.locator(red.format("league"))).to_be_visible(timeout=SLOWLY)
    expect(page.locator(red.format("county"))).to_be_hidden(timeout=SLOWLY)  # it acknowledged: its own clock alone stopped
    assert page.locator(red.format("control")).is_visible()
    ended = re.compile(r"Played to the end: 0 acts by people, \d+ by the script, 0 missed")
    expect(page.locator(".fs-narrator")).to_contain_text(ended, timeout=PLAYS)
    assert "Number cancelled" in frame(page, 3) and "whoever raised it was told" in frame(page, 3)
    page.goto("/exercise/")
    expect(page.locator("#main")).to_contain_text("Whoever did the work")  # the plant's own number is refused, with the reason
    expect(page.locator("#main")).to_contain_text("it moves by exactly one entry at a time")  # the database refused the UPDATE
    expect(page.locator(".fs-exercise-red")).to_contain_text("its content was changed")
    page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": demo.folder.address}])
    page.reload()
    expect(page.locator(".fs-exercise-red")).to_contain_text("内容已被改动")
    checked = fengsui("verify", "--data", str(demo.folder.path))
    assert checked.returncode == 0, checked.stdout


def test_one_click_leads_to_the_desk(demo: Platform, page: Page) -> None:
    page.goto("/")
    page.locator('button[name="role"][value="duty"]').click()
    page.wait_for_url("**/desk/")
    expect(page.locator(".fs-desk-row").first).to_be_visible()
    for name in ("postgresql", "nats", *PROCESSES, "simulator", "exercise"):
        assert f"{name}: ready" in demo.said(), name
    assert all(demo.child(name) for name in (*PROCESSES, "nats", "postgresql"))
    assert (demo.folder.path / "DEMO").exists() and not (demo.folder.path / "DEMO.half").exists()
