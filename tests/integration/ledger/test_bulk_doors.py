"""Batches and the old world's cases go through doors, too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fengsui.ledger import doors
from fengsui.ledger.doors import OLD_WORLD, About, Adoption, Past, Receipt, Refused
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Clock, Entry
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import LATER, found
from tests.small_region import Small

pytestmark = pytest.mark.django_db


def row(small: Small, number: int, **more: object) -> Adoption:
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title=f"旧隐患{number}")
    past = (
        Past("登记", NOW - timedelta(days=30), "王某", "台账第3页", "found"),
        Past("下达整改指令", NOW - timedelta(days=29), "李某", "", "settling"),
    )
    known = {"finding": "旧隐患", "answering": small.county.pk}
    given = {"mechanism": "hazard", "state": "settling", "about": about, "number": f"旧-{number}", "fields": known, "past": past}
    return Adoption(**{**given, **more})  # type: ignore[arg-type]


def test_an_adopted_case_lives_on_with_its_old_number_and_unverified_past(small: Small) -> None:
    receipts = doors.adopt([row(small, n) for n in range(3)], NOW)
    assert len(receipts) == 3
    case = Case.objects.get(number="旧-1")
    assert (case.state, case.seq, case.adopted, case.owner_id) == ("settling", 3, True, small.plant.pk)
    assert [entry.act for entry in case.entries.order_by("seq")] == ["past", "past", "adopt"]
    assert {entry.content()["besides"]["unverified"] for entry in case.entries.all()} == {OLD_WORLD}
    assert Clock.objects.get(case=case).name == "within:settling"
    person = small.one("plant").person.pk
    plan = {"responsibility": person, "measures": "改", "funds": 1, "contingency": "预案", "deadline": "2026-12-20"}
    assert doors.act(str(case.pk), Call("settle", small.one("plant").actor, plan), now=LATER).state == "settled"


def test_an_adopted_end_needs_no_clock(small: Small) -> None:
    doors.adopt([row(small, 1, state="cancelled", ended=True)], NOW)
    case = Case.objects.get()
    assert case.ended and case.owner_id is None and not Clock.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "about"),
    [({"state": "nowhere"}, "state"), ({"fields": {"colour": 1}}, "colour"), ({"mechanism": "none"}, "mechanism")],
)
def test_a_wrong_row_is_named_and_nothing_is_written(small: Small, wrong: dict[str, object], about: str) -> None:
    with pytest.raises(Refused) as caught:
        doors.adopt([row(small, 1), row(small, 2, **wrong)], NOW)
    assert caught.value.status == 422
    assert caught.value.refusals[0].about.startswith("rows.1") and about in caught.value.refusals[0].about
    assert not Case.objects.exists()


def test_a_batch_does_what_it_may_and_answers_each(small: Small) -> None:
    cases = [found(small).case for _ in range(3)]
    who = small.one("county").actor
    calls = [(case, Call("order_interim", who, {"interim_control": "停用"})) for case in cases]
    calls.insert(1, (cases[0], Call("no_such", who)))
    calls.append(("00000000-0000-4000-8000-000000000000", Call("order_interim", who, {"interim_control": "x"})))
    calls.append((cases[0], Call("order_interim", who, {"interim_control": "再停"})))
    answers = doors.act_many(calls, LATER)
    kinds = [answer.status if isinstance(answer, Refused) else answer.state for answer in answers]
    assert kinds == ["found", 422, "found", "found", 404, "found"]
    assert Case.objects.get(pk=cases[0]).seq == 3
    assert isinstance(answers[0], Receipt) and answers[0].entry == Entry.objects.get(case=cases[0], seq=2).pk


def test_a_batch_with_signatures_and_ends(small: Small) -> None:
    cases = [found(small).case for _ in range(2)]
    first = [(case, Call("nothing", small.one("county", 1).actor, {"grounds": "无"})) for case in cases]
    second = [(case, Call("nothing", small.one("county", 2).actor, {"grounds": "无"})) for case in cases]
    doors.act_many(first, LATER)
    answers = doors.act_many(second, LATER)
    assert all(isinstance(one, Receipt) and one.ended for one in answers)


def test_a_batch_finds_a_case_whatever_letters_its_id_is_written_in(small: Small) -> None:
    case = found(small).case
    call = Call("order_interim", small.one("county").actor, {"interim_control": "停用"})
    [answer] = doors.act_many([(case.upper(), call)], LATER)
    assert isinstance(answer, Receipt) and answer.case == case
