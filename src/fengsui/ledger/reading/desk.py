"""What waits for me: over all my posts, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

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


def desk(actings: Sequence[Acting], now: datetime) -> list[DeskLine]:
    """The open cases that wait for the offices of these actings, by due."""
    offices = {acting.office_id: acting for acting in reversed(actings)}
    if not offices:
        return []
    ids = list(offices)
    held = Clock.objects.filter(holder_id__in=ids, stopped__isnull=True).values("case_id")
    waiting = (
        cases(actings)
        .filter(Q(owner_id__in=ids) | Q(holder_id__in=ids) | Q(pk__in=held), ended=False)
        .order_by(F("next_due").asc(nulls_last=True), "opened_at")[:LONGEST]
    )
    found = list(waiting)
    dues = _own_dues(found, ids)
    return [_line(case, offices, dues.get(case.pk), now) for case in found]


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
