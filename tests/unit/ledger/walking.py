"""A region in miniature for walking through mechanisms: offices, people, facts, and a driver of random acts."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fengsui import shipped
from fengsui.law import numbers
from fengsui.law.amounts import Duration, parse_amount
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.decide import decide, offers, unopened
from fengsui.ledger.kernel.ladder import due_acts, fire, missed, rungs
from fengsui.ledger.kernel.names import law_names
from fengsui.ledger.kernel.people import SIGNALS
from fengsui.ledger.kernel.shapes import Act, Actor, Call, Case, Decision, Facts, Mechanism, Refusals, Share, Table
from fengsui.ledger.proof.walks import Anybody, Plenty

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
NAMES = load.load_names(shipped.file("registry.yaml")).plus(law=law_names(numbers.shipped_book().all()))
MECHANISMS = load.load_folder(shipped.folder("mechanisms"), NAMES)
LAW = {name: Duration(days=90 if name == "hazard.longest" else 5) for name in NAMES.law}
PHOTO = "ab" * 32


def lengths() -> dict[str, Duration | Table | Share]:
    """The law's own lengths of time on the day of ``NOW``."""
    found: dict[str, Duration | Table | Share] = {}
    for name in NAMES.law:
        number = numbers.find(name, NOW.date())
        if number.table is not None:
            found[name] = Table(number.keyed_by, {key: parse_amount(row) for key, row in number.table.items()})
        elif number.duration is not None:
            found[name] = number.duration
        elif number.unit == "1" and isinstance(number.value, float):
            found[name] = Share(number.value)
    return found


_ROLES = sorted(NAMES.roles)
OFFICES: dict[str, Any] = {role: i + 1 for i, role in enumerate(_ROLES)}
OFFICES |= {"parent_owner.up": OFFICES["up"], "field.leader": OFFICES["leader"], "parent.title": "重大事故隐患"}
TRUE = dict.fromkeys(NAMES.guards, True)


def person_of(office: int, which: int = 0) -> int:
    """The natural persons of an office: two (or more) each."""
    return office * 100 + which


LINE = {"office.line": {office: {"below": 1, "kind": "bureau", "duty": True} for office in range(1, 400)}}
"""Every office stands one level below whichever answers now."""


def facts(*, holds: frozenset[str] = frozenset(), **more: Any) -> Facts:
    """Facts in which every role resolves and every guard holds, unless told otherwise."""
    return Facts(
        roles={**OFFICES, **more.pop("roles", {})},
        holds=holds,
        truths={**TRUE, **more.pop("truths", {})},
        law={**LAW, **more.pop("law", {})},
        given={**LINE, **more.pop("given", {})},
        **{"fills": frozenset(_ROLES), "people": Plenty(), "fit": Anybody(), **more},
    )


@functools.cache
def facts_of(office: int | None) -> Facts:
    """The facts for somebody in an office (``None``: for a signal), made once."""
    return facts(holds=frozenset(name for name, id in OFFICES.items() if office is not None and id == office))


def actor_in(role: str, which: int = 0) -> tuple[Actor, Facts]:
    """A person of a role's office, with the facts that say so."""
    office = OFFICES[role]
    return Actor("person", person=person_of(office, which), office=office), facts_of(office)


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
        return (now if one.before == "now" else now + timedelta(days=3)).date().isoformat()
    if one.kind == "time":
        return (now + timedelta(hours=1) if one.after == "now" else now - timedelta(hours=1)).isoformat()
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


def actor_by(mechanism: Mechanism, by: str, case: Case, which: int) -> tuple[Actor, Facts] | None:
    """Somebody (the office's person number ``which``) or something that one entry of an act's ``by`` fits."""
    head, _, rest = by.partition(".")
    if by.startswith(SIGNALS):
        if head == "parent":
            return Actor("parent", name=rest, person=person_of(OFFICES["opener"])), facts_of(None)
        if head != "child":
            return Actor("event" if head == "event" else "clock", name=rest), facts_of(None)
        kind, _, end = rest.partition(".")
        kid = next((kid for kid in case.kids if kid.kind == kind and kid.state == "open"), None)
        if kid is None:
            return None
        return Actor("child", name=kind, end=end, kid=kid.id, persons=frozenset({9_999})), facts_of(None)
    if head == "field":
        office = case.fields.get(rest)
        if mechanism.fields[rest].kind == "person" and office is not None:
            return Actor("person", person=office, office=OFFICES["leader"]), facts_of(None)
    elif head == "holder":
        office = next((row.holder for row in case.clocks if row.name == rest and row.stopped is None), None)
    else:
        office = OFFICES[by]
    if not isinstance(office, int):
        return None
    return Actor("person", person=person_of(office, which), office=office), facts_of(office)


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
        act = self.rng.choice(list(offers(self.mechanism, self.case).values()))
        found = actor_by(self.mechanism, self.rng.choice(act.by), self.case, self.rng.randrange(3))
        if found is None:
            return None
        actor, seen = found
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
        seen = facts_of(None)
        while (decision := missed(self.mechanism, self.case, seen, self.now)) is not None:
            self.take(decision)
        for _ in range(40):
            due = ((row, rungs(self.mechanism, row, self.now, self.case.fields, seen)) for row in self.case.clocks)
            fired = next(((row, found[0]) for row, found in due if found), None)
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
