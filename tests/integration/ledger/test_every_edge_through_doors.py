"""Every act of every state of every mechanism is done for real: through the doors, by people in their posts, on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fengsui.ledger import rebuild, sealer, sealing, verify
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Act
from fengsui.ledger.models import Case, Entry
from fengsui.ledger.proof.space import Move
from tests.integration.ledger.edges_and_people import LIVES, Edge, Key, World, openings, region, wanted
from tests.integration.ledger.through_doors import Leader, current

pytestmark = pytest.mark.django_db(transaction=True)

TOGETHER = [
    ("hazard",),
    ("accident", "investigation", "appraisal"),
    ("instruction", "task", "extension"),
    ("warning", "transfer", "ordinary_hazard", "look_back", "reward"),
    ("circular", "classified_paper", "accountability_lead", "amendment", "vacancy"),
]
"""Which mechanisms share a region: about the same work each."""


@pytest.fixture(autouse=True)
def folders(tmp_path, settings):
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def cover(world: World, name: str) -> set[Key]:
    """Lead cases until every edge was done; those that no case could be led to."""
    mechanism = current(name)
    last = None
    for act in mechanism.opening.values():
        for by in act.by:
            if (name, act.name, by) not in openings(name):
                continue
            last = Leader(world)
            case = last.open(name, act, by)
            assert case is not None, (name, act.name, by, last.refusals)
            last.cover(case)
    for key in sorted(wanted(name) - world.covered):
        if key not in world.covered:
            seek(world, key)
    return wanted(name) - world.covered


def seek(world: World, key: Key) -> None:
    """Lead new cases to one edge: from every opening, about a site and about a place, and around each act of the first way."""
    openings_ = LIVES[key[0]].mechanism.opening.values()
    plain = [(opening, place) for opening in openings_ for place in (False, True)]
    trails = []
    for opening, place in plain:
        trails.append(attempt(world, key, opening, place))
        if key in world.covered:
            return
    for (opening, place), trail in zip(plain, trails, strict=True):
        for around in reversed(trail):
            attempt(world, key, opening, place, around)
            if key in world.covered:
                return


def attempt(world: World, key: Key, opening: Act, place: bool, *around: Edge) -> list[Edge]:
    """Lead one new case to the edge without the acts in ``around``; the way it went."""
    name, state, act, spent_way, end = key
    quiet = next((one for one in LIVES[name].space.quiet(state) if one.name == act), None)
    leader = Leader(world, place)
    case = leader.open(name, opening, next(by for by in opening.by if (name, opening.name, by) in openings(name)))
    if case is None:
        return []
    leader.blocked |= set(around)

    def goal(move: Move, before: str, _after: str) -> bool:
        return (before, move.name, move.spent_way) == (state, act, spent_way) and (not end or end in move.child_ends)

    leader.lead(case, goal, quiet)
    if key in world.covered:
        leader.cover(case)
    return leader.trail


@pytest.mark.parametrize("names", TOGETHER, ids=lambda names: names[0])
def test_every_edge_is_done_through_the_doors(names: tuple[str, ...], transactional_db: None) -> None:
    world = region()
    for name in names:
        assert cover(world, name) == set(), name
    told = rebuild.check()
    assert told.ok, [str(one) for one in told.differences]
    assert (told.cases, told.entries) == (Case.objects.count(), Entry.objects.count())
    now = Entry.objects.order_by("-at").values_list("at", flat=True)[0]
    sealer.round_(sealing.Grower.load(), now)
    report = verify.ledger(now + timedelta(minutes=1), files=False)
    assert report.ok, report.findings


def test_every_mechanism_has_its_turn() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(LIVES)


WAITING = {("hazard", "handed"), ("accident", "investigated"), ("investigation", "tracing")}
"""States that wait for a child, which no case from the old world brings with it."""


def test_a_case_is_adopted_in_every_state_and_lives_on(transactional_db: None) -> None:
    world = region()
    for name in sorted(LIVES):
        for state in current(name).states.values():
            leader = Leader(world)
            if (name, state.name) in WAITING:
                with pytest.raises(Refused):
                    leader.adopt(name, state)
                continue
            case = leader.adopt(name, state)
            assert leader.go_on(case), (name, state.name, leader.refusals)
    assert rebuild.check().ok, [str(one) for one in rebuild.check().differences]
