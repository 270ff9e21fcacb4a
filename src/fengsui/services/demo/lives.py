"""Open cases for the demonstration: each is led through the ledger's doors to the state it shall rest in.

Nothing is written behind the doors' back: every act is done by a person who may do it, at its own moment
in the past, so the ledger that a visitor finds verifies and rebuilds like any other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fengsui.law import numbers
from fengsui.ledger import doors, evidence, mechanisms
from fengsui.ledger.doors import facts
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.doors.opening import blank
from fengsui.ledger.kernel.guards import GRADES
from fengsui.ledger.kernel.shapes import Act, Actor, Call, Field, Guard, Mechanism
from fengsui.ledger.reading.choosable import Choosable
from fengsui.moment import LEGAL_ZONE
from fengsui.region import roles
from fengsui.region.models import Site
from fengsui.region.tree import tree

from .drawing import Chance, data

COLOURS = ("red", "orange", "orange", "yellow", "yellow", "yellow", "blue", "blue")


class Stuck(RuntimeError):
    """A life could not be led on: the act, and why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a case is about."""

    about: doors.About
    site: Site | None


def personal(act: Act) -> bool:
    """Whether a person of an office does it, in the case or in one that it waits for."""
    led = not any(word.startswith(("event.", "clock.", "parent.")) for word in act.by[:1])
    return led and act.about is None  # cases of the demonstration know their site from the start


def _end_of_child(act: Act) -> tuple[str, str] | None:
    """The child's kind and end that the act answers."""
    head, _, rest = act.by[0].partition(".") if act.by else ("", "", "")
    kind, _, end = rest.partition(".")
    return (kind, end) if head == "child" else None


def _opens(act: Act) -> bool:
    named = act.by[0] if act.by else ""
    return act.name == "by_alarm" or (named in roles.roles() and named not in ("public", "top", "commission"))


def way(mechanism: Mechanism, state: str, target: str) -> list[Act] | None:
    """The shortest chain of persons' acts from one state to another; None where there is none."""
    queue: deque[tuple[str, list[Act]]] = deque([(state, [])])
    seen: set[str] = set()
    while queue:
        at, chain = queue.popleft()
        if at == target and chain:
            return chain
        if at in seen or at not in mechanism.states:
            continue
        seen.add(at)
        onward = [act for act in mechanism.states[at].actions if act.to and act.to != at and personal(act)]
        queue.extend((act.to or "", [*chain, act]) for act in onward)
    return None


def road(mechanism: Mechanism, target: str) -> list[Act]:
    """The shortest chain of acts, an opening first, from nothing to a state or end.

    A state that only a spent bound leads to (``then``) is reached by spending the bound. Raises ``Stuck`` where
    persons alone cannot get there.
    """
    found: list[list[Act]] = []
    for opening in mechanism.opening.values():
        if not _opens(opening) or not opening.to:
            continue
        if opening.to == target:
            found.append([opening])
        elif (rest := way(mechanism, opening.to, target)) is not None:
            found.append([opening, *rest])
    if found:
        return min(found, key=len)
    for state in mechanism.states.values():
        for act in state.actions:
            if act.then == target and act.to and (back := way(mechanism, act.to, state.name)) is not None:
                return [*road(mechanism, state.name), *([act, *back] * (act.at_most or 1)), act]
    raise Stuck(f"{mechanism.name}: persons alone do not reach {target!r}")


class Lives:
    """Leads cases. ``photo(site, at)`` stores an evidence file taken there and gives its digest."""

    def __init__(self, chance: Chance, now: datetime, photo: Callable[[Site | None, datetime], str]) -> None:
        self.chance, self.now, self.photo = chance.random, now, photo
        self.words: Mapping[str, list[str]] = data("cases")["texts"]
        self.taken: set[str] = set()  # the photos of the act in hand
        self.doing: tuple[Held, Act] | None = None  # the case in hand, for whom its fields may name

    # ------------------------------------------------------------------ leading

    def lead(self, name: str, target: str, subject: Subject, start: datetime, step: timedelta) -> str:
        """Open a case and lead it to ``target``; each act comes ``step`` (give or take half) after the one before."""
        mechanism = mechanisms.current(name)
        chain, at = road(mechanism, target), start
        case = self._open(mechanism, chain[0], subject, at)
        for act in chain[1:]:
            at = min(self.now - timedelta(seconds=1), at + step * (0.5 + self.chance.random()))
            self._step(case, act, subject, at)
        return case

    def _step(self, case: str, act: Act, subject: Subject, at: datetime) -> None:
        awaited = _end_of_child(act)
        if awaited is None:
            self._kids(case, act, subject, at)
            self._do(case, act, subject, at)
            return
        held = read([case], lock=False)[case]
        for kid in held.case.kids:  # its end moves the case by itself
            if kid.kind == awaited[0] and kid.state == "open":
                self._lead_on(kid.id, awaited[1], subject, at)

    def _open(self, mechanism: Mechanism, act: Act, subject: Subject, at: datetime) -> str:
        self.doing = blank(mechanism, subject.about, Actor("system", office=tree().top), at), act
        values = self._values(mechanism, act, {}, subject, at)
        if act.by[0].startswith("event."):
            actor = Actor("event", name=act.by[0].removeprefix("event."))
        else:
            actor = self._opener(act, subject, at)
        self._bring(actor, at)
        key = f"demo-{mechanism.name}-{subject.about.id}-{at.isoformat()}"
        return doors.open(mechanism.name, act.name, values, actor, subject.about, key=key, now=at).case

    def _opener(self, act: Act, subject: Subject, at: datetime) -> Actor:
        where = facts.Whereabouts(
            subject.about.kind,
            subject.about.id,
            subject.about.place_code or None,
            subject.about.duty,
            subject.site.pk if subject.site else None,
            None,
            None,
            None,
            None,
        )
        for word in act.by:
            office = roles.resolve(word, where, at)
            for actor in self._people(word, office, at):
                return actor
        raise Stuck(f"{act.name}: nobody may open it about {subject.about}")

    def _do(self, case: str, act: Act, subject: Subject, at: datetime) -> None:
        held = read([case], lock=False)[case]
        signed, why = 0, ""
        self.doing = held, act
        given = self._values(held.mechanism, act, held.case.fields, subject, at)
        above = read([held.case.parent], lock=False) if held.case.parent else {}
        named = {
            one.case.fields.get(name)
            for one in (held, *above.values())
            for name, field in one.mechanism.fields.items()
            if field.kind == "person"
        }
        for actor in self._actors(held, act, at):
            if act.does and actor.person in named:
                continue  # whoever is to judge the work must not have done it
            seq = read([case], lock=False)[case].case.seq
            self._bring(actor, at)
            try:
                doors.act(case, Call(act.name, actor, given, expects=seq, key=f"demo-{case}-{seq}"), now=at)
            except doors.Refused as refusal:
                why = str(refusal)
                continue
            signed += 1
            at += timedelta(minutes=3)
            if signed == act.signatures:
                return
        raise Stuck(f"{held.mechanism.name}.{act.name} in {held.case.state}: {why or 'nobody may do it'}")

    def _bring(self, actor: Actor, at: datetime) -> None:
        """Whoever acts sends the photo in themselves: a file that no case carries yet is its uploader's alone."""
        for digest in self.taken:
            evidence.bring(digest, actor, at)

    def _photo(self, site: Site | None, at: datetime) -> list[str]:
        digest = self.photo(site, at)
        self.taken.add(digest)
        return [digest]

    def _kids(self, case: str, act: Act, subject: Subject, at: datetime) -> None:
        """End the children that the act waits for."""
        waited = {guard.about for guard in _exact(act.needs) if guard.name in ("ended", "none_open")}
        held = read([case], lock=False)[case]
        for kid in held.case.kids:
            if kid.kind in waited and kid.state == "open":
                child = read([kid.id], lock=False)[kid.id]
                end = next(name for name, one in child.mechanism.ends.items() if one.unverified is None)
                self._lead_on(kid.id, end, subject, at)

    def _lead_on(self, case: str, target: str, subject: Subject, at: datetime) -> None:
        while (held := read([case], lock=False)[case]).case.state != target:
            chain = way(held.mechanism, held.case.state, target)
            if not chain:
                raise Stuck(f"{held.mechanism.name}: no way from {held.case.state} to {target}")
            self._do(case, chain[0], subject, at - timedelta(minutes=10))

    # ------------------------------------------------------------------- people

    def _people(self, word: str, office: int | None, at: datetime) -> Iterator[Actor]:
        picture, role = tree(), word.removesuffix(".up")
        for term in picture.terms.get(office or -1, ()):
            plain = role not in roles.roles()
            if term.runs(at) and (plain or roles.holds(term.person, term.post, role, office, at)):
                yield Actor("person", person=term.person, principal=None, office=office, post=term.post)

    def _actors(self, held: Held, act: Act, at: datetime) -> Iterator[Actor]:
        """Everybody who may do the act by role, in the order of the act's ``by``."""
        parent = read([held.case.parent], lock=False).get(held.case.parent) if held.case.parent else None
        words = act.by or (held.mechanism.states[held.case.state].owner,)
        offices = facts.resolve(facts.words_used(held.mechanism.digest), facts.whereabouts(held, parent), at)
        offices |= facts.person_offices(held, {}, at)
        for word in words:
            named = held.case.fields.get(word.removeprefix("field."))
            field = held.mechanism.fields.get(word.removeprefix("field."))
            if word.startswith("field.") and field is not None and field.kind == "person":
                yield from (one for one in self._people(word, offices.get(word), at) if one.person == named)
            elif word.startswith("field."):
                yield from self._people(word, named if isinstance(named, int) else None, at)
            else:
                yield from self._people(word, offices.get(word), at)

    # ------------------------------------------------------------------- values

    def _values(self, mechanism: Mechanism, act: Act, old: Mapping[str, Any], subject: Subject, at: datetime) -> dict[str, Any]:
        self.taken.clear()
        found = {name: self._value(mechanism.fields[name], subject, at, old) for name in act.sets}
        if "photos" in act.may_set and subject.site is not None:
            found["photos"] = self._photo(subject.site, at)
        for kind in act.opens:
            child = mechanisms.current(kind)
            opening = next((one for one in child.opening.values() if f"parent.{mechanism.name}" in one.by), None)
            if opening is not None and kind in mechanism.children:
                asked = set(opening.sets) - set(mechanism.children[kind].gives)
                found[kind] = {name: self._value(child.fields[name], subject, at, {}) for name in sorted(asked)}
        return found

    def _value(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> Any:
        if field.acts_as:
            return self._somebody(field, at)
        made = getattr(self, f"_{field.kind}", None)
        return made(field, subject, at, old) if made else self._text(field, subject, at, old)

    def _text(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> str:
        return self.chance.choice(self.words.get(field.name) or [str(field.title.get("zh", field.name))])

    def _choice(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> str:
        if field.name == "colour":
            return self.chance.choice(COLOURS)
        if field.name == "grade":  # the figures that are made up here are those of an ordinary accident
            return GRADES[0]
        if isinstance(field.of, str) and field.of:
            rows = numbers.choices(field.of.removeprefix("law."), at.astimezone(LEGAL_ZONE).date())
            own = [row.code for row in rows if row.number.name.rpartition(".")[2] in _criteria(subject)]
            return self.chance.choice(own or [row.code for row in rows])
        return self.chance.choice(list(field.of)) if field.of else "pressure"

    def _money(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> int:
        return self.chance.randrange(5, 400) * 1_000_00

    def _number(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> int:
        return self.chance.randrange(0, 3)

    def _date(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> str:
        if field.before == "now":
            return at.astimezone(LEGAL_ZONE).date().isoformat()
        return (self.now.astimezone(LEGAL_ZONE).date() + timedelta(days=self.chance.randrange(2, 40))).isoformat()

    def _time(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> str:
        return at.isoformat()

    def _files(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> list[str]:
        return self._photo(subject.site, at)

    def _somebody(self, field: Field, at: datetime) -> int | list[int]:
        """An office or a person that the door takes for this field of the act in hand."""
        assert self.doing is not None
        held, act = self.doing
        choice = Choosable(held, act, field.name, Actor("system"), at)
        if field.kind in ("person", "people"):
            able = sorted(choice.persons())
        else:
            able = [one for one in sorted(tree().offices) if choice.office(one)]
        if not able:
            raise Stuck(f"{held.mechanism.name}.{act.name}: nobody can be named as {field.name}")
        found = self.chance.choice(able)
        return [found] if field.kind in ("people", "offices") else found

    def _offices(self, field: Field, subject: Subject, at: datetime, old: Mapping[str, Any]) -> list[int]:
        below = [one.id for one in tree().offices.values() if one.kind == "bureau" and one.parent == tree().top]
        return sorted(self.chance.sample(sorted(below), min(3, len(below)))) or [tree().top or 0]


def _criteria(subject: Subject) -> set[str]:
    industry = subject.site.industry if subject.site else ""
    return {"hazchem": {"hazchem"}, "mines": {"coal", "noncoal"}}.get(industry, {"industry_trade"})


def _exact(needs: tuple[Guard, ...]) -> Iterator[Guard]:
    for guard in needs:
        yield guard
        yield from guard.any_of
