"""The properties that need no search: ladders, pauses, confidentiality, signals, who runs a law number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.people import roles_of
from fengsui.ledger.kernel.rungs import rough_seconds
from fengsui.ledger.kernel.shapes import Act, Mechanism, Rung
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.obligations import Law, Obligation
from fengsui.ledger.proof.space import flat, kind_of

_OWN = frozenset({"raiser", "holder", "owner", "opener", "parent_owner", "parties"})
"""Told whatever the file says; of a confidential case the door tells them only where they are readers."""


def every_act(mechanism: Mechanism) -> Iterator[tuple[str, Act]]:
    """(state or "", act): openings first, then each state's acts."""
    for act in mechanism.opening.values():
        yield "", act
    for state in mechanism.states.values():
        for act in state.actions:
            yield state.name, act


def ladders_in_use(mechanism: Mechanism) -> dict[str, str]:
    """Ladder → where it is first used, each that a field may choose. A state under a clock climbs that clock's ladder."""
    used: dict[str, str] = {}
    for name, where in _named_ladders(mechanism).items():
        by = mechanism.chosen.get(name)
        if by is None:
            used.setdefault(name, where)
            continue
        for choice, ladder in by.rows.items():
            used.setdefault(ladder, f"{where} where {by.field} is {choice}")
    return used


def _named_ladders(mechanism: Mechanism) -> dict[str, str]:
    used: dict[str, str] = {}
    for clock in mechanism.clocks.values():
        used.setdefault(clock.ladder or mechanism.ladder, f"clock {clock.name}")
    for state in mechanism.states.values():
        if state.within.kind == "amount" or state.ladder:
            used.setdefault(state.ladder or mechanism.ladder, f"state {state.name}")
        for owes in state.owes:
            used.setdefault(owes.ladder or mechanism.ladder, f"state {state.name} owes {owes.act}")
    return used


def owners(mechanism: Mechanism, names: Names) -> Iterator[Finding]:
    """Property 1 without search: an owner, a clock that the owner holds, and the law's own say who runs a number."""
    for state in mechanism.states.values():
        within = state.within
        if not state.owner:
            yield Finding(1, mechanism.name, "the state names no owner", state.name)
        if within is None or not within.name:
            yield Finding(1, mechanism.name, "the state names no clock", state.name)
            continue
        if within.kind == "clock":
            clock = mechanism.clocks.get(within.name)
            if clock is None:
                yield Finding(1, mechanism.name, f"there is no clock {within.name!r}", state.name)
            elif clock.holder != state.owner:
                yield Finding(
                    1, mechanism.name, f"clock {clock.name} is held by {clock.holder}, not by the owner {state.owner}", state.name
                )
        elif within.kind == "child":
            child = mechanism.children.get(within.name)
            if child is None or not child.joined:
                yield Finding(1, mechanism.name, f"it waits for {within.name}, which is no joined child", state.name)
        else:
            yield from _run_by(mechanism, names, within.name, state.owner, state.name)
    for clock in mechanism.clocks.values():
        if clock.amount.kind == "law":
            yield from _run_by(mechanism, names, clock.amount.name, clock.holder, place=f"clocks.{clock.name}")


def _run_by(mechanism: Mechanism, names: Names, number: str, role: str, state: str = "", place: str = "") -> Iterator[Finding]:
    line = names.law.get(number.removeprefix("law."))
    if line is None or not line.runs_by:
        return
    if not roles_behind(mechanism, role) & set(line.runs_by):
        says = f"law number {line.name} runs for {' or '.join(line.runs_by)}, not for {role}"
        yield Finding(1, mechanism.name, says, state, place=place)


def roles_behind(mechanism: Mechanism, role: str) -> set[str]:
    """The roles behind a role: those whose posts act for its field or clock, where it is one."""
    return set(roles_of(mechanism, role)) if role.startswith(("field.", "holder.")) else {role}


def posts_fit(mechanism: Mechanism) -> Iterator[Finding]:
    """Property 1: an office that a field is given acts through one of the roles that the field acts as.

    Else a state, or a clock, would belong to an office none of whose posts may do anything about it.
    """
    for where, act in every_act(mechanism):
        for name, source in act.assigns.items():
            declared = mechanism.fields.get(name)
            if declared is None or not declared.acts_as:
                continue
            strangers = _given_roles(mechanism, act, str(source)) - set(declared.acts_as)
            for role in sorted(strangers):
                says = f"it gives {name} to {role}, whose posts do not act for it (acts_as: {', '.join(declared.acts_as)})"
                yield Finding(1, mechanism.name, says, where, act.name)


def _given_roles(mechanism: Mechanism, act: Act, source: str) -> set[str]:
    if source == "actor":
        return {role for by in act.by if kind_of(by) == "person" for role in roles_behind(mechanism, by)}
    if source.startswith("parent.") or source in _OWN:
        return set()
    return roles_behind(mechanism, source)


def law_signatures(mechanism: Mechanism, names: Names) -> Iterator[Finding]:
    """Property 4: where a state runs under a law number that asks for signatures, what verifies and ends needs them."""
    for state in mechanism.states.values():
        line = names.law.get(state.within.name.removeprefix("law.")) if state.within.kind == "amount" else None
        for act in state.actions:
            final = act.verifies and act.to in mechanism.ends and any(kind_of(by) == "person" for by in act.by)
            if line is not None and final and act.signatures < line.signatures:
                says = f"{act.signatures} of {line.signatures} signatures that law number {line.name} asks for"
                yield Finding(4, mechanism.name, says, state.name, act.name)


def ladders(mechanism: Mechanism, law: Law) -> Iterator[Finding]:
    """Property 3."""
    for name, where in ladders_in_use(mechanism).items():
        rungs = mechanism.ladders.get(name, ())
        for says in _ladder_faults(name, rungs):
            yield Finding(3, mechanism.name, f"{says} (used by {where})", place=f"ladders.{name}")
        for line in law.of_ladder(name):
            if not any(_does(rung, line) for rung in rungs):
                says = f"ladder {name} has no rung at {line.rung} that {' and '.join(line.what)}: {line.clause}"
                yield Finding(3, mechanism.name, says, place=f"ladders.{name}")


def _does(rung: Rung, line: Obligation) -> bool:
    if rung.at != line.rung:
        return False
    for what in line.what:
        verb, _, about = what.partition(" ")
        value = getattr(rung, verb)
        if about not in (value if isinstance(value, tuple) else (value,)):
            return False
    return True


def _ladder_faults(name: str, rungs: tuple[Rung, ...]) -> Iterator[str]:
    if not rungs:
        yield f"ladder {name} has no rungs"
        return
    if rungs[-1].climbs != "top":
        yield f"ladder {name} does not end at the top office"
    if not rungs[-1].repeats:
        yield f"the last rung of ladder {name} does not repeat until acted on"
    offsets = [rough_seconds(rung.offset) for rung in rungs]
    if any(later <= earlier for earlier, later in itertools.pairwise(offsets)):
        yield f"ladder {name} has rungs that are not in order of time"
    if not any(offset <= 0 and rung.tells for offset, rung in zip(offsets, rungs, strict=True)):
        yield f"ladder {name} does not tell the holder when the time is up"


def pauses(mechanism: Mechanism, mechanisms: Mapping[str, Mechanism]) -> Iterator[Finding]:
    """Property 9: the owner and the ladder of a pause are those of the joined child that pauses."""
    for child in mechanism.children.values():
        if not child.pauses:
            continue
        place = f"children.{child.kind}"
        if not child.pause_at_most:
            yield Finding(
                9, mechanism.name, f"child {child.kind} pauses {', '.join(child.pauses)} without a maximum", place=place
            )
        if not child.joined:
            yield Finding(
                9, mechanism.name, f"child {child.kind} pauses a clock, but nobody waits for it: it is not joined", place=place
            )
        for clock in child.pauses:
            if clock not in mechanism.clocks:
                yield Finding(9, mechanism.name, f"child {child.kind} pauses {clock}, which is no clock", place=place)
        kind = mechanisms.get(child.kind)
        if kind is None:
            continue
        for state in kind.states.values():
            if not state.owner:
                yield Finding(9, mechanism.name, f"the pause by {child.kind} has no owner in {state.name}", place=place)
        for name in ladders_in_use(kind):
            for says in _ladder_faults(name, kind.ladders.get(name, ())):
                yield Finding(9, mechanism.name, f"the pause by {child.kind} has no ladder that climbs: {says}", place=place)


def confidential(mechanism: Mechanism, mechanisms: Mapping[str, Mechanism]) -> Iterator[Finding]:
    """Property 11."""
    if not mechanism.readers:
        return
    may = set(mechanism.readers) | _OWN
    if mechanism.number and mechanism.number.gapless:
        yield Finding(11, mechanism.name, "a gapless number betrays that the confidential case exists", place="number")
    for state in mechanism.states.values():
        if state.owner not in may:
            yield Finding(11, mechanism.name, f"it belongs to {state.owner}, who is no reader", state.name)
    for clock in mechanism.clocks.values():
        if clock.holder not in may:
            yield Finding(
                11,
                mechanism.name,
                f"clock {clock.name} is held by {clock.holder}, who is no reader",
                place=f"clocks.{clock.name}",
            )
    for where, act in every_act(mechanism):
        strangers = {by for by in act.by if kind_of(by) == "person" and where} | set(act.tells)
        for role in sorted(strangers - may):
            yield Finding(11, mechanism.name, f"{role} acts or is told, but is no reader", where, act.name)
        for kind in act.opens:
            opened = mechanisms.get(kind)
            if opened is not None and not opened.readers:
                yield Finding(11, mechanism.name, f"it opens {kind}, which everybody may read", where, act.name)
    for end in mechanism.ends.values():
        for role in sorted(set(end.tells) - may):
            yield Finding(11, mechanism.name, f"{role} is told, but is no reader", end.name)
        for kind in end.opens:
            opened = mechanisms.get(kind)
            if opened is not None and not opened.readers:
                yield Finding(11, mechanism.name, f"it opens {kind}, which everybody may read", end.name)
    for name in ladders_in_use(mechanism):
        for rung in mechanism.ladders.get(name, ()):
            for role in sorted({*rung.tells, *((rung.climbs,) if rung.climbs else ())} - may):
                yield Finding(11, mechanism.name, f"ladder {name} goes to {role}, who is no reader", place=f"ladders.{name}")
            for kind in rung.opens:
                opened = mechanisms.get(kind)
                if opened is not None and not opened.readers:
                    yield Finding(
                        11, mechanism.name, f"ladder {name} opens {kind}, which everybody may read", place=f"ladders.{name}"
                    )


def signals(mechanism: Mechanism, names: Names) -> Iterator[Finding]:
    """Property 12 for events: each one that some act listens to is answered or ignored everywhere, whatever the facts."""
    heard = {by for state, act in every_act(mechanism) if state for by in act.by if kind_of(by) == "event"}
    if mechanism.key:  # a second opening of a keyed case comes to the open one
        heard |= {by for act in mechanism.opening.values() for by in act.by if kind_of(by) == "event"}
    heard |= {f"event.{event}" for event, told in names.sent.items() if mechanism.name in told}
    for state in mechanism.states.values():
        for event in sorted(heard - state.ignores):
            answers = [act for act in state.actions if event in act.by]
            if not answers:
                yield Finding(12, mechanism.name, f"{event} is neither answered nor ignored", state.name)
            elif all(needs_fact(act, names) for act in answers):
                yield Finding(12, mechanism.name, f"{event} is answered only if the facts allow it", state.name, answers[-1].name)
        for signal in sorted(state.ignores):
            if signal in heard and any(signal in act.by for act in state.actions):
                yield Finding(12, mechanism.name, f"{signal} is both answered and ignored", state.name)


def needs_fact(act: Act, names: Names) -> bool:
    """Whether the act waits for the world: some guard that only a fact can make true."""
    return any(_is_fact(guard.name, names) for guard in act.needs if guard.name != "any") or any(
        all(_is_fact(inner.name, names) for inner in guard.any_of) for guard in act.needs if guard.name == "any"
    )


def _is_fact(guard: str, names: Names) -> bool:
    known = names.guards.get(guard)
    return known is not None and known.kind == "fact"


def once_numbers(mechanism: Mechanism, names: Names) -> Iterator[Finding]:
    """Property 5 without search: a clock of a once-only law number starts once."""
    for clock in mechanism.clocks.values():
        line = names.law.get(clock.amount.name.removeprefix("law.")) if clock.amount.kind == "law" else None
        if line is None or line.kind != "once":
            continue
        if clock.again == "each":
            yield Finding(
                5,
                mechanism.name,
                f"clock {clock.name} starts afresh, but {line.name} runs once in a case's life",
                place=f"clocks.{clock.name}",
            )
        for where, act in every_act(mechanism):
            if clock.name in act.restarts:
                yield Finding(5, mechanism.name, f"it restarts {line.name}, which runs once in a case's life", where, act.name)


def clock_acts(mechanism: Mechanism) -> Iterator[Finding]:
    """Property 5: an act of a fired clock leaves the state or stops the clock, or it would be done for ever."""
    for where, act in every_act(mechanism):
        for by in act.by if where else ():
            if kind_of(by) != "clock":
                continue
            name = by.split(".")[1]
            if name not in act.stops and (act.to is None or act.to == where):
                says = f"it answers clock {name} but neither stops it nor leaves the state"
                yield Finding(5, mechanism.name, says, where, act.name)


def pointless(mechanism: Mechanism) -> Iterator[Finding]:
    """Property 5: an act that enters its own state again gives the same owner a fresh clock."""
    for state in mechanism.states.values():
        for act in state.actions:
            if act.to != state.name or act.name in mechanism.always:
                continue
            moved = {name for name in (*act.sets, *act.assigns) if state.owner == f"field.{name}"}
            if not moved:
                says = "it leads where the case already is, and the same owner's clock starts afresh"
                yield Finding(5, mechanism.name, says, state.name, act.name)


def fields_read(act: Act, names: Names) -> set[str]:
    """The fields whose freshness the act relies on: those of its guards and effects."""
    read = {guard.about for guard in act.needs if guard.name == "set"}
    for guard in flat(act.needs):
        known = names.guards.get(guard.name) if guard.registered else None
        if known is not None:
            read |= set(known.fields)
    for effect in act.effects:
        read |= set(getattr(names.effects.get(effect), "fields", ()))
    return read
