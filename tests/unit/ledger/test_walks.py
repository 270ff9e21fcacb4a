"""Random walks over every mechanism: nobody stands without an owner and a clock, and ends are reached lawfully."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fengsui.ledger.kernel.decide import decide, may
from fengsui.ledger.kernel.guards import PURE
from fengsui.ledger.kernel.people import for_people
from fengsui.ledger.kernel.rows import holder_role
from fengsui.ledger.kernel.shapes import Call, Case, ClockRow, Decision, Mechanism, Refusals
from fengsui.ledger.kernel.step import Core, choices, core_of, opened, step
from tests.unit.ledger.walking import MECHANISMS, OFFICES, Walk, actor_by, facts_of, values_for

WAITS = st.sampled_from([timedelta(0), timedelta(minutes=20), timedelta(hours=30), timedelta(days=6), timedelta(days=40)])


def at_rest(mechanism: Mechanism, case: Case) -> None:
    """What holds of every case between two acts."""
    running = [row for row in case.clocks if row.stopped is None]
    if case.ended:
        assert case.state in mechanism.ends
        assert not running
        if mechanism.ends[case.state].unverified is None:
            assert not case.unverified
        return
    state = mechanism.states[case.state]
    if state.within.kind == "amount":
        (own,) = [row for row in running if row.name == f"within:{case.state}"]
        assert own.holder is not None
    elif state.within.kind == "clock":
        assert [row for row in running if row.name == state.within.name and (row.holder or row.person)]
    else:
        assert any(kid.kind == state.within.name and kid.state == "open" for kid in case.kids)
    assert not [row for row in running if row.name.startswith("within:") and row.name != f"within:{case.state}"]
    for row in running:
        assert (row.first is not None and row.due >= row.first) or row.name in mechanism.clocks
    assert case.unverified.isdisjoint(case.verified)
    for act in case.unverified:
        assert act in case.persons


def alike(mechanism: Mechanism, core: Core, before: Case, result: Decision) -> None:
    """What the proof's step says of an act is what the case became: state or end, fields, bounds, clocks, children, work."""
    act = mechanism.states[before.state].offers[result.act]
    after = core_of(mechanism, result.case)
    given = (after.fields - core.fields) & set(act.may_set)
    expected = [
        replace(step(mechanism, core, act, replace(one, given=given)), mine=after.mine) for one in choices(mechanism, core, act)
    ]
    assert after in expected, (act.name, after, expected)
    assert result.case.ended is (after.state in mechanism.ends)
    if result.case.ended:
        assert result.ended and not after.running
        return
    for row in result.case.clocks:
        if row.stopped is None:
            answers_for(mechanism, result.case, row)


def answers_for(mechanism: Mechanism, case: Case, row: ClockRow) -> None:
    """A running row belongs to the office (and person) that its role means: the state's owner, or the clock's holder."""
    declared = mechanism.clocks.get(row.name)
    if declared is not None and declared.per_holder:
        return  # each office that was climbed to has a row of its own
    role = holder_role(mechanism, row)
    if role == "opener":
        assert row.holder in (case.raiser.get("office"), OFFICES[role])
    elif not role.startswith("field."):
        assert row.holder == OFFICES[role], (row.name, role)
    elif mechanism.fields[role.removeprefix("field.")].kind in ("person", "people"):
        assert row.person == case.fields.get(role.removeprefix("field."))
    else:
        assert row.holder == case.fields.get(role.removeprefix("field.")), (row.name, role)


class Life(RuleBasedStateMachine):
    """One case of any mechanism, acted on by anybody, while time passes."""

    @initialize(name=st.sampled_from(sorted(MECHANISMS)), seed=st.integers(0, 2**32))
    def start(self, name: str, seed: int) -> None:
        self.walk = Walk(MECHANISMS[name], random.Random(seed))
        while self.walk.case.seq == 0:
            self.walk.attempt()

    @precondition(lambda self: not self.walk.case.ended)
    @rule()
    def act(self) -> None:
        before = self.walk.case
        core = core_of(self.walk.mechanism, before)
        result = self.walk.attempt()
        if isinstance(result, Refusals):
            assert result.reasons
            assert self.walk.case is before
        elif isinstance(result, Decision):
            assert result.case.seq == before.seq + 1
            assert result.state_before == before.state
            if result.signed_only or result.seen_only:
                assert result.case.state == before.state
            elif result.act in self.walk.mechanism.states[before.state].offers:
                alike(self.walk.mechanism, core, before, result)

    @precondition(lambda self: not self.walk.case.ended)
    @rule(delta=WAITS)
    def wait(self, delta: timedelta) -> None:
        seq = self.walk.case.seq
        self.walk.pass_time(delta)
        assert self.walk.case.seq >= seq

    @precondition(lambda self: self.walk.case.ended)
    @rule()
    def nothing_after_the_end(self) -> None:
        walk = self.walk
        for name in [*walk.mechanism.always, *walk.mechanism.opening]:
            found = actor_by(walk.mechanism, "up", walk.case, 0)
            assert found is not None
            result = decide(walk.mechanism, walk.case, Call(name, found[0]), found[1], walk.now)
            assert isinstance(result, Refusals) and result.reasons[0].code == "ended"

    @invariant()
    def an_owner_and_a_clock(self) -> None:
        if hasattr(self, "walk"):
            at_rest(self.walk.mechanism, self.walk.case)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase


@given(st.sampled_from(sorted(MECHANISMS)), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_may_and_decide_agree(name: str, seed: int) -> None:
    """What the page offers is what the door does, and what it does not offer the door refuses."""
    walk = Walk(MECHANISMS[name], random.Random(seed))
    for _ in range(walk.rng.randrange(1, 25)):
        if not walk.case.ended:
            walk.attempt()
    if walk.case.ended or walk.case.seq == 0:
        return
    for act in walk.mechanism.states[walk.case.state].offers.values():
        for by in act.by:
            found = actor_by(walk.mechanism, by, walk.case, 0) if for_people(act) else None
            if found is None or found[0].kind != "person" or act.name in walk.case.signed:
                continue
            actor, seen = found
            said = next(one for one in may(walk.mechanism, walk.case, actor, seen, walk.now) if one.act is act)
            values = values_for(walk.mechanism, act, walk.case, walk.now)
            result = decide(walk.mechanism, walk.case, Call(act.name, actor, values), seen, walk.now)
            if isinstance(result, Decision):
                assert said.allowed, (act.name, said.refusals)
            elif said.allowed:
                assert {reason.about for reason in result.reasons} <= PURE.keys()


@pytest.mark.parametrize("name", sorted(MECHANISMS))
def test_every_state_and_end_is_reached_by_walking(name: str) -> None:
    """Long walks reach nearly everything; what they miss the proof shows."""
    mechanism = MECHANISMS[name]
    seen: set[str] = set()
    for seed in range(60):
        walk = Walk(mechanism, random.Random(seed))
        for _ in range(80):
            if walk.case.ended:
                break
            walk.attempt()
            if walk.case.seq and walk.rng.random() < 0.1:
                walk.pass_time(timedelta(days=20))
            seen.add(walk.case.state)
    assert len(seen & mechanism.states.keys()) >= len(mechanism.states) * 2 // 3
    assert seen & mechanism.ends.keys()


def test_a_core_is_hashable_and_step_is_a_function() -> None:
    for mechanism in MECHANISMS.values():
        for act in mechanism.opening.values():
            one, two = opened(mechanism, act), opened(mechanism, act)
            assert one == two and hash(one) == hash(two)
            assert core_of(mechanism, _opened_case(mechanism, act)).state == one.state


def _opened_case(mechanism: Mechanism, act: Any) -> Case:
    walk = Walk(mechanism, random.Random(1))
    found = actor_by(mechanism, act.by[0], walk.case, 0) or (None, facts_of(None))
    result = decide(
        mechanism, walk.case, Call(act.name, found[0], values_for(mechanism, act, walk.case, walk.now)), found[1], walk.now
    )
    assert isinstance(result, Decision), result
    return result.case
