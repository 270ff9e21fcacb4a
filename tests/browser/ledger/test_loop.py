"""The loop closed in the browser: a hazard from its finding, and a warning from its alarm to its lift, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fengsui import moment
from fengsui.services.exercise import photo

Enter = Callable[..., Page]
Make = Callable[[str], str]


@pytest.fixture
def taken(house: object, tmp_path: Path) -> Path:
    """A photo with the demo plant's position in it, as a phone takes one."""
    where = house.run(  # type: ignore[attr-defined]
        "from fengsui.region.models import Site\n"
        "site = Site.objects.unscoped('a test').get(code='HC-150207-01')\nprint(site.lon, site.lat)"
    )
    lon, lat = (float(word) for word in where.split())
    path = tmp_path / "valve.jpg"
    path.write_bytes(photo.taken(lon, lat, moment.now(), "HC-150207-01"))
    return path


def send(page: Page, case: str, act: str, state: str, **fields: str | Path) -> None:
    """Fill in an act's form and send it; the case page must then show ``state``."""
    page.goto(f"/cases/{case}/act/{act}/")
    for name, value in fields.items():
        control = page.locator(f'main form [name="{name}"]')
        if isinstance(value, Path):
            page.set_input_files('main form input[type="file"]', str(value))
        elif value.startswith("@"):
            page.locator(f'main form [data-pick*="person"], main form [id="{name}-find"]').first.fill(value[1:])
            page.locator(".fs-combo-list button", has_text=value[1:]).first.click()
        elif control.evaluate("node => node.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    page.locator("main form .fs-btn--primary").click()
    page.wait_for_url(f"**/cases/{case}/")
    expect(page.locator(".fs-pill").first).to_contain_text(state)


WORDS = {
    "zh-hans": ("制定治理方案", "方案待审", "整改中", "待复核", "已销号", "由"),
    "en": ("Settling the plan", "Plan to be approved", "Being rectified", "Under review", "Number cancelled", "Done by"),
}


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_hazard_goes_from_found_to_cancelled(enter: Enter, hazard: Make, taken: Path, language: str) -> None:
    settling, settled, rectifying, review, cancelled, done_by = WORDS[language]
    case = hazard(f"闭环 {language}")
    inspector, second, safety = (enter(role, language=language) for role in ("inspector", "second", "safety"))
    inspector.goto(f"/cases/{case}/act/list/")
    inspector.locator('main form [name="criterion"]').select_option("HC-15")
    inspector.locator("main form .fs-btn--primary").click()
    inspector.wait_for_url(f"**/cases/{case}/")
    send(second, case, "list", settling, criterion="HC-15")
    due = (moment.now().astimezone(moment.LEGAL_ZONE).date() + timedelta(days=20)).isoformat()
    send(
        safety, case, "settle", settled, responsibility="@王建国", measures="更换并校验安全阀", funds="186000", deadline=due,
        contingency="专项应急预案已修订",
    )  # fmt: skip
    send(inspector, case, "approve", rectifying)
    send(safety, case, "submit", review, evidence=taken)
    expect(safety.locator(".fs-can-not")).to_contain_text(done_by)
    inspector.goto(f"/cases/{case}/act/pass/")
    inspector.set_input_files('main form input[type="file"]', str(taken))
    inspector.locator("main form .fs-btn--primary").click()
    inspector.wait_for_url(f"**/cases/{case}/")
    send(second, case, "pass", cancelled, photos=taken)
    expect(second.locator(".fs-timeline li").first).to_be_visible()
    inspector.goto("/notices/")
    expect(inspector.locator("main")).to_contain_text(f"闭环 {language}")


STATES = {
    "zh-hans": ("待处置反馈", "待评估定级", "待解除", "已解除"),
    "en": ("Awaiting feedback", "To be judged", "Awaiting the lift", "Lifted"),
}
OPENED = "from fengsui.ledger.models import Case\nprint(Case.objects.get(parent={case!r}, mechanism='hazard').pk)"


@pytest.mark.parametrize("language", sorted(STATES))
def test_a_warning_goes_from_its_alarm_through_a_hazard_to_its_lift(
    enter: Enter, house: Any, warning: Callable[[str, str], str], taken: Path, language: str
) -> None:
    awaiting, found, watching, lifted = STATES[language]
    settling, settled, rectifying, review, cancelled, _ = WORDS[language]
    case = warning(f"预警闭环 {language}", "orange")
    control, county, inspector, second, safety = (
        enter(role, language=language) for role in ("control", "county", "inspector", "second", "safety")
    )
    send(control, case, "acknowledge", awaiting)
    send(control, case, "note_call", awaiting, call="已电话通知车间主任，现场两人")
    expect(control.locator(".fs-timeline")).to_contain_text("已电话通知车间主任")
    send(county, case, "open_hazard", awaiting, **{"hazard-finding": "安全阀根部阀关闭"})
    hazard = house.run(OPENED.format(case=case))
    send(inspector, hazard, "order_stop", found, interim_control="立即停用 V-102，撤离无关人员")
    decision = f"九应急停决〔2026〕{language}号"
    for officer in (inspector, second):
        send(officer, hazard, "countersign", found, decision=decision)
    send(inspector, hazard, "list", found, criterion="HC-15")
    send(second, hazard, "list", settling, criterion="HC-15")
    due = (moment.now().astimezone(moment.LEGAL_ZONE).date() + timedelta(days=20)).isoformat()
    send(
        safety, hazard, "settle", settled, responsibility="@王建国", measures="开启根部阀并铅封", funds="186000", deadline=due,
        contingency="专项应急预案已修订",
    )  # fmt: skip
    send(inspector, hazard, "approve", rectifying)
    send(safety, hazard, "submit", review, evidence=taken)
    send(inspector, hazard, "pass", review, photos=taken)
    send(second, hazard, "pass", cancelled, photos=taken)
    send(control, case, "feed_back", watching, feedback="根部阀已开启，压力正常")
    send(county, case, "lift", lifted, grounds="信号消失，反馈已核实")
    for told in (control, county):
        told.goto("/notices/")
        expect(told.locator("main")).to_contain_text(f"预警闭环 {language}")
