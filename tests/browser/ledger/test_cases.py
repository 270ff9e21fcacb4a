"""The ledger's pages in a real browser: what one may do, what is refused, what the record keeps."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from fengsui import cockpit
from tests.browser.conftest import House

Enter = Callable[..., Page]
Cut = Callable[[BrowserContext], None]
Make = Callable[[str], str]
templates = Path(cockpit.__file__).parent / "templates"


def photo() -> bytes:
    """A small JPEG."""
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 120, 120)).save(kept, "JPEG")
    return kept.getvalue()


def test_the_list_filters_by_address_and_exports_what_it_shows(enter: Enter, hazard: Make) -> None:
    hazard("导出测试：可燃气体报警器失准")
    page = enter("inspector", "/cases/?mechanism=hazard&q=导出测试")
    expect(page.locator("tbody tr")).to_have_count(1)
    sheet = openpyxl.load_workbook(io.BytesIO(page.request.get("/cases/export.xlsx?mechanism=hazard&q=导出测试").body())).active
    head = [str(sheet.cell(row, 1).value) for row in (1, 2, 3)]
    assert "导出测试" in head[0] and "高娃" in head[1] and "非涉密" in head[1]
    assert str(sheet.cell(5, 4).value).endswith("导出测试：可燃气体报警器失准") and sheet.cell(6, 4).value is None


def test_an_empty_filter_names_what_to_clear(enter: Enter) -> None:
    page = enter("inspector", "/cases/?q=没有这样的事项")
    expect(page.locator(".fs-empty")).to_contain_text("没有符合条件的事项")
    expect(page.locator(".fs-empty")).to_contain_text("没有这样的事项")


def test_a_view_is_kept_and_found_again(enter: Enter, hazard: Make) -> None:
    hazard("视图测试")
    page = enter("inspector", "/cases/?mechanism=hazard")
    page.locator("summary", has_text="保存视图").click()
    page.fill("#view-name", "长" * 60)
    expect(page.locator(".fs-menu-form .fs-room--over")).to_contain_text("超出 20 字")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#view-name")).to_be_focused()
    expect(page.locator("#view-name")).to_have_value("长" * 60)
    page.fill("#view-name", "危化隐患")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator(".fs-side a", has_text="危化隐患")).to_have_attribute("aria-current", "true")


def test_acts_come_from_the_kernel_and_refusals_say_why(enter: Enter, hazard: Make) -> None:
    case = hazard("为什么不能")
    page = enter("inspector", f"/cases/{case}/")
    expect(page.locator(".fs-can-do .fs-btn--primary")).to_have_count(1)
    expect(page.locator(".fs-can-not .fs-lock").first).to_be_visible()
    other = enter("county", f"/cases/{case}/")
    expect(other.locator(".fs-can-not")).to_contain_text("由")
    expect(page.locator(".fs-mechanism .fs-m-present")).to_have_count(1)


def test_two_persons_sign_and_the_timeline_shows_both(enter: Enter, hazard: Make) -> None:
    case = hazard("两人签名")
    for role in ("inspector", "second"):
        page = enter(role, f"/cases/{case}/act/downgrade/") if role == "second" else enter(role, f"/cases/{case}/")
        if role == "second":
            page.fill('[name="grounds"]', "经评估不构成重大隐患")
            page.locator("main form .fs-btn--primary").click()
            expect(page.locator("body")).to_contain_text("还须一人签名")


def test_an_act_asks_for_what_is_missing_between_label_and_control(enter: Enter, hazard: Make) -> None:
    case = hazard("缺项")
    page = enter("inspector", f"/cases/{case}/act/order_interim/")
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator(".fs-field--bad .fs-bad")).to_contain_text("请填写")
    page.locator(".fs-field--bad textarea").fill("降液位至 50%，专人值守")
    page.locator("main form .fs-btn--primary").click()
    page.wait_for_url(f"**/cases/{case}/")
    expect(page.locator(".fs-timeline")).to_contain_text("降液位至 50%，专人值守")


ACCEPTED = re.compile(r"^fs-kept-[0-9a-f]{32}$")
"""The cookie with which the server says that it took a form."""


def answered(status: int, page: Page, pattern: str) -> None:
    """From now on a proxy before the server answers what is sent there, and the server hears nothing of it."""

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            away = (templates / "503.html").read_text(encoding="utf-8") if status == 503 else "<h1>nginx</h1>"
            route.fulfill(status=status, body=away, content_type="text/html; charset=utf-8")
        else:
            route.continue_()

    page.route(pattern, answer)


@pytest.mark.parametrize("failure", [503, 502, 413, "csrf", "session"])
def test_what_was_typed_outlives_an_answer_that_accepted_nothing(enter: Enter, hazard: Make, failure: int | str) -> None:
    """A failing server or proxy, a secret that is gone (403), a session that ended meanwhile (302 to the sign-in page)."""
    case = hazard(f"没有受理 {failure}")
    form = f"/cases/{case}/act/order_interim/"
    page = enter("inspector", form)
    box, press = page.locator('[name="interim_control"]'), page.locator("main form .fs-btn--primary")
    box.fill("停用 V-102，专人值守")
    cookies = page.context.cookies()
    if isinstance(failure, int):
        answered(failure, page, f"**{form}")
    else:
        page.context.clear_cookies(name="sessionid" if failure == "session" else "csrftoken")
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        if failure == "csrf":  # in one breath with the press: the page's own questions bring the secret back
            page.evaluate("""() => { document.cookie = 'csrftoken=; Max-Age=0; path=/'
              document.querySelector('main form .fs-btn--primary').click() }""")
        else:
            press.click()
    assert sent.value.status == {"session": 302, "csrf": 403}.get(failure, failure)
    page.wait_for_load_state()
    if failure == "csrf":
        expect(page.locator("main")).to_contain_text("未受理：浏览器没有送来本站的 Cookie")
        expect(page.get_by_role("link", name="打开表单")).to_have_attribute("href", re.compile(f"{form}$"))
    page.unroute(f"**{form}")
    page.context.add_cookies([one for one in cookies if one.get("name") == "sessionid"])  # type: ignore[misc]
    page.goto("/desk/")  # any page of ours first
    page.goto(form)
    expect(box).to_have_value("停用 V-102，专人值守")
    expect(page.locator("[data-note]")).to_contain_text("未收到受理回执")
    press.click()
    page.wait_for_url(f"**/cases/{case}/")
    page.goto(form)
    expect(box).to_have_value("")
    assert not [one for one in page.context.cookies() if ACCEPTED.match(str(one.get("name")))]


def test_a_case_raised_without_an_answer_is_not_raised_twice(enter: Enter, house: House) -> None:
    """The server takes it, its answer is lost: the same text goes again under the same key and leads to the same case."""
    page = enter("inspector", "/cases/new/hazard/found_here/")
    page.fill('[name="title"]', "答复丢失")
    page.fill('[data-pick*="site"]', "九原示例化工")
    page.locator(".fs-combo-list button", has_text="九原示例化工").first.click()  # not one that was listed before
    page.fill('[name="finding"]', "校验标签日期 2025-09，已超期")

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        taken = route.fetch(max_redirects=0)
        assert taken.status == 302
        route.fulfill(status=502, body="<h1>nginx</h1>", content_type="text/html")

    page.route("**/cases/new/hazard/found_here/", lose)
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator("h1")).to_have_text("nginx")
    page.unroute("**/cases/new/hazard/found_here/")
    page.context.clear_cookies(name=ACCEPTED)  # the lost answer brought none to the browser
    page.goto("/cases/new/hazard/found_here/")
    expect(page.locator('[name="finding"]')).to_have_value("校验标签日期 2025-09，已超期")
    expect(page.locator('[data-pick*="site"]')).to_have_value(re.compile("九原示例化工"))
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator("h1")).to_contain_text("答复丢失")
    count = "from fengsui.ledger.models import Case; print(Case.objects.filter(title_zh__contains='答复丢失').count())"
    assert house.run(count) == "1"


def test_what_waits_for_a_line_waits_for_a_sign_in_too(enter: Enter, hazard: Make, cut: Cut) -> None:
    case = hazard("断网又掉线")
    page = enter("inspector", f"/cases/{case}/act/order_interim/")
    page.locator("main textarea").fill("断网时填写")
    session = [one for one in page.context.cookies() if one.get("name") == "sessionid"]
    cut(page.context)
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator("[data-note]")).to_contain_text("已存本机")
    page.context.clear_cookies(name="sessionid")
    with page.expect_response(lambda answer: answer.request.method == "POST") as first:
        page.context.set_offline(False)
    assert first.value.status == 302
    page.context.add_cookies(session)  # type: ignore[arg-type]
    with page.expect_response(lambda answer: answer.request.method == "POST") as second:
        page.goto("/desk/")
    assert second.value.status == 302
    page.goto(f"/cases/{case}/")
    expect(page.locator(".fs-timeline")).to_contain_text("断网时填写")


def test_a_stale_form_is_refused_and_offered_on_the_new_state(enter: Enter, hazard: Make) -> None:
    case = hazard("过期表单")
    first = enter("inspector", f"/cases/{case}/act/order_interim/")
    second = enter("inspector", f"/cases/{case}/act/order_interim/")
    for page in (first, second):
        page.fill("main textarea", "停用该储罐")
        page.locator("main form .fs-btn--primary").click()
    expect(second.locator(".fs-summary")).to_contain_text("刚有新的办理")
    expect(second.locator("main textarea")).to_have_value("停用该储罐")


def test_the_same_form_sent_twice_acts_once(enter: Enter, hazard: Make) -> None:
    case = hazard("提交两次")
    page = enter("inspector", f"/cases/{case}/act/order_interim/")
    form = page.evaluate(
        "() => Object.fromEntries([...new FormData(document.querySelector('main form'))]"
        ".filter(([, v]) => typeof v === 'string'))"
    )
    form["interim_control"] = "专人值守"
    for _ in range(2):
        answer = page.request.post(f"/cases/{case}/act/order_interim/", form=form, headers={"Referer": page.url})
        assert answer.ok
    page.goto(f"/cases/{case}/")
    expect(page.locator(".fs-timeline li")).to_have_count(2)


def test_another_leagues_case_and_none_at_all_look_the_same(enter: Enter, hazard: Make) -> None:
    case = hazard("看不见")
    page = enter("inspector", "/desk/")
    missing = page.request.get("/cases/00000000-0000-4000-8000-000000000000/")
    assert missing.status == 404 and "找不到该事项，或您无权查看" in missing.text()
    assert page.request.get(f"/cases/{case}/").status == 200


def test_raising_a_hazard_with_a_photo_on_a_phone(enter: Enter) -> None:
    page = enter("inspector", "/cases/new/hazard/found_here/", size=(390, 844))
    page.fill('[name="title"]', "手机上报：安全阀铅封缺失")
    page.fill('[data-pick*="site"]', "九原示例化工")
    page.locator(".fs-combo-list button", has_text="九原示例化工").first.click()  # not one that was listed before
    page.fill('[name="finding"]', "校验标签日期 2025-09，已超期")
    page.set_input_files('input[type="file"]', {"name": "valve.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(page.locator(".fs-photo img")).to_have_count(1)
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator("h1")).to_contain_text("手机上报：安全阀铅封缺失")
    expect(page.locator(".fs-steps")).to_be_visible()
    expect(page.locator(".fs-actbar .fs-btn--primary")).to_be_visible()
    kept = page.locator(".fs-photo img")
    expect(kept).to_have_count(1)
    assert page.request.get(str(kept.get_attribute("src"))).headers["content-type"].startswith("image/")


def test_typed_text_survives_a_closed_page(enter: Enter, hazard: Make) -> None:
    case = hazard("保留文字")
    page = enter("inspector", f"/cases/{case}/act/order_interim/")
    page.locator("main textarea").fill("写到一半")
    page.goto("/desk/")
    page.goto(f"/cases/{case}/act/order_interim/")
    expect(page.locator("main textarea")).to_have_value("写到一半")
    expect(page.locator("[data-note]")).to_be_visible()
    page.locator("[data-note] button").click()
    expect(page.locator("main textarea")).to_have_value("")
    assert page.evaluate("Object.keys(localStorage).filter(name => name.startsWith('fs:form:'))") == []
    page.reload()
    expect(page.locator("main textarea")).to_have_value("")
    expect(page.locator("[data-note]")).to_have_count(0)


def test_without_a_line_the_form_waits_and_is_sent_once(enter: Enter, hazard: Make, cut: Cut) -> None:
    case = hazard("断网提交")
    page = enter("inspector", f"/cases/{case}/act/order_interim/")
    page.locator("main textarea").fill("断网时填写")
    page.reload()  # what was typed comes back, with a note that could discard it
    expect(page.locator('[data-note="kept"]')).to_be_visible()
    cut(page.context)
    page.locator("main form .fs-btn--primary").click()
    expect(page.locator("[data-note]")).to_have_count(1)
    expect(page.locator("[data-note]")).to_contain_text("已存本机")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.context.set_offline(False)
    page.goto(f"/cases/{case}/")
    expect(page.locator(".fs-timeline")).to_contain_text("断网时填写")
    expect(page.locator(".fs-timeline li")).to_have_count(2)


def test_an_open_case_page_renews_by_itself(enter: Enter, hazard: Make) -> None:
    case = hazard("自动更新")
    watching = enter("county", f"/cases/{case}/")
    page = enter("inspector", f"/cases/{case}/act/order_interim/")
    page.fill("main textarea", "现场值守")
    page.locator("main form .fs-btn--primary").click()
    expect(watching.locator(".fs-timeline")).to_contain_text("现场值守")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_case_page_prints_with_who_and_when(enter: Enter, hazard: Make, language: str) -> None:
    case = hazard("打印")
    page = enter("inspector", f"/cases/{case}/", language=language)
    page.emulate_media(media="print")
    expect(page.locator(".fs-printed")).to_contain_text("高娃")
    expect(page.locator(".fs-bar")).to_be_hidden()
