"""Is a value one of its field's kind, and within its bounds? ``wrong(field, value, …)`` says what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from fengsui.law.amounts import LEGAL_ZONE
from fengsui.law.calendar import before
from fengsui.ledger.kernel.shapes import ClockRow, Facts, Field, Frozen, Json
from fengsui.ledger.kernel.times import due_at, end_of_day, length_of, moment_of

LONGEST_TEXT = 20_000
MOST_MEMBERS = 1_000

_DIGEST = re.compile(r"[0-9a-f]{64}")
_WEEK = re.compile(r"\d{4}-W(0[1-9]|[1-4]\d|5[0-3])")


def blank(value: Json) -> bool:
    """Nothing was given: ``None``, empty text or an empty list. Zero and false are something."""
    return value is None or value == [] or value == {} or (isinstance(value, str) and not value.strip())


def _text(value: Json) -> str:
    if not isinstance(value, str):
        return "write text"
    if "\x00" in value or any("\ud800" <= one <= "\udfff" for one in value):
        return "write text without characters that nobody can read"
    return "" if len(value) <= LONGEST_TEXT else "write at most 20,000 characters"


def _whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _id(value: Json) -> str:
    return "" if _whole(value) and value > 0 else "choose one from the list"


def _ids(value: Json) -> str:
    good = isinstance(value, list) and len(value) <= MOST_MEMBERS and all(not _id(one) for one in value)
    return "" if good and len(set(value)) == len(value) else "choose from the list, each once"


def _money(value: Json) -> str:
    return "" if _whole(value) and 0 <= value < 10**15 else "give an amount in fen, not below zero"


def _number(value: Json) -> str:
    good = _whole(value) or (isinstance(value, float) and math.isfinite(value))
    return "" if good and value >= 0 else "give a number, not below zero"


def _date(value: Json) -> str:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return "give a date such as 2026-12-01"
    return "" if len(value) == 10 else "give a date such as 2026-12-01"


def _time(value: Json) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return "give a time such as 2026-11-24T03:00:00+08:00"
    return "" if moment.tzinfo else "give the time with its zone, such as +08:00"


def _files(value: Json) -> str:
    good = isinstance(value, list) and 0 < len(value) <= MOST_MEMBERS
    good = good and all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in value)
    return "" if good else "attach at least one file"


def _list(value: Json) -> str:
    return "" if isinstance(value, list) and 0 < len(value) <= MOST_MEMBERS else "give a list with at least one line"


def _point(value: Json) -> str:
    good = isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) for v in value)
    return "" if good and abs(value[0]) <= 180 and abs(value[1]) <= 90 else "give longitude and latitude"


def _mapping(value: Json) -> str:
    return "" if isinstance(value, Mapping) and value else "give the figures"


def _year(value: Json) -> str:
    return "" if _whole(value) and 1949 <= value <= 2200 else "give a year"


def _week(value: Json) -> str:
    return "" if isinstance(value, str) and _WEEK.fullmatch(value) else "give a week such as 2026-W48"


_KINDS: dict[str, Callable[[Json], str]] = {
    "text": _text,
    "money": _money,
    "date": _date,
    "time": _time,
    "number": _number,
    "choice": _text,
    "office": _id,
    "person": _id,
    "site": _id,
    "team": _id,
    "people": _ids,
    "offices": _ids,
    "files": _files,
    "list": _list,
    "point": _point,
    "reading": _mapping,
    "figures": _mapping,
    "year": _year,
    "week": _week,
    "case": _text,
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a value: an English msgid that says what to give instead, and its parameters."""

    says: str
    args: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The moments between which a date or time must lie: later than ``after``, not later than ``latest``."""

    after: datetime | None = None
    latest: datetime | None = None


def bounds(declared: Field, fields: Frozen, facts: Facts | None, now: datetime, clocks: tuple[ClockRow, ...] = ()) -> Bounds:
    """What a date or time field may be; ``fields`` and ``clocks`` are the case's. Without ``facts`` no bound of the law's."""
    if declared.kind not in ("date", "time"):
        return Bounds()
    after = _named(declared.after, fields, now)
    latest = _named(declared.before, fields, now)
    if declared.before is not None and declared.before.startswith("clock."):
        latest = _before_due(declared, clocks, fields, facts, now)
    if latest is not None and declared.before == "now" and declared.kind == "date":
        latest = end_of_day(latest.astimezone(LEGAL_ZONE).date())
    if declared.at_most is not None:
        after = now if after is None else max(after, now)
        if facts is not None:
            limit = due_at(now, length_of(declared.at_most, fields, facts))
            latest = limit if latest is None else min(latest, limit)
    return Bounds(after, latest)


def _named(word: str | None, fields: Frozen, now: datetime) -> datetime | None:
    """The moment that a bound's word stands for; None where the field it names is not set."""
    if word is None or word == "now" or word.startswith("clock."):
        return now if word == "now" else None
    value = fields.get(word.removeprefix("field."))
    return None if value is None else moment_of(value)


def _before_due(
    declared: Field, clocks: tuple[ClockRow, ...], fields: Frozen, facts: Facts | None, now: datetime
) -> datetime | None:
    """The due of the clock that bounds the field, less its spare time; None once no day before it is left to choose.

    Then the clock itself is overdue, or about to be, and climbs; a bound that nobody can keep would only stop the matter.
    """
    name = str(declared.before).removeprefix("clock.")
    dues = [row.due for row in clocks if row.name == name and row.stopped is None]
    if not dues or facts is None:
        return None
    latest = min(dues)
    if declared.spare is not None:
        latest = before(latest, length_of(declared.spare, fields, facts))
    first = end_of_day(now.astimezone(LEGAL_ZONE).date()) if declared.kind == "date" else now
    return latest if latest >= first else None


def wrong(
    declared: Field, value: Json, fields: Frozen, facts: Facts, now: datetime, clocks: tuple[ClockRow, ...] = ()
) -> Wrong | None:
    """What is wrong with ``value``, or ``None``. ``fields`` and ``clocks`` are the case's, for limits."""
    says = _KINDS[declared.kind](value)
    if says:
        return Wrong(says)
    if declared.kind == "choice":
        choices = facts.choices.get(declared.name) if isinstance(declared.of, str) else declared.of
        if choices and value not in choices:
            return Wrong("choose one of %(choices)s", {"choices": sorted(choices) if isinstance(choices, frozenset) else choices})
    if declared.kind in ("date", "time"):
        return _out_of_bounds(declared, moment_of(value), bounds(declared, fields, facts, now, clocks), now)
    return None


def _out_of_bounds(declared: Field, moment: datetime, within: Bounds, now: datetime) -> Wrong | None:
    if within.latest is not None and moment > within.latest:
        if declared.before == "now" and declared.at_most is None:
            return Wrong(_NOT_YET[declared.kind])
        return Wrong("at the latest %(latest)s", {"latest": written(within.latest, declared.kind)})
    if within.after is not None and moment <= within.after:
        if within.after == now:
            return Wrong(_PAST[declared.kind])
        return Wrong("later than %(earliest)s", {"earliest": written(within.after, declared.kind)})
    return None


_NOT_YET = {"date": "choose today or a day before", "time": "choose a time that is not still to come"}
_PAST = {"date": "choose a day that is still to come", "time": "choose a time that is still to come"}


def written(moment: datetime, kind: str) -> str:
    """A bound as people of the legal zone write it: the last day, or day and minute."""
    local = moment.astimezone(LEGAL_ZONE)
    if kind == "date":
        return (local - timedelta(microseconds=1)).date().isoformat()
    return local.strftime("%Y-%m-%d %H:%M")
