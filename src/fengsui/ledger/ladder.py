"""When the rungs of a ladder fire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fengsui.law.amounts import Duration, parse_amount
from fengsui.law.calendar import due as legal_due
from fengsui.ledger.kernel.shapes import Rung


def _shift(moment: datetime, by: Duration) -> datetime:
    if by.seconds is not None:
        return moment + timedelta(seconds=by.seconds)
    if by.days is not None:
        return moment + timedelta(days=by.days)
    return legal_due(moment, by).at


def rung_at(rungs: Sequence[Rung], fired: int, due: datetime) -> datetime | None:
    """When the rung after ``fired`` fired ones fires, for a clock due at ``due``.

    The last rung may repeat; a ladder that does not repeat ends with None.
    """
    if fired < len(rungs):
        return _shift(due, rungs[fired].offset)
    last = rungs[-1] if rungs else None
    if last is None or last.repeats is None:
        return None
    moment, every = _shift(due, last.offset), parse_amount(last.repeats)
    for _ in range(fired - len(rungs) + 1):
        moment = _shift(moment, every)
    return moment
