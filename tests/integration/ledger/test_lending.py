"""An office's whole scope shared for reading: by whom, of what, until when, and never what is confidential."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui import moment
from fengsui.ledger import doors, notices, reading
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Notice, Share
from fengsui.region import change_api
from fengsui.region.models import Change, Delegation, Office, Post
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small, Somebody, _somebody

pytestmark = pytest.mark.django_db
LAST = "2026-12-31"


@pytest.fixture(autouse=True)
def at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: NOW)
    monkeypatch.setattr(change_api, "present", lambda: NOW)


@pytest.fixture
def leader(small: Small) -> Somebody:
    return small.one("county")


def client_of(who: Somebody) -> Client:
    client = Client(headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": "en"})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def opened(small: Small) -> str:
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="阀门泄漏")
    return doors.open("hazard", "found_here", {"finding": "x"}, small.one("county").actor, about, key="", now=NOW).case


def share(who: Somebody, office: Office, reader: Office, /, **values: Any) -> Any:
    given = {"reader": str(reader.pk), "works": ["hazchem"], "last_day": LAST, "grounds": "联合检查", **values}
    address = f"/api/changes/office/{office.pk}/share_scope"
    return client_of(who).post(address, {"values": given}, content_type="application/json")


def sees(who: Somebody, case: str, now: datetime = NOW) -> bool:
    return reading.cases([who.acting], now).filter(pk=case).exists()


def test_a_leader_shares_the_office_s_scope_until_a_day_and_takes_it_back(small: Small, leader: Somebody) -> None:
    case, other = opened(small), small.one("other")
    secret = Case.objects.get(
        pk=doors.open(
            "accountability_lead", "lead", {}, Actor(kind="clock", name="any", office=small.league.pk),
            About(kind="site", id=str(small.site.pk), duty="hazchem", title="线索"), key="", now=NOW,
        ).case
    )  # fmt: skip
    assert not sees(other, case)
    answer = share(leader, small.county, small.other)
    assert answer.status_code == 200, answer.content
    assert sees(other, case) and not sees(other, str(secret.pk))
    assert client_of(other).get(f"/cases/{case}/").status_code == 200
    over = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # midnight after the last day
    assert sees(other, case, over - timedelta(seconds=1)) and not sees(other, case, over)
    line = Change.objects.unscoped("test").get(kind="share_scope")
    assert line.grounds == "联合检查" and line.after["reader"] == small.other.pk and line.after["duties"] == ["hazchem"]
    page = client_of(leader).get(f"/offices/{small.county.pk}/").content.decode()
    assert "Shared for reading" in page and "until 2026-12-31<" in page and "/end_share/" in page
    (row,) = client_of(other).get("/api/shares").json()
    assert row["by_office"] == small.county.pk and row["duty"] == "hazchem" and row["place_path"] == small.place.path
    assert client_of(other).get(f"/change/share/{row['id']}/end_share/").status_code == 404
    done = client_of(leader).post(f"/change/share/{row['id']}/end_share/", {"grounds": "检查结束"})
    assert done.status_code == 302 and done.url == f"/offices/{small.county.pk}/"
    assert not sees(other, case) and Share.objects.get().ended_at == NOW
    assert Change.objects.unscoped("test").get(kind="end_share").grounds == "检查结束"


def test_the_sharing_of_one_case_is_no_row_of_the_register(small: Small, leader: Somebody) -> None:
    case = Case.objects.get(pk=opened(small))
    share_of_one = Share.objects.create(
        case=case, office_id=small.other.pk, by_office_id=small.county.pk, grounds="x", since=NOW, until=NOW + timedelta(days=9)
    )
    far = _somebody(small.other, "far1", ("administration",), NOW)
    for number in (share_of_one.pk, share_of_one.pk + 1):
        for who in (leader, far):
            body = {"values": {"grounds": "x"}}
            answer = client_of(who).post(f"/api/changes/share/{number}/end_share", body, content_type="application/json")
            assert answer.status_code == 404, "there or not: the same answer"
            assert client_of(who).get(f"/change/share/{number}/end_share/").status_code == 404


def test_a_shared_scope_is_read_and_not_acted_in(small: Small, leader: Somebody) -> None:
    case, other = opened(small), small.one("other")
    share(leader, small.county, small.other)
    found = Case.objects.get(pk=case)
    assert reading.may(found, other.acting, NOW)[0] == []


def test_only_what_the_office_sees_is_shared_and_only_by_those_entitled(small: Small, leader: Somebody) -> None:
    officer = small.one("county", 1)
    Post.objects.filter(pk=officer.post.pk).update(duties=["inspection"])
    Office.objects.filter(pk=small.county.pk).update(duties=["hazchem", "mines"])
    admin, far = (
        _somebody(small.top, "admin1", ("administration",), NOW),
        _somebody(small.other, "far1", ("administration",), NOW),
    )
    assert share(officer, small.county, small.other).status_code == 403
    assert share(far, small.county, small.other).status_code == 404
    assert share(small.one("plant"), small.plant, small.other).status_code in (403, 409)
    for wrong in (
        {"works": ["fire"]}, {"works": ["*"]}, {"works": []}, {"reader": str(small.plant.pk)}, {"reader": str(small.county.pk)},
        {"reader": "999999"}, {"reader": "drop table"}, {"last_day": "2026-11-01"}, {"last_day": "2029-01-01"},
        {"reader": str(small.league.pk)}, {"grounds": " "},
    ):  # fmt: skip
        assert share(leader, small.county, small.other, **wrong).status_code == 422, wrong
    assert not Share.objects.exists() and not Change.objects.unscoped("test").filter(kind="share_scope").exists()
    assert share(admin, small.county, small.other, works=["hazchem", "mines"]).status_code == 200
    assert Share.objects.count() == 2
    assert share(leader, small.county, small.other).status_code == 422, "shared already"


def test_a_department_shares_everything(small: Small) -> None:
    """Its scope has no limit by field of work: what has none is shared with the rest."""
    leader = small.one("league")
    Office.objects.filter(pk=small.league.pk).update(kind="government")
    clerk = small.one("top")
    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="通知")
    paper = doors.open("instruction", "register", {"paper": "通知"}, clerk.actor, about, key="", now=NOW).case
    institute = Office.objects.create(
        name_zh="所", name_en="Institute", kind="institute", place=small.league.place, parent=small.top, duties=[]
    )
    reader = _somebody(institute, "reader1", ("appraisal",), NOW)
    assert not sees(reader, paper)
    assert share(leader, small.league, institute, works=["*"]).status_code == 200
    assert sees(reader, paper)


def test_a_deputy_shares_only_if_that_was_lent(small: Small, leader: Somebody) -> None:
    deputy = small.one("county", 1)
    Post.objects.filter(pk=deputy.post.pk).update(duties=["inspection"])
    lent = Delegation.objects.create(
        principal=leader.person, deputy=deputy.person, post=leader.post, acts=["hazard.list"], since=NOW - timedelta(days=1),
        until=NOW + timedelta(days=9),
    )  # fmt: skip
    assert share(deputy, small.county, small.other).status_code == 403
    Delegation.objects.filter(pk=lent.pk).update(acts=["*"])
    assert share(deputy, small.county, small.other).status_code == 200
    assert Change.objects.unscoped("test").get(kind="share_scope").principal_id == leader.person.pk


def change(who: Somebody, office: Office, kind: str, /, **values: Any) -> Any:
    given = {"grounds": "机构改革", **values}
    address = f"/api/changes/office/{office.pk}/{kind}"
    return client_of(who).post(address, {"values": given}, content_type="application/json")


def ended(office: Office) -> list[str]:
    """The grounds on which this office's sharings ended, by the record."""
    return [one.grounds for one in Change.objects.unscoped("test").filter(kind="end_share", office=office)]


def test_a_shared_field_of_work_ends_with_the_giver_s_own(small: Small, leader: Somebody) -> None:
    """Else its reader would go on reading what the giver itself sees no more."""
    case, other, admin = opened(small), small.one("other"), _somebody(small.top, "admin1", ("administration",), NOW)
    Office.objects.filter(pk=small.county.pk).update(duties=["hazchem", "mines"])
    assert share(leader, small.county, small.other, works=["hazchem", "mines"]).status_code == 200
    assert sees(other, case)
    answer = change(admin, small.county, "edit_office", duties=["mines"], phone="")
    assert answer.status_code == 200, answer.content
    assert not sees(other, case) and not reading.find([other.acting], case)
    (left,) = Share.objects.filter(ended_at__isnull=True)
    assert left.reach.endswith("#mines") and ended(small.county) == ["机构改革"]
    assert change(admin, small.county, "edit_office", duties=["hazchem", "mines"], phone="").status_code == 200
    assert not sees(other, case), "it does not wake up by itself"


@pytest.mark.parametrize("who", ["giver", "reader"])
def test_shared_scopes_end_with_an_office(small: Small, leader: Somebody, who: str) -> None:
    case, other, admin = opened(small), small.one("other"), _somebody(small.top, "admin1", ("administration",), NOW)
    assert share(leader, small.county, small.other).status_code == 200
    gone, into = (small.county, small.league) if who == "giver" else (small.other, small.league)
    answer = change(admin, gone, "merge", into=str(into.pk), since="2026-11-24", along=True)
    assert answer.status_code == 200, answer.content
    assert Share.objects.get().ended_at is not None and ended(small.county) == ["机构改革"]
    assert not sees(other, case)


def test_nobody_reads_by_a_sharing_what_the_giver_does_not_see_today(small: Small, leader: Somebody) -> None:
    """However the giver's sight was lost: the queries ask for it each time."""
    case, other = opened(small), small.one("other")
    assert share(leader, small.county, small.other).status_code == 200
    for lost in ({"duties": ["fire"]}, {"kind": "institute"}, {"dissolved_on": NOW.date()}, {"place": small.other.place}):
        kept = {name: getattr(small.county, name) for name in lost}
        Office.objects.filter(pk=small.county.pk).update(**lost)
        assert not sees(other, case) and not reading.find([other.acting], case), lost
        assert client_of(other).get("/api/shares").json() == []
        Office.objects.filter(pk=small.county.pk).update(**kept)
        assert sees(other, case) and reading.find([other.acting], case), lost


def test_the_office_hears_of_what_is_shared_with_it_and_of_its_end(small: Small, leader: Somebody) -> None:
    other, officer = client_of(small.one("other")), client_of(leader)
    assert "No notices yet" in other.get("/notices/").content.decode()
    assert share(leader, small.county, small.other, works=["hazchem", "mines"]).status_code == 200
    told = Notice.objects.get(office_id=small.other.pk)
    page = other.get("/notices/").content.decode()
    assert "An office lets yours read its matters" in page and small.county.name_en in page
    assert "Hazardous chemicals · Mines, until 2026-12-31" in page and f'href="/offices/{small.other.pk}/"' in page
    assert "An office lets yours" in other.get("/desk/").content.decode(), "on the desk's card"
    assert "An office lets yours" not in officer.get("/notices/").content.decode()
    chinese = other.get("/notices/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "共享" in chinese and small.county.name_zh in chinese and "危险化学品 · 矿山" in chinese
    subject, text = notices.words(told, "en")
    assert small.county.name_en in subject and "until 2026-12-31" in text
    assert notices.unread([small.other.pk], small.one("other").person.pk) == 1
    assert other.post("/notices/").status_code == 302 and not notices.unread([small.other.pk], small.one("other").person.pk)
    assert notices.deliver(NOW) == 0
    number = Share.objects.filter(by_office_id=small.county.pk).first().pk
    assert officer.post(f"/change/share/{number}/end_share/", {"grounds": "检查结束"}).status_code == 302
    page = other.get("/notices/").content.decode()
    assert "no longer shared with yours" in page and "it was shared until 2026-12-31" in page


def test_the_office_hears_when_its_giver_loses_the_field_of_work(small: Small, leader: Somebody) -> None:
    admin = _somebody(small.top, "admin1", ("administration",), NOW)
    share(leader, small.county, small.other)
    body = {"values": {"duties": ["mines"], "phone": "", "grounds": "三定"}}
    address = f"/api/changes/office/{small.county.pk}/edit_office"
    assert client_of(admin).post(address, body, content_type="application/json").status_code == 200
    assert [one.text for one in Notice.objects.filter(office_id=small.other.pk, case__isnull=True).order_by("pk")] == [
        notices.SCOPE_SHARED,
        notices.SCOPE_ENDED,
    ]
