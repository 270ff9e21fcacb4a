"""Correcting a fact by a further entry: the entry that was wrong, old and new, the grounds. Nothing is rewritten.

In: a case, the entry and field, the right value. Out: an entry ``correct``; the case's field follows where that entry gave
it. A correction decides nothing: what steers a case (who answers, how long, its level) only acts change, every condition
that was asked of the wrong value is asked of the right one, and signatures given on the wrong one are void.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from fengsui.ledger.doors import facts, persons_acts, wellformed
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.naming import LONGEST, takes_words, titles_of
from fengsui.ledger.doors.persons_acts import Asked
from fengsui.ledger.doors.shapes import Receipt, Refused, refused
from fengsui.ledger.doors.single import append_in
from fengsui.ledger.doors.work import Written
from fengsui.ledger.kernel.guards import PURE, Look
from fengsui.ledger.kernel.people import natural, unfit_for
from fengsui.ledger.kernel.shapes import Act, Actor, Case, Guard, Mechanism, Refusal, Table
from fengsui.ledger.kernel.values import blank, wrong
from fengsui.ledger.models import Entry, EvidenceUse
from fengsui.ledger.seals import change

ACT = "correct"
TITLE = "case.title"
"""The case's title, which no field holds; its opening gave it."""
CORRECTED = gettext_noop("Something in this matter was corrected")


@dataclass(frozen=True, slots=True)
class Correction:
    """What entry ``entry`` should have said in ``field``; ``value`` as the kernel keeps it, None to take it out."""

    entry: int
    field: str
    value: Any
    grounds: str


@dataclass(slots=True)
class _Past:
    """An entry as it was: its record, the fields before it, the act it did."""

    entry: Entry
    record: Mapping[str, Any]
    before: dict[str, Any]

    @property
    def signed_only(self) -> bool:
        return bool(self.record.get("besides", {}).get("signed_only"))


def correct(case_id: str, one: Correction, actor: Actor, *, now: datetime, expects: int | None = None, key: str = "") -> Receipt:
    """Write the correction.

    Raises ``Refused`` 404 no such case or entry · 412 · 403 who neither wrote the entry nor answers for the case, or whose
    own verified work it is · 409 a field that steers, a condition that would not have held · 422 a value that is none.
    """
    grounds = persons_acts.demand_grounds(one.grounds)
    given = {"entry": one.entry, "field": one.field, "value": one.value, "grounds": grounds}

    def doing(passage: Passage, held: Held) -> Written:
        return _Correcting(passage, held, replace(one, grounds=grounds), actor).write()

    return persons_acts.carry_out(Asked(ACT, case_id, actor, given, expects, key), doing, now)


class _Correcting:
    """One correction of one held case."""

    def __init__(self, passage: Passage, held: Held, one: Correction, actor: Actor) -> None:
        self.passage, self.held, self.one, self.actor = passage, held, one, actor
        self.past = list(_past(held))
        found = next((past for past in self.past if past.entry.seq == one.entry), None)
        if found is None:
            raise refused(404, "no_such_case", "entry", gettext_noop("There is no such entry"))
        if found.entry.body is None:
            raise refused(409, "erased", "entry", gettext_noop("This entry's content was erased by law"))
        self.target = found
        self.old = self._old()
        self.done = self._done()

    def write(self) -> Written:
        """Check it all, then write entry, field, files and notices."""
        one, held = self.one, self.held
        self._demand_person()
        if one.field == TITLE:
            self._demand_title()
        else:
            self._demand_value()
            self._demand_unsteering()
            self._demand_guards()
        if one.value == self.old:
            raise refused(422, "bad_value", one.field, gettext_noop("it says so already"))
        values = {
            "entry": one.entry, "field": one.field, "was": {one.field: self.old}, "becomes": {one.field: one.value},
            "grounds": one.grounds,
        }  # fmt: skip
        columns = self._titles() if one.field == TITLE else {}
        written = append_in(self.passage, held, ACT, self.actor, self._after(), values=values, columns=columns)
        self._files(written)
        self._tell(written)
        persons_acts.rewrite_words(held)
        return written

    # ------------------------------------------------------------------ what was

    def _old(self) -> Any:
        """What the entry says, with the corrections made so far."""
        name = self.one.field
        given = name == TITLE or name in self.target.record.get("values", {})
        opening = name != TITLE or self.one.entry == 1
        if past_own(self.target.entry.act, self.target.record) or not given or not opening:
            raise refused(422, "unknown", name, gettext_noop("this entry did not give it; name the one that did"))
        return said_now(self.held, self.one.entry, name)

    def _done(self) -> _Past:
        """The entry that did the act: the last signature where several persons signed."""
        if not self.target.signed_only:
            return self.target
        for past in self.past:
            later = past.entry.seq > self.one.entry and past.entry.act == self.target.entry.act
            if later and not past.signed_only:
                return past
        why = gettext_noop("it only waits for a further signature: do the act anew with the right value")
        raise refused(409, "not_offered", self.one.field, why)

    def _stands(self) -> bool:
        """Whether the case's present value is the one that this entry gave."""
        if self.one.field == TITLE:
            return False
        later = [past for past in self.past if past.entry.seq > self.done.entry.seq and past.entry.act != ACT]
        return not any(self.one.field in _touched(past.record) for past in later)

    # --------------------------------------------------------------- who, what

    def _demand_person(self) -> None:
        held, entry, people = self.held, self.target.entry, natural(self.actor)
        verified = self.done.entry.act in held.case.verified
        owner = persons_acts.answers(held, self.actor, self.passage.now)
        wrote = bool(people & {entry.person_id, entry.principal_id} - {None})
        if verified or held.case.ended:
            if not (owner or (wrote and not verified)):
                raise refused(403, "not_yours", ACT, "owner")
            did = "opened" if self.done.entry.seq == 1 else self.done.entry.act
            if people & held.case.persons.get(did, frozenset()):
                raise refused(403, "same_person", self.done.entry.act, "another person")
        elif not (owner or wrote):
            raise refused(403, "not_yours", ACT, "owner")

    def _demand_title(self) -> None:
        if not takes_words(self.held.mechanism):
            raise refused(422, "unknown", TITLE, gettext_noop("its title is made of its number and fields and takes no words"))
        value = self.one.value
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
            raise refused(422, "bad_value", TITLE, gettext_noop("give a title of at most 300 characters"))

    def _titles(self) -> dict[str, str]:
        """The title as it should be; in English it is made of the right words, as at the opening."""
        new = str(self.one.value).strip()
        _, english = titles_of(self.held.mechanism, self.held.row, self.held.case.fields, {"zh": new, "en": ""})
        return {"title": new, "title_en": english}

    def _demand_value(self) -> None:
        one, held, now = self.one, self.held, self.done.entry.at
        field, act = held.mechanism.fields[one.field], act_named(held.mechanism, self.target.entry.act)
        if blank(one.value):
            if act is None or one.field not in act.may_set:
                raise refused(422, "missing", one.field, gettext_noop("give the right value in its place"))
            return
        gathered = facts.gather(held, (), self.actor, {one.field: one.value}, now, judged=False)
        if unfit := unfit_for(held.mechanism, one.field, one.value, gathered.facts):
            raise Refused(422, (unfit,))
        if says := wrong(field, one.value, self.done.before, gathered.facts, now):
            raise Refused(422, (Refusal("bad_value", one.field, says.says, says.args),))
        wellformed.demand_there(held, {one.field: one.value}, self.passage.now, self.actor)

    def _demand_unsteering(self) -> None:
        """What decides who answers, how long and at which level is changed by an act, never by a correction."""
        name, held = self.one.field, self.held
        if name in steering(held.mechanism, self.passage.now):
            why = gettext_noop("it decides who answers, how long or how grave: an act changes it, not a correction")
            raise refused(409, "steers", name, why)
        if held.case.ended:
            return
        for act in held.mechanism.states[held.case.state].actions:
            gives = name in act.sets or name in act.may_set
            if gives and any(name in _reads(held.mechanism, guard) for guard in _flat(act.needs)):
                why = gettext_noop("an act of the present state gives it anew and asks its conditions: do that")
                raise refused(409, "steers", name, why)

    def _demand_guards(self) -> None:
        """Every condition that was asked of the wrong value is asked of the right one."""
        for past in self.past:
            act = act_named(self.held.mechanism, past.entry.act)
            if act is None or past.entry.seq < self.one.entry or past.entry.body is None:
                continue
            own = past.entry.seq in (self.one.entry, self.done.entry.seq)
            for guard in _flat(act.needs):
                if self._concerned(guard, own, past) and not self._holds(guard, past, own):
                    raise refused(409, "guard", guard.name, self._why(guard))

    def _concerned(self, guard: Guard, own: bool, past: _Past) -> bool:
        if not guard.registered or past.record.get("seen", {}).get(guard.name) is not True:
            return False
        declared = self.held.mechanism.guards.get(guard.name, {})
        reads = self.one.field in declared.get("fields", ())
        return reads or (own and any(str(fact).startswith("actor.") for fact in declared.get("facts", ())))

    def _holds(self, guard: Guard, past: _Past, own: bool) -> bool:
        values = dict(past.record.get("values", {}))
        fields = dict(past.before)
        if own:
            values[self.one.field] = self.one.value
        elif self.one.field not in values:
            fields[self.one.field] = self.one.value
        entry, before = past.entry, replace(self.held.case, fields=fields, state=past.entry.state_before)
        actor = Actor("person", entry.person_id, entry.principal_id, entry.office_id, entry.post_id)
        held = replace(self.held, case=before)
        if guard.name in PURE:
            gathered = facts.gather(held, (), actor, values, entry.at, judged=False)
            given = {**gathered.facts.given, **past.record.get("seen", {}).get("given", {})}
            return PURE[guard.name](Look(before, values, replace(gathered.facts, given=given), entry.at))
        truths, _, _ = facts.judge([guard.name], held, entry.act, actor, values, entry.at)
        return truths.get(guard.name, False)

    def _why(self, guard: Guard) -> str:
        from fengsui.ledger import registry

        return registry.guard(guard.name).why if registry.has_guard(guard.name) else ""

    # --------------------------------------------------------------- what follows

    def _after(self) -> Case:
        case, act = self.held.case, self.done.entry.act
        after = replace(case, signed={}, pending={})
        if self._stands():
            fields = {name: value for name, value in case.fields.items() if name != self.one.field}
            if not blank(self.one.value):
                fields[self.one.field] = self.one.value
            after = replace(after, fields=fields)
        name = "opened" if self.done.entry.seq == 1 else act
        if name in case.persons:  # whoever mends a piece of work has a hand in it, and may not verify it
            after = replace(after, persons={**case.persons, name: case.persons[name] | natural(self.actor)})
        return after

    def _files(self, written: Written) -> None:
        name, held = self.one.field, self.held
        if name == TITLE or held.mechanism.fields[name].kind != "files":
            return
        old, new = set(self.old or ()), set(self.one.value or ())
        uses = EvidenceUse.objects.filter(case_id=held.case.id, field=name, withdrawn_seq__isnull=True)
        uses.filter(evidence_id__in=old - new, entry__seq__lte=self.done.entry.seq).update(withdrawn_seq=held.case.seq)
        for digest in sorted(new - old):
            self.passage.work.files[(held.case.id, held.case.seq, name, digest)] = written

    def _tell(self, written: Written) -> None:
        held, entry = self.held, self.target.entry
        told: list[tuple[str, int | None, int | None]] = []
        for role, office in (("owner", held.row["owner_id"]), ("writer", entry.office_id)):
            if office is not None and office != self.actor.office:
                told.append((role, office, None))
        act = act_named(held.mechanism, entry.act)
        raiser = persons_acts.raiser_of(held)
        if raiser is not None and act is not None and "raiser" in act.tells and raiser[2] not in natural(self.actor):
            told.append(raiser)
        persons_acts.tell(self.passage.work, written, CORRECTED, *told)


# ------------------------------------------------------------------ the past


def said_now(held: Held, seq: int, field: str) -> Any:
    """What entry ``seq`` says in the field, with the corrections made so far; None where it gave nothing."""
    known = None
    for past in _past(held):
        values = past.record.get("values", {})
        if past.entry.seq == seq:
            known = held.row["title"] if field == TITLE else values.get(field)
        elif past.entry.act == ACT and values.get("entry") == seq and values.get("field") == field:
            known = values["becomes"].get(field)
    return known


def _past(held: Held) -> Iterator[_Past]:
    """The entries in order, each with the fields before it; erased ones leave a gap until a later entry restates all."""
    known: change.Plain = {}
    for entry in Entry.objects.filter(case_id=held.case.id).order_by("seq"):
        record = entry.content()
        yield _Past(entry, record, dict(known.get("fields", {})))
        whole = record.get("besides", {}).get("whole")
        known = dict(whole) if whole else change.apply(known, record.get("change", {}))


def _touched(record: Mapping[str, Any]) -> set[str]:
    step = record.get("change", {}).get("fields", {})
    return {*step.get("+", ()), *step.get("-", ())}


def past_own(act: str, record: Mapping[str, Any]) -> bool:
    """Whether an entry is one of the ledger's own acts, whose content nobody typed into a field.

    A task could once be "moved" to another office; the ledger's own move says from which version to which it went.
    """
    from fengsui.ledger.doors.single import LEDGER_ACTS

    return act in LEDGER_ACTS and (act != "move" or "to" in record.get("besides", {}))


def act_named(mechanism: Mechanism, name: str) -> Act | None:
    """The act of that name, whichever state offers it."""
    if name in mechanism.opening:
        return mechanism.opening[name]
    return next((state.offers[name] for state in mechanism.states.values() if name in state.offers), None)


def correctable(mechanism: Mechanism, record: Mapping[str, Any], hidden: frozenset[str], now: datetime) -> list[str]:
    """The fields that the entry gave and a correction may concern, for a form."""
    closed = steering(mechanism, now) | hidden
    return [name for name in record.get("values", {}) if name in mechanism.fields and name not in closed]


# ------------------------------------------------------------ what steers, reads


def steering(mechanism: Mechanism, now: datetime) -> frozenset[str]:
    """The fields on which owner, holders, actors, lengths of time, ladders, subject, level or the one-open-case rule depend."""
    words = {state.owner for state in mechanism.states.values()}
    words |= {clock.holder for clock in mechanism.clocks.values()}
    for act in facts.every_act(mechanism):
        words |= set(act.by)
    found = {word.removeprefix("field.") for word in words if word.startswith("field.")}
    for clock in mechanism.clocks.values():
        found |= {clock.since} if clock.since else set()
        found |= {clock.amount.name} if clock.amount.kind == "field" else set()
    lengths, _ = facts.law_of(mechanism, now)
    found |= {length.key for length in lengths.values() if isinstance(length, Table)}
    found |= {name for name in mechanism.key if name in mechanism.fields}
    found |= {act.about for act in facts.every_act(mechanism) if act.about}
    found |= {chosen.field for chosen in mechanism.chosen.values()}
    return frozenset(found | ({"colour", "grade"} & set(mechanism.fields)))


def _flat(guards: tuple[Guard, ...]) -> Iterator[Guard]:
    for guard in guards:
        yield from guard.any_of or (guard,)


def _reads(mechanism: Mechanism, guard: Guard) -> tuple[str, ...]:
    return tuple(mechanism.guards.get(guard.name, {}).get("fields", ())) if guard.registered else ()
