"""A batch leaves exactly what the same acts one by one leave: entries, cases, clocks, children, notices, refusals."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fengsui.ledger import doors
from fengsui.ledger.doors import Receipt, Refused
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, first_criterion, found, photo, settle, site
from tests.small_region import Small

pytestmark = pytest.mark.django_db

THEN = NOW + timedelta(hours=3)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")

TABLES = {
    "ledger_case": "SELECT to_jsonb(t) FROM ledger_case t",
    "ledger_entry": "SELECT to_jsonb(t) - '{id,salt,previous,leaf,body}'::text[] || jsonb_build_object('body', "
    "convert_from(body, 'UTF8')::jsonb) FROM ledger_entry t",
    "ledger_clock": "SELECT to_jsonb(t) - 'id' FROM ledger_clock t",
    "ledger_notice": "SELECT to_jsonb(t) - '{id,entry_id}'::text[] || jsonb_build_object('seq', e.seq) FROM ledger_notice t "
    "LEFT JOIN ledger_entry e ON e.id = t.entry_id",
    "ledger_outbox": "SELECT to_jsonb(t) - '{id,entry_id}'::text[] || jsonb_build_object('seq', e.seq) FROM ledger_outbox t "
    "LEFT JOIN ledger_entry e ON e.id = t.entry_id WHERE t.topic <> 'case'",
    "ledger_party": "SELECT to_jsonb(t) - 'id' FROM ledger_party t",
    "ledger_link": "SELECT to_jsonb(t) - 'id' FROM ledger_link t",
    "ledger_searchtext": "SELECT to_jsonb(t) FROM ledger_searchtext t",
    "ledger_evidenceuse": "SELECT to_jsonb(t) - '{id,entry_id}'::text[] FROM ledger_evidenceuse t",
    "ledger_counter": "SELECT to_jsonb(t) - 'id' FROM ledger_counter t",
    "ledger_idempotencykey": "SELECT to_jsonb(t) - '{id,receipt}'::text[] FROM ledger_idempotencykey t",
}
"""What is there of each, without what is drawn by lot or counted by a sequence."""


def everything(cases: list[str]) -> dict[str, list[str]]:
    """All rows as sorted lines; a child's random id gives way to its place among its parent's children."""
    names = {one: f"case-{at}" for at, one in enumerate(cases)}
    children = Case.objects.exclude(pk__in=cases).order_by("mechanism", "fields", "about_id")
    for child in sorted(children, key=lambda one: (names.get(str(one.parent_id), ""), one.mechanism)):
        names[str(child.pk)] = f"child-{len(names)}"
    found_: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        for table, query in TABLES.items():
            cursor.execute(query)
            rows = [json.dumps(json.loads(row) if isinstance(row, str) else row, sort_keys=True) for (row,) in cursor.fetchall()]
            found_[table] = sorted(_UUID.sub(lambda one: names.get(one[0], one[0]), row) for row in rows)
    return found_


def told(answer: Receipt | Refused, cases: list[str]) -> Any:
    if isinstance(answer, Refused):
        return answer.status, answer.refusals
    number = answer.number
    return (
        cases.index(answer.case),
        number,
        answer.seq,
        answer.act,
        answer.state,
        answer.ended,
        answer.signed_only,
        len(answer.opened),
    )


def one_by_one(calls: list[tuple[str, Call]]) -> list[Receipt | Refused]:
    answers: list[Receipt | Refused] = []
    for case, call in calls:
        try:
            answers.append(doors.act(case, call, now=THEN))
        except Refused as refusal:
            answers.append(refusal)
    return answers


@pytest.fixture
def standing(small: Small) -> tuple[Small, list[str]]:
    """Cases in different states: found, being rectified, with a child that asks for more time, under review, a warning."""
    cases = [found(small).case for _ in range(4)]
    for case in cases[1:]:
        settle(small, case)
    do(cases[2], "extend", small.one("plant"), extension={"until": "2026-12-28", "why": "未到货"})
    do(cases[3], "submit", small.one("plant"), evidence=[photo(None)])
    alarm = Actor("event", name="warning.level")
    cases.append(
        doors.open("warning", "by_alarm", {"hazard_kind": "toxic_gas", "colour": "red"}, alarm, site(small), key="", now=NOW).case
    )
    cases.append(str(Case.objects.get(parent_id=cases[2]).pk))
    return small, cases


ACTS: list[tuple[str, dict[str, Any]]] = [
    ("order_interim", {"interim_control": "停用该罐"}),
    ("list", {"criterion": "CRITERION"}),
    ("nothing", {"grounds": "不构成"}),
    ("report", {"progress": "已到货"}),
    ("submit", {"evidence": ["ab" * 32]}),
    ("submit", {"evidence": ["00" * 32]}),
    ("extend", {"extension": {"until": "2026-12-28", "why": "再等"}}),
    ("return", {"reason": "补正"}),
    ("pass_off_site", {"grounds": "资料齐全"}),
    ("acknowledge", {}),
    ("feed_back", {"feedback": "已处置"}),
    ("grant", {}),
    ("refuse", {"reason": "理由不足"}),
    ("order_interim", {}),
    ("no_such", {}),
]
calls_given = st.lists(
    st.tuples(
        st.integers(0, 6), st.sampled_from(ACTS), st.sampled_from(["county", "plant", "league", "other"]), st.integers(0, 1),
        st.sampled_from([None, None, None, 1, 5, 6]), st.sampled_from(["", "", "", "k1", "k2"]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls_given)
@example([(1, ACTS[6], "plant", 0, None, ""), (1, ACTS[4], "plant", 0, None, ""), (1, ACTS[3], "plant", 0, None, "")])
@example([(0, ACTS[1], "county", 0, None, "k1"), (0, ACTS[1], "county", 1, None, ""), (0, ACTS[1], "county", 0, None, "k1")])
def test_a_batch_and_its_acts_one_by_one_leave_the_same(standing: tuple[Small, list[str]], given_: list[Any]) -> None:
    small, cases = standing
    criterion = first_criterion()
    calls = []
    for place, (act, values), office, person, expects, key in given_:
        case = cases[place] if place < len(cases) else "00000000-0000-4000-8000-000000000000"
        filled = {name: criterion if value == "CRITERION" else value for name, value in values.items()}
        calls.append((case, Call(act, small.one(office, person).actor, filled, expects, key)))
    left = []
    for way in (one_by_one, lambda some: doors.act_many(some, THEN)):
        with transaction.atomic():
            answers = way(calls)
            left.append(([told(one, cases) for one in answers], everything(cases)))
            transaction.set_rollback(True)
    assert left[0][0] == left[1][0]
    for table in TABLES:
        assert left[0][1][table] == left[1][1][table], table
