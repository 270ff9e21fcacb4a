"""Random lives of all mechanisms together, in memory, from one seed.

A small world of offices and people opens cases, does what it may (and tries what it may not), while simulated time
passes: clocks fire, ladders climb, children open, end and are recalled. Everything goes through the kernel's
``decide``. The same seed gives the same world. It covers a small part of what the proof covers; it is there to show
that proof and kernel speak of the same thing, and as the ground that a simulation stands on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fengsui.law.amounts import Duration
from fengsui.ledger.kernel.decide import decide, offers, opening_for, unopened
from fengsui.ledger.kernel.ladder import due_acts, fire, missed, rungs
from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.people import carried
from fengsui.ledger.kernel.shapes import Act, Actor, Call, Case, Decision, Facts, Json, Mechanism, Open, Refusals
from fengsui.ledger.proof.space import kind_of

DEEPEST = 6
"""How deep the world lets cases open cases; beyond, a follow-up is noted and not lived."""

_PER_OFFICE = 3
_DIGEST = "ab" * 32
_MADE: Mapping[str, Json] = {
    "text": "如实记录", "money": 120_000, "number": 2, "files": [_DIGEST], "list": ["一"], "point": [109.8, 40.6],
    "year": 2026, "week": "2026-W48", "case": "case", "reading": {"o2": 20.9}, "figures": {"sites": 1},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    at: datetime
    case: str
    mechanism: str
    act: str
    state: str
    ended: bool


class Plenty(dict[tuple[str, int], int]):
    """Every office has the people that any field asks for."""

    def get(self, key: Any, default: Any = None) -> Any:
        return _PER_OFFICE


class Anybody:
    """Every person has the roles that any field asks for."""

    def __contains__(self, item: object) -> bool:
        return True


@dataclass
class World:
    """Cases, the links between parents and children, the time, and what has happened so far."""

    mechanisms: Mapping[str, Mechanism]
    names: Names
    law: Mapping[str, Duration]
    rng: random.Random
    now: datetime
    cases: dict[str, Case] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    tries: int = 0

    def __post_init__(self) -> None:
        self.offices = {role: number for number, role in enumerate(sorted(self.names.roles), 1)}
        self.titles = {number: role for role, number in self.offices.items()}

    # ------------------------------------------------------------------ facts

    def facts(self, mechanism: Mechanism, actor: Actor, *, honest: bool) -> Facts:
        """What is so just now. In an ``honest`` world every guard holds, else each may fail."""
        role = self.titles.get(actor.office or 0, "")
        roles: dict[str, int | None] = dict(self.offices)
        roles |= {f"{name}.up": self.offices["up"] for name in self.offices} | {"parent_owner.up": self.offices["up"]}
        roles |= {f"parent.{name}": 1 for name in ("title", "owner")}
        roles |= {f"field.{one.name}": 1 for one in mechanism.fields.values() if one.kind in ("person", "people")}
        truths = {name: honest or self.rng.random() < 0.7 for name in self.names.guards}
        line = {office: {"below": 1, "kind": "bureau", "duty": True} for office in range(1, 3 * len(self.offices))}
        holds = frozenset({role, f"{role}.up"} if role else ())
        return Facts(
            roles=roles,
            holds=holds,
            truths=truths,
            law=self.law,
            given={"office.line": line},
            fills=frozenset(self.names.roles),
            people=Plenty(),
            fit=Anybody(),
        )

    def value(self, mechanism: Mechanism, name: str, case: Case) -> Json:
        """A value that fits the field."""
        one = mechanism.fields[name]
        if one.kind == "choice":
            return self.rng.choice(one.of) if isinstance(one.of, tuple) and one.of else "hazchem-15"
        if one.kind == "date" and one.before == "now":
            return self.now.date().isoformat()
        if one.kind == "date":
            return (self.now + timedelta(days=self.rng.randrange(2, 5))).date().isoformat()
        if one.kind == "time":
            return (self.now - timedelta(hours=1)).isoformat()
        if one.kind in ("office", "team", "site"):
            before = case.fields.get(name)
            return before + 1 if isinstance(before, int) else self.rng.choice(list(self.offices.values()))
        if one.kind == "person":
            return self.person(self.offices["leader"])
        if one.kind in ("people", "offices"):
            return sorted(self.rng.sample(list(self.offices.values()), 2))
        return _MADE[one.kind]

    def values(self, mechanism: Mechanism, act: Act, case: Case) -> dict[str, Json]:
        """All that the act needs, and sometimes what it may take."""
        if act.name in case.signed:
            return {}
        optional = [name for name in act.may_set if self.rng.random() < 0.3]
        return {name: self.value(mechanism, name, case) for name in (*act.sets, *optional)}

    def person(self, office: int) -> int:
        """One of the few people of an office; the last of them also sits in the next office."""
        number = self.rng.randrange(_PER_OFFICE)
        return (office + 1) * 100 if number == _PER_OFFICE - 1 else office * 100 + number

    def actor(self, mechanism: Mechanism, by: str, case: Case) -> Actor | None:
        """Somebody or something that one entry of ``by`` means here."""
        kind, rest = kind_of(by), by.partition(".")[2]
        if kind == "event":
            return Actor("event", name=rest)
        if kind != "person":
            return None  # clocks act when they are due, children and parents when they end or recall
        office: Json = self.offices.get(by.removesuffix(".up"))
        if by.startswith("field."):
            office = case.fields.get(rest)
            if office is not None and mechanism.fields[rest].kind == "person":
                return Actor("person", person=office, office=self.offices["leader"])
        elif by.startswith("holder."):
            office = next((row.holder for row in case.clocks if row.name == rest and row.stopped is None), None)
        if not isinstance(office, int):
            return None
        person = self.person(office)
        principal = self.person(office) if self.rng.random() < 0.1 else None
        return Actor("public" if by == "public" else "person", person=person, principal=principal, office=office)

    # ------------------------------------------------------------------- acts

    def attempt(self) -> None:
        """Open a case or try one act of an open one; most tries are refused, as they should be."""
        living = [case for case in self.cases.values() if not case.ended]
        if not living or (len(living) < 12 and self.rng.random() < 0.15):
            name = self.rng.choice(sorted(self.mechanisms))
            case = unopened(self.mechanisms[name], f"{name}-{len(self.cases) + 1}")
        else:
            case = self.rng.choice(living)
        mechanism = self.mechanisms[case.mechanism]
        act = self.rng.choice(list(offers(mechanism, case).values()))
        actor = self.actor(mechanism, self.rng.choice(act.by), case)
        if actor is not None:
            self.do(case, Call(act.name, actor, self.values(mechanism, act, case), case.seq))

    def do(self, case: Case, call: Call, *, honest: bool = False) -> Decision | Refusals:
        """Decide a call and take what follows from it."""
        mechanism = self.mechanisms[case.mechanism]
        self.tries += 1
        result = decide(mechanism, case, call, self.facts(mechanism, call.actor, honest=honest), self.now)
        if isinstance(result, Decision):
            self.take(result)
        return result

    def take(self, decision: Decision) -> None:
        """Write down a decision: the case, its children, its end for its parent."""
        case = decision.case
        self.cases[case.id] = case
        self.steps.append(Step(self.now, case.id, case.mechanism, decision.act, case.state, case.ended))
        for child in decision.opens:
            self.open(case, child)
        for kid in decision.recalls:
            if (recalled := self.cases.get(kid)) is not None and not recalled.ended:
                self.do(recalled, Call("recall", Actor("parent", name="recall"), {}), honest=True)
        if case.ended and case.parent in self.cases:
            self.tell_parent(case)

    def open(self, parent: Case, child: Open) -> None:
        """Live the child that a decision opens."""
        mechanism = self.mechanisms.get(child.mechanism)
        depth = self.depth.get(parent.id, 0) + 1
        if mechanism is None or (depth > DEEPEST and not child.joined):
            return
        self.depth[child.id] = depth
        by = f"parent.{parent.mechanism}"
        act, actor = opening_for(mechanism, by), Actor("parent", name=parent.mechanism)
        if act is None:
            act, actor = opening_for(mechanism, "clock.any"), Actor("clock", name="any")
        if act is None:
            raise AssertionError(f"{child.mechanism} has no opening by {by}")
        case = unopened(mechanism, child.id, parent=parent.id, parent_mechanism=parent.mechanism)
        values = {name: value for name, value in child.values.items() if name in (*act.sets, *act.may_set)}
        made = {name: self.value(mechanism, name, case) for name in act.sets if name not in values}
        result = self.do(case, Call(act.name, actor, {**made, **values}, handed=child.handed), honest=True)
        if isinstance(result, Refusals):
            raise AssertionError(f"{child.mechanism} refuses its parent {parent.mechanism}: {result.reasons}")

    def tell_parent(self, case: Case) -> None:
        """A joined child's end is answered by its parent at once."""
        parent = self.cases[case.parent or ""]
        child = self.mechanisms[parent.mechanism].children.get(case.mechanism)
        if child is None or not child.joined or parent.ended:
            return
        if not any(kid.id == case.id and kid.state == "open" for kid in parent.kids):
            return
        by = f"child.{case.mechanism}.{case.state}"
        act = next((act for act in offers(self.mechanisms[parent.mechanism], parent).values() if by in act.by), None)
        if act is None:
            raise AssertionError(f"{parent.mechanism} in {parent.state} does not answer {by}")
        actor = Actor("child", name=case.mechanism, end=case.state, kid=case.id, persons=carried(case))
        result = self.do(parent, Call(act.name, actor, {}), honest=True)
        if isinstance(result, Refusals):
            raise AssertionError(f"{parent.mechanism}.{parent.state} refuses {by}: {result.reasons}")

    # ------------------------------------------------------------------- time

    def pass_time(self, length: timedelta) -> None:
        """Let time pass: periods missed, rungs, and what fired clocks do."""
        self.now += length
        for id in [case.id for case in self.cases.values() if not case.ended]:
            for decision in self._timely(id):
                self.take(decision)

    def _timely(self, id: str) -> Iterator[Decision]:
        for _ in range(60):
            case = self.cases[id]
            mechanism = self.mechanisms[case.mechanism]
            facts = self.facts(mechanism, Actor("system"), honest=True)
            if case.ended:
                return
            if (calls := due_acts(mechanism, case, facts, self.now)) != []:
                result = decide(mechanism, case, calls[0], facts, self.now)
                if isinstance(result, Refusals):
                    raise AssertionError(f"{case.mechanism}.{case.state} refuses its clock {calls[0]}: {result.reasons}")
                yield result
            elif (over := missed(mechanism, case, facts, self.now)) is not None:
                yield over
            else:
                found = ((row, rungs(mechanism, row, self.now, case.fields, facts)) for row in case.clocks if row.stopped is None)
                due = next(((row, ready[0]) for row, ready in found if ready), None)
                if due is None:
                    return
                yield fire(mechanism, case, due[0], due[1], facts, self.now)


def walk(
    mechanisms: Mapping[str, Mechanism], names: Names, law: Mapping[str, Duration], *, seed: int, attempts: int, now: datetime
) -> World:
    """A world after so many attempts. Raises ``AssertionError`` where kernel and proof disagree about a signal."""
    world = World(mechanisms, names, law, random.Random(seed), now)  # noqa: S311 - no secret, a replayable story
    for number in range(attempts):
        world.attempt()
        if number % 20 == 19:
            world.pass_time(timedelta(hours=world.rng.choice((1, 6, 24, 72))))
    return world
