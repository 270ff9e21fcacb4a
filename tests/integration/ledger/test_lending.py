"""An office's whole scope shared for reading: by whom, of what, until when, and never what is confidential."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui import moment
from fengsui.ledger import doors, reading
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Share
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
    assert "Shared for reading" in page and "/end_share/" in page
    (row,) = client_of(other).get("/api/shares").json()
    assert row["by_office"] == small.county.pk and row["duty"] == "hazchem" and row["place_path"] == small.place.path
    assert client_of(other).get(f"/change/share/{row['id']}/end_share/").status_code == 404
    done = client_of(leader).post(f"/change/share/{row['id']}/end_share/", {"grounds": "检查结束"})
    assert done.status_code == 302 and done.url == f"/offices/{small.county.pk}/"
    assert not sees(other, case) and Share.objects.get().ended_at == NOW
    assert Change.objects.unscoped("test").get(kind="end_share").grounds == "检查结束"


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
