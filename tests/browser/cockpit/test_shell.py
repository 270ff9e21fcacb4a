"""The frame, sign-in and desk in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Enter = Callable[..., Page]
ROLES = ("deputy", "duty", "safety", "inspector", "control", "county", "second", "league")


@pytest.mark.parametrize("role", ROLES)
def test_every_demo_role_reaches_its_desk(enter: Enter, role: str) -> None:
    page = enter(None, "/sign-in/")
    button = page.locator(f'button[name="role"][value="{role}"]')
    if not button.is_visible():
        page.locator(".fs-more-roles summary").click()
    button.click()
    page.wait_for_url("**/desk/")
    expect(page.locator("h1")).to_have_text("需要我办")
    expect(page.locator(".fs-strip strong")).to_have_text("非涉密系统，严禁处理涉密信息")


def test_pages_carry_the_policy_and_no_inline_code(enter: Enter) -> None:
    page = enter(None, "/sign-in/")
    answer = page.request.get("/sign-in/")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe-inline" not in policy
    assert "style=" not in answer.text() and "<script>" not in answer.text() and "<style" not in answer.text()


def test_without_signing_in_there_is_only_the_sign_in(enter: Enter) -> None:
    page = enter(None, "/cases/")
    assert "/sign-in/" in page.url
    assert page.request.get("/live/").status == 401


def test_wrong_passwords_lock_and_say_so(enter: Enter) -> None:
    page = enter(None, "/sign-in/")
    for _ in range(6):
        if not page.locator("#id_login").count():
            break
        page.fill("#id_login", "nobody.here")
        page.fill("#id_password", "wrong")
        page.locator("form button.fs-btn--primary").click()
    expect(page.locator("body")).to_contain_text("账号已锁定")


def test_language_and_theme_switch_and_stay(enter: Enter) -> None:
    page = enter("duty")
    page.locator('button[name="language"]').click()
    expect(page.locator("h1")).to_have_text("Waiting for me")
    page.locator('[data-act="theme"]').click()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    expect(page.locator("h1")).to_have_text("Waiting for me")


@pytest.mark.parametrize("size", [(360, 780), (1920, 1080)])
def test_no_page_of_the_watch_and_the_region_scrolls_sideways(enter: Enter, size: tuple[int, int]) -> None:
    page = enter("duty", "/map/?svg=1", size=size, theme="dark", language="en")
    expect(page.locator("#sheet [data-county]")).to_have_count(103)  # without WebGL the counties are drawn all the same
    for path in (
        "/map/?svg=1",
        "/alarms/?show=hidden",
        "/sites/",
        "/sites/HC-150207-01/",
        "/rules/HC-150207-01/",
        "/mechanisms/hazard/",
    ):
        page.goto(path)
        expect(page.locator("h1").first).to_be_attached()
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path


def test_somebody_without_a_post_sees_nothing(enter: Enter, house: object) -> None:
    house.run("from fengsui.region.models import Account\nAccount.objects.create_user('no.post', password='a long enough one')")
    page = enter(None, "/sign-in/")
    page.fill("#id_login", "no.post")
    page.fill("#id_password", "a long enough one")
    page.locator("form button.fs-btn--primary").click()
    expect(page.locator("body")).to_contain_text("您目前没有岗位")
    assert page.request.get("/cases/").status == 403
    assert page.request.get("/find/?q=九原").json() == {"cases": [], "sites": [], "places": []}


def test_the_palette_finds_sites_and_places(enter: Enter) -> None:
    page = enter("inspector")
    page.keyboard.press("Control+k")
    page.locator("#palette input").fill("九原")
    expect(page.locator("#palette .fs-palette-list a").first).to_be_visible()


def test_keys_move_and_open(enter: Enter, hazard: Callable[[str], str]) -> None:
    hazard("键盘测试")
    page = enter("inspector", "/cases/")
    page.keyboard.press("j")
    expect(page.locator("tr.fs-at")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*-*/")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/desk/")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_a_red_warning_takes_the_bar_by_itself_until_acknowledged(enter: Enter, warning: Callable[[str, str], str]) -> None:
    page = enter("control")
    expect(page.locator(".fs-alarm")).to_have_count(0)
    rows = page.locator(".fs-desk-row").count()
    warning("液氨储罐 V-102 压力高高报", "red")
    expect(page.locator(".fs-alarm-text")).to_contain_text("液氨储罐 V-102 压力高高报")
    expect(page.locator(".fs-desk-row")).to_have_count(rows + 1)
    untouched = page.context.new_page()  # no key yet: the browser allows no sound
    untouched.goto(page.url)
    expect(untouched.locator(".fs-alarm [data-quiet]")).to_be_visible()
    untouched.close()
    page.locator(".fs-alarm form button").click()
    expect(page.locator(".fs-alarm")).to_have_count(0)
