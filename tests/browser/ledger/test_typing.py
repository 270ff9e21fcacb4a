"""Typing too much, pasting emoji, and the phone numbers of a warning, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Enter = Callable[..., Page]
LIST_CALLS = """
from fengsui import moment
from fengsui.ledger import notices
from fengsui.ledger.models import Clock
for office in Clock.objects.filter(case_id={case!r}, current=True).values_list('holder_id', flat=True).distinct():
    notices.list_calls({case!r}, 'a test', office, exercise=False, now=moment.now())
"""


@pytest.mark.parametrize(
    ("language", "over", "refused"),
    [("zh-hans", "超出 6000 字", "最多 4000 字，现有 10000 字"), ("en", "6000 characters too many", "at most 4000 characters")],
)
def test_a_pasted_text_too_long_stays_whole_and_is_refused_beside_its_field(
    enter: Enter, warning: Callable[[str, str], str], language: str, over: str, refused: str
) -> None:
    case = warning(f"写得太长 {language}", "blue")
    page = enter("control", f"/cases/{case}/act/feed_back/", language=language)
    text = page.locator('main form [name="feedback"]')
    text.fill("汉" * 10_000)
    expect(page.locator(".fs-room--over")).to_contain_text(over)
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator("#id_feedback-field .fs-bad")).to_contain_text(refused)
    assert len(text.input_value()) == 10_000
    text.fill("已降压，人员撤出 👍🏽 𠀀")
    expect(page.locator(".fs-room")).to_have_count(0)
    page.locator("main form .fs-btn--primary").click()
    page.wait_for_url(f"**/cases/{case}/")
    expect(page.locator(".fs-timeline")).to_contain_text("已降压，人员撤出 👍🏽 𠀀")


def test_the_red_bars_call_shows_the_numbers_and_offers_only_what_is_allowed(
    enter: Enter, house: Any, warning: Callable[[str, str], str]
) -> None:
    case = warning("叫应电话看得见", "red")
    house.run(LIST_CALLS.format(case=case))
    page = enter("control", "/desk/", size=(1440, 900))
    bar = page.locator(".fs-alarm")
    while "叫应电话看得见" not in bar.locator(".fs-alarm-text").inner_text():  # other tests' warnings first
        bar.locator("form button").click()
        page.wait_for_timeout(500)
        page.goto("/desk/")
    bar.locator("a.fs-btn").click()
    page.wait_for_url(f"**/cases/{case}/#calls")
    first = page.locator("#calls .fs-call").first
    expect(first).to_contain_text("九原示例化工")
    box = first.bounding_box()
    assert box
    covering = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('#calls') !== null", [box["x"] + 60, box["y"] + 10]
    )
    assert covering, "the first number lies under something"
    own = page.locator("#calls .fs-call", has_text="九原示例化工")
    others = page.locator("#calls .fs-call", has_text="应急管理局")
    assert own.locator("summary").count() == own.count()
    assert others.count() and others.locator("summary").count() == 0  # an enterprise does not say whether its office was reached
