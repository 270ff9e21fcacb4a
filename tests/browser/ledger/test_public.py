"""The public's way on a phone: report with a photo, keep the receipt, follow it, verify it, and see a forgery in red."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

Enter = Callable[..., Page]
Cut = Callable[[BrowserContext], None]
PHONE, NARROW = (390, 844), (360, 780)
SHOTS = Path(os.environ["FENGSUI_SHOTS"]) if "FENGSUI_SHOTS" in os.environ else None

SEAL = """
from fengsui import moment
from fengsui.ledger import sealer, sealing
sealer.round_(sealing.Grower.load(), moment.now(), at_once=True)
"""


def look(page: Page, name: str) -> None:
    """Keep a picture where FENGSUI_SHOTS asks for it."""
    if SHOTS:
        page.screenshot(path=SHOTS / f"{name}.png", full_page=False)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "valve.jpg"
    Image.effect_noise((1200, 900), 60).convert("RGB").save(path, "JPEG")
    return path


def send(page: Page, picture: Path | None, seen: str) -> tuple[str, str]:
    """Fill in the form and send it; gives code and secret."""
    page.select_option("#id_county", label="九原区")
    page.fill("#id_finding", seen)
    if picture:
        page.set_input_files("[data-snaps] label input[multiple]", str(picture))
        expect(page.locator(".fs-photo img")).to_have_count(1)
    page.locator(".fs-pub-foot button").click()
    page.wait_for_url("**/report/receipt/")
    return page.locator("[data-code]").inner_text(), page.locator("[data-secret]").inner_text()


def no_overflow(page: Page) -> None:
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


@pytest.mark.parametrize("size", [PHONE, NARROW])
def test_report_receipt_follow_on_a_phone(enter: Enter, picture: Path, size: tuple[int, int]) -> None:
    page = enter(None, "/report/", size=size)
    no_overflow(page)
    look(page, f"report-{size[0]}")
    page.locator(".fs-pub-foot button").click()
    expect(page.locator(".fs-summary li")).to_have_count(2)
    look(page, f"report-mistakes-{size[0]}")
    if size == NARROW:
        page.context.clear_cookies(name="csrftoken")  # a cookie that is gone: the same goes again with a new one
    code, secret = send(page, picture, "冷库后门一直有氨味，下午更重")
    no_overflow(page)
    look(page, f"receipt-{size[0]}")
    expect(page.locator(".fs-qr svg")).to_be_visible()
    expect(page.locator(".fs-pub-steps .fs-clock")).to_have_count(1)
    page.goto("/follow/")
    no_overflow(page)
    look(page, f"follow-{size[0]}")
    page.fill("#id_code", code)
    page.fill("#id_secret", "0000-0000-0000")
    page.locator(".fs-pub-foot button").click()
    expect(page.locator(".fs-summary")).to_contain_text("逐字核对")
    page.fill("#id_secret", secret)
    page.locator(".fs-pub-foot button").click()
    page.wait_for_url("**/follow/report/")
    expect(page.locator("h1")).to_have_text("冷库后门一直有氨味，下午更重")
    page.fill("#id_text", "今天气味更重")
    page.locator(".fs-pub-letters form button").click()
    expect(page.locator(".fs-letters")).to_contain_text("今天气味更重")
    no_overflow(page)
    look(page, f"followed-{size[0]}")


def test_the_office_answers_and_the_reporter_reads_it(enter: Enter) -> None:
    page = enter(None, "/report/", size=PHONE)
    seen = "阀门漏气，答复测试"
    code, secret = send(page, None, seen)
    office = enter("inspector", "/cases/?q=答复测试")
    office.locator("tbody tr td.fs-grow a").first.click()
    look(office, "case-of-a-report")
    office.locator('a[href*="/reporter/"]').click()
    office.fill("#id_text", "请说明是哪个门")
    office.locator("main form .fs-btn--primary").click()
    expect(office.locator(".fs-letters")).to_contain_text("请说明是哪个门")
    look(office, "correspondence")
    page.goto("/follow/")
    page.fill("#id_code", code)
    page.fill("#id_secret", secret)
    page.locator(".fs-pub-foot button").click()
    expect(page.locator(".fs-letters")).to_contain_text("请说明是哪个门")


def test_a_photo_too_large_is_told_before_anything_is_sent(enter: Enter, picture: Path) -> None:
    page = enter(None, "/report/", size=PHONE)
    page.fill("#id_finding", "照片太大")
    page.evaluate("() => { document.querySelector('[data-snaps]').dataset.mostBytes = '1' }")
    large = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" + b"0" * 21_000_000}
    page.set_input_files("[data-snaps] label input[multiple]", large)  # type: ignore[arg-type]
    expect(page.locator("#id_photos-field .fs-bad")).to_contain_text("20 MB")
    page.set_input_files("[data-snaps] label input[multiple]", str(picture))
    expect(page.locator(".fs-photo")).to_have_count(1)
    expect(page.locator("#id_photos-field .fs-bad")).to_have_count(0)


def test_what_was_typed_and_chosen_survives_a_reload_but_not_the_name(enter: Enter, picture: Path) -> None:
    page = enter(None, "/report/", size=PHONE)
    page.fill("#id_finding", "打了一半")
    page.fill("#id_name", "不该留下的名字")
    page.select_option("#id_county", label="九原区")
    expect(page.locator("[name=township] option").nth(1)).to_be_attached()
    page.select_option("[name=township]", index=1)
    township = page.locator("[name=township]").input_value()
    page.fill("#id_site_name", "九原示例化工")
    page.locator(".fs-combo-list button").first.click()
    site = page.locator("[name=site]").input_value()
    page.set_input_files("[data-snaps] label input[multiple]", str(picture))
    expect(page.locator(".fs-photo img")).to_have_count(1)
    page.evaluate("""() => { for (const [name, value] of [['lon', '109.97'], ['lat', '40.61']]) {
      const box = document.querySelector(`[name=${name}]`); box.value = value
      box.dispatchEvent(new Event('change', { bubbles: true })) } }""")  # as the device's position does
    page.wait_for_timeout(300)
    page.reload()
    expect(page.locator("#id_finding")).to_have_value("打了一半")
    expect(page.locator("#id_name")).to_have_value("")
    expect(page.locator("[name=township]")).to_have_value(township)
    values = {name: page.locator(f"[name={name}]").input_value() for name in ("site", "lon", "lat")}
    assert site and township and values == {"site": site, "lon": "109.97", "lat": "40.61"}
    expect(page.locator(".fs-photo img")).to_have_count(1)
    assert page.locator("input[name=photos]").evaluate("box => box.files[0].size") == picture.stat().st_size
    page.evaluate("() => indexedDB.deleteDatabase('fengsui-files')")
    page.reload()  # a browser that threw the photos away says which
    expect(page.locator('[data-note="files"]')).to_contain_text(picture.name)
    page.locator('[data-note="kept"] button').click()
    assert {page.locator(f"[name={name}]").input_value() for name in ("site", "lon", "lat", "county", "finding")} == {""}


def test_without_a_line_the_report_waits_and_then_shows_its_receipt(enter: Enter, picture: Path, cut: Cut) -> None:
    """What is refused once the line is back keeps its photo and its text until it is corrected and goes again."""
    page = enter(None, "/report/", size=PHONE)
    page.select_option("#id_county", label="九原区")
    page.fill("#id_finding", "断网时看到的" + "。" * 2000)
    page.set_input_files("[data-snaps] label input[multiple]", str(picture))
    cut(page.context)
    page.locator(".fs-pub-foot button").click()
    expect(page.locator('[data-note="waits"]')).to_contain_text("有网后自动提交")
    page.context.set_offline(False)
    expect(page.locator("[data-refused]")).to_contain_text("未受理，请打开修改")
    page.locator("[data-refused] a").click()
    expect(page.locator('[data-note="kept"]')).to_contain_text("最多 2,000 字")
    expect(page.locator(".fs-photo img")).to_have_count(1)
    expect(page.locator("[data-refused]")).to_have_count(0)
    assert len(page.locator("#id_finding").input_value()) == 2006
    page.fill("#id_finding", "断网时看到的")
    cut(page.context)
    page.locator(".fs-pub-foot button").click()
    expect(page.locator('[data-note="waits"]')).to_contain_text("有网后自动提交")
    page.context.set_offline(False)
    page.wait_for_url("**/report/receipt/")
    expect(page.locator("[data-secret]")).to_be_visible()


def test_the_position_fills_in_the_county(enter: Enter) -> None:
    page = enter(None, "/report/", size=PHONE)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 109.97, "latitude": 40.61})
    page.locator("[data-locate]").click()
    expect(page.locator("#id_county")).not_to_have_value("")
    expect(page.locator("[name=township]")).to_be_visible()


GIVE = """
from fengsui.ledger import receipts
from fengsui.ledger.models import Entry
promise = receipts.give(Entry.objects.get(case_id={case!r}, seq=1).pk, moment.now())
print(promise.code, receipts.to_file(promise, receipts.prove(promise)).decode())
"""


@pytest.fixture
def receipt(hazard: Callable[[str], str], house: Any, tmp_path: Path) -> tuple[str, Path]:
    """A receipt whose entry is under a signed head, as code and file."""
    case = hazard("核验用的事项")
    code, _, file = house.run(SEAL + GIVE.format(case=case)).partition(" ")
    path = tmp_path / f"receipt-{code}.json"
    path.write_text(file)
    return code, path


def test_the_browser_verifies_a_file_and_a_code(enter: Enter, receipt: tuple[str, Path]) -> None:
    code, path = receipt
    page = enter(None, "/verify/", size=PHONE)
    page.set_input_files("[data-drop] input", str(path))
    expect(page.locator("[data-checks] li")).to_have_count(5)
    expect(page.locator("[data-checks] .fs-said--good")).to_have_count(5)
    expect(page.locator("[data-verdict]")).to_have_text("真实、完整")
    no_overflow(page)
    look(page, "verify-good-390")
    page.fill("#verify-code", code.lower().replace("-", " "))
    page.locator("[data-code-form] button").click()
    expect(page.locator("[data-checks] .fs-said--good")).to_have_count(5)
    page.fill("#verify-code", "0000-0000-0000-0000")
    page.locator("[data-code-form] button").click()
    expect(page.locator("[data-result]")).to_have_attribute("data-ok", "false")


def test_the_qr_text_opens_verified(enter: Enter, house: Any, receipt: tuple[str, Path]) -> None:
    line = house.run(f"from fengsui.ledger import receipts; print(receipts.compact(receipts.find({receipt[0]!r})))")
    page = enter(None, f"/verify/#{line}", size=PHONE)
    expect(page.locator("[data-verdict]")).to_contain_text("签名真实")
    expect(page.locator("[data-result]")).to_have_attribute("data-ok", "true")


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "state": (lambda kept: kept["receipt"].update(state="cancelled"), "回执签名"),
    "signature": (lambda kept: kept.update(signature=flipped(kept["signature"])), "回执签名"),
    "path": (lambda kept: kept["proof"]["path"].__setitem__(0, flipped(kept["proof"]["path"][0])), "包含证明"),
    "root": (lambda kept: kept["proof"]["head"].update(root=flipped(kept["proof"]["head"]["root"])), "存证签名"),
    "key": (lambda kept: kept.update(public=flipped(kept["public"])), "签名密钥"),
}


def flipped(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("what", CHANGES)
def test_one_changed_byte_is_named_in_red(enter: Enter, receipt: tuple[str, Path], what: str) -> None:
    change, named = CHANGES[what]
    kept = json.loads(receipt[1].read_text())
    change(kept)
    receipt[1].write_text(json.dumps(kept, ensure_ascii=False))
    page = enter(None, "/verify/", size=PHONE)
    page.set_input_files("[data-drop] input", str(receipt[1]))
    expect(page.locator("[data-checks] li")).to_have_count(5)
    expect(page.locator("[data-checks] .fs-said--bad b", has_text=named)).to_have_count(1)
    expect(page.locator("[data-verdict]")).to_have_text("不可信")
    if what == "state":
        look(page, "verify-bad-390")


@pytest.mark.parametrize(("theme", "language"), [("dark", "zh-hans"), ("light", "en")])
def test_wide_dark_and_english(enter: Enter, receipt: tuple[str, Path], theme: str, language: str) -> None:
    for name in ("report", "follow", "verify"):
        page = enter(None, f"/{name}/", theme=theme, language=language)
        no_overflow(page)
        if name == "verify":
            page.set_input_files("[data-drop] input", str(receipt[1]))
            expect(page.locator("[data-checks] .fs-said--good")).to_have_count(5)
        look(page, f"{name}-wide-{theme}-{language}")
        small = enter(None, f"/{name}/", size=NARROW, theme=theme, language=language)
        no_overflow(small)
        look(small, f"{name}-360-{theme}-{language}")
