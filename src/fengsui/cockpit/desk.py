"""The desk: what needs me first, over all my posts.

The order is the order in which people are hurt, and the page says it: red warnings that wait for my answer, then orange
ones, then everything else by its clock, overdue first. A warning counts as answered when nothing of it waits for my
offices any more. In: the reader's posts and the time. Out: the context of ``cockpit/parts/desk_lines.html``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from fengsui.cockpit import times
from fengsui.cockpit.cards import kind
from fengsui.ledger import casepage, drawing, filters, mechanisms, names, reading, titles
from fengsui.ledger.models import LEVELS, Case, Clock
from fengsui.ledger.reading import DeskLine
from fengsui.ledger.reading.desk import URGENT
from fengsui.region.acting import Acting

SHOWN = 40
"""Lines of the page; the rest stand in the list, one click away."""

WITH_ACTS = 25
"""So many lines carry their acts; the rest are opened to act."""

INLINE = 2
SOON = timedelta(minutes=30)
"""A clock this near shows whom to phone."""

WATCHED = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the desk."""

    case: Case
    acting: Acting
    mechanism: str
    state: str
    phase: str
    owner: str
    due: datetime | None
    start: datetime | None
    paused: bool
    later: str  # for a calm clock: the moment it falls due
    can: list[casepage.Can]
    calls: list[dict[str, Any]]  # the number to call next first
    key: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one urgency."""

    name: str
    lines: list[Line]


def groups(posts: Sequence[Acting], now: datetime) -> list[Group]:
    """The desk's lines, grouped: red and orange warnings, overdue, within 30 minutes, today, later."""
    lines = reading.desk(posts, now, SHOWN)
    owners = names.offices(line.case.owner_id for line in lines)
    clocks = _clocks(lines)
    answers = reading.may_each([(line.case, line.acting) for line in lines[:WITH_ACTS]], now)
    called = casepage.calls_of({line.case.pk: line.acting for line in lines if _phones(line, now)})
    day = filters.until("today", now)
    titled = (
        (gettext("Red and orange warnings to answer"), lambda one: one.case.level in URGENT),
        (gettext("Overdue"), lambda one: one.due and one.due < now and not one.paused),
        (gettext("Within 30 minutes"), lambda one: one.due and one.due < now + SOON and not one.paused),
        (gettext("Today"), lambda one: one.due and one.due < day and not one.paused),
        (gettext("Later"), lambda one: True),
    )
    found: dict[str, list[Line]] = {name: [] for name, _ in titled}
    for line in lines:
        built = _line(line, owners, clocks.get(line.case.pk, []), answers.get(line.case.pk), called.get(line.case.pk, []), now)
        found[next(name for name, fits in titled if fits(built))].append(built)
    return [Group(name, mine) for name, mine in found.items() if mine]


def watched(posts: Sequence[Acting], now: datetime, shown: Sequence[Group] = ()) -> Group | None:
    """Warnings in my scope that somebody else has not acknowledged yet: what a duty officer phones about.

    For duty rooms and leaders only; red, then orange, then the others by the clock. What stands in ``shown`` already is
    left out.
    """
    if kind(posts) not in ("duty", "leader"):
        return None
    above = {line.case.pk for group in shown for line in group.lines}
    first: dict[Any, Clock] = {}
    for levels in (*((one,) for one in URGENT), LEVELS[len(URGENT) :]):
        for clock in _unanswered(posts, levels, now):
            if clock.case_id not in above and len(first) < WATCHED:
                first.setdefault(clock.case_id, clock)
        if len(first) >= WATCHED:
            break
    if not first:
        return None
    owners = names.offices(clock.holder_id for clock in first.values())
    answers = reading.may_each([(clock.case, posts[0]) for clock in first.values()], now)
    called = casepage.calls_of(dict.fromkeys(first, posts[0]))
    lines = [_watched_line(clock, posts[0], owners, answers[pk], called.get(pk, []), now) for pk, clock in first.items()]
    return Group(gettext("Not acknowledged in my scope"), lines)


def _unanswered(posts: Sequence[Acting], levels: Iterable[str], now: datetime) -> list[Clock]:
    """Running acknowledgements of others, the soonest first."""
    running = Clock.objects.filter(name__in=mechanisms.answered_each(), stopped__isnull=True, current=True)
    running = running.exclude(holder_id__in={one.office_id for one in posts}).filter(
        case__in=reading.cases(posts, now).filter(ended=False, level__in=levels)
    )
    return list(running.select_related("case").defer("case__fields", "case__core", "case__raiser").order_by("due")[: WATCHED * 3])


def _watched_line(clock: Clock, acting: Acting, owners: Any, answer: Any, calls: list[dict[str, Any]], now: datetime) -> Line:
    case, mechanism = clock.case, mechanisms.version(clock.case.version_id)
    can, _ = casepage.sorted_out(mechanism, answer[0], answer[1])
    return Line(
        case=case,
        acting=acting,
        mechanism=titles.mechanism(mechanism),
        state=titles.state(mechanism, case.state),
        phase=drawing.phase(mechanism, case.state),
        owner=titles.here(owners.get(clock.holder_id)),
        due=clock.due,
        start=clock.start,
        paused=clock.paused_at is not None,
        later=times.deadline_text(clock.due, now),
        can=can[:1],
        calls=next_first(calls),
        key=str(uuid.uuid4()),
        mine=False,
    )


def next_first(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The call list with the number to call next in front: the first that nobody called, else the first not reached."""
    fresh = sorted((one for one in calls if not one["records"]), key=lambda one: not one["mine"])
    missed = [one for one in calls if one["records"] and all(record.result != "reached" for record in one["records"])]
    missed.sort(key=lambda one: not one["mine"])
    first = next(iter(fresh or missed), None)
    return [one for one in calls if one is first] + [one for one in calls if one is not first]


def _phones(line: DeskLine, now: datetime) -> bool:
    return line.level in URGENT or (line.due is not None and line.due < now + SOON)


def _clocks(lines: Sequence[DeskLine]) -> dict[Any, list[Clock]]:
    found: dict[Any, list[Clock]] = {}
    for clock in Clock.objects.filter(case__in=[line.case.pk for line in lines], stopped__isnull=True, current=True):
        found.setdefault(clock.case_id, []).append(clock)
    return found


def _line(line: DeskLine, owners: Any, held: list[Clock], answer: Any, calls: list[dict[str, Any]], now: datetime) -> Line:
    case = line.case
    mechanism = mechanisms.version(case.version_id)
    clock = next((one for one in held if one.due == line.due), None)
    can: list[casepage.Can] = []
    if answer is not None:
        urgent = casepage.stopping(mechanism, held, [line.acting.office_id])
        can, _ = casepage.sorted_out(mechanism, answer[0], answer[1], urgent)
    paused = bool(clock and clock.paused_at)
    return Line(
        case=case,
        acting=line.acting,
        mechanism=titles.mechanism(mechanism),
        state=titles.state(mechanism, case.state),
        phase=drawing.phase(mechanism, case.state, paused),
        owner=titles.here(owners.get(case.owner_id)),
        due=line.due,
        start=clock.start if clock else None,
        paused=paused,
        later=times.moment_text(line.due, now) if line.due else "",
        can=can[:INLINE],
        calls=next_first(calls),
        key=str(uuid.uuid4()),
        mine=line.reason == "owner",
    )
