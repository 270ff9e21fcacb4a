"""The demo's split screen in a real browser: four seats at once, apart from each other and from the visitor's own session."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page, expect

Enter = Callable[..., Page]
FOUR = "/demo/four/"


def seat(page: Page, key: str) -> Frame:
    """The frame that shows the seat, once its page is there."""
    frame = page.locator(f'[data-seat-key="{key}"] iframe').element_handle().content_frame()
    assert frame is not None
    frame.wait_for_selector("#main")
    return frame


def test_four_posts_are_signed_in_at_once_and_stay_apart(enter: Enter) -> None:
    page = enter("deputy", FOUR)
    names = [seat(page, key).locator(".fs-strip-post").inner_text() for key in ("control", "county", "league", "inspector")]
    assert len(set(names)) == 4 and all(names)
    assert [name.split("·")[0] for name in names] == ["刘洋", "斯琴", "布和", "高娃"]
    page.goto("/desk/")
    assert page.locator(".fs-strip-post").inner_text().startswith("那顺")
    names = {cookie["name"]: cookie.get("path") for cookie in page.context.cookies()}
    assert names["sessionid"] == "/" and names["as_county_sessionid"] == "/as/county/"


def test_an_act_in_one_frame_lights_the_others_by_itself(enter: Enter, warning: Callable[[str, str], str]) -> None:
    page = enter(None, FOUR)
    control, county = seat(page, "control"), seat(page, "county")
    expect(control.locator(".fs-alarm")).to_have_count(0)
    case = warning("四屏同看的红色预警", "red")
    expect(control.locator(".fs-alarm-text")).to_contain_text("四屏同看的红色预警")
    expect(page.locator('[data-seat-key="control"] [data-red]')).to_be_visible()
    county.goto(f"/as/county/cases/{case}/")
    expect(county.locator("h1")).to_contain_text("四屏同看的红色预警")
    before = county.locator(".fs-timeline li, .fs-entry").count()
    control.locator(".fs-alarm form button").click()
    expect(control.locator(".fs-alarm")).to_have_count(0)
    expect(county.locator(".fs-timeline li, .fs-entry")).not_to_have_count(before)
    assert "/as/control/" in control.url


def test_eight_tabs_share_two_lines(enter: Enter, house: object) -> None:
    """A browser has six connections to a server over HTTP/1.1; open pages must not use them up."""
    first = enter("duty", "/desk/")
    pages = [first.context.new_page() for _ in range(7)]
    for page in pages:
        page.goto("/notices/")
    four = first.context.new_page()
    four.goto(FOUR)
    expect(seat(four, "league").locator("h1")).to_have_text("需要我办")
    ask = "fetch('/as/league/live/alarm/').then(() => performance.now() - at)"
    took = four.evaluate(f"() => {{ const at = performance.now(); return {ask} }}")
    assert took < 5000


@pytest.mark.parametrize("size", [(1440, 900), (1920, 1080)])
def test_two_columns_without_scrolling(enter: Enter, size: tuple[int, int]) -> None:
    page = enter(None, FOUR, size=size)
    boxes = [page.locator(f'[data-seat-frame="{n}"]').bounding_box() for n in range(4)]
    assert all(box and box["width"] > size[0] * 0.45 and box["height"] > size[1] * 0.38 for box in boxes)
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] == boxes[2]["x"]  # type: ignore[index]
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    page.locator('[data-seat-frame="2"] [data-full]').click()
    expect(page.locator('[data-seat-frame="0"]')).to_be_hidden()
    page.keyboard.press("Escape")
    page.locator('[data-split="x"]').focus()
    page.keyboard.press("ArrowRight")
    wider = page.locator('[data-seat-frame="0"]').bounding_box()
    assert wider and boxes[0] and wider["width"] > boxes[0]["width"]


def test_a_phone_shows_one_post_at_a_time(enter: Enter) -> None:
    page = enter(None, FOUR, size=(390, 844), language="en")
    expect(page.locator('[role="tab"]')).to_have_count(4)
    expect(page.locator('[data-seat-frame="1"]')).to_be_hidden()
    page.locator('[data-tab="1"]').click()
    expect(page.locator('[data-seat-frame="1"]')).to_be_visible()
    expect(page.locator('[data-seat-frame="0"]')).to_be_hidden()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_another_post_is_chosen_by_the_list(enter: Enter) -> None:
    page = enter(None, f"{FOUR}?as=duty,safety")
    assert [page.locator("[data-choice]").nth(n).input_value() for n in range(4)] == ["duty", "safety", "control", "county"]
    page.locator("[data-choice]").first.select_option("deputy")
    expect(page.frame_locator('[data-seat-frame="0"] iframe').locator(".fs-strip-post")).to_contain_text("那顺")
    assert "as=deputy,safety" in page.url
