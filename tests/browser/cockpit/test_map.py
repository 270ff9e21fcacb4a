"""The one map in a real browser: drawn by WebGL, live, its drawer; and the same situation as SVG where WebGL is missing."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

Enter = Callable[..., Page]
Make = Callable[[str, str], str]

NO_WEBGL = """() => {
  const context = HTMLCanvasElement.prototype.getContext
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return /webgl/.test(kind) ? null : context.call(this, kind, ...rest)
  }
}"""
"""An old office PC: the browser is there, its graphics are not."""


def colours(of: Locator) -> int:
    """How many different colours a picture of the element holds."""
    picture = Image.open(io.BytesIO(of.screenshot())).convert("RGB")
    return len(picture.getcolors(picture.width * picture.height) or [])


def drawn(page: Page) -> Locator:
    """MapLibre's canvas, once the map has come to rest for the first time."""
    expect(page.locator("#map")).to_have_attribute("data-ready", "", timeout=60_000)
    return page.locator("#map canvas.maplibregl-canvas")


def blue_tile(page: Page) -> int:
    """The number of open blue matters on the rail."""
    return int(re.sub(r"\D", "", page.locator('.fs-map-levels [data-key="blue"] .fs-count').inner_text()))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_webgl_draws_the_region(enter: Enter, theme: str) -> None:
    page = enter("duty", "/map/", theme=theme)
    canvas = drawn(page)
    expect(page.locator("#sheet")).to_be_hidden()
    assert colours(canvas) > 60, "the canvas is blank"
    page.locator(".fs-map-tool summary").click()
    page.locator('[data-layer="counties"]').uncheck()
    expect(page.locator(".fs-map-tools")).to_be_visible()


def test_the_maps_counts_and_marks_are_live(enter: Enter, warning: Make) -> None:
    page = enter("duty", "/map/")
    drawn(page)
    before = blue_tile(page)
    case = warning("图上实时出现的预警", "blue")
    expect(page.locator('.fs-map-levels [data-key="blue"] .fs-count')).to_have_text(str(before + 1))
    expect(page.locator(".fs-map-feed")).to_contain_text("图上实时出现的预警")
    page.locator(".fs-map-feed a", has_text="图上实时出现的预警").click()
    page.wait_for_url(f"**/cases/{case}/")


def test_a_click_on_the_map_opens_the_drawer(enter: Enter) -> None:
    page = enter("duty", "/map/")
    canvas = drawn(page)
    page.locator('[data-map="dense"]').click()
    box = canvas.bounding_box()
    assert box
    drawer = page.locator(".fs-map-drawer")
    page.wait_for_timeout(900)  # the flight of 0.6 s to the inset
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(drawer.locator("h2")).not_to_be_empty()
    expect(drawer.locator("a.fs-btn")).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_without_webgl_the_same_map_is_svg(enter: Enter, warning: Make) -> None:
    page = enter("duty", "/desk/")
    page.add_init_script(f"({NO_WEBGL})()")
    page.goto("/map/")
    expect(page.locator("#sheet [data-county]")).to_have_count(103)
    expect(page.locator("#map")).to_be_hidden()
    expect(page.locator('[data-map="measure"]')).to_be_hidden()
    assert colours(page.locator("#sheet")) > 20
    before = blue_tile(page)
    warning("没有 WebGL 也实时更新的预警", "blue")
    expect(page.locator('.fs-map-levels [data-key="blue"] .fs-count')).to_have_text(str(before + 1))
    county = page.locator('#sheet [data-county="150207"]')
    expect(county).to_have_class(re.compile("fs-county--"))
    county.dispatch_event("click")
    expect(page.locator(".fs-map-drawer h2")).to_have_text("九原区")
    expect(page.locator(".fs-map-drawer li")).not_to_have_count(0)


def test_the_map_goes_back_and_comes_back_to_now(enter: Enter, warning: Make) -> None:
    warning("回放时还没有的预警", "blue")
    page = enter("duty", "/map/")
    drawn(page)
    page.locator('[data-map="replay"]').click()
    slider = page.locator("#map-replay input")
    expect(page.locator("#map-replay output")).to_have_text("现在")
    slider.fill("-95")
    expect(page.locator("#map-replay output")).to_have_text(re.compile(r"^\d\d-\d\d \d\d:\d\d$"))
    expect(page.locator('#map-replay [data-count="blue"]')).to_have_text(re.compile(r"^\d+$"))
    page.locator('[data-replay="now"]').click()
    expect(page.locator("#map-replay output")).to_have_text("现在")
    expect(page.locator('#sheet [data-county="150207"]')).to_have_class(re.compile("fs-county--"))


def test_without_webgl_the_sheet_goes_back_with_its_marks(enter: Enter, warning: Make) -> None:
    """Counties and marks are those of one moment: none of today's marks stands on yesterday's map."""
    case = warning("昨天还没有的预警", "blue")
    page = enter("duty", "/desk/")
    page.add_init_script(f"({NO_WEBGL})()")
    page.goto("/map/")
    mark = page.locator(f'#sheet-marks a[href="/cases/{case}/"]')
    expect(mark).to_have_count(1)
    page.locator('[data-map="replay"]').click()
    slider = page.locator("#map-replay input")
    slider.fill("-95")
    expect(page.locator("#map-replay output")).to_have_text(re.compile(r"^\d\d-\d\d \d\d:\d\d$"))
    expect(mark).to_have_count(0)
    page.locator('[data-replay="now"]').click()
    expect(mark).to_have_count(1)
