"""Clauses that were not obtained are entered row by row, through the page and through the API, and count from their day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from fengsui.law import edits, numbers
from fengsui.ledger import doors
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Call
from fengsui.moment import LEGAL_ZONE
from fengsui.moment import now as present
from fengsui.region.models import Office
from tests.small_region import Somebody, _somebody, build

pytestmark = pytest.mark.django_db
TABLE = "hazard.criteria.hazchem"
CLAUSE = {"zh": "未按标准设置紧急切断装置", "en": "No emergency shut-off as the standard asks"}
TODAY = present().astimezone(LEGAL_ZONE).date()
SINCE = max(TODAY, date(2026, 10, 1)) + timedelta(days=2)
"""In the period whose clauses are to be supplied."""


class Two:
    """An administrator and a lawyer, each at a browser; a case that one opens the other decides."""

    def __init__(self) -> None:
        now = present()
        self.top = build(now).top
        hall = Office.objects.create(
            name_zh="法规处", name_en="Law", kind="division", place=self.top.place, parent=self.top, duties=["law"]
        )
        self.admin = _somebody(self.top, "admin1", ("administration",), now)
        self.lawyer = _somebody(hall, "law1", ("law",), now)

    def at(self, who: Somebody, language: str = "en") -> Client:
        client = Client(headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": language}, raise_request_exception=False)
        client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def ask(self, language: str = "en", **values: Any) -> Any:
        """The administrator proposes through the API."""
        given = {"number": TABLE, "since": SINCE.isoformat(), "basis": "AQ 3067-2026", "change": "add"} | values
        body = {"mechanism": "amendment", "act": "propose", "values": given,
                "about": {"kind": "office", "id": str(self.top.pk), "title": "AQ 3067"}}  # fmt: skip
        headers = {"Idempotency-Key": str(hash(json.dumps(values)))}
        return self.at(self.admin, language).post("/api/cases", json.dumps(body), "application/json", headers=headers)

    def enter(self, **values: Any) -> None:
        """Proposed, then agreed."""
        answer = self.ask(**values)
        assert answer.status_code in (200, 201), answer.content.decode()
        self.agree(answer.json()["case"])

    def agree(self, case: str) -> None:
        assert doors.act(case, Call("agree", self.lawyer.actor, {}), now=present()).ended
        edits.forget()
        edits.sync()


@pytest.fixture
def two(db: None) -> Iterator[Two]:
    edits.forget()
    yield Two()
    numbers.amend_with(())
    edits.forget()


def codes(on: date) -> list[str]:
    return [one.code for one in numbers.choices(TABLE, on)]


def test_a_clause_is_entered_through_the_page_and_counts_from_its_day(two: Two) -> None:
    client = two.at(two.admin)
    page = client.get(f"/law/{TABLE}/").content.decode()
    assert "Propose a new row" in page and "change=add" in page and "change=end" in page
    form = {
        "title": "AQ 3067", "number": TABLE, "row": "AQ-05", "change": "add", "content": json.dumps(CLAUSE),
        "since": SINCE.isoformat(), "basis": "AQ 3067-2026 5", "key": "k", "post": str(two.admin.post.pk),
    }  # fmt: skip
    wrong = client.post("/cases/new/amendment/propose/", form | {"content": '{"zh": "甲"}'})
    assert wrong.status_code in (409, 422) and "needs en" in wrong.content.decode()
    answer = client.post("/cases/new/amendment/propose/", form)
    assert answer.status_code == 302, answer.content.decode()
    two.agree(answer["Location"].split("/cases/")[1].split("/")[0])
    assert "AQ-05" in codes(SINCE) and "AQ-05" not in codes(SINCE - timedelta(days=1)) and "HC-01" in codes(SINCE)
    row = numbers.find(TABLE, SINCE, code="AQ-05")
    assert (row.confidence, row.source, row.proposed) == (numbers.ENTERED, "AQ 3067-2026 5", False)
    assert numbers.find(TABLE, SINCE).confidence == "to_be_supplied"  # the other rows still are
    assert numbers.find(TABLE, SINCE, code="HC-01").confidence == "to_be_supplied"


def test_rows_end_and_are_renamed_and_a_table_counts_as_entered_once_each_of_its_rows_was(two: Two) -> None:
    two.enter(number="event.codes", row="20101", content=json.dumps(CLAUSE))
    found = numbers.find("event.codes", SINCE)
    assert found.confidence == numbers.ENTERED and found.open and found.source == "AQ 3067-2026" and not found.note
    assert numbers.find("event.codes", SINCE - timedelta(days=1)).confidence == "to_be_supplied"
    two.enter(number="event.codes", row="20101", change="rename", content="20102")
    two.enter(number="event.codes", row="20103", content=json.dumps(CLAUSE))
    assert list(numbers.find("event.codes", SINCE).table or {}) == ["20102", "20103"]
    two.enter(number="event.codes", row="20102", change="end", content="null")
    assert list(numbers.find("event.codes", SINCE).table or {}) == ["20103"]
    told = {one["effective_from"]: one for one in two.at(two.admin).get("/api/law/event.codes").json()}[SINCE.isoformat()]
    assert told["confidence"] == "entered" and told["entered"]["20103"]["grounds"] == "AQ 3067-2026"
    assert told["entered"]["20103"]["by"] == two.admin.person.name
    history = two.at(two.lawyer, "zh-Hans").get("/law/event.codes/").content.decode()
    assert "该行终止" in history and "该行代码改为 20102" in history


@pytest.mark.parametrize(("language", "words"), [("en", "entered by {} on grounds G, from"), ("zh-hans", "{} 依据 G 录入，自")])
def test_an_entered_number_says_who_entered_it_on_which_grounds(two: Two, language: str, words: str) -> None:
    today = TODAY.isoformat()
    two.enter(number="hazard.plan", content="5d", since=today, basis="G", change="replace")
    wanted = {"blue": 3, "yellow": 5, "orange": 8, "red": 10}
    two.enter(number="monitoring.gathering", row="other", content=json.dumps(wanted), since=today, basis="G", change="replace")
    with translation.override(language):
        client = two.at(two.lawyer, language)
        for name in ("hazard.plan", "monitoring.gathering"):
            assert words.format(two.admin.person.name) in client.get(f"/law/{name}/").content.decode(), name
        assert client.get("/law/").status_code == 200
    assert numbers.find("monitoring.gathering", TODAY, zone="other").value == wanted


WRONG = {
    "a row that is there": ({"row": "HC-01", "content": json.dumps(CLAUSE)}, "has the row HC-01 already"),
    "a row that is not": ({"row": "AQ-1", "content": json.dumps(CLAUSE), "change": "replace"}, "or choose “new row”"),
    "a code with blanks": ({"row": "AQ 1", "content": json.dumps(CLAUSE)}, "no blanks"),
    "one language": ({"row": "AQ-1", "content": '{"zh": "甲"}'}, "needs en"),
    "an empty text": ({"row": "AQ-1", "content": '{"zh": "甲", "en": " "}'}, "both languages"),
    "a column of its own": ({"row": "AQ-1", "content": json.dumps(CLAUSE | {"x": 1})}, "has no x"),
    "no mapping": ({"row": "AQ-1", "content": "5"}, "holds a mapping"),
    "no JSON": ({"row": "AQ-1", "content": "甲"}, "is no value"),
    "half a character": ({"row": "AQ-1", "content": '{"zh": "\\ud800", "en": "a"}'}, "is no value"),
    "too deep": ({"row": "AQ-1", "content": "[" * 5000 + "]" * 5000}, "is no value"),
    "infinite": ({"number": "slope.colour", "row": "red", "content": "1e999", "change": "replace"}, "is no value"),
    "the end with content": ({"row": "HC-01", "change": "end", "content": "1"}, "write null"),
    "a code that is there": ({"row": "HC-01", "change": "rename", "content": "HC-02"}, "another code"),
    "a clock's row": ({"number": "warning.lift", "row": "grey", "content": "2h"}, "only their content changes"),
    "no table": ({"number": "hazard.sign", "row": "a", "content": "2h"}, "is no table"),
    "no colour": ({"number": "alarm.colour", "row": "H-1", "content": '"pink"', "change": "replace"}, "one of the colours"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_stand_is_refused_by_field_with_its_remedy(two: Two, case: str) -> None:
    values, words = WRONG[case]
    answer = two.ask(**values)
    assert answer.status_code in (409, 422), answer.content.decode()
    assert words in answer.content.decode(), answer.content.decode()
    assert not numbers.book().find(TABLE, SINCE).entered


def test_a_text_that_no_database_keeps_is_no_value(two: Two) -> None:
    with translation.override("en"), pytest.raises(edits.Unfit, match="is no value"):
        edits.check(TABLE, "AQ-1", '{"zh": "\\u0000", "en": "a"}', SINCE, TODAY, "add")


def test_the_last_row_stays(two: Two) -> None:
    two.enter(number="event.codes", row="2", content=json.dumps(CLAUSE))
    answer = two.ask(number="event.codes", row="2", change="end", content="null")
    assert answer.status_code == 409 and "last row stays" in answer.content.decode()


def test_two_that_add_the_same_row_do_not_both_stand(two: Two) -> None:
    first = two.ask(row="AQ-7", content=json.dumps(CLAUSE)).json()["case"]
    second = two.ask("zh-Hans", row="AQ-7", content=json.dumps(CLAUSE), basis="other").json()["case"]
    two.agree(first)
    with pytest.raises(Refused):
        doors.act(second, Call("agree", two.lawyer.actor, {}), now=present())
    assert codes(SINCE).count("AQ-7") == 1
