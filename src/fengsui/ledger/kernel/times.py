"""Times of a case: due times of amounts and fields, calendar periods, pauses. Pure; ``now`` is an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from fengsui.law.amounts import LEGAL_ZONE, Duration
from fengsui.law.calendar import due, is_workday
from fengsui.ledger.kernel.shapes import ClockRow, Facts, Frozen, Json, Share, Table

_MOMENT = timedelta(seconds=1)


class NoLength(LookupError):
    """A law number that the mechanism names is not among the facts, or its table has no such row."""


def length_of(name: str, fields: Frozen, facts: Facts) -> Duration:
    """The length of a law number, by the case's own field where it is a table. Raises ``NoLength``."""
    found = facts.law.get(name)
    if isinstance(found, Table):
        found = found.rows.get(str(fields.get(found.key)))
    if found is None or isinstance(found, Share):
        raise NoLength(f"the law number {name!r} has no length in force for this case")
    return found


def longest_due(row: ClockRow, limit: str, fields: Frozen, facts: Facts) -> datetime:
    """How late an extension may make the row's due: a length after it, or a share of the row's first length, in whole legal days.

    Raises ``NoLength``.
    """
    share = facts.law.get(limit)
    if not isinstance(share, Share):
        return later(row.due, length_of(limit, fields, facts))
    latest = row.due + ((row.first or row.due) - row.start) * share.part
    return max(row.due, end_of_day(latest.astimezone(LEGAL_ZONE).date() - timedelta(days=1)))


def end_of_day(day: date) -> datetime:
    """24:00 of a legal day, as UTC."""
    return datetime.combine(day + timedelta(days=1), time(), LEGAL_ZONE).astimezone(UTC)


def moment_of(value: Json) -> datetime:
    """A field's date (24:00 of that day) or time. Raises ``ValueError`` where it is neither."""
    text = str(value)
    if len(text) == 10:
        return end_of_day(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write 2026-11-24T03:00:00+08:00")
    return moment.astimezone(UTC)


def due_at(start: datetime, length: Duration) -> datetime:
    """When a length from ``start`` is over, by the legal calendar."""
    return due(start, length).at


def later(at: datetime, length: Duration) -> datetime:
    """``length`` after a due time (before it, where negative).

    Days are days of 24 h, since a legal due is 24:00 of its day; working days are counted from that day.
    """
    if length.seconds is not None:
        return at + timedelta(seconds=length.seconds)
    if length.days is not None:
        return at + timedelta(days=length.days)
    return due(at - _MOMENT, length).at


def in_hours(at: datetime, hour: str | None) -> datetime:
    """The first ``hour`` ("09:00") of a working day from ``at`` on, in the legal zone; ``at`` itself where there is none."""
    if hour is None:
        return at
    local, opens = at.astimezone(LEGAL_ZONE), time.fromisoformat(hour)
    day = local.date()
    while not is_workday(day) or datetime.combine(day, opens, LEGAL_ZONE) < at:
        day += timedelta(days=1)
    return datetime.combine(day, opens, LEGAL_ZONE).astimezone(UTC)


def span(start: datetime, length: Duration) -> timedelta:
    """How much a length from ``start`` is, for adding up pauses."""
    return due(start, length).at - start if length.seconds is None else timedelta(seconds=length.seconds)


def first_period(now: datetime, every: str, length: Duration | None) -> tuple[datetime, datetime]:
    """(start, due) of the first report owed by a state entered ``now``: the next whole day or week, or a length."""
    if length is not None:
        return now, due_at(now, length)
    today = now.astimezone(LEGAL_ZONE).date()
    ends = today if every == "day" else today + timedelta(days=6 - today.weekday())
    return next_period(end_of_day(ends), every, None)


def next_period(after: datetime, every: str, length: Duration | None) -> tuple[datetime, datetime]:
    """(start, due) of the period that begins where another ended."""
    if length is not None:
        return after, later(after, length)
    return after, after + timedelta(days=1 if every == "day" else 7)
