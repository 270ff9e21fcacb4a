"""One case as its page shows it: head, acts, timeline, clocks, ladder, lineage, evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fengsui.ledger import mechanisms, names
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.kernel.times import later
from fengsui.ledger.models import Case, Clock, Entry, Evidence, Link, Rung
from fengsui.ledger.reading.possible import Cannot, May, may
from fengsui.ledger.reading.scoped import cases
from fengsui.ledger.reading.sealed import files, hidden_fields, shown
from fengsui.region.acting import Acting

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """What the case is, whose it is, where it stands."""

    case: Case
    mechanism: Mechanism
    state_title: Words
    owner: Words
    holder: Words
    opener: Words
    overseers: tuple[Words, ...]
    fields: Mapping[str, Any]  # without what is sealed from this reader


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the timeline. ``content`` holds values and facts; empty where it was erased by law."""

    entry: Entry
    person: str
    principal: str
    office: Words
    actor: Mapping[str, Any]
    values: Mapping[str, Any]
    seen: Mapping[str, Any]
    signed_only: bool
    erased: bool
    unverified_past: bool  # 历史导入，本系统未核验


@dataclass(frozen=True, slots=True)
class ClockLine:
    """A clock with its holder's name and whether it runs over."""

    clock: Clock
    holder: Words
    overdue: bool


@dataclass(frozen=True, slots=True)
class RungLine:
    """One rung of the ladder of the most urgent clock: fired already, or to come."""

    clock: str
    at: datetime
    written: str
    tells: tuple[str, ...]
    climbs: str | None
    fired_at: datetime | None
    climbed_to: Words


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A case that this one led to or came from, if the reader may see it."""

    case: Case
    kind: str
    forward: bool


@dataclass(frozen=True, slots=True)
class CasePage:
    """Everything that a case's page shows, already cut to what its reader may see."""

    head: Head
    may: list[May]
    cannot: list[Cannot]
    timeline: list[Line]
    clocks: list[ClockLine]
    ladder: list[RungLine]
    links: list[LinkLine]
    evidence: list[Evidence]
    walked: tuple[str, ...]  # the states passed through, for the drawing


def page(case: Case, acting: Acting, now: datetime, *, actings: Sequence[Acting] | None = None) -> CasePage:
    """Everything about a case that the reader was already found to see (``case_or_404``)."""
    mechanism = mechanisms.version(case.version_id)
    held = read([str(case.pk)], lock=False)[str(case.pk)]
    entries = list(Entry.objects.filter(case=case).order_by("seq"))
    clocks = list(Clock.objects.filter(case=case).order_by("id"))
    rungs = list(Rung.objects.filter(clock__case=case).order_by("clock_id", "rung"))
    offices = names.offices(
        [case.owner_id, case.holder_id, case.opener_id, *held.case.overseers, *(one.office_id for one in entries)]
        + [one.holder_id for one in clocks]
        + [one.climbed_to for one in rungs]
    )
    persons = names.persons([one.person_id for one in entries] + [one.principal_id for one in entries])
    hidden = hidden_fields(mechanism, held, acting, entries, now)
    possible, others = may(case, acting, now)
    return CasePage(
        head=_head(case, mechanism, held, offices, hidden),
        may=possible,
        cannot=others,
        timeline=[_line(one, offices, persons, hidden) for one in entries],
        clocks=[ClockLine(one, _name(offices, one.holder_id), one.stopped is None and one.due < now) for one in clocks],
        ladder=_ladder(mechanism, clocks, rungs, offices),
        links=_links(case, actings or [acting]),
        evidence=_evidence(case, hidden, acting),
        walked=tuple(dict.fromkeys(one.state_after for one in entries)),
    )


def _name(offices: Mapping[int, Words], known: int | None) -> Words:
    return offices.get(known, names.NOBODY) if known is not None else names.NOBODY


def _head(case: Case, mechanism: Mechanism, held: Held, offices: Mapping[int, Words], hidden: frozenset[str]) -> Head:
    place = mechanism.states.get(case.state) or mechanism.ends.get(case.state)
    return Head(
        case=case,
        mechanism=mechanism,
        state_title=dict(place.title) if place else {},
        owner=_name(offices, case.owner_id),
        holder=_name(offices, case.holder_id),
        opener=_name(offices, case.opener_id),
        overseers=tuple(_name(offices, one) for one in held.case.overseers),
        fields=shown(held.case.fields, hidden),
    )


def _line(entry: Entry, offices: Mapping[int, Words], persons: Mapping[int, str], hidden: frozenset[str]) -> Line:
    content = entry.content()
    besides = content.get("besides", {})
    return Line(
        entry=entry,
        person=persons.get(entry.person_id or 0, ""),
        principal=persons.get(entry.principal_id or 0, ""),
        office=_name(offices, entry.office_id),
        actor=content.get("actor", {}),
        values=shown(content.get("values", {}), hidden),
        seen=content.get("seen", {}),
        signed_only=bool(besides.get("signed_only")),
        erased=entry.body is None,
        unverified_past=bool(besides.get("unverified")),
    )


def _ladder(mechanism: Mechanism, clocks: Sequence[Clock], rungs: Sequence[Rung], offices: Mapping[int, Words]) -> list[RungLine]:
    """The rungs of the most urgent running clock, fired and to come."""
    running = [one for one in clocks if one.stopped is None and one.current]
    if not running:
        return []
    first = min(running, key=lambda one: one.due)
    steps = mechanism.ladders.get(first.ladder, ())
    fired = {one.rung: one for one in rungs if one.clock_id == first.pk}
    found = []
    for number, step in enumerate(steps):
        done = fired.get(number) or fired.get(number + 1) if first.rung > number else None
        found.append(
            RungLine(
                clock=first.name,
                at=later(first.due, step.offset),
                written=step.at,
                tells=step.tells,
                climbs=step.climbs,
                fired_at=done.fired_at if done else None,
                climbed_to=_name(offices, done.climbed_to if done else None),
            )
        )
    return found


def _links(case: Case, actings: Sequence[Acting]) -> list[LinkLine]:
    out = dict(Link.objects.filter(from_case=case).values_list("to_case_id", "kind"))
    back = dict(Link.objects.filter(to_case=case).values_list("from_case_id", "kind"))
    if not out and not back:
        return []
    visible = cases(actings).filter(pk__in=[*out, *back])
    return [LinkLine(one, out.get(one.pk) or back[one.pk], one.pk in out) for one in visible]


def _evidence(case: Case, hidden: frozenset[str], acting: Acting) -> list[Evidence]:
    return list(dict.fromkeys(use.evidence for use in files(case, hidden, acting)))
