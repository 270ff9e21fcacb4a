"""From the desk through the case to the act with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

Enter = Callable[..., Page]

HERE = "() => [document.activeElement.tagName, document.activeElement.getAttribute('href') ?? document.activeElement.name ?? '']"


def tab_to(page: Page, wanted: Callable[[str, str], bool]) -> None:
    """Press Tab until the focus stands where wanted; each stop must be visible."""
    for _ in range(120):
        page.keyboard.press("Tab")
        tag, name = page.evaluate(HERE)
        if wanted(tag, name):
            outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that the focus stands on {tag} {name}"
            return
    raise AssertionError("the keyboard does not get there")


def test_a_warning_is_fed_back_without_a_mouse(enter: Enter, warning: Callable[[str, str], str]) -> None:
    case = warning("只用键盘办理", "yellow")
    page = enter("control", "/desk/")
    row = page.locator(".fs-desk-row", has_text="只用键盘办理")
    expect(row).to_be_visible()
    for _ in range(60):
        page.keyboard.press("j")
        if "fs-at" in (row.get_attribute("class") or ""):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{case}/**")
    tab_to(page, lambda tag, name: tag == "A" and "/act/feed_back/" in name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/act/feed_back/**")
    if page.evaluate(HERE)[1] != "feedback":
        tab_to(page, lambda tag, name: tag == "TEXTAREA" and name == "feedback")
    page.keyboard.type("已关阀")
    tab_to(page, lambda tag, name: tag == "BUTTON" and page.evaluate("() => document.activeElement.matches('.fs-btn--primary')"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{case}/")
    expect(page.locator(".fs-timeline")).to_contain_text("已关阀")
