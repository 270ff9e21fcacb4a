"""Amending an unsettled law number is a case: proposed by an administrator, decided by the law office, then in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from fengsui.law import edits, numbers
from fengsui.law.amounts import Duration
from fengsui.law.models import LawEdit
from fengsui.ledger import doors
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.kernel.shapes import Call
from fengsui.region.models import Office
from tests.small_region import Somebody, _somebody, build

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TODAY = NOW.date()
pytestmark = pytest.mark.django_db


@pytest.fixture
def two(db: None) -> Iterator[tuple[Somebody, Somebody, Office]]:
    """An administrator of the department and a person of its law office."""
    small = build(NOW)
    hall = Office.objects.create(
        name_zh="法规处", name_en="Law", kind="division", place=small.top.place, parent=small.top, duties=["law"]
    )
    edits.forget()
    yield _somebody(small.top, "admin1", ("administration",), NOW), _somebody(hall, "law1", ("law",), NOW), small.top
    numbers.amend_with(())
    edits.forget()


def propose(who: Somebody, office: Office, **values: Any) -> str:
    given = {"number": "hazard.sign", "content": "12h", "since": "2026-12-01", "basis": "盟市办法第3条"} | values
    about = About(kind="office", id=str(office.pk), title="修订")
    return doors.open("amendment", "propose", given, who.actor, about, key="", now=NOW).case


def test_an_amendment_goes_through_two_persons_into_the_book(two: tuple[Somebody, Somebody, Office]) -> None:
    admin, lawyer, top = two
    case = propose(admin, top)
    assert numbers.find("hazard.sign", date(2026, 12, 1)).duration == Duration(days=1)
    receipt = doors.act(case, Call("agree", lawyer.actor, {}), now=NOW + timedelta(hours=1))
    assert receipt.ended
    edits.sync()
    after = numbers.find("hazard.sign", date(2026, 12, 1))
    assert after.duration == Duration(seconds=43200) and after.source == "盟市办法第3条"
    assert numbers.find("hazard.sign", date(2026, 11, 30)).duration == Duration(days=1)
    edit = LawEdit.objects.get()
    assert (edit.reference, edit.proposed_by, edit.decided_by) == ("FG-2026-0001", admin.person.pk, lawyer.person.pk)
    assert edits.history("hazard.sign")[0]["content"] == "12h"


def test_the_proposer_cannot_agree(two: tuple[Somebody, Somebody, Office]) -> None:
    admin, _, top = two
    case = propose(admin, top)
    with pytest.raises(Refused):
        doors.act(case, Call("agree", admin.actor, {}), now=NOW + timedelta(hours=1))
    assert not LawEdit.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"number": "accident.upward", "content": "4h"},  # settled by decree
        {"content": "soon"},
        {"content": "0"},
        {"since": "2026-11-23"},  # the past
        {"number": "warning.lift", "content": "2h"},  # a table without its row
        {"row": "red"},  # a row, but no table
        {"number": "hazard.nothing"},
    ],
)
def test_what_cannot_stand_is_refused_at_once(two: tuple[Somebody, Somebody, Office], values: dict[str, str]) -> None:
    admin, _, top = two
    with pytest.raises(Refused) as caught:
        propose(admin, top, **values)
    assert caught.value.status in {409, 422}
    assert not LawEdit.objects.exists()


def test_the_record_stays(two: tuple[Somebody, Somebody, Office]) -> None:
    admin, lawyer, top = two
    doors.act(propose(admin, top), Call("agree", lawyer.actor, {}), now=NOW)
    for sql in ("UPDATE law_lawedit SET content = '\"1h\"'", "DELETE FROM law_lawedit"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


@pytest.mark.parametrize(
    ("name", "row", "content", "words"),
    [
        ("monitoring.gathering", "other", "5", "mapping"),
        ("hazard.extension_share", "", "half", "no value"),
        ("hazard.extension_share", "", "true", "figure"),
        ("monitoring.gathering", "", "{}", "rows"),
    ],
)
def test_the_content_must_be_of_its_kind(name: str, row: str, content: str, words: str) -> None:
    with translation.override("en"), pytest.raises(edits.Unfit, match=words):
        edits.check(name, row, content, TODAY, TODAY)


def test_values_and_rows_are_taken() -> None:
    assert edits.check("hazard.extension_share", "", "0.4", TODAY, TODAY) == 0.4
    assert edits.check("warning.lift", "red", " 12h", TODAY, TODAY) == "12h"
    wanted = '{"blue": 3, "yellow": 5, "orange": 8, "red": 10}'
    assert edits.check("monitoring.gathering", "other", wanted, TODAY, TODAY)["red"] == 10


def test_the_number_s_page_leads_to_a_filled_in_form(two: tuple[Somebody, Somebody, Office]) -> None:
    from django.test import Client

    admin, lawyer, _top = two
    client = Client()
    client.force_login(admin.account, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/law/hazard.plan/").content.decode()
    address = page.split("/cases/new/amendment/propose/")[1].split('"')[0].replace("&amp;", "&")
    form = client.get("/cases/new/amendment/propose/" + address).content.decode()
    assert '<option value="hazard.plan" selected>' in form and ">7d</textarea>" in form.replace("\n", "") and "修订：" in form
    table = client.get("/law/warning.lift/").content.decode()
    assert table.count("/cases/new/amendment/propose/") == len(numbers.find("warning.lift", TODAY).table or {})
    assert "row=red" in table
    client.force_login(lawyer.account, backend="django.contrib.auth.backends.ModelBackend")
    assert "/cases/new/amendment/propose/" not in client.get("/law/hazard.plan/").content.decode()
