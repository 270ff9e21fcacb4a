"""Random lives of all mechanisms together: kernel and proof speak of the same thing."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.law.amounts import Duration
from fengsui.ledger.kernel.step import core_of
from fengsui.ledger.proof import reachable
from fengsui.ledger.proof.shipped_proof import load_all, shipped_names
from fengsui.ledger.proof.walks import World, walk

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
NAMES = shipped_names()
MECHANISMS = load_all(NAMES)
LAW = {name: Duration(days=5) for name in NAMES.law}


def lived(seed: int, attempts: int) -> World:
    return walk(MECHANISMS, NAMES, LAW, seed=seed, attempts=attempts, now=NOW)


def sound(world: World) -> None:
    for case in world.cases.values():
        mechanism = MECHANISMS[case.mechanism]
        assert reachable.contains(mechanism, core_of(mechanism, case)), (case.mechanism, case.state)
        running = [row for row in case.clocks if row.stopped is None]
        if case.ended:
            assert not running
            assert mechanism.ends[case.state].unverified or not case.unverified
        else:
            assert running or mechanism.states[case.state].within.kind == "child", (case.mechanism, case.state)


def test_same_seed_same_world() -> None:
    first, second = lived(7, 1500), lived(7, 1500)
    assert [astuple(step) for step in first.steps] == [astuple(step) for step in second.steps]
    assert first.cases == second.cases
    assert lived(8, 1500).steps != first.steps


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_lives_stay_inside_the_proof(seed: int) -> None:
    sound(lived(seed, 800))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lives_meet_children_clocks_and_ends(seed: int) -> None:
    world = lived(seed, 6000)
    sound(world)
    assert any(case.parent for case in world.cases.values())
    assert any(case.ended for case in world.cases.values())
    assert len({step.mechanism for step in world.steps}) > 8
    assert len({(step.mechanism, step.act) for step in world.steps}) > 40
