"""What waits for me: over all my posts, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from fengsui.ledger import mechanisms
from fengsui.ledger.models import Case, Clock
from fengsui.ledger.reading.scoped import cases
from fengsui.region.acting import Acting


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One case that waits for one of my offices. ``reason``: owner (must act), holder (a clock of mine), overseer."""

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

URGENT = ("red", "orange")
"""Warnings of these levels stand before everything else that waits."""
_FAR = datetime.max.replace(tzinfo=UTC)


def desk(actings: Sequence[Acting], now: datetime, longest: int = LONGEST) -> list[DeskLine]:
    """The open cases that wait for the offices of these actings, at most ``longest``.

    Red warnings first, then orange ones, then everything by the clock: a warning that nobody answers hurts people
    within minutes, a paper that is a day late does not.
    """
    offices = {acting.office_id: acting for acting in reversed(actings)}
    if not offices:
        return []
    found = {case.pk: case for case in _first(actings, list(offices), now, longest)}
    dues = _own_dues(list(found.values()), list(offices))
    lines = [_line(case, offices, dues.get(case.pk), now) for case in found.values()]
    return sorted(lines, key=lambda line: (urgency(line.level), line.due or _FAR, line.case.opened_at))[:longest]


def urgency(level: str) -> int:
    """0 for red, 1 for orange, 2 for all the rest."""
    return URGENT.index(level) if level in URGENT else len(URGENT)


def waiting(actings: Sequence[Acting]) -> QuerySet[Case]:
    """The open cases that one of these offices owns or whose clock it holds; for counting."""
    offices = [one.office_id for one in actings]
    readable = Q(confidential=False) | Q(readers__overlap=offices)
    return Case.objects.filter(Q(owner_id__in=offices) | Q(holder_id__in=offices), readable, ended=False)


def _first(actings: Sequence[Acting], offices: list[int], now: datetime, longest: int) -> list[Case]:
    """Those that may be among the first: of each office the soonest it owns or holds, and all that is urgent.

    Each part is read from an index of its own; the scope is asked of the few that are left.
    """
    parts: list[QuerySet[Any, Any]] = []
    for office in offices:
        for mine in (Q(owner_id=office), Q(holder_id=office)):
            for fits in (Q(), Q(level__in=URGENT)):
                cases_of = Case.objects.filter(mine, fits, ended=False).order_by("next_due")
                parts.append(cases_of.values_list("pk", "next_due", "level")[:longest])
        running = Clock.objects.filter(holder_id=office, stopped__isnull=True)
        for fits in (Q(), Q(case__level__in=URGENT, case__ended=False)):
            parts.append(running.filter(fits).order_by("due").values_list("case_id", "due", "case__level")[:longest])
    soonest: dict[Any, tuple[int, datetime]] = {}
    for case_id, due, level in parts[0].union(*parts[1:], all=True):
        rank = (urgency(level), due or _FAR)
        soonest[case_id] = min(soonest.get(case_id, rank), rank)
    wanted = sorted(soonest, key=lambda one: soonest[one])[: longest * 2]
    return list(cases(actings, now).filter(pk__in=wanted, ended=False).defer("fields", "core", "raiser"))


def _own_dues(found: list[Case], offices: list[int]) -> dict[object, tuple[int, datetime]]:
    rows = Clock.objects.filter(case__in=found, holder_id__in=offices, stopped__isnull=True, paused_at__isnull=True)
    mine: dict[object, tuple[int, datetime]] = {}
    for case_id, holder, due in rows.order_by("due").values_list("case_id", "holder_id", "due"):
        mine.setdefault(case_id, (holder or 0, due))
    return mine


def _line(case: Case, offices: dict[int, Acting], own: tuple[int, datetime] | None, now: datetime) -> DeskLine:
    mechanism = mechanisms.version(case.version_id)
    state = mechanism.states.get(case.state)
    if case.owner_id in offices:
        reason, acting = "owner", offices[case.owner_id]
    elif own is not None:
        reason, acting = "holder", offices[own[0]]
    else:
        reason, acting = "overseer", next(iter(offices.values()))
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
