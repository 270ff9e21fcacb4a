"""The pages of the ledger's own acts by persons, as a browser without scripts sends them."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.test import Client

from fengsui.ledger import doors
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Entry, Share
from fengsui.moment import now as present
from tests.integration.ledger.test_leaks import client_of
from tests.integration.ledger.test_reporters import law_officer
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


@pytest.fixture
def small(db: None) -> Small:
    return build(present())


@pytest.fixture
def case(small: Small) -> str:
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="根部阀")
    who = small.one("county").actor
    return doors.open("hazard", "found_here", {"finding": "阀门关闭"}, who, about, key="", now=present()).case


@pytest.fixture
def county(small: Small) -> Client:
    return client_of(small.one("county"))


def sent(small: Small, case: str, who: str = "county", **values: object) -> dict[str, object]:
    seq = Case.objects.get(pk=case).seq
    return {"key": str(uuid.uuid4()), "seq": seq, "post": small.one(who).post.pk, **values}


def test_a_correction_shows_struck_with_the_right_words_beside(small: Small, case: str, county: Client) -> None:
    page = county.get(f"/cases/{case}/", headers=ENGLISH).content.decode()
    assert f"/cases/{case}/correct/1/" in page
    form = county.get(f"/cases/{case}/correct/1/", headers=ENGLISH)
    assert form.status_code == 200 and "阀门关闭" in form.content.decode()
    wrong = county.post(f"/cases/{case}/correct/1/", sent(small, case, field="finding", value="", grounds="笔误"))
    assert wrong.status_code == 422
    done = county.post(f"/cases/{case}/correct/1/", sent(small, case, field="finding", value="根部阀上锁", grounds="笔误"))
    assert done.status_code == 302
    page = county.get(f"/cases/{case}/", headers=ENGLISH).content.decode()
    assert "<del>阀门关闭</del> <ins>根部阀上锁</ins>" in page
    title = county.post(f"/cases/{case}/correct/1/", sent(small, case, field="case.title", value="三号罐", grounds="笔误"))
    assert title.status_code == 302 and Case.objects.get(pk=case).title_zh == "三号罐"


def test_the_enterprise_corrects_its_own_entries_only(small: Small, case: str) -> None:
    plant = small.one("plant", 1)
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="自查")
    own = doors.open("hazard", "self_reported", {"finding": "松动"}, plant.actor, about, key="", now=present()).case
    assert client_of(plant).get(f"/cases/{own}/correct/1/").status_code == 200
    body = sent(small, own, "plant", field="finding", value="法兰松动", grounds="写错") | {"post": plant.post.pk}
    assert client_of(plant).post(f"/cases/{own}/correct/1/", body).status_code == 302


def test_merging_offers_the_likely_doubles(small: Small, case: str, county: Client) -> None:
    about = About("place", small.place.pk, small.place.pk, "hazchem", "氨味")
    values = {"finding": "氨味", "reporter_code": "R1"}
    double = doors.open("hazard", "public_report", values, Actor("public"), about, key="", now=present()).case
    page = county.get(f"/cases/{double}/merge/").content.decode()
    assert f"into={case}" in page
    done = county.post(f"/cases/{double}/merge/", sent(small, double, into=case, grounds="同一处"))
    assert done.status_code == 302
    shown = county.get(f"/cases/{double}/", headers=ENGLISH).content.decode()
    assert "Merged into another case" in shown
    other = county.get(f"/cases/{case}/", headers=ENGLISH).content.decode()
    assert f"/cases/{double}/" in other


def test_sharing_and_taking_back(small: Small, case: str, county: Client) -> None:
    other = client_of(small.one("other"))
    assert other.get(f"/cases/{case}/").status_code == 404
    until = present().date().replace(year=present().year + 1).isoformat()
    late = county.post(f"/cases/{case}/share/", sent(small, case, office=small.other.pk, until="2020-01-01", grounds="互检"))
    assert late.status_code == 422
    typed = {"office-text": "乙旗局", "until": until, "grounds": "互检"}  # without scripts: the whole name
    assert county.post(f"/cases/{case}/share/", sent(small, case, **typed)).status_code == 302
    assert other.get(f"/cases/{case}/").status_code == 200
    assert "乙旗局" in county.get(f"/cases/{case}/share/").content.decode()
    back = county.post(f"/cases/{case}/share/", sent(small, case, end=small.other.pk, grounds="已检毕"))
    assert back.status_code == 302 and other.get(f"/cases/{case}/").status_code == 404
    assert Share.objects.get().ended_at is not None


def test_the_law_office_alone_erases(small: Small, case: str, county: Client) -> None:
    assert county.get(f"/cases/{case}/erase/").status_code == 404
    officer = law_officer(small)
    law = client_of(officer)
    assert law.get(f"/cases/{case}/erase/").status_code == 200
    body = sent(small, case, "top", what=["finding"], grounds="当事人要求", clause="个保法第四十七条") | {"post": officer.post.pk}
    assert law.post(f"/cases/{case}/erase/", body).status_code == 422, "it wants to be sure"
    assert law.post(f"/cases/{case}/erase/", body | {"sure": "on"}).status_code == 302
    assert Entry.objects.get(case=case, seq=1).body is None
    assert "content erased by law" in county.get(f"/cases/{case}/", headers=ENGLISH).content.decode()
