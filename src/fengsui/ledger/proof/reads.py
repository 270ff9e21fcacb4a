"""Property 7: every field that is read is set on every path to it, and not stale.

A value is stale once the case has come back to the state where it was set without its being set again, once a
clock that its act had started has fired, or once the clock that its act had stopped was restarted.
"""

from __future__ import annotations

from collections.abc import Iterator

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Act, Mechanism, State
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.form import every_act, fields_read
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.space import flat, holds, kind_of

UNSET, STALE, FRESH = "unset", "stale", "fresh"


def fields_fresh(life: Life) -> Iterator[Finding]:
    """Every finding of property 7."""
    yield from _restarted(life.mechanism)
    yield from _answered(life.mechanism)
    yield from _keyless(life)
    for name in sorted(_read_anywhere(life)):
        yield from _one_field(life, name)


def _field_of(word: str) -> str:
    return word.removeprefix("field.") if word.startswith("field.") else ""


def _exact_reads(act: Act) -> set[str]:
    return {guard.about for guard in flat(act.needs) if guard.name == "set" and not guard.registered}


def _key(names: Names, law: str) -> str:
    """The field by which a law number's row is chosen; empty where it is no table."""
    known = names.law.get(law.removeprefix("law."))
    return known.table or "" if known else ""


def _at_start(life: Life, act: Act) -> set[str]:
    """The fields that the clocks which the act starts are counted from, as long as, or belong to."""
    read: set[str] = set()
    for name in {*act.starts, *act.restarts, *act.rebases}:
        clock = life.mechanism.clocks[name]
        length = clock.amount.name.removeprefix("field.") if clock.amount.kind == "field" else _key(life.names, clock.amount.name)
        words = {_field_of(clock.holder), length}
        read |= words | {clock.since.removeprefix("field.")} if clock.since else words
    return read - {""}


def _lengths(life: Life, state: State) -> set[str]:
    """The fields by which the state's own length and those of its reports are chosen from a table of the law."""
    named = [state.within.name] if state.within.kind == "amount" else []
    return {_key(life.names, law) for law in (*named, *(owes.every for owes in state.owes))} - {""}


def _keyless(life: Life) -> Iterator[Finding]:
    """Lengths by a field that the mechanism does not have at all."""
    mechanism = life.mechanism
    for state in mechanism.states.values():
        for key in sorted(_lengths(life, state) - mechanism.fields.keys()):
            yield Finding(7, mechanism.name, f"its time depends on field {key}, which the mechanism does not have", state.name)
    for where, act in every_act(mechanism):
        for key in sorted(_at_start(life, act) - mechanism.fields.keys()):
            says = f"it starts a clock whose time depends on field {key}, which the mechanism does not have"
            yield Finding(7, mechanism.name, says, where, act.name)


def _read_anywhere(life: Life) -> set[str]:
    states = life.mechanism.states.values()
    read: set[str] = {_field_of(state.owner) for state in states}.union(*(_lengths(life, state) for state in states))
    read |= {by.field for by in life.mechanism.chosen.values()}
    for where, act in every_act(life.mechanism):
        read |= _at_start(life, act) | _exact_reads(act) | fields_read(act, life.names)
        read |= {_field_of(by) for by in act.by if where}
    return {name for name in read if name in life.mechanism.fields}


def _restarted(mechanism: Mechanism) -> Iterator[Finding]:
    """Restarting a clock clears what its stopping act had set, where a guard reads it."""
    read = {name for _, act in every_act(mechanism) for name in _exact_reads(act)}
    by_name = {act.name: act for _, act in every_act(mechanism)}
    for where, act in every_act(mechanism):
        for name in act.restarts:
            stoppers = [by_name[stop] for stop in mechanism.clocks[name].stops if stop in by_name]
            left = {field for stop in stoppers for field in stop.sets} & read
            for field in sorted(left - set(act.clears) - set(act.sets) - set(act.assigns)):
                says = f"it restarts clock {name} but leaves {field}, which the clock's answer had set"
                yield Finding(7, mechanism.name, says, where, act.name)


def _answered(mechanism: Mechanism) -> Iterator[Finding]:
    """What may be asked for once at a time may be asked for again once it was answered: the answer clears the asking's field."""
    by_name = {act.name: (where, act) for where, act in every_act(mechanism)}
    for clock in mechanism.clocks.values():
        if clock.again != "each":
            continue
        asking = [by_name[name][1] for name in clock.starts if name in by_name]
        once = {guard.about for act in asking for guard in act.needs if guard.name == "unset" and guard.about in act.sets}
        for where, act in (by_name[name] for name in clock.stops if name in by_name):
            for field in sorted(once - set(act.clears)):
                says = f"it answers clock {clock.name} but leaves {field}: nobody may ask again"
                yield Finding(7, mechanism.name, says, where, act.name)


def _one_field(life: Life, name: str) -> Iterator[Finding]:
    mechanism = life.mechanism
    outdated = {
        f"clock.{clock.name}"
        for clock in mechanism.clocks.values()
        if clock.again == "each" and any(name in act.sets for _, act in every_act(mechanism) if act.name in clock.starts)
    }

    def change(act: Act, flag: object, before: str, after: str) -> tuple[object, ...]:
        if name in act.clears:
            return (UNSET,)
        if name in act.sets or name in act.assigns:
            return (f"{FRESH}:{before if act.at_most != 1 else ''}",)
        if name in act.may_set:
            return (flag, f"{FRESH}:{before}")
        if isinstance(flag, str) and flag.startswith(FRESH):
            came_back = after == flag.partition(":")[2] and act.to == after
            if came_back or any(by in outdated for by in act.by):
                return (STALE,)
        return (flag,)

    found = life.space.flagged(
        lambda move: (f"{FRESH}:" if name in move.act.sets or name in move.act.assigns else UNSET,),
        change,
        lambda act: (
            name in act.sets
            or name in act.assigns
            or name in act.clears
            or name in act.may_set
            or any(by in outdated for by in act.by)
        ),
    )
    for at, (node, flag) in enumerate(found.nodes):
        core = life.graph.nodes[node]
        state = mechanism.states.get(core.state)
        if state is None:
            continue
        way = tuple(move.name for move in found.way(at))
        if flag == UNSET and state.owner == f"field.{name}":
            yield Finding(7, mechanism.name, f"the owner is in field {name}, which is not set", state.name, path=way)
        if flag == UNSET and name in _lengths(life, state):
            says = f"its time depends on field {name}, which is not set"
            yield Finding(7, mechanism.name, says, state.name, path=way)
        if flag == UNSET and any(by.field == name for by in mechanism.chosen.values()):
            yield Finding(7, mechanism.name, f"a ladder depends on field {name}, which is not set", state.name, path=way)
        for act in state.actions:
            if all(holds(guard, core, life.space.tracked) for guard in act.needs):
                yield from _read_by(life, name, state, act, flag, way)
    for act in mechanism.opening.values():
        if name in _at_start(life, act) and name not in act.sets and name not in act.assigns:
            yield Finding(7, mechanism.name, f"it starts a clock from field {name}, which is not set", "", act.name, (act.name,))


def _read_by(life: Life, name: str, state: State, act: Act, flag: object, way: tuple[str, ...]) -> Iterator[Finding]:
    if name in act.sets or name in act.assigns:
        return
    guarded = any(guard.name == "set" and guard.about == name and not guard.registered for guard in act.needs)
    says = ""
    if flag == UNSET and not guarded:
        if name in fields_read(act, life.names):
            says = f"it reads {name}, which is not set on this way"
        elif name in _at_start(life, act):
            says = f"it starts a clock from field {name}, which is not set on this way"
        elif act.by == (f"field.{name}",) and kind_of(act.by[0]) == "person" and state.owner != act.by[0]:
            says = f"only the one named in {name} may do it, and nobody is named on this way"
    elif (
        flag == STALE
        and name not in act.clears
        and (  # an act that ends what was in force may end an old one
            name in _exact_reads(act) or name in fields_read(act, life.names)
        )
    ):
        says = f"it reads {name}, which is stale on this way"
    if says:
        yield Finding(7, life.mechanism.name, says, state.name, act.name, (*way, act.name))
