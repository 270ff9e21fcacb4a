"""Mechanisms of a few lines, for one semantic each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.decide import decide, unopened
from fengsui.ledger.kernel.shapes import Actor, Call, Case, Decision, Facts, Mechanism, Refusals
from tests.unit.ledger.walking import NAMES, NOW, OFFICES, facts, facts_of, person_of

BASE: dict[str, Any] = {
    "mechanism": "small",
    "fields": {
        "words": {"kind": "text"},
        "files": {"kind": "files"},
        "office": {"kind": "office", "acts_as": ["top"]},
        "day": {"kind": "date"},
    },
    "open": {"begin": {"by": ["enterprise"], "to": "one"}},
    "states": {
        "one": {"owner": "enterprise", "within": "law.hazard.sign", "actions": {"work": {"to": "two", "does": True}}},
        "two": {"owner": "up", "within": "law.hazard.plan", "actions": {"check": {"to": "done", "verifies": ["work"]}}},
    },
    "ends": {"done": {"tells": ["raiser"]}},
}


def small(**parts: Any) -> Mechanism:
    """The base with sections replaced, and ``state__act`` keywords put into a state's actions."""
    data: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in BASE.items()}
    data["states"] = {name: {**state, "actions": dict(state["actions"])} for name, state in data["states"].items()}
    for key, value in parts.items():
        state, two, act = key.partition("__")
        if two:
            data["states"][state]["actions"][act] = value
        else:
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
    return load.mechanism(data, NAMES)


def by(role: str, which: int = 0, principal: int | None = None) -> Actor:
    """A person of a role's office."""
    return Actor("person", person=person_of(OFFICES[role], which), office=OFFICES[role], principal=principal)


def attempt(
    mechanism: Mechanism,
    case: Case,
    act: str,
    actor: Actor | str = "enterprise",
    seen: Facts | None = None,
    now: datetime = NOW,
    expects: int | None = None,
    **values: Any,
) -> Decision | Refusals:
    """One call, by a role's first person unless told otherwise."""
    who = by(actor) if isinstance(actor, str) else actor
    return decide(mechanism, case, Call(act, who, values, expects), seen or facts_of(who.office), now)


def go(mechanism: Mechanism, case: Case, *acts: Any, now: datetime = NOW) -> Case:
    """The case after acts that must succeed: ``name``, ``(name, role)`` or ``(name, role, values)``."""
    for one in acts:
        act, who, values = (one, "enterprise", {}) if isinstance(one, str) else (*one, {})[:3]
        result = attempt(mechanism, case, act, who, now=now, **values)
        assert isinstance(result, Decision), (act, result)
        case = result.case
    return case


def begun(mechanism: Mechanism, *, now: datetime = NOW, act: str = "begin", **values: Any) -> Case:
    """A case just opened."""
    result = attempt(mechanism, unopened(mechanism, "c"), act, now=now, **values)
    assert isinstance(result, Decision), result
    return result.case


def codes(result: Decision | Refusals) -> list[tuple[str, str]]:
    """(code, about) of each refusal."""
    assert isinstance(result, Refusals), result
    return [(reason.code, reason.about) for reason in result.reasons]


__all__ = ["NOW", "OFFICES", "attempt", "begun", "by", "codes", "facts", "facts_of", "go", "person_of", "small", "unopened"]
