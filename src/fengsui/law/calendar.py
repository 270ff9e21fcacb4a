"""When a length of time is over: elapsed time to the second, legal days at 24:00 of their last day.

The day on which the time starts is not counted (民法典 art. 201; 行政处罚法 art. 85 for working days).
Calendar days run through; a legal working day is what the State Council's yearly holiday notice leaves as one
(package ``chinesecalendar``). Beyond the last published year Monday to Friday count and the result is
provisional until the calendar comes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import version

import chinese_calendar
from chinese_calendar.constants import holidays, workdays

from .amounts import LEGAL_ZONE, Duration

_LAST_YEAR = max(day.year for day in holidays)
_FIRST_YEAR = min(day.year for day in holidays)
_EXTRA = frozenset(workdays)


@dataclass(frozen=True, slots=True)
class Due:
    """A due moment in UTC; ``calendar`` names the calendar that gave it, ``provisional`` where that one ends before."""

    at: datetime
    provisional: bool
    calendar: str


@functools.cache
def calendar_version() -> str:
    """Which calendar counts, e.g. ``chinesecalendar 1.11.0 (to 2026)``; a clock row keeps it."""
    return f"chinesecalendar {version('chinesecalendar')} (to {_LAST_YEAR})"


def known(day: date) -> bool:
    """Whether the holiday notice for this day's year has been published and is installed."""
    return bool(_FIRST_YEAR <= day.year <= _LAST_YEAR)


def is_workday(day: date) -> bool:
    """Whether the day is a legal working day; Monday to Friday where the year's notice is not known."""
    if known(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def _end_of(day: date) -> datetime:
    """24:00 of the day in the legal zone, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), LEGAL_ZONE).astimezone(UTC)


def _step(day: date, count: int) -> tuple[date, bool]:
    """``count`` working days from ``day`` (not counted), back where negative; and whether a guess was needed."""
    way = timedelta(days=1 if count >= 0 else -1)
    guessed = False
    for _ in range(abs(count)):
        day += way
        while not is_workday(day):
            guessed |= not known(day)
            day += way
        guessed |= not known(day)
    return day, guessed


@functools.lru_cache(maxsize=8192)
def due(start: datetime, length: Duration) -> Due:
    """When ``length`` from ``start`` (aware) is over.

    ``seconds`` add up; ``days`` and ``workdays`` end at 24:00 Asia/Shanghai of the last day. A length of 0 days
    ends at 24:00 of the day of ``start``. Raises ``ValueError`` for a naive ``start``.
    """
    if start.tzinfo is None:
        raise ValueError("start must be aware: a clock without a zone has no legal day")
    if length.seconds is not None:
        return Due(start.astimezone(UTC) + timedelta(seconds=length.seconds), False, calendar_version())
    first = start.astimezone(LEGAL_ZONE).date()
    if length.days is not None:
        return Due(_end_of(first + timedelta(days=length.days)), False, calendar_version())
    last, guessed = _step(first, length.workdays or 0)
    return Due(_end_of(last), guessed, calendar_version())


def before(moment: datetime, length: Duration) -> datetime:
    """The moment ``length`` before a due time: elapsed seconds, whole days of 24 h, or working days back.

    For rungs such as ``-3d`` and ``-2wd``; the time of day of ``moment`` stays.
    """
    if moment.tzinfo is None:
        raise ValueError("moment must be aware")
    if length.seconds is not None:
        return moment - timedelta(seconds=abs(length.seconds))
    if length.days is not None:
        return moment - timedelta(days=abs(length.days))
    local = moment.astimezone(LEGAL_ZONE)
    day, _ = _step(local.date(), -abs(length.workdays or 0))
    return datetime.combine(day, local.timetz()).astimezone(UTC)
