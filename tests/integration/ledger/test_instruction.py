"""A leader's instruction through the doors: lead and supporting offices' tasks, feedback, the leader's view, struck off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fengsui.ledger import doors
from fengsui.ledger.doors import About, Receipt, Refused, numbers
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Clock, Notice
from fengsui.region.models import Office
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def do(case: str, act: str, who: Somebody, **values: Any) -> Receipt:
    return doors.act(case, Call(act, who.actor, values), now=LATER)


def registered(small: Small) -> str:
    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="国办督查通知")
    return doors.open("instruction", "register", {"paper": "国办督查通知"}, small.one("top").actor, about, key="", now=NOW).case


def disputed(small: Small) -> str:
    """A task of the county's, objected to."""
    case, leader = registered(small), small.one("top", 2)
    do(case, "propose", small.one("top"), proposal="拟请阅示", leader=leader.person.pk)
    do(case, "instruct", leader, words="请抓好落实", due="2027-01-31")
    (task,) = do(case, "assign", small.one("top"), lead_office=small.county.pk).opened
    do(task, "object", small.one("county"), reason="非本单位职责")
    return task


def test_its_number_names_the_place_of_the_office_that_opened_it(small: Small) -> None:
    assert Case.objects.get(pk=registered(small)).number == "PS-150000-2026-0001"


def test_two_offices_of_one_place_count_apart(small: Small) -> None:
    """From a gap in a shared series an office would see what its neighbour opened."""

    def given(office: Office) -> str:
        return numbers.give("PS-{office}-{year}-{serial:04}", {"place_code": "", "opener_id": office.pk}, {}, NOW)

    place = small.county.place_id
    assert small.plant.place_id == place
    assert [given(one) for one in (small.county, small.plant, small.county)] == [
        f"PS-{place}-2026-0001", f"PS-{place}.2-2026-0001", f"PS-{place}-2026-0002",
    ]  # fmt: skip


def test_the_chain_through_the_doors(small: Small) -> None:
    case = registered(small)
    leader = small.one("top", 2)
    do(case, "propose", small.one("top"), proposal="拟请阅示", leader=leader.person.pk)
    with pytest.raises(Refused) as caught:
        do(case, "instruct", small.one("top", 1), words="请抓好落实", due="2027-01-31")
    assert [one.code for one in caught.value.refusals] == ["not_yours"]
    do(case, "instruct", leader, words="请抓好落实", due="2027-01-31")
    given = do(case, "assign", small.one("top"), lead_office=small.county.pk, supporting=[small.league.pk])
    tasks = {one.owner_id: one for one in Case.objects.filter(pk__in=given.opened)}
    assert {office: one.fields["part"] for office, one in tasks.items()} == {small.county.pk: "lead", small.league.pk: "support"}
    assert Case.objects.get(pk=case).owner_id == small.county.pk
    assert Clock.objects.get(case=case, name="due", stopped=None).holder_id == small.county.pk
    for office, name in ((small.county, "county"), (small.league, "league")):
        task = str(tasks[office.pk].pk)
        do(task, "sign", small.one(name), measures="制定方案")
        do(task, "submit", small.one(name), result="已完成")
        do(task, "pass", small.one("top"))
    do(case, "feed_back", small.one("county"), feedback="全部落实")
    do(case, "agree", small.one("top"))
    do(case, "read_closed", leader, view="同意办结")
    last = do(case, "strike_off", small.one("top", 1))
    assert last.ended and last.state == "closed"
    assert Notice.objects.filter(case=case, kind="end", role="raiser").exists()
    assert not Clock.objects.filter(case=case, stopped=None).exists()


def test_feedback_waits_for_every_task(small: Small) -> None:
    case = registered(small)
    leader = small.one("top", 2)
    do(case, "propose", small.one("top"), proposal="拟请阅示", leader=leader.person.pk)
    do(case, "instruct", leader, words="请抓好落实", due="2027-01-31")
    given = do(case, "assign", small.one("top"), lead_office=small.county.pk)
    with pytest.raises(Refused) as caught:
        do(case, "feed_back", small.one("county"), feedback="f")
    assert [one.code for one in caught.value.refusals] == ["child_open"]
    (task,) = given.opened
    do(task, "object", small.one("county"), reason="非本单位职责")
    with pytest.raises(Refused) as caught:  # nobody judges their own objection
        do(task, "withdraw", small.one("county", 1), reason="r")
    assert "not_yours" in [one.code for one in caught.value.refusals]
    do(task, "insist", small.one("top"))
    assert Case.objects.get(pk=task).state == "sent"
