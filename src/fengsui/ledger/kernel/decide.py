"""What may be done to a case, and what doing it does.

``decide`` answers one call: a ``Decision`` that a door writes down, or ``Refusals`` with every reason.
``may`` answers a page: each act of the state with the reasons against it. ``answer`` takes a signal to the
first act that it fits. All three ask the same checks, in the same order: ended? version? offered? by whom?
then bound, fields, guards, persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from fengsui.ledger.kernel import extensions
from fengsui.ledger.kernel.guards import PURE, Look
from fengsui.ledger.kernel.people import for_people, is_by, natural, person_refusals, signers, unfit_for
from fengsui.ledger.kernel.rows import Rows, paused_for
from fengsui.ledger.kernel.shapes import (
    Act,
    Actor,
    Call,
    Case,
    ClockRow,
    Decision,
    Facts,
    Field,
    Frozen,
    Guard,
    Json,
    Kid,
    May,
    Mechanism,
    Open,
    Refusal,
    Refusals,
)
from fengsui.ledger.kernel.step import Choice, Core, blocks, core_of, exact, spent, step, target, unmet, wanted
from fengsui.ledger.kernel.values import blank, wrong

NONE: Frozen = {}


def unopened(mechanism: Mechanism, id: str, *, parent: str | None = None, parent_mechanism: str | None = None) -> Case:
    """A case that an opening act may now open: ``decide`` on it, with the opening act's name."""
    return Case(id, mechanism.name, mechanism.digest, 0, "", parent=parent, parent_mechanism=parent_mechanism)


def opening_for(mechanism: Mechanism, by: str) -> Act | None:
    """The opening act for a child opened ``by`` ``parent.hazard`` or ``clock.any``; the first in the file."""
    return next((act for act in mechanism.opening.values() if by in act.by), None)


def offers(mechanism: Mechanism, case: Case) -> Mapping[str, Act]:
    """The acts of the case's state, or the opening ones."""
    if case.seq == 0:
        return mechanism.opening
    state = mechanism.states.get(case.state)
    return state.offers if state else {}


@dataclass(slots=True)
class _Doing:
    """One attempt at one act, with what the checks and the change both look at."""

    mechanism: Mechanism
    case: Case
    act: Act
    actor: Actor
    values: Frozen  # with those that earlier signers gave
    facts: Facts
    now: datetime
    core: Core
    seen: dict[str, Json]
    handed: frozenset[str] = frozenset()
    asking: bool = False  # nothing is given yet: what the act's own fields will show is not held against it


def decide(mechanism: Mechanism, case: Case, call: Call, facts: Facts, now: datetime) -> Decision | Refusals:
    """Do ``call.act``, or say every reason why not."""
    early = _early(mechanism, case, call.act, call.expects)
    if early:
        return Refusals((early,))
    act = offers(mechanism, case)[call.act]
    values = call.values
    if case.pending and act.name in case.signed:
        values = {**case.pending, **values}
    doing = _Doing(mechanism, case, act, call.actor, values, facts, now, core_of(mechanism, case), {}, call.handed)
    bound_over = call.actor.kind == "event" and act.then is None and spent(act, doing.core)
    if bound_over and is_by(mechanism, act, case, call.actor, facts):
        return _seen(doing)
    reasons = (*_against(doing), *_field_refusals(doing, call.values))
    if reasons:
        return Refusals(_in_order(reasons))
    if act.signatures > 1 and len(case.signed.get(act.name, ())) + 1 < act.signatures:
        return _sign(doing)
    return _do(doing)


def may(mechanism: Mechanism, case: Case, actor: Actor, facts: Facts, now: datetime) -> list[May]:
    """Every act of the state that people do, each with all reasons why this actor may not; values are not asked."""
    if case.ended:
        return []
    core = core_of(mechanism, case)
    found: list[May] = []
    for act in offers(mechanism, case).values():
        if for_people(act):
            doing = _Doing(mechanism, case, act, actor, NONE, facts, now, core, {}, asking=True)
            found.append(May(act, _in_order(_against(doing)), len(case.signed.get(act.name, ()))))
    return found


def candidates(mechanism: Mechanism, case: Case, actor: Actor, facts: Facts) -> list[Act]:
    """The acts of the state that a signal fits, in file order."""
    return [act for act in offers(mechanism, case).values() if is_by(mechanism, act, case, actor, facts)]


def answer(mechanism: Mechanism, case: Case, actor: Actor, values: Frozen, facts: Facts, now: datetime) -> Decision | Refusals:
    """A signal to the first of its acts that can be done; values that an act does not take are left out."""
    reasons: list[Refusal] = []
    for act in candidates(mechanism, case, actor, facts):
        takes = {*act.sets, *act.may_set, *act.opens, *(("until",) if act.extends else ())}
        call = Call(act.name, actor, {key: value for key, value in values.items() if key in takes})
        result = decide(mechanism, case, call, facts, now)
        if isinstance(result, Decision):
            return result
        reasons.extend(result.reasons)
    return Refusals(tuple(reasons) or (Refusal("not_offered", actor.name, case.state),))


# ------------------------------------------------------------------ the checks


def _early(mechanism: Mechanism, case: Case, act: str, expects: int | None) -> Refusal | None:
    """Reasons that make all others pointless."""
    if case.ended:
        return Refusal("ended", case.state)
    if case.version != mechanism.digest:
        return Refusal("version", "mechanism", mechanism.digest)
    if expects is not None and expects != case.seq:
        return Refusal("version", str(expects), str(case.seq))
    if act in offers(mechanism, case):
        return None
    known = act in mechanism.opening or act in mechanism.always
    known = known or any(act in state.offers for state in mechanism.states.values())
    return Refusal("not_offered", act, case.state) if known else Refusal("no_such_act", act)


_ORDER = ("not_yours", "not_due", "spent", "missing", "unknown", "bad_value", "too_few_people", "not_of_role", "differs")


def _in_order(reasons: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """By whom, bound, fields, then guards and persons as they came."""
    return tuple(sorted(reasons, key=lambda r: _ORDER.index(r.code) if r.code in _ORDER else len(_ORDER)))


def _against(doing: _Doing) -> tuple[Refusal, ...]:
    """Every reason against the act but its values."""
    mechanism, case, act, actor = doing.mechanism, doing.case, doing.act, doing.actor
    reasons: list[Refusal] = []
    if not is_by(mechanism, act, case, actor, doing.facts):
        reasons.append(Refusal("not_yours", act.name, ",".join(act.by)))
    if actor.kind == "clock" and not _overdue(doing):
        reasons.append(Refusal("not_due", actor.name))
    reasons.extend(blocks(mechanism, doing.core, act))
    reasons.extend(_guard_refusals(doing))
    reasons.extend(_child_refusals(doing))
    reasons.extend(person_refusals(case, act, actor))
    for source in act.assigns.values():
        if _assigned(doing, source) is None:
            reasons.append(Refusal("no_office", str(source)))
    return tuple(reasons)


def _overdue(doing: _Doing) -> bool:
    """A clock acts only once it is due; an opening by a ladder's rung is the clockwork's own business."""
    if doing.case.seq == 0:
        return True
    name = doing.actor.name
    return any(
        row.name == name
        and row.stopped is None
        and row.due + paused_for(doing.mechanism, row, doing.now, doing.facts, doing.case.fields) <= doing.now
        for row in doing.case.clocks
    )


def _child_refusals(doing: _Doing) -> Iterator[Refusal]:
    case, act, actor = doing.case, doing.act, doing.actor
    if actor.kind == "child" and not any(kid.id == actor.kid and kid.state == "open" for kid in case.kids):
        yield Refusal("not_offered", actor.kid or actor.name, "no open child of this id")
    for kind in act.opens:
        limit = doing.mechanism.children[kind].at_once
        if limit is not None and limit > 1:
            running = sum(1 for kid in case.kids if kid.kind == kind and kid.state == "open")
            if running + len(_child_values(doing, kind)) > limit:
                yield Refusal("at_once", kind, str(limit))


def _guard_refusals(doing: _Doing) -> Iterator[Refusal]:
    for guard in doing.act.needs:
        if guard.registered:
            if not _holds(doing, guard):
                yield _unmet(doing, guard)
        elif guard.name == "any" and exact(doing.core, guard) is None and not _any(doing, guard):
            for inner in guard.any_of:
                yield _unmet(doing, inner) if inner.registered else unmet(inner)


def _unmet(doing: _Doing, guard: Guard) -> Refusal:
    return Refusal("guard", guard.name, doing.facts.why.get(guard.name, ""))


def _any(doing: _Doing, guard: Guard) -> bool:
    return any(_holds(doing, one) if one.registered else exact(doing.core, one) for one in guard.any_of)


def _holds(doing: _Doing, guard: Guard) -> bool:
    """A registered guard; one about a field that the act itself will set cannot be judged before it is given."""
    declared = doing.mechanism.guards.get(guard.name, NONE)
    act = doing.act
    if any(name in act.sets and blank(doing.values.get(name)) for name in declared.get("fields", ())):
        return True
    kinds = {doing.mechanism.fields[name].kind for name in (*act.sets, *act.may_set)} if doing.asking else set()
    if kinds & set(declared.get("given", ())):
        return True
    pure = PURE.get(guard.name)
    if pure is None:
        truth = bool(doing.facts.truths.get(guard.name, False))
    else:
        truth = pure(Look(doing.case, doing.values, doing.facts, doing.now))
    doing.seen[guard.name] = truth
    return truth


def _field_refusals(doing: _Doing, given: Frozen) -> Iterator[Refusal]:
    act = doing.act
    pending = doing.case.pending if act.name in doing.case.signed else NONE
    for name in act.sets:
        if blank(doing.values.get(name)):
            yield Refusal("missing", name)
    for name, value in given.items():
        if name in pending and value != pending[name]:
            yield Refusal("differs", name, "sign what the first signed")
        elif name in act.opens:
            if not _well_formed(value):
                yield Refusal("bad_value", name, "give the values of the case to be opened")
            else:
                yield from extensions.beyond(doing.mechanism, doing.case, name, value, doing.facts)
        elif name == "until" and act.extends and doing.actor.kind == "child":
            continue
        elif name not in act.sets and name not in act.may_set:
            yield Refusal("unknown", name, ", ".join((*act.sets, *act.may_set)))
        elif not blank(value):
            fault = wrong(_asked_of(doing, name), value, doing.case.fields, doing.facts, doing.now, doing.case.clocks)
            if fault:
                yield Refusal("bad_value", name, fault.says, fault.args)
            elif doing.actor.kind == "person" and name not in doing.handed:
                unfit = unfit_for(doing.mechanism, name, value, doing.facts)
                if unfit:
                    yield unfit


def _asked_of(doing: _Doing, name: str) -> Field:
    """The field as the actor has to fill it: what a parent hands down was bounded when it was given there."""
    declared = doing.mechanism.fields[name]
    if name in doing.handed and (declared.after or declared.before):
        return replace(declared, after=None, before=None)
    return declared


def _well_formed(value: Json) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, Mapping) for one in value)
    return isinstance(value, Mapping)


# ------------------------------------------------------------------ the change


def _entry(doing: _Doing, case: Case, **more: Json) -> Decision:
    return Decision(case=case, act=doing.act.name, state_before=doing.case.state, facts_seen=doing.seen, **more)


def _seen(doing: _Doing) -> Decision:
    """The signal's bound is spent: it is recorded as seen and changes nothing."""
    return _entry(doing, replace(doing.case, seq=doing.case.seq + 1), seen_only=True)


def _sign(doing: _Doing) -> Decision:
    """A signature, but not yet the last; those of any other act are void."""
    case, act = doing.case, doing.act
    signed = (*case.signed.get(act.name, ()), tuple(sorted(natural(doing.actor))))
    after = replace(case, seq=case.seq + 1, signed={act.name: signed}, pending=dict(doing.values))
    return _entry(doing, after, signed_only=True)


def _do(doing: _Doing) -> Decision:
    mechanism, case, act, actor = doing.mechanism, doing.case, doing.act, doing.actor
    core = step(mechanism, doing.core, act, _choice(doing))
    ended = core.state in mechanism.ends
    fields = _fields(doing)
    counts = {**case.counts, act.name: case.counts.get(act.name, 0) + 1}
    opens = _opens(doing, core, fields)
    kids, recalled = _kids(doing, opens)
    opening = case.seq == 0
    after = Case(
        id=case.id,
        mechanism=case.mechanism,
        version=case.version,
        seq=case.seq + 1,
        state=core.state,
        fields=fields,
        counts=counts,
        clocks=_clocks(doing, core, fields, counts, kids),
        kids=kids,
        persons=_persons(doing),
        unverified=core.unverified,
        verified=core.verified,
        overseers=case.overseers,
        parent=case.parent,
        parent_mechanism=case.parent_mechanism,
        raiser=_raiser(actor) if opening else case.raiser,
        opened=doing.now if opening else case.opened,
        ended=ended,
    )
    end = mechanism.ends[core.state] if ended else None
    number = mechanism.number
    return _entry(
        doing,
        after,
        opens=opens,
        recalls=recalled,
        effects=act.effects + (end.effects if end else ()),
        tells=tuple(dict.fromkeys(act.tells + (end.tells if end else ()))),
        ended=ended,
        numbers=number is not None and (opening if number.on is None else number.on == act.name),
    )


def _choice(doing: _Doing) -> Choice:
    """What really happened of what a core leaves open."""
    case, act, actor = doing.case, doing.act, doing.actor
    last = True
    if actor.kind == "child":
        last = not any(k.kind == actor.name and k.state == "open" and k.id != actor.kid for k in case.kids)
    keeps = frozenset(name for name in act.stops if _own_row_only(doing, name) and _others(case, name, actor))
    given = frozenset(name for name in act.may_set if not blank(doing.values.get(name)))
    return Choice(last, keeps, given)


def _own_row_only(doing: _Doing, clock: str) -> bool:
    """An act stops only its own office's row of a per-holder clock."""
    return doing.mechanism.clocks[clock].per_holder and doing.actor.kind == "person"


def _others(case: Case, clock: str, actor: Actor) -> bool:
    return any(row.name == clock and row.stopped is None and row.holder != actor.office for row in case.clocks)


def _fields(doing: _Doing) -> Frozen:
    act = doing.act
    if not (act.sets or act.may_set or act.assigns or act.clears):
        return doing.case.fields
    fields = dict(doing.case.fields)
    for name in (*act.sets, *act.may_set):
        if not blank(doing.values.get(name)):
            fields[name] = doing.values[name]
    for name, source in act.assigns.items():
        fields[name] = _assigned(doing, source)
    for name in act.clears:
        fields.pop(name, None)
    return fields


def _assigned(doing: _Doing, source: Json) -> Json:
    """The value of a computed field: a role's office, the actor's, another field's, or the parent's."""
    if source == "actor":
        return doing.actor.office
    if source.startswith("field."):
        return doing.case.fields.get(source.removeprefix("field."))
    if source.startswith("parent."):
        return doing.facts.roles.get(source)
    if source == "opener" and source not in doing.facts.roles:
        return doing.case.raiser.get("office")
    return doing.facts.roles.get(source)


def _persons(doing: _Doing) -> Mapping[str, frozenset[int]]:
    """The doers by act, with the child's carried up; signers of a doing act are doers, too."""
    case, act, actor = doing.case, doing.act, doing.actor
    persons = dict(case.persons)
    people = natural(actor)
    if case.seq == 0:
        persons["opened"] = people
    if act.does:
        persons[act.name] = persons.get(act.name, frozenset()) | people | signers(case, act.name)
    if actor.kind == "child" and actor.persons:
        name = f"child.{actor.name}"
        persons[name] = persons.get(name, frozenset()) | actor.persons
    return persons


def _raiser(actor: Actor) -> Frozen:
    return {"kind": actor.kind, "person": actor.person, "office": actor.office, "name": actor.name}


# ------------------------------------------------------------------ children


def _child_values(doing: _Doing, kind: str) -> list[Mapping[str, Json]]:
    """The values given for each child of the kind that the act opens: at least one."""
    given = doing.values.get(kind)
    if given is None:
        given = [NONE]
    return list(given) if isinstance(given, list) else [given]


def _opens(doing: _Doing, core: Core, fields: Frozen) -> tuple[Open, ...]:
    mechanism, act = doing.mechanism, doing.act
    kinds = list(act.opens)
    if core.state in mechanism.ends:
        kinds += mechanism.ends[core.state].opens
    if not kinds:
        return ()
    found: list[tuple[str, Frozen, frozenset[str]]] = []
    for kind in kinds:
        if not wanted(mechanism, core, kind):
            continue
        child = mechanism.children[kind]
        gives = {name: _given(doing, fields, source) for name, source in child.gives.items()}
        gives = {name: value for name, value in gives.items() if value is not None}
        found += [(kind, {**gives, **values}, frozenset(gives.keys() - values.keys())) for values in _child_values(doing, kind)]
        for name, member in child.each.items():
            for one in doing.values.get(name) or ():
                special = {key: one if source == "member" else source for key, source in member.items()}
                found.append((kind, {**gives, **special}, frozenset({**gives, **special})))
    return tuple(
        Open(kind, mechanism.children[kind].joined, _new_id(doing, i), values, handed)
        for i, (kind, values, handed) in enumerate(found)
    )


def _given(doing: _Doing, fields: Frozen, source: Json) -> Json:
    if isinstance(source, str) and source.startswith("field."):
        return fields.get(source.removeprefix("field."))
    if isinstance(source, str) and source in doing.facts.roles:
        return doing.facts.roles[source]
    return source


def _new_id(doing: _Doing, i: int) -> str:
    reserved = doing.facts.new_ids
    return reserved[i] if i < len(reserved) else f"{doing.case.id}/{doing.case.seq + 1}.{i + 1}"


def _kids(doing: _Doing, opens: tuple[Open, ...]) -> tuple[tuple[Kid, ...], tuple[str, ...]]:
    """The children after the act, and the ids of those recalled."""
    case, act, actor = doing.case, doing.act, doing.actor
    if not (opens or act.recalls or actor.kind == "child"):
        return case.kids, ()
    recalled = tuple(kid.id for kid in case.kids if kid.kind in act.recalls and kid.state == "open")
    kids = [replace(kid, state="ended", end="recalled") if kid.id in recalled else kid for kid in case.kids]
    if actor.kind == "child":
        kids = [replace(kid, state="ended", end=actor.end, persons=actor.persons) if kid.id == actor.kid else kid for kid in kids]
    kids += [Kid(one.mechanism, one.id, "open") for one in opens]
    return tuple(kids), recalled


# -------------------------------------------------------------------- clocks


def _clocks(doing: _Doing, core: Core, fields: Frozen, counts: Frozen, kids: tuple[Kid, ...]) -> tuple[ClockRow, ...]:
    """The rows after the act: stopped, state left, started, state entered, pauses."""
    mechanism, case, act = doing.mechanism, doing.case, doing.act
    rows = Rows(mechanism, case, fields, doing.facts, doing.actor, doing.now, list(case.clocks))
    if case.seq == 0:
        rows.case = replace(case, raiser=_raiser(doing.actor))
    for name in act.stops:
        rows.stop(name, office=doing.actor.office if _own_row_only(doing, name) else None)
    moved = target(act, doing.core) != case.state or act.to is not None
    if moved and case.seq:
        rows.leave(case.state)
    if core.state in mechanism.ends:
        rows.stop_all()
        return tuple(rows.rows)
    changed = {*act.sets, *act.may_set, *act.assigns}
    if changed:
        rows.hand_on(changed)
    if mechanism.chosen and (changed or act.clears):
        rows.change_ladders()
    for name in act.starts:
        rows.begin(mechanism.clocks[name])
        if name in act.stops:
            rows.stop(name)
    for name in act.restarts:
        rows.restart(mechanism.clocks[name])
    for name in act.rebases:
        rows.rebase(mechanism.clocks[name])
    for name, limit in extensions.limits(act).items():
        rows.extend(name, limit, doing.values.get("until"))
    for name, other in extensions.along(act).items():
        rows.move_along(name, other)
    state = mechanism.states[core.state]
    if moved:
        rows.enter(state, counts)
    elif state.owes:
        rows.report(state, act)
    if kids or any(row.paused_at for row in rows.rows):
        rows.pause(kids)
    return tuple(rows.rows)
