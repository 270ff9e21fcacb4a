"""No main page scrolls sideways: phone, tablet, zoomed to 200 %, laptop and wall, in both languages and themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

Enter = Callable[..., Page]
Make = Callable[[str], str]

SIZES = (
    *((360, 780), (390, 844), (720, 450), (768, 1024), (820, 1180)),
    *((1024, 768), (1280, 800), (1440, 900), (1920, 1080)),
)
"""Phones, 1440 × 900 zoomed to 200 %, tablets upright, one lying, laptops, wall."""

PAGES: dict[str | None, tuple[str, ...]] = {
    None: ("/sign-in/", "/report/", "/follow/", "/verify/", "/demo/four/"),
    "duty": (
        "/desk/", "/map/?svg=1", "/alarms/", "/alarms/?show=hidden", "/cases/", "/notices/", "/sites/", "/sites/HC-150207-01/",
        "/rules/HC-150207-01/", "/offices/", "/mechanisms/hazard/", "/law/", "/cases/new/", "/exercise/",
    ),
    "inspector": (
        "/desk/", "/cases/", "/notices/", "/cases/new/", "/cases/{case}/", "/cases/{case}/act/list/", "/cases/{case}/merge/",
        "/cases/{case}/share/",
    ),
    "admin": ("/adopt/", "/mechanisms/", "/mechanisms/hazard/move/"),
}  # fmt: skip

WIDER = """() => new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen))).then(() =>
  document.documentElement.scrollWidth <= innerWidth ? '' : `${document.documentElement.scrollWidth} ` +
  [...document.querySelectorAll('body *')].filter(node => node.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map(node => `${node.tagName}.${node.className}`).join(' '))"""
"""Once the new size is drawn: empty where nothing sticks out, else how wide the page is and by what."""


@pytest.mark.parametrize(("language", "theme"), [("zh-hans", "dark"), ("en", "light")])
@pytest.mark.parametrize("role", list(PAGES), ids=str)
def test_no_main_page_scrolls_sideways(enter: Enter, hazard: Make, role: str | None, language: str, theme: str) -> None:
    case = hazard("尺寸检查") if role == "inspector" else ""
    paths = [path.format(case=case) for path in PAGES[role]]
    page = enter(role, paths[0], language=language, theme=theme)
    wide: list[str] = []
    for path in paths:
        answer = page.goto(path)
        assert answer and answer.ok, f"{path} answers {answer and answer.status}"
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            if found := page.evaluate(WIDER):
                wide.append(f"{path} at {width}: {found}")
    assert not wide, "\n".join(wide)
