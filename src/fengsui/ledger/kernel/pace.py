"""An exercise's shortened clocks: minutes and hours run ``pace`` times faster, legal days stay as they are.

The pace is part of the mechanism's version, so an exercise's case recomputes like any other and its
clocks say what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fengsui.law.amounts import Duration, parse_amount
from fengsui.ledger.kernel.shapes import Rung


def shortened(length: Duration, pace: int) -> Duration:
    """The length at this pace; at least a second stays, days and working days are not touched."""
    if length.seconds is None or pace == 1 or length.seconds == 0:
        return length
    sign = 1 if length.seconds > 0 else -1
    return Duration(seconds=sign * max(1, abs(length.seconds) // pace))


def ladder(rungs: Iterable[Rung], pace: int) -> tuple[Rung, ...]:
    """The ladder at this pace: offsets and the repeat of its last rung."""
    return tuple(_rung(rung, pace) for rung in rungs) if pace > 1 else tuple(rungs)


def _rung(rung: Rung, pace: int) -> Rung:
    repeats = rung.repeats
    if repeats is not None and (length := parse_amount(repeats)).seconds is not None:
        repeats = f"{shortened(length, pace).seconds}s"
    return replace(rung, offset=shortened(rung.offset, pace), repeats=repeats)
