"""A warning that nobody acknowledges lights the next office's open page by itself: bar, sound and row, without a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

Enter = Callable[..., Page]

HEAR = """() => {
  window.tones = 0
  const start = OscillatorNode.prototype.start
  OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when) }
  window.sameDocument = true
}"""
"""Counts the tones the page really starts, and leaves a mark that a reload would wipe away."""

SOUNDED = """async () => {
  for (let look = 0; look < 50 && !window.tones; look++) await new Promise(done => setTimeout(done, 200))
  return window.tones
}"""

CLIMB = """
from datetime import timedelta
from fengsui.ledger.clockwork import Clockwork
from fengsui.ledger.models import Clock
due = Clock.objects.get(case_id={case!r}, name='acknowledge', current=True).due
work = Clockwork()
for minutes in range(0, {minutes} + 1):
    work.tick(due + timedelta(minutes=minutes))
holders = Clock.objects.filter(case_id={case!r}, name='acknowledge', current=True, stopped__isnull=True)
print(holders.count())
"""
"""What the clock's process does while the control room lets the time to acknowledge and five minutes more pass."""


def test_a_climb_lights_the_countys_open_page(enter: Enter, house: Any, warning: Callable[[str, str], str]) -> None:
    control, county = enter("control"), enter("county")
    for page in (control, county):
        page.evaluate(HEAR)
        page.locator("h1").click()  # a browser allows sound once somebody has touched the page
    expect(county.locator(".fs-alarm")).to_have_count(0)
    rows = county.locator(".fs-desk-row").count()

    case = warning("逐级上报点亮旗县的红色预警", "red")
    expect(control.locator(".fs-alarm-text")).to_contain_text("逐级上报点亮旗县的红色预警")
    expect(county.locator(".fs-alarm")).to_have_count(0)  # the control room's minutes still run: nobody else is woken

    assert int(house.run(CLIMB.format(case=case, minutes=6))) >= 2
    expect(county.locator(".fs-alarm-text")).to_contain_text("逐级上报点亮旗县的红色预警")
    expect(county.locator(".fs-desk-row", has_text="逐级上报点亮旗县的红色预警")).to_be_visible()
    assert county.locator(".fs-desk-row").count() > rows
    assert county.evaluate(SOUNDED) > 0, "the county's page makes no sound"
    assert county.evaluate("() => window.sameDocument"), "the page was loaded again"
    expect(control.locator(".fs-alarm")).to_have_count(1)  # an upper office takes nothing from the lower one

    county.locator(".fs-alarm form button").click()
    expect(county.locator(".fs-alarm")).to_have_count(0)
    expect(control.locator(".fs-alarm")).to_have_count(1)  # the county's acknowledgement answers for the county alone
    control.locator(".fs-alarm form button").click()
    expect(control.locator(".fs-alarm")).to_have_count(0)  # no red bar for the tests after this one
