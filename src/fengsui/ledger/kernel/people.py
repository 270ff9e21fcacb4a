"""Who may act: the ``by`` of an act against an actor, and persons who must be others than the doers."""

from __future__ import annotations

from collections.abc import Iterator

from fengsui.ledger.kernel.shapes import Act, Actor, Case, Facts, Mechanism, Refusal

SIGNALS = ("event.", "clock.", "child.", "parent.")


def for_people(act: Act) -> bool:
    """Whether any person may do it, rather than only signals."""
    return not all(by.startswith(SIGNALS) for by in act.by)


def is_by(mechanism: Mechanism, act: Act, case: Case, actor: Actor, facts: Facts) -> bool:
    """Whether one entry of the act's ``by`` fits the actor."""
    kind = actor.kind
    if kind in ("person", "public"):
        return any(_person_is(mechanism, by, case, actor, facts) for by in act.by)
    if kind == "event":
        return f"event.{actor.name}" in act.by
    if kind == "clock":
        return f"clock.{actor.name}" in act.by or "clock.any" in act.by
    if kind == "child":
        return f"child.{actor.name}.{actor.end}" in act.by
    if kind == "parent":
        return f"parent.{actor.name}" in act.by
    return False


def _person_is(mechanism: Mechanism, by: str, case: Case, actor: Actor, facts: Facts) -> bool:
    if by in facts.holds:
        return True
    if by.startswith("field."):
        return _named(mechanism, by.removeprefix("field."), case, actor)
    if by.startswith("holder."):
        clock = by.removeprefix("holder.")
        office = actor.office
        return office is not None and any(
            row.name == clock and row.stopped is None and row.holder == office for row in case.clocks
        )
    if by == "opener":
        return actor.office is not None and case.raiser.get("office") == actor.office
    return by == "public" and actor.kind == "public"


def _named(mechanism: Mechanism, field: str, case: Case, actor: Actor) -> bool:
    value = case.fields.get(field)
    if value is None:
        return False
    kind = mechanism.fields[field].kind
    if kind == "person":
        return value in (actor.person, actor.principal)
    if kind == "people":
        return actor.person in value or (actor.principal is not None and actor.principal in value)
    if kind == "offices":
        return actor.office in value
    return bool(value == actor.office)


def natural(actor: Actor) -> frozenset[int]:
    """The natural persons behind an actor: who acts and whom the deputy acts for."""
    return frozenset(p for p in (actor.person, actor.principal) if p is not None)


def carried(case: Case) -> frozenset[int]:
    """The persons that a child's end carries up to its parent: its doers, not who opened it."""
    found: set[int] = set()
    for act, persons in case.persons.items():
        if act != "opened":
            found |= persons
    return frozenset(found)


def signers(case: Case, act: str) -> frozenset[int]:
    """Everybody behind the signatures given so far."""
    return frozenset(person for signature in case.signed.get(act, ()) for person in signature)


def doers(case: Case, act: Act) -> frozenset[int]:
    """Whoever did what the act verifies, in this case or in its children."""
    found: set[int] = set()
    for name in act.verifies:
        found |= case.persons.get(name, frozenset())
    for name, persons in case.persons.items():
        if name.startswith("child."):
            found |= persons
    return frozenset(found)


def person_refusals(case: Case, act: Act, actor: Actor) -> Iterator[Refusal]:
    """Both the actor and the principal must be outside the doers, and sign only once."""
    people = natural(actor)
    if act.verifies and people & doers(case, act):
        yield Refusal("same_person", ",".join(act.verifies), "another person")
    if act.signatures > 1 and people & signers(case, act.name):
        yield Refusal("already_signed", act.name, "another person")
