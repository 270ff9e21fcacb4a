"""Offices that lack people become cases by themselves, and end by themselves once they are filled."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta

import pytest
from django.test import Client

from fengsui.ledger import live_check
from fengsui.ledger.models import Case
from fengsui.ledger.tasks import begin_the_day
from fengsui.region import enforcement
from fengsui.region.models import Certificate, Holding
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


# ------------------------------------------------------------ certificates


def expire(small: Small, last: date, office: str = "county", keep: int = 1) -> None:
    """All but ``keep`` of the office's people hold a certificate to that day only."""
    people = [one.person.pk for one in small.people[office][keep:]]
    Certificate.objects.unscoped("test").filter(person__in=people).update(expires=last)


def test_two_officers_without_a_certificate_in_force_lack_it(small: Small) -> None:
    expire(small, NOW.date() - timedelta(days=1))
    [lack] = [one for one in live_check.lacks(NOW)[small.county.pk] if one.role == "site_supervisor"]
    assert (lack.has, lack.needs, lack.certified, lack.duties) == (1, 2, True, ("hazchem",))
    assert "needs 2 with an enforcement certificate in force, has 1" in live_check.sentence(lack)
    assert "属地监管部门（危险化学品）：需持有效行政执法证 2 人，现有 1 人" in live_check.sentence(lack)


def test_a_certificate_counts_for_its_field_of_work_and_from_its_day(small: Small) -> None:
    rows = Certificate.objects.unscoped("test").filter(person__in=[one.person.pk for one in small.people["county"]])
    rows.update(fields=["mines"])
    assert [one.certified for one in live_check.lacks(NOW)[small.county.pk]] == [True]
    rows.update(fields=["hazchem", "mines"])
    assert small.county.pk not in live_check.lacks(NOW)
    rows.update(issued=NOW.date() + timedelta(days=1))
    assert small.county.pk in live_check.lacks(NOW) and small.county.pk not in live_check.lacks(NOW + timedelta(days=1))


def test_the_day_a_certificate_ran_out_opens_the_case_and_a_new_one_ends_it(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_check.nightly(NOW)
    expire(small, NOW.date())
    assert small.county.pk not in live_check.lacks(NOW), "it holds on its last day"
    monkeypatch.setattr("fengsui.moment.now", lambda: NOW + timedelta(days=1))
    begin_the_day(0)
    case = vacancies()[str(small.county.pk)]
    assert "执法证" in case.fields["lacks"]
    with live_check.changing_posts(NOW + timedelta(days=1)):
        for one in Certificate.objects.unscoped("test").filter(person=small.one("county", 1).person):
            one.expires = NOW.date() + timedelta(days=900)
            one.save()
    case.refresh_from_db()
    assert case.ended and case.state == "filled"


def test_command_names_what_lacks_certificates_and_what_soon_runs_out(small: Small) -> None:
    expire(small, NOW.date() + timedelta(days=10), keep=2)
    out = io.StringIO()
    live_check.main(NOW, out)
    assert "C" in out.getvalue() and f"valid to {NOW.date() + timedelta(days=10)}" in out.getvalue()
    assert "1 certificates run out soon" in out.getvalue()
    expire(small, NOW.date() + timedelta(days=31), keep=2)
    out = io.StringIO()
    live_check.main(NOW, out, as_json=True)
    assert json.loads(out.getvalue())["expiring"] == []
    expire(small, NOW.date() - timedelta(days=1), keep=0)
    out = io.StringIO()
    assert live_check.main(NOW, out) == 1 and "certificate in force, has 0" in out.getvalue()


def test_certificates_are_held_against_those_of_the_same_person_alone(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    expire(small, NOW.date() + timedelta(days=10), keep=0)
    whole, asked = enforcement._outlasts, list[bool]()
    monkeypatch.setattr(
        enforcement, "_outlasts", lambda other, one: asked.append(other.person_id == one.person_id) or whole(other, one)
    )
    assert len(live_check.expiring(NOW)) == 3
    assert asked and all(asked)


def test_the_office_s_page_says_which_certificate_soon_runs_out(
    small: Small, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(small, NOW.date() + timedelta(days=10), keep=2)
    client.force_login(small.one("county").account)
    monkeypatch.setattr("fengsui.moment.now", lambda: NOW)
    page = client.get(f"/offices/{small.county.pk}/").content.decode()
    day = (NOW.date() + timedelta(days=10)).isoformat()
    assert page.count(day) == 1
