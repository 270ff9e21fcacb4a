"""What a clock's row tells people, beside the kernel's due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from fengsui.law import calendar
from fengsui.law.amounts import Duration
from fengsui.ledger.doors.facts import LawLine
from fengsui.ledger.doors.held import ClockLine, Held
from fengsui.ledger.kernel import ladder
from fengsui.ledger.kernel.rows import ladder_of, paused_for
from fengsui.ledger.kernel.shapes import Amount, Case, ClockRow, Facts, Frozen, Mechanism, Table
from fengsui.ledger.kernel.times import NoLength

_EVER = timedelta(days=36500)


def amount_of(mechanism: Mechanism, clock: str) -> Amount | None:
    """Where its length comes from; None for periods such as a week."""
    if clock in mechanism.clocks:
        return mechanism.clocks[clock].amount
    kind, _, name = clock.partition(":")
    if kind == "within" and name in mechanism.states:
        return Amount("law", mechanism.states[name].within.name)
    return None


def lines(held: Held, after: Case, facts: Facts | None, law: Mapping[str, LawLine], *, ladders: bool = True) -> list[ClockLine]:
    """The lines beside ``after.clocks``: kept where the clock is the same one, else new."""
    old, found = held.case.clocks, []
    for place, row in enumerate(after.clocks):
        same = place < len(old) and _identity(old[place]) == _identity(row)
        line = held.lines[place] if same else _line(held.mechanism, after, row, facts, law)
        if ladders and (not same or old[place] != row):
            line.next_rung_at = next_rung(held.mechanism, row, facts, after.fields)
        found.append(line)
    return found


def next_rung(mechanism: Mechanism, row: ClockRow, facts: Facts | None = None, fields: Frozen | None = None) -> datetime | None:
    """When the clock's next rung fires; None while it is stopped, or paused without a maximum to its pause.

    A paused clock goes on by itself when its longest pause is over: that is when its next rung may fire.
    """
    if row.paused_at is not None and row.stopped is None:
        if facts is None:
            return None
        try:
            row = replace(row, due=row.due + paused_for(mechanism, row, row.paused_at + _EVER, facts, fields or {}))
        except NoLength:
            return None
    return ladder.next_rung(mechanism, row, fields or {})


def _identity(row: ClockRow) -> tuple[object, ...]:
    return (row.name, row.n, row.start)  # its holder may change: it follows the field that names it


def _line(mechanism: Mechanism, case: Case, row: ClockRow, facts: Facts | None, law: Mapping[str, LawLine]) -> ClockLine:
    line = ClockLine(ladder=ladder_of(mechanism, row, case.fields))
    amount = amount_of(mechanism, row.name)
    if amount is None:
        return line
    line.amount = amount.name
    if amount.kind == "field":
        return line
    known = law.get(amount.name)
    line.law = amount.name
    line.amount = known.written if known else ""
    line.law_version = known.version if known else ""
    length = facts.law.get(amount.name) if facts else None
    if isinstance(length, Table):
        length = length.rows.get(str(case.fields.get(length.key)))
    if isinstance(length, Duration):
        line.amount = _written(length)
        if length.seconds is None:
            due = calendar.due(row.start, length)
            line.calendar, line.provisional = due.calendar, due.provisional
    return line


def _written(length: Duration) -> str:
    if length.workdays is not None:
        return f"{length.workdays}wd"
    if length.days is not None:
        return f"{length.days}d"
    seconds = length.seconds or 0
    if seconds % 3600 == 0:
        return f"{seconds // 3600}h"
    return f"{seconds // 60}min" if seconds % 60 == 0 else f"{seconds}s"
