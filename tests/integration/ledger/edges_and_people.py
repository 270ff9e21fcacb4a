"""What there is to do through the doors, by the proof; and a region with people enough to do it all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fengsui.ledger.kernel.shapes import Act
from fengsui.ledger.models import Evidence
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.space import gates
from fengsui.region.models import Account, Certificate, Holding, Person, Post
from fengsui.region.roles import functions
from tests.integration.ledger.conftest import NOW
from tests.small_region import SITE_AT, Small, Somebody, brought_by_all, build
from tests.unit.ledger.test_edges_replayed import LIVES

Key = tuple[str, str, str, bool, str]
"""What is to be covered: mechanism, state, act, whether its bound is spent, which child's end ("KIND.END") it answers."""
Opening = tuple[str, str, str]
"""Mechanism, opening act, by whom."""

Edge = tuple[str, str, str]
"""Mechanism, state, act."""

PHOTO = "ab" * 32
PER_OFFICE = 7
"""Persons of each office: three who sign, who did it, who opened it, and two to spare."""


def wanted(name: str) -> set[Key]:
    """Every act of every state of the mechanism, along every kind of edge that the proof knows."""
    life = LIVES[name]
    graph = life.graph
    keys = {
        (name, graph.nodes[at].state, move.name, move.spent_way, end)
        for at in range(len(graph.nodes))
        for move, _ in graph.out[at]
        for end in (sorted(move.child_ends) or [""])
    }
    for state in life.mechanism.states:
        for act in life.space.quiet(state):
            if _possible(life, state, act):
                keys |= {(name, state, act.name, False, end) for end in (ends_of(act) or [""])}
    return keys


def openings(name: str) -> set[Opening]:
    """Every opening act with everybody who may do it, as far as a mechanism of that name is there."""
    return {
        (name, act.name, by)
        for act in LIVES[name].mechanism.opening.values()
        for by in act.by
        if not by.startswith("parent.") or by.removeprefix("parent.") in LIVES
    }


def _possible(life: Life, state: str, act: Act) -> bool:
    """Whether what an act that is no edge asks for can be there in the state, by the proof's graph focused on it."""
    if not gates(act):
        return True
    graph = life.space.focused(act)
    offered = (one.name for at, core in enumerate(graph.nodes) if core.state == state for one, _ in graph.out[at])
    return act.name in offered


def ends_of(act: Act) -> list[str]:
    return [by.removeprefix("child.") for by in act.by if by.startswith("child.")]


# -------------------------------------------------------------------- the region


@dataclass
class World:
    """The region, its people by office, and how often each word of an act's ``by`` has acted."""

    small: Small
    people: dict[int, list[Somebody]]
    acted: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    covered: set[Key] = field(default_factory=set)
    opened: set[Opening] = field(default_factory=set)
    offered: set[Edge] = field(default_factory=set)
    looked: set[tuple[Any, ...]] = field(default_factory=set)
    sites: int = 0


def region() -> World:
    """The small region with work for every role at the top, and persons enough to sign, do and verify apart."""
    small = build(NOW)
    everything = sorted(functions())
    small.top.duties = sorted({*small.top.duties, *everything, "industry_trade"})
    small.top.save()
    offices = {"top": small.top, "league": small.league, "county": small.county, "other": small.other, "plant": small.plant}
    for name, office in offices.items():
        for number in range(len(small.people[name]), PER_OFFICE):
            small.people[name].append(_newcomer(office, f"{name}{number}"))
        for one in small.people[name]:
            if name != "plant":
                one.post.duties = everything if name == "top" else ["enforcement", "inspection", "duty", "leading", "supervision"]
                one.post.save()
    Certificate.objects.unscoped("everybody is certified for as long as the walks last").update(
        expires=NOW.date() + timedelta(days=3000)
    )
    Certificate.objects.bulk_create(
        Certificate(person=one.person, kind="enforcement", number=f"Z{one.person.pk}", fields=[],
                    issued=NOW.date() - timedelta(days=9), expires=NOW.date() + timedelta(days=3000))
        for name in ("top", "league", "county", "other") for one in small.people[name][3:]
    )  # fmt: skip
    where = {"lon": SITE_AT[0], "lat": SITE_AT[1]}
    Evidence.objects.create(digest=PHOTO, name="a.jpg", media_type="image/jpeg", size=9, position=where, stored_at=NOW)
    brought_by_all(PHOTO, NOW)
    return World(small, {offices[name].pk: small.people[name] for name in offices})


def _newcomer(office: Any, name: str) -> Somebody:
    account = Account.objects.create(username=f"new{Account.objects.count()}")
    person = Person.objects.create(name=name, account=account)
    post = Post.objects.create(office=office, title_zh="岗", title_en="Post", duties=["control_room", "safety", "principal"])
    Holding.objects.create(post=post, person=person, since=NOW - timedelta(days=400))
    return Somebody(person, post, account)
