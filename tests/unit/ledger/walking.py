"""A region in miniature for walking through mechanisms: offices, people, facts, and a driver of random acts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fengsui import shipped
from fengsui.law.amounts import Duration
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.decide import answer, decide, offers, unopened
from fengsui.ledger.kernel.ladder import due_acts, fire, missed, rungs
from fengsui.ledger.kernel.people import SIGNALS, carried
from fengsui.ledger.kernel.shapes import Act, Actor, Call, Case, Decision, Facts, Mechanism, Refusals

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
NAMES = load.load_names(shipped.file("registry.yaml"))
MECHANISMS = load.load_folder(shipped.folder("mechanisms"), NAMES)
LAW = {name: Duration(days=5) for name in NAMES.law}
PHOTO = "ab" * 32

_ROLES = sorted(NAMES.roles)
OFFICES: dict[str, Any] = {role: i + 1 for i, role in enumerate(_ROLES)}
OFFICES |= {"parent_owner.up": OFFICES["up"], "field.leader": OFFICES["leader"]}
TRUE = dict.fromkeys(NAMES.guards, True)


def person_of(office: int, which: int = 0) -> int:
    """The natural persons of an office: two (or more) each."""
    return office * 100 + which


def facts(*, holds: frozenset[str] = frozenset(), truths: Mapping[str, bool] | None = None, **more: Any) -> Facts:
    """Facts in which every role resolves and every guard holds, unless told otherwise."""
    given = {"office.parent": {office: office - 1 for office in range(1, 400)}, **more.pop("given", {})}
    roles = {**OFFICES, **more.pop("roles", {})}
    return Facts(
        roles=roles, holds=holds, truths={**TRUE, **(truths or {})}, law={**LAW, **more.pop("law", {})}, given=given, **more
    )


def actor_in(role: str, which: int = 0) -> tuple[Actor, Facts]:
    """A person of a role's office, with the facts that say so."""
    office = OFFICES[role]
    holds = frozenset(name for name, id in OFFICES.items() if id == office)
    return Actor("person", person=person_of(office, which), office=office), facts(holds=holds)


_TEXT = {"text": "如实记录", "money": 120_000, "number": 2, "files": [PHOTO], "list": ["一"], "point": [109.8, 40.6]}
_TEXT |= {"year": 2026, "week": "2026-W48", "case": "x", "reading": {"o2": 20.9}, "figures": {"a": 1}}


def value_for(mechanism: Mechanism, name: str, case: Case, now: datetime, rng: random.Random | None = None) -> Any:
    """A value that fits the field."""
    one = mechanism.fields[name]
    if one.kind == "choice":
        choices = one.of if isinstance(one.of, tuple) and one.of else ("hazchem-15",)
        if name == "colour" and "colour" in case.fields:
            at = choices.index(case.fields["colour"])
            return rng.choice(choices) if rng else choices[min(at + 1, len(choices) - 1)]
        return rng.choice(choices) if rng else choices[0]
    if one.kind == "date":
        return (now + timedelta(days=3)).date().isoformat()
    if one.kind == "time":
        return (now - timedelta(hours=1)).isoformat()
    if one.kind in ("office", "team", "site"):
        return case.fields.get(name, OFFICES["site_supervisor"]) + 1 if name == "answering" else OFFICES["county_office"]
    if one.kind == "person":
        return person_of(OFFICES["leader"])
    if one.kind in ("people", "offices"):
        return [OFFICES["county_office"], OFFICES["top"]]
    return _TEXT[one.kind]


def values_for(mechanism: Mechanism, act: Act, case: Case, now: datetime, rng: random.Random | None = None) -> dict[str, Any]:
    """What the act must be given, and its children's opening acts."""
    return {name: value_for(mechanism, name, case, now, rng) for name in act.sets}


def actors_for(mechanism: Mechanism, act: Act, case: Case) -> Iterator[tuple[Actor, Facts]]:
    """Everybody who might do the act: several persons of each office, or the signal."""
    for by in act.by:
        head, _, rest = by.partition(".")
        if by.startswith(SIGNALS):
            if head == "event":
                yield Actor("event", name=rest), facts()
            elif head == "clock":
                yield Actor("clock", name=rest), facts()
            elif head == "parent":
                yield Actor("parent", name=rest, person=person_of(OFFICES["opener"])), facts()
            else:
                kind, _, end = rest.partition(".")
                for kid in case.kids:
                    if kid.kind == kind and kid.state == "open":
                        yield Actor("child", name=kind, end=end, kid=kid.id, persons=frozenset({9_999})), facts()
            continue
        offices: list[int] = []
        if head == "field":
            value = case.fields.get(rest)
            if mechanism.fields[rest].kind == "person" and value is not None:
                yield Actor("person", person=value, office=OFFICES["leader"]), facts()
                continue
            offices = [value] if isinstance(value, int) else []
        elif head == "holder":
            offices = [row.holder for row in case.clocks if row.name == rest and row.stopped is None and row.holder]
        else:
            offices = [OFFICES[by]]
        for office in offices:
            for which in range(3):
                holds = frozenset(name for name, id in OFFICES.items() if id == office)
                yield Actor("person", person=person_of(office, which), office=office), facts(holds=holds)


@dataclass
class Walk:
    """One case being walked at random; ``tries`` counts attempts, ``path`` what was done."""

    mechanism: Mechanism
    rng: random.Random
    now: datetime = NOW
    case: Case = field(init=False)
    path: list[str] = field(default_factory=list)
    tries: int = 0

    def __post_init__(self) -> None:
        self.case = unopened(self.mechanism, "case")

    def attempt(self) -> Decision | Refusals | None:
        """Try one random act by one random actor; nothing where nobody could."""
        acts = list(offers(self.mechanism, self.case).values())
        act = self.rng.choice(acts)
        able = list(actors_for(self.mechanism, act, self.case))
        if not able:
            return None
        actor, seen = self.rng.choice(able)
        values = {} if act.name in self.case.signed else values_for(self.mechanism, act, self.case, self.now, self.rng)
        self.tries += 1
        result = decide(self.mechanism, self.case, Call(act.name, actor, values, self.case.seq), seen, self.now)
        if isinstance(result, Decision):
            self.take(result)
        return result

    def take(self, decision: Decision) -> None:
        """Go on from a decision."""
        self.case = decision.case
        self.path.append(decision.act)

    def pass_time(self, delta: timedelta) -> None:
        """Let time pass: missed reports, rungs and clock acts happen."""
        self.now += delta
        seen = facts()
        while (decision := missed(self.mechanism, self.case, seen, self.now)) is not None:
            self.take(decision)
        for _ in range(40):
            fired = next(
                (
                    (row, one[0])
                    for row in self.case.clocks
                    if (one := rungs(self.mechanism, row, self.now, seen, self.case.fields))
                ),
                None,
            )
            if fired is None:
                break
            self.take(fire(self.mechanism, self.case, fired[0], fired[1], seen, self.now))
        for _ in range(5):
            calls = due_acts(self.mechanism, self.case, seen, self.now)
            if not calls:
                return
            result = decide(self.mechanism, self.case, calls[0], seen, self.now)
            assert isinstance(result, Decision), (self.path, calls[0], result)
            self.take(result)
        raise AssertionError(f"clock acts do not come to rest: {self.path[-8:]}")


__all__ = ["MECHANISMS", "NAMES", "NOW", "OFFICES", "Walk", "actor_in", "answer", "carried", "facts", "person_of", "values_for"]
