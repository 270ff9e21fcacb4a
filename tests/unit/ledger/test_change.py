"""Entries carry enough: applying the differences gives the case back."""

from dataclasses import fields, replace
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fengsui.ledger.kernel.shapes import Actor, Case, ClockRow, Kid
from fengsui.ledger.seals import canon, change

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
names = st.sampled_from(["a", "b", "c", "within:open"])
people = st.frozensets(st.integers(1, 9), max_size=3)
values = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.lists(st.integers(0, 3), max_size=2)
clocks = st.builds(
    ClockRow, name=names, holder=st.none() | st.integers(1, 9), start=moments, due=moments, n=st.integers(1, 4),
    first=st.none() | moments,
    stopped=st.none() | moments, paused_at=st.none() | moments, rung=st.integers(0, 5), answered=st.none() | st.integers(1, 9),
)  # fmt: skip
kids = st.builds(Kid, kind=names, id=names, state=st.sampled_from(["open", "ended"]), end=st.none() | names, persons=people)
cases = st.builds(
    Case, id=st.just("7"), mechanism=names, version=names, seq=st.integers(0, 99), state=names,
    fields=st.dictionaries(names, values), counts=st.dictionaries(names, st.integers(0, 5)),
    clocks=st.lists(clocks, max_size=3).map(tuple),
    kids=st.lists(kids, max_size=3).map(tuple), persons=st.dictionaries(names, people), unverified=st.frozensets(names),
    verified=st.frozensets(names), signed=st.dictionaries(names, st.lists(st.tuples(st.integers(1, 9)), max_size=2).map(tuple)),
    overseers=st.lists(st.integers(1, 9), max_size=3).map(tuple), parent=st.none() | names, raiser=st.dictionaries(names, values),
    opened=st.none() | moments, ended=st.booleans(),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(cases)
def test_a_case_comes_back_from_its_plain_form(case: Case) -> None:
    assert change.case_of(change.plain(case)) == case


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(cases, st.dictionaries(names, values)), min_size=1, max_size=4))
def test_folding_the_differences_gives_each_case(chain: list[tuple[Case, dict]]) -> None:
    known: change.Plain = {}
    before: change.Plain = {}
    for case, row in chain:
        after = change.plain(case, row)
        step = canon.decode(canon.encode(change.diff(before, after)))
        known = change.apply(known, step)
        assert known == {key: value for key, value in after.items() if key not in change.ELSEWHERE}
        before = after


def test_bytes_are_fixed_and_salted() -> None:
    actor = Actor("person", person=4, office=2)
    opened = change.diff({}, change.plain(Case("9", "hazard", "v", 1, "found")))
    record = canon.record_of(
        case="9", seq=1, at=datetime(2026, 11, 24, 3, tzinfo=UTC), act="found", actor=actor, before=None, after="found",
        change=opened, values={"finding": "根阀关闭"},
    )  # fmt: skip
    first, second = canon.seal(record), canon.seal(canon.Record(record.head, dict(reversed(record.rest.items()))))
    assert first.body == second.body
    assert b"\xe6\xa0\xb9\xe9\x98\x80" in first.body
    assert b'"at":"2026-11-24T03:00:00.000000Z"' in first.body
    assert first.leaf != second.leaf
    assert canon.leaf_of(canon.FIRST, first.salt, first.body) == first.leaf


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(cases, cases, st.dictionaries(names, values), st.dictionaries(names, values), st.data())
def test_what_both_share_is_left_out_unseen_and_the_rest_the_same(
    old: Case, new: Case, row: dict, other: dict, data: st.DataObject
) -> None:
    kept = data.draw(st.sets(st.sampled_from([one.name for one in fields(Case)])))
    after = replace(new, **{name: getattr(old, name) for name in kept})
    if data.draw(st.booleans()):
        after = replace(after, clocks=(*old.clocks[:1], *after.clocks))
    row_after = row if data.draw(st.booleans()) else other
    assert change.step(old, row, after, row_after) == change.diff(change.plain(old, row), change.plain(after, row_after))
