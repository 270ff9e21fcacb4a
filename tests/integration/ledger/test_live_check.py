"""Offices that lack people become cases by themselves, and end by themselves once they are filled."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest

from fengsui.ledger import live_check
from fengsui.ledger.models import Case
from fengsui.region.models import Holding
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small


def vacancies() -> dict[str, Case]:
    return {case.about_id: case for case in Case.objects.filter(mechanism="vacancy", ended=False)}


def dismiss(small: Small, office: str, keep: int) -> None:
    for one in small.people[office][keep:]:
        for holding in Holding.objects.filter(person=one.person):
            holding.until = NOW - timedelta(days=1)
            holding.save()


def test_an_office_with_one_inspector_lacks_a_second(small: Small) -> None:
    before = live_check.lacks(NOW)
    assert small.county.pk not in before
    dismiss(small, "county", 1)
    found = live_check.lacks(NOW)[small.county.pk]
    assert {(lack.role, lack.has, lack.needs) for lack in found} >= {("site_supervisor", 1, 2), ("county_office", 1, 2)}
    dismiss(small, "county", 0)
    assert {lack.has for lack in live_check.lacks(NOW)[small.county.pk]} == {0}


def test_nightly_opens_one_case_for_each_office_and_ends_it(small: Small) -> None:
    live_check.nightly(NOW)
    standing = set(vacancies())
    assert str(small.county.pk) not in standing
    dismiss(small, "county", 1)
    live_check.nightly(NOW)
    case = vacancies()[str(small.county.pk)]
    assert case.state == "open" and case.owner_id is not None
    again, seq = live_check.nightly(NOW + timedelta(days=1)), case.seq
    assert again[0] >= 1
    case.refresh_from_db()
    assert case.seq == seq, "the same lack is told once"
    for holding in Holding.objects.filter(person=small.one("county", 1).person):
        holding.until = None
        holding.save()
    live_check.nightly(NOW + timedelta(days=2))
    case.refresh_from_db()
    assert case.ended and case.state == "filled"
    dismiss(small, "county", 1)
    live_check.nightly(NOW + timedelta(days=3))
    assert vacancies()[str(small.county.pk)].pk != case.pk, "lacking again after it was filled is a new case"


def test_a_transaction_that_changes_posts_leaves_the_case_behind(small: Small) -> None:
    with live_check.changing_posts(NOW):
        dismiss(small, "county", 1)
        assert str(small.county.pk) not in vacancies(), "judged when the change is complete"
    assert str(small.county.pk) in vacancies()
    with live_check.changing_posts(NOW):
        for holding in Holding.objects.filter(person=small.one("county", 1).person):
            holding.until = None
            holding.save()
    assert str(small.county.pk) not in vacancies()


def test_a_failed_change_leaves_nothing(small: Small) -> None:
    with pytest.raises(RuntimeError), live_check.changing_posts(NOW):
        dismiss(small, "county", 0)
        raise RuntimeError("the change is taken back")
    assert str(small.county.pk) not in vacancies()
    assert small.county.pk not in live_check.lacks(NOW)


def test_command_lists_lacks_and_says_so_by_its_code(small: Small) -> None:
    dismiss(small, "county", 1)
    out = io.StringIO()
    assert live_check.main(NOW, out) == 1
    assert small.county.name_zh in out.getvalue() and "needs 2, has 1" in out.getvalue()
    out = io.StringIO()
    assert live_check.main(NOW, out, as_json=True) == 1
    assert any(row["office"] == small.county.pk for row in json.loads(out.getvalue())["lacks"])
