"""An administrator's work in the browser: offices and people, a site's register, alarm rules, an amendment of the law."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import House

SHOTS = Path(os.environ["FENGSUI_SHOTS"]) if "FENGSUI_SHOTS" in os.environ else None
SIZES = {"": (1440, 900, "light", "zh-hans"), "-dark": (1920, 1080, "dark", "en"), "-phone": (390, 844, "light", "zh-hans")}
SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from fengsui.region.models import Account
account = Account.objects.get(username={name!r})
store = import_module(settings.SESSION_ENGINE).SessionStore()
store[SESSION_KEY] = str(account.pk)
store[BACKEND_SESSION_KEY] = 'django.contrib.auth.backends.ModelBackend'
store[HASH_SESSION_KEY] = account.get_session_auth_hash()
store.create()
print(store.session_key)
"""
COUNTY = (
    "from fengsui.region.models import Office\nprint(Office.objects.get(place='150207', name_zh__startswith='九原区应急').pk)"
)


@pytest.fixture
def as_account(enter: Callable[..., Page], house: House) -> Callable[..., Page]:
    """``as_account("demo.admin", "/offices/")``: a page signed in as an account that has no one-click role."""

    def open_as(name: str, path: str, **more: object) -> Page:
        page = enter(None, "/sign-in/", **more)
        key = house.run(SESSION.format(name=name))
        page.context.add_cookies([{"name": "sessionid", "value": key, "url": house.base}])
        page.goto(path)
        return page

    return open_as


def dress(page: Page, theme: str, language: str) -> None:
    """Let the next page come in this theme and language."""
    root = "/".join(page.url.split("/")[:3]) + "/"
    page.context.add_cookies(
        [{"name": "fs_theme", "value": theme, "url": root}, {"name": "django_language", "value": language, "url": root}]
    )


def shoot(page: Page, name: str) -> None:
    """Keep pictures in three sizes where FENGSUI_SHOTS asks for it."""
    if SHOTS is None:
        return
    base = page.url
    for ending, (width, height, theme, language) in SIZES.items():
        dress(page, theme, language)
        page.set_viewport_size({"width": width, "height": height})
        page.goto(base)
        page.screenshot(path=str(SHOTS / f"{name}{ending}.png"))
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{name}{ending} is wider than the screen by {overflow}"
    dress(page, "light", "zh-hans")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base)


def test_a_person_is_entered_invited_and_leaves(as_account: Callable[..., Page], house: House) -> None:
    page = as_account("demo.admin", f"/offices/{house.run(COUNTY)}/")
    shoot(page, "office")
    row = page.locator("#posts tr", has_text="副局长").first
    row.get_by_role("link", name="任职", exact=True).click()
    page.get_by_label("或新人员姓名").fill("乌日娜")
    page.get_by_label("电话").fill("0472-5550188")
    page.get_by_role("button", name="任职").click()
    expect(page.locator(".fs-summary")).to_contain_text("请写明理由和依据文件")
    expect(page.get_by_label("或新人员姓名")).to_have_value("乌日娜")
    shoot(page, "begin")
    page.get_by_label("或新人员姓名").fill("乌日娜")
    page.get_by_label("电话").fill("0472-5550188")
    page.locator("textarea[name=grounds]").fill("九政任〔2026〕31号")
    page.get_by_role("button", name="任职").click()
    expect(page.locator(".fs-notice").first).to_contain_text("乌日娜")
    page.locator("#posts").get_by_role("link", name="乌日娜").click()
    expect(page.get_by_role("heading", name="乌日娜")).to_be_visible()
    shoot(page, "person")
    page.get_by_role("link", name="邀请开户").click()
    page.locator("textarea[name=grounds]").fill("新任职开户")
    page.get_by_role("button", name="邀请开户").click()
    expect(page.locator("[data-secret]")).to_have_text(re.compile(r"^([a-z2-9]{4}-){3}[a-z2-9]{4}$"))
    if SHOTS:
        page.screenshot(path=str(SHOTS / "secret.png"))
    page.get_by_role("link", name="完成").click()
    page.get_by_role("link", name="免职").first.click()
    shoot(page, "end")
    page.locator("textarea[name=grounds]").fill("调离")
    page.get_by_role("button", name="免职").click()
    page.goto("/changes/")
    expect(page.locator("tbody")).to_contain_text("九政任〔2026〕31号")
    shoot(page, "record")


def test_a_number_of_the_law_is_amended_from_its_page(as_account: Callable[..., Page], house: House) -> None:
    page = as_account("demo.admin", "/law/hazard.plan/")
    before = page.locator("dl.fs-kv dd b").first.inner_text()
    shoot(page, "law")
    page.get_by_role("link", name="提出修订").click()
    expect(page.locator("select[name=number]")).to_have_value("hazard.plan")
    expect(page.locator("[name=content]")).not_to_have_value("")
    page.locator("[name=content]").fill("9wd")
    page.locator("[name=basis]").fill("自治区办法第5条")
    shoot_raise(page)
    page.get_by_role("button", name="登记").click()
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}/"))
    case = page.url
    lawyer = as_account("demo.law", case)
    lawyer.get_by_role("button", name="核准").or_(lawyer.get_by_role("link", name="核准")).first.click()
    expect(lawyer.locator("main")).to_contain_text("已生效")
    page.goto("/law/hazard.plan/")
    expect(page.locator("dl.fs-kv dd b").first).to_have_text("9 个工作日")
    assert before != "9 个工作日"
    expect(page.locator("main")).to_contain_text("自治区办法第5条")
    page.goto("/law/?q=hazard.plan&on=2026-10-01")
    expect(page.locator("tbody").first).to_contain_text(before)


def shoot_raise(page: Page) -> None:
    """The filled form, as it stands."""
    if SHOTS:
        page.screenshot(path=str(SHOTS / "amend.png"), full_page=True)


def test_a_site_s_register_and_its_alarm_rules(as_account: Callable[..., Page], house: House) -> None:
    page = as_account("demo.safety_director", "/sites/HC-150207-01/register/")
    shoot(page, "register")
    page.get_by_role("link", name="录入物质").first.click()
    shoot(page, "substance")
    page.goto("/rules/HC-150207-01/")
    shoot(page, "rules")
    expect(page.locator("tbody tr").first.get_by_role("link", name="更改")).to_be_visible()


def test_sites_nobody_answers_for_are_mended_with_a_button(as_account: Callable[..., Page]) -> None:
    page = as_account("demo.admin", "/unanswered/")
    shoot(page, "unanswered")
    many = page.locator("tbody tr").count()
    page.locator("tbody tr", has_text="没有承担该监管领域的机构").first.get_by_role("link").last.click()
    shoot(page, "mend")
    page.locator("textarea[name=grounds]").fill("三定方案调整")
    page.locator("form button.fs-btn--primary").click()
    page.goto("/unanswered/")
    assert page.locator("tbody tr").count() < many
