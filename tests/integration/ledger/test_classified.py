"""A classified paper is known by its number and its clock alone; every other matter is marked internal or public (X2)."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import openpyxl
import pytest
from django.test import Client

from fengsui.ledger import doors, mechanisms
from fengsui.ledger import openness as marked
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Clock, Entry
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db
PAPER = {"paper_number": "〔2026〕机要登记 7 号", "due": "2027-01-31"}


def signed_in(who: Somebody) -> Client:
    client = Client()
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_nothing_but_number_and_date_can_be_entered(small: Small) -> None:
    paper = mechanisms.current("classified_paper")
    assert {name: one.kind for name, one in paper.fields.items()} == {"paper_number": "text", "due": "date"}


def test_words_of_a_title_are_neither_asked_nor_kept(small: Small) -> None:
    who = small.one("top")
    page = signed_in(who).get("/cases/new/classified_paper/register/").content.decode()
    assert 'name="paper_number"' in page and 'name="due"' in page and 'name="title"' not in page
    asked = {
        "mechanism": "classified_paper", "act": "register", "values": PAPER,
        "about": {"kind": "paper", "id": "1", "place": small.top.place_id, "title": "绝密内容"},
    }  # fmt: skip
    headers = {"Idempotency-Key": "a"}
    answer = signed_in(who).post("/api/cases", json.dumps(asked), content_type="application/json", headers=headers)
    assert answer.status_code == 201, answer.content
    case = Case.objects.get(mechanism="classified_paper")
    assert (case.title_zh, case.title_en) == (f"涉密文件 {PAPER['paper_number']}", f"Classified paper {PAPER['paper_number']}")
    bodies = b"".join(bytes(one) for one in Entry.objects.filter(case=case).values_list("body", flat=True))
    assert "绝密内容" not in bodies.decode()


def test_its_clock_runs_and_supervision_confirms(small: Small) -> None:
    clerk, other, later = small.one("top"), small.one("top", 1), NOW + timedelta(hours=1)
    about = doors.About("paper", "1", small.top.place_id)
    case = doors.open("classified_paper", "register", PAPER, clerk.actor, about, key="", now=NOW).case
    assert Clock.objects.filter(case=case, name="due", stopped=None).exists()
    doors.act(case, Call("report_done", clerk.actor, {}), now=later)
    with pytest.raises(Refused) as caught:
        doors.act(case, Call("confirm", clerk.actor, {}), now=later)
    assert "same_person" in [one.code for one in caught.value.refusals]
    assert doors.act(case, Call("confirm", other.actor, {}), now=later).state == "closed"


@pytest.mark.parametrize(("openness", "word"), [("", "内部"), ("internal", "内部"), ("open", "公开")])
def test_a_matter_says_whether_it_may_be_made_public(small: Small, openness: str, word: str) -> None:
    who = small.one("top")
    values = {"paper": "来文"} | ({"openness": openness} if openness else {})
    about = doors.About("paper", "1", small.top.place_id, title="来文")
    case = doors.open("instruction", "register", values, who.actor, about, key="", now=NOW).case
    page = signed_in(who).get(f"/cases/{case}/").content.decode()
    assert f'<span class="fs-tag fs-tag--line">{word}</span>' in page
    post = {"X-Acting-Post": str(who.post.pk), "Accept-Language": "zh-hans"}
    assert signed_in(who).get(f"/api/cases/{case}", headers=post).json()["openness"] == (openness or "internal")
    assert signed_in(who).get("/api/cases", headers=post).json()["cases"][0]["openness"] == (openness or "internal")
    exported = signed_in(who).get("/cases/export.xlsx", {"q": "", "open": "all"}, headers=post)
    rows = list(openpyxl.load_workbook(io.BytesIO(exported.content)).active.iter_rows(values_only=True))
    assert (rows[3][12], rows[4][12]) == ("公开属性", word)


def test_a_matter_for_named_readers_is_never_public() -> None:
    assert marked.of(Case(fields={"openness": "open"}, confidential=True)) == marked.INTERNAL
    assert marked.of(Case(fields={"finding": "阀门"})) == marked.INTERNAL, "what no mechanism lets anybody decide stays inside"


def test_there_is_no_third_marking(small: Small) -> None:
    about = doors.About("paper", "1", small.top.place_id, title="来文")
    with pytest.raises(Refused) as caught:
        values = {"paper": "来文", "openness": "secret"}
        doors.open("instruction", "register", values, small.one("top").actor, about, key="", now=NOW)
    assert caught.value.status == 422


def test_its_heading_is_not_written_in_as_a_correction(small: Small) -> None:
    who = small.one("top")
    about = doors.About("paper", "1", small.top.place_id, "")
    case = doors.open("classified_paper", "register", PAPER, who.actor, about, key="", now=NOW).case
    with pytest.raises(Refused) as caught:
        doors.correct(case, doors.Correction(1, "case.title", "绝密内容", "笔误"), who.actor, now=NOW)
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "case.title")
    assert "绝密内容" not in Case.objects.get(pk=case).title_zh
    assert "case.title" not in signed_in(who).get(f"/cases/{case}/correct/1/").content.decode()
