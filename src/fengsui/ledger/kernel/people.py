"""Who may act: the ``by`` of an act against an actor, and persons who must be others than the doers."""

from __future__ import annotations

from collections.abc import Iterator

from fengsui.ledger.kernel.shapes import Act, Actor, Case, Facts, Json, Mechanism, Refusal

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
        named = _named(mechanism, by.removeprefix("field."), case, actor)
        return named and _fills(roles_of(mechanism, by), facts)
    if by.startswith("holder."):
        return _holds(mechanism, by.removeprefix("holder."), case, actor, facts)
    if by == "opener":
        return actor.office is not None and case.raiser.get("office") == actor.office and "opener" in facts.fills
    return by == "public" and actor.kind == "public"


def roles_of(mechanism: Mechanism, word: str) -> tuple[str, ...]:
    """The roles whose posts act where ``by``, an owner or a clock's holder says ``word``."""
    if word.startswith("field."):
        declared = mechanism.fields.get(word.removeprefix("field."))
        return declared.acts_as if declared else ()
    if word.startswith("holder."):
        clock = mechanism.clocks.get(word.removeprefix("holder."))
        return roles_of(mechanism, clock.holder) if clock else ()
    return ("up",) if word.endswith(".up") else (word,)


def people_asked(mechanism: Mechanism, field: str) -> int:
    """How many natural persons an office named by the field needs: the most that one of its acts asks for."""
    word, most = f"field.{field}", 1
    acts = {act.name: act for state in mechanism.states.values() for act in state.actions}
    for act in acts.values():
        if word in act.by:
            most = max(most, act.signatures if len(act.by) == 1 else min(2, act.signatures))
            if any(word in acts[work].by for work in act.verifies if work in acts):
                most = max(most, 2)  # one does the work, another verifies it
    return most


def unfit_for(mechanism: Mechanism, name: str, value: Json, facts: Facts) -> Refusal | None:
    """Why the field cannot name this: an office without the people who act for it, a person without one of its roles."""
    declared = mechanism.fields[name]
    if not declared.acts_as:
        return None
    named, roles = value if isinstance(value, list) else [value], ",".join(declared.acts_as)
    if declared.kind in ("person", "people"):
        return Refusal("not_of_role", name, roles) if any((name, one) not in facts.fit for one in named) else None
    asked = people_asked(mechanism, name)
    if any(facts.people.get((name, one), 0) < asked for one in named):
        return Refusal("too_few_people", name, roles, {"people": asked})
    return None


def _fills(roles: tuple[str, ...], facts: Facts) -> bool:
    return any(role in facts.fills for role in roles)


def _holds(mechanism: Mechanism, clock: str, case: Case, actor: Actor, facts: Facts) -> bool:
    """Whether the actor answers for a running row of the clock: by the holder's role, an overseer by the work of ``up``."""
    roles = roles_of(mechanism, mechanism.clocks[clock].holder)
    for row in case.clocks:
        if row.name == clock and row.stopped is None and row.holder is not None and row.holder == actor.office:
            if row.person is not None and row.person not in (actor.person, actor.principal):
                continue
            if _fills(roles, facts) or any(role in facts.holds for role in roles):
                return True
            if row.holder in case.overseers and "up" in facts.fills:
                return True
    return False


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
