"""What waits for me: over all my posts, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from fengsui.ledger import mechanisms
from fengsui.ledger.models import LEVELS, Case, Clock
from fengsui.ledger.reading import byposts
from fengsui.ledger.reading.scoped import BESIDE, cases
from fengsui.region.acting import Acting
from fengsui.region.tree import once


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One case that waits for one of my posts. ``reason``: owner (must act), holder (a clock of mine), overseer."""

    case: Case
    acting: Acting
    reason: str
    mechanism_title: dict[str, str]
    state_title: dict[str, str]
    due: datetime | None
    overdue: bool
    level: str
    exercise: bool


LONGEST = 200
"""Lines of a desk; who has more sees the most urgent and goes to the list for the rest."""

URGENT = LEVELS[:2]
"""Warnings of these levels stand before everything else that waits."""
WAITING_COUNTED = 999
"""Beyond this many that wait, a page says ``999+``."""
_FAR = datetime.max.replace(tzinfo=UTC)


def desk(actings: Sequence[Acting], now: datetime, longest: int = LONGEST) -> list[DeskLine]:
    """The open cases that wait for these posts of their offices (``byposts`` says which), at most ``longest``.

    Red warnings first, then orange ones, then everything by the clock: a warning that nobody answers hurts people
    within minutes, a paper that is a day late does not.
    """
    if not actings:
        return []
    found = {case.pk: case for case in _first(actings, now, longest)}
    dues = _own_dues(list(found.values()), actings, now)
    lines = [_line(case, actings, dues.get(case.pk), now) for case in found.values()]
    return sorted(lines, key=lambda line: (urgency(line.level), line.due or _FAR, line.case.opened_at))[:longest]


def urgency(level: str) -> int:
    """0 for red, 1 for orange, 2 for all the rest."""
    return URGENT.index(level) if level in URGENT else len(URGENT)


def waiting(actings: Sequence[Acting], now: datetime) -> QuerySet[Case]:
    """The open cases that wait for one of these posts: its office owns them, or a clock of its own runs.

    Few are named one by one; of many each case is asked, so that a sorted list need not know them all to show the first.
    """
    found = [row[0] for row in _waiting_ids(actings, now, BESIDE + 1)]
    if len(found) <= BESIDE:
        return Case.objects.filter(pk__in=found)
    mine = Q(pk__in=[])
    for acting in actings:
        running = Clock.objects.filter(byposts.held(acting, now), case=OuterRef("pk"))
        mine |= byposts.owned(acting, now) | Q(Exists(running))
    return Case.objects.filter(_readable(actings), mine, ended=False)


def waiting_number(actings: Sequence[Acting], now: datetime) -> tuple[int, bool]:
    """How many that are, counted up to ``WAITING_COUNTED``, and whether there are more; asked once for a page."""
    number = once(("waiting", tuple(actings)), lambda: _waiting_ids(actings, now, WAITING_COUNTED + 1).count())
    return min(number, WAITING_COUNTED), number > WAITING_COUNTED


def _waiting_ids(actings: Sequence[Acting], now: datetime, most: int) -> QuerySet[Any, Any]:
    """The ids of those cases: all, or at least ``most`` of them. Each part ends at so many, found along an index."""
    readable, on_clock = _readable(actings), _readable(actings, "case__")
    parts: list[QuerySet[Any, Any]] = []
    for acting in actings:
        owned = Case.objects.filter(byposts.owned(acting, now), readable, ended=False)
        parts.append(owned.order_by().values_list("pk")[:most])
        running = Clock.objects.filter(byposts.held(acting, now), on_clock, case__ended=False)
        parts.append(running.order_by("case_id").values_list("case_id").distinct()[:most])
    return parts[0].union(*parts[1:]) if parts else Case.objects.none()


def _readable(actings: Sequence[Acting], case: str = "") -> Q:
    """Over ``Case``, or what reaches it by ``case``: not confidential, or one of these offices reads it."""
    offices = [one.office_id for one in actings]
    return Q(**{f"{case}confidential": False}) | Q(**{f"{case}readers__overlap": offices})


def _first(actings: Sequence[Acting], now: datetime, longest: int) -> list[Case]:
    """Those that may be among the first: of each post the soonest it owns or answers for, and all that is urgent.

    Each part is read from an index of its own; the scope is asked of the few that are left. Urgent cases are few among
    all: their clocks are sorted by a value that no index holds, or the database would walk along every clock of the office
    in the hope of soon meeting them.
    """
    parts: list[QuerySet[Any, Any]] = []
    for acting in actings:
        owned = Case.objects.filter(byposts.owned(acting, now), ended=False).order_by("next_due")
        for fits in (Q(), Q(level__in=URGENT)):
            parts.append(owned.filter(fits).values_list("pk", "next_due", "level")[:longest])
        running = Clock.objects.filter(byposts.held(acting, now), case__ended=False)
        for clocks in (running.order_by("due"), running.filter(case__level__in=URGENT).order_by(F("due") + timedelta(0))):
            parts.append(clocks.values_list("case_id", "due", "case__level")[:longest])
    soonest: dict[Any, tuple[int, datetime]] = {}
    for case_id, due, level in parts[0].union(*parts[1:], all=True):
        rank = (urgency(level), due or _FAR)
        soonest[case_id] = min(soonest.get(case_id, rank), rank)
    wanted = sorted(soonest, key=lambda one: soonest[one])[: longest * 2]
    return list(cases(actings, now).filter(pk__in=wanted, ended=False).defer("core", "raiser"))


def _own_dues(found: list[Case], actings: Sequence[Acting], now: datetime) -> dict[object, tuple[Acting, datetime]]:
    """Of each case the soonest running clock of one of these posts, and which post's it is."""
    mine: dict[object, tuple[Acting, datetime]] = {}
    for acting in actings:
        rows = Clock.objects.filter(byposts.held(acting, now), case__in=found, paused_at__isnull=True)
        for case_id, due in rows.order_by("due").values_list("case_id", "due"):
            if case_id not in mine or due < mine[case_id][1]:
                mine[case_id] = (acting, due)
    return mine


def _line(case: Case, actings: Sequence[Acting], own: tuple[Acting, datetime] | None, now: datetime) -> DeskLine:
    mechanism = mechanisms.version(case.version_id)
    state = mechanism.states.get(case.state)
    owners = [one for one in actings if one.office_id == case.owner_id and byposts.owns(one, case.version_id, case.state, now)]
    if owners:
        reason, acting = "owner", owners[0]
    elif own is not None:
        reason, acting = "holder", own[0]
    else:
        reason, acting = "overseer", actings[0]
    due = own[1] if own else case.next_due
    return DeskLine(
        case=case,
        acting=acting,
        reason=reason,
        mechanism_title=dict(mechanism.title),
        state_title=dict(state.title) if state else {},
        due=due,
        overdue=due is not None and due < now,
        level=case.level,
        exercise=case.exercise,
    )
