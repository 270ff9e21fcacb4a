"""Due dates that were provisional, computed anew when the calendar of their year has come."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from fengsui.law import calendar
from fengsui.law.amounts import parse_amount
from fengsui.ledger.doors import held as holding
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.held import ClockLine
from fengsui.ledger.doors.single import append_in, in_transaction
from fengsui.ledger.doors.work import Work
from fengsui.ledger.kernel.shapes import Actor, ClockRow
from fengsui.ledger.models import Clock

log = logging.getLogger(__name__)

ACT = "recompute"


def provisional(now: datetime) -> int:
    """Recompute every running clock whose due was a guess; an entry says which moved. Returns how many cases moved."""
    waiting = Clock.objects.filter(provisional=True, current=True, stopped__isnull=True)
    cases = waiting.exclude(calendar=calendar.calendar_version()).order_by("case_id").values_list("case_id", flat=True).distinct()
    return sum(in_transaction(functools.partial(one, str(case), now)) for case in list(cases))


def one(case_id: str, now: datetime) -> bool:
    """Recompute one case's running provisional clocks inside a transaction; whether any due changed."""
    passage = Passage(Work(now))
    found = passage.lock(case_id)
    if not found:
        return False
    held = found[0]
    moved: dict[int, ClockRow] = {}
    for place, (row, line) in enumerate(zip(held.case.clocks, held.lines, strict=True)):
        if row.stopped is None and line.provisional and line.amount:
            new = _again(row, line)
            if new != row:
                moved[place] = new
    if moved:
        _write(passage, held, moved)
    else:
        Clock.objects.filter(case_id=case_id, provisional=True, current=True, stopped__isnull=True).update(
            calendar=calendar.calendar_version()
        )
    return bool(moved)


def _again(row: ClockRow, line: ClockLine) -> ClockRow:
    """The row under the present calendar. What was added to its due by pauses and extensions stays added."""
    due = calendar.due(row.start, parse_amount(line.amount))
    line.calendar, line.provisional = due.calendar, due.provisional
    first = row.first or row.due
    return replace(row, due=row.due + (due.at - first), first=due.at if row.first else None)


def _write(passage: Passage, held: holding.Held, moved: Mapping[int, ClockRow]) -> None:
    clocks = tuple(moved.get(place, row) for place, row in enumerate(held.case.clocks))
    before = held.case.clocks
    told = {row.name: [before[place].due.isoformat(), row.due.isoformat()] for place, row in moved.items()}
    besides = {"calendar": calendar.calendar_version(), "moved": told}
    append_in(passage, held, ACT, Actor("system"), replace(held.case, clocks=clocks), besides=besides)
    passage.work.flush()
