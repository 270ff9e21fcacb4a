"""From the kernel's decision to rows: the act itself, and everything that it sets off in other cases.

In: a held case, a call, the decision. Out: entries in the transaction's ``Work``: of the case, of children
opened or recalled, and of the parent that a child's end reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from fengsui.ledger import mechanisms, registry
from fengsui.ledger.doors import deadlines, facts, numbers, opening, wellformed
from fengsui.ledger.doors.doubles import TAKEN_IN, followers
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.doors.shapes import Refused, refused
from fengsui.ledger.doors.work import Notice, Work, Written, new_id
from fengsui.ledger.kernel.decide import candidates, decide, opening_for
from fengsui.ledger.kernel.people import carried
from fengsui.ledger.kernel.shapes import Act, Actor, Call, Case, Decision, Facts, Mechanism, Open, Refusals
from fengsui.ledger.kernel.times import NoLength
from fengsui.ledger.models import Case as CaseRow
from fengsui.ledger.models import Entry
from fengsui.ledger.words import bigrams

_STATUS = {
    "version": 412,
    "not_yours": 403,
    "same_person": 403,
    "missing": 422,
    "unknown": 422,
    "bad_value": 422,
    "too_few_people": 422,
    "not_of_role": 422,
    "no_such_act": 422,
    "no_office": 409,
}
"""Refusal code → HTTP status; every other one is a conflict with where the case stands."""


_NO_FACTS = Facts(roles={}, holds=frozenset(), truths={}, law={})
"""Enough to find which act a signal fits: only persons need facts for that."""


REPORTER = "reporter"
"""The role of somebody whom no office knows; told through the report's follow-up."""


def status_of(refusals: Refusals) -> int:
    """The status of the first reason, in the kernel's order of checks."""
    return _STATUS.get(refusals.reasons[0].code, 409)


@dataclass(slots=True)
class Passage:
    """One transaction through the doors: its work, and the cases in its hands by id."""

    work: Work
    held: dict[str, Held] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.work.now

    def lock(self, *ids: str) -> list[Held]:
        """The cases of these ids in that order, locked; those that do not exist are left out."""
        wanted = [one for one in ids if one not in self.held]
        self.held.update(read(wanted))
        return [self.held[one] for one in ids if one in self.held]


def perform(passage: Passage, held: Held, call: Call) -> Written:
    """Decide the call on a held case and write what follows. Raises ``Refused``; then the transaction must end."""
    offered = offered_acts(held, call.act)
    parent = passage.held.get(held.case.parent or "")
    gathered = facts.gather(
        held,
        offered,
        call.actor,
        call.values,
        passage.now,
        parent=parent,
        new_ids=_new_ids(held.mechanism, offered, call),
        there=opening.at_site(held, offered, call.values),
    )
    try:
        decision = decide(held.mechanism, held.case, call, gathered.facts, passage.now)
    except NoLength as lacking:
        raise refused(409, "no_length", call.act, str(lacking)) from lacking
    if isinstance(decision, Refusals):
        raise Refused(status_of(decision), decision.reasons)
    if call.actor.kind in ("person", "public"):
        wellformed.demand_there(held, call.values, passage.now, call.actor)
    return apply(passage, held, call, gathered, decision)


def offered_acts(held: Held, name: str) -> list[Act]:
    """The act of that name as the present state offers it; empty where it does not."""
    if held.case.seq == 0:
        return [held.mechanism.opening[name]] if name in held.mechanism.opening else []
    state = held.mechanism.states.get(held.case.state)
    return [act for act in state.actions if act.name == name] if state else []


def _new_ids(mechanism: Mechanism, acts: list[Act], call: Call) -> tuple[str, ...]:
    """Ids for as many children as the act can open at most."""
    opens = sum(len(act.opens) for act in acts)
    for act in acts:
        ends = [mechanism.ends[place] for place in {act.to, act.then} if place is not None and place in mechanism.ends]
        opens += sum(len(end.opens) for end in ends)
    if not opens:
        return ()
    members = sum(len(value) for value in call.values.values() if isinstance(value, list))
    return tuple(new_id() for _ in range(opens * (2 + members) + 8 * bool(mechanism.children)))


def apply(passage: Passage, held: Held, call: Call, gathered: facts.Gathered, decision: Decision) -> Written:
    """Write a decision: entry, columns, clocks, effects, notices, children, the parent."""
    after, now, work = decision.case, passage.now, passage.work
    if held.fresh and held.case.seq == 0:
        opening.entitle(held, after.fields)
    done = [] if decision.signed_only else offered_acts(held, decision.act)
    row = columns_after(opening.at_site(held, done, after.fields), after, gathered, now)
    if decision.numbers and row["number"] is None and held.mechanism.number is not None:
        row["number"] = numbers.give(held.mechanism.number.pattern, row, after.fields, now)
    outer = _effects(held, row, call, decision, now)
    subject = held.row["about_id"]
    before, owner, own = (
        held.case,
        held.row["owner_id"],
        {name: value for name, value in call.values.items() if name in held.mechanism.fields},
    )
    written = work.write(
        held,
        after,
        row,
        deadlines.lines(held, after, gathered.facts, gathered.law),
        act=decision.act,
        actor=call.actor,
        values=own,
        seen=_seen(decision, gathered),
        besides=_besides(decision, outer),
        key=call.key,
        signed_only=decision.signed_only,
    )
    for name in outer:
        work.outbox.append((written, name, {"act": decision.act, "values": own}))
    _tell(work, written, decision, gathered, call.actor)
    _parties(work, held, before, owner, call.actor)
    _files(work, held, written, own)
    if held.fresh or decision.numbers or row["about_id"] != subject:
        _words(work, held)
    for child_id in decision.recalls:
        _recall(passage, held, child_id)
    for one in decision.opens:
        open_child(passage, held, one, call.actor)
    if decision.ended:
        _reach_parent(passage, held, call.actor)
    return written


def _seen(decision: Decision, gathered: facts.Gathered) -> dict[str, Any]:
    seen = dict(decision.facts_seen)
    if gathered.given:
        seen["given"] = dict(gathered.given)
    return seen


def _besides(decision: Decision, outer: list[str]) -> dict[str, Any]:
    told = {
        "opens": [{"mechanism": one.mechanism, "case": one.id} for one in decision.opens],
        "recalls": list(decision.recalls),
        "effects": list(decision.effects),
        "tells": list(decision.tells),
        "signed_only": decision.signed_only,
        "seen_only": decision.seen_only,
    }
    return {name: value for name, value in told.items() if value}


def _effects(held: Held, row: Mapping[str, Any], call: Call, decision: Decision, now: datetime) -> list[str]:
    """Run the inner effects (one that fails refuses the act) and return the outer ones."""
    outer = []
    known = registry.names().effects
    for name in decision.effects:
        if known[name].kind == "outer":
            outer.append(name)
            continue
        try:
            if registry.has_effect(name):
                doing = registry.EffectCall(decision.case, row, decision.act, call.actor, call.values, now)
                registry.effect(name).run(doing)
            else:
                raise registry.Hindered("No room of this installation can carry this out")
        except registry.Hindered as hindrance:
            raise refused(409, "effect", name, str(hindrance)) from hindrance
    return outer


# -------------------------------------------------------------------- columns


def owner_of(mechanism: Mechanism, case: Case, roles: Mapping[str, Any], now: datetime) -> int | None:
    """The office that must act in the case's state; None once it has ended."""
    state = mechanism.states.get(case.state)
    return office_of(state.owner, mechanism, case, roles, now) if state else None


def office_of(word: str, mechanism: Mechanism, case: Case, roles: Mapping[str, Any], now: datetime) -> int | None:
    """The office that a role word or ``field.F`` means for the case as it is now."""
    if not word.startswith("field."):
        return roles.get(word)
    name = word.removeprefix("field.")
    value = case.fields.get(name)
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, int):
        return roles.get("top")
    if mechanism.fields[name].kind in facts.PERSON_KINDS:
        return facts.office_of_person(first, now) or roles.get("top")
    return first


def columns_after(held: Held, after: Case, gathered: facts.Gathered, now: datetime) -> dict[str, Any]:
    """The case's other columns after the act."""
    row, roles = dict(held.row), gathered.facts.roles
    row["owner_id"] = owner_of(held.mechanism, after, roles, now)
    state = held.mechanism.states.get(after.state)
    row["holder_id"] = None
    if state and state.within.kind == "clock":
        holders = [one.holder for one in after.clocks if one.name == state.within.name and one.stopped is None]
        row["holder_id"] = next((holder for holder in holders if holder != row["owner_id"]), None)
    level = after.fields.get("colour") or after.fields.get("grade")
    row["level"] = level if isinstance(level, str) else row["level"]
    row["ended_at"] = now if after.ended and not held.case.ended else row["ended_at"]
    if row["confidential"]:
        row["readers"] = readers_of(held.mechanism, roles)
    return row


def readers_of(mechanism: Mechanism, roles: Mapping[str, Any]) -> list[int]:
    """The offices that may read a confidential case. A reporter is nobody's office: none stands in for who is not known."""
    return sorted({office for word in mechanism.readers if word != REPORTER and (office := roles.get(word)) is not None})


# ------------------------------------------------------------ notices and such


def _tell(work: Work, written: Written, decision: Decision, gathered: facts.Gathered, actor: Actor) -> None:
    held, case = written.held, decision.case
    args = {"act": decision.act, "state": case.state, "mechanism": case.mechanism, "seq": case.seq}
    kind, text = ("end", "This matter has ended") if decision.ended else ("act", "Something was done in this matter")
    told = set()
    for word in dict.fromkeys(decision.tells):
        for office, person in _may_know(held, _recipients(word, held, case, gathered, actor, work)):
            if (office, person) not in told:
                told.add((office, person))
                work.notices.append(Notice(written, word, office, person, kind, text, args))
                if office is not None and not held.row["confidential"]:
                    work.parties.setdefault((case.id, office), "told")


def _may_know(held: Held, recipients: Iterator[tuple[int | None, int | None]]) -> Iterator[tuple[int | None, int | None]]:
    """Of a confidential matter only readers are told, and the person who raised it, never that person's office."""
    for office, person in recipients:
        if not held.row["confidential"] or office in held.row["readers"]:
            yield office, person
        elif person is not None or office is None:
            yield None, person


def _recipients(
    word: str, held: Held, case: Case, gathered: facts.Gathered, actor: Actor, work: Work
) -> Iterator[tuple[int | None, int | None]]:
    if word == "raiser":
        raiser = case.raiser
        if raiser.get("office") or raiser.get("person"):
            yield raiser.get("office"), raiser.get("person")
        elif raiser.get("kind") == "public":
            yield None, None
        yield from followers(case)
    elif word == "holder":
        for one in case.clocks:
            if one.stopped is None:
                yield one.holder, one.person
    elif word == REPORTER:
        if _reported(case):
            yield None, None  # read by whoever follows the report by its secret
    elif word == "parties":
        yield from ((one, None) for one in _took_part(held, case, actor, work))
    elif word == "owner":
        yield held.row["owner_id"], None
    elif office := office_of(word, held.mechanism, case, gathered.facts.roles, work.now):
        yield office, None


def _reported(case: Case) -> bool:
    """Whether a member of the public follows the case: its raiser, or the raiser of what it came from or of a double of that."""
    if case.raiser.get("kind") == "public":
        return True
    followed = Q(raiser__kind="public") | Q(core__counts__has_key=TAKEN_IN)
    return case.parent is not None and CaseRow.objects.filter(followed, pk=case.parent).exists()


def _took_part(held: Held, case: Case, actor: Actor, work: Work) -> list[int]:
    """The offices that raised the case, did any of its mechanism's acts or were climbed to, in the order of their parts."""
    acts = [act.name for act in facts.every_act(held.mechanism)]
    earlier = Entry.objects.filter(case_id=case.id, act__in=acts, office_id__isnull=False).order_by("seq")
    found = [case.raiser.get("office"), *earlier.values_list("office_id", flat=True)]
    if held.fresh or work.moved.get(case.id, 0) > 1:  # acts of this transaction that are not in the database yet
        found += [line.actor.office for _, line in work.entries if line.case == case.id and line.act in acts]
    found += [actor.office, *case.overseers]
    return list(dict.fromkeys(office for office in found if office is not None))


def _parties(work: Work, held: Held, before: Case, owner: int | None, actor: Actor) -> None:
    """Who takes part from now on; the owner and the opener before are parties already."""
    case, row = held.case, held.row
    known = {owner, row["opener_id"]} if before.seq else set()
    for office, kind in ((row["owner_id"], "owned"), (row["holder_id"], "held"), (actor.office, "acted")):
        if office is not None and office not in known and not (row["confidential"] and office not in row["readers"]):
            work.parties.setdefault((case.id, office), kind)
    for office in case.overseers:
        if office not in before.overseers:
            work.parties.setdefault((case.id, office), "overseer")
    for clock in case.clocks:  # whoever a clock runs for must see the case, or could never answer
        if clock.stopped is not None or clock.holder is None or clock in before.clocks or clock.holder in known:
            continue
        if not row["confidential"] or clock.holder in row["readers"]:
            work.parties.setdefault((case.id, clock.holder), "held")
    if before.seq == 0 and row["opener_id"] is not None and not row["confidential"]:
        work.parties.setdefault((case.id, row["opener_id"]), "opened")


def _files(work: Work, held: Held, written: Written, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if held.mechanism.fields[name].kind == "files":
            for digest in value if isinstance(value, list) else []:
                work.files[(held.case.id, held.case.seq, name, digest)] = written


def _words(work: Work, held: Held) -> None:
    open_text = [
        str(held.case.fields[name])
        for name, one in held.mechanism.fields.items()
        if one.kind == "text" and not one.sealed and not one.sealed_until and held.case.fields.get(name)
    ]
    row = held.row
    work.words[held.case.id] = bigrams(row["number"] or "", row["title"], row["title_en"], row["external_number"], *open_text)


# ---------------------------------------------------------- children, parents


def open_child(passage: Passage, parent: Held, one: Open, by: Actor) -> Written:
    """Open a child or follow-up case with the values that the decision gives it."""
    mechanism = mechanisms.current(one.mechanism, exercise=parent.row["exercise"])
    by_parent = opening_for(mechanism, f"parent.{parent.case.mechanism}")
    act = by_parent or opening_for(mechanism, "clock.any")
    if act is None:
        raise refused(409, "no_such_act", one.mechanism, "It cannot be opened from this mechanism")
    held = opening.child(mechanism, parent, one.id or new_id(), by, passage.now)
    passage.held[held.case.id] = held
    passage.opened.append(held.case.id)
    passage.work.links[(parent.case.id, held.case.id, "opened")] = passage.now
    actor = Actor(
        kind="parent" if by_parent else "clock",
        name=parent.case.mechanism if by_parent else "any",
        person=by.person,
        principal=by.principal,
        office=held.row["opener_id"],
        post=by.post,
        kid=parent.case.id,
    )
    return perform(passage, held, Call(act.name, actor, dict(one.values), handed=one.handed))


def _recall(passage: Passage, parent: Held, child_id: str) -> None:
    """End an open child because its parent no longer needs it."""
    found = passage.lock(child_id)
    if not found or found[0].case.ended:
        return
    child = found[0]
    state = child.mechanism.states[child.case.state]
    act = next((act for act in state.actions if "parent.recall" in act.by), None)
    if act is None:
        raise refused(409, "child_open", child.case.mechanism, "The child cannot be recalled in its state; end it first")
    perform(passage, child, Call(act.name, Actor(kind="parent", name="recall", kid=parent.case.id)))


def _reach_parent(passage: Passage, child: Held, by: Actor) -> None:
    """Tell the open parent of a joined child's end: the act that answers it, first in the file."""
    parent = passage.held.get(child.case.parent or "")
    if parent is None or parent.case.ended or by.kind == "parent":
        return
    if not any(kid.id == child.case.id and kid.state == "open" for kid in parent.case.kids):
        return
    actor = Actor(kind="child", name=child.case.mechanism, end=child.case.state, kid=child.case.id, persons=carried(child.case))
    fitting = candidates(parent.mechanism, parent.case, actor, _NO_FACTS)
    if not fitting:
        return
    takes = {*fitting[0].sets, *fitting[0].may_set, *(("until",) if fitting[0].extends else ())}
    values = {name: value for name, value in child.case.fields.items() if name in takes}
    perform(passage, parent, Call(fitting[0].name, actor, values))
