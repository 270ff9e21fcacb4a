"""Is a value one of its field's kind? ``wrong(field, value, …)`` says what is wrong with it, in English msgids."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from fengsui.ledger.kernel.shapes import Facts, Field, Frozen, Json
from fengsui.ledger.kernel.times import due_at, length_of, moment_of

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


def wrong(field: Field, value: Json, fields: Frozen, facts: Facts, now: datetime) -> str:
    """What is wrong with ``value`` (and what to give instead), or ``""``. ``fields`` are the case's, for limits."""
    says = _KINDS[field.kind](value)
    if says:
        return says
    if field.kind == "choice":
        choices = facts.choices.get(field.name) if isinstance(field.of, str) else field.of
        if choices and value not in choices:
            return f"choose one of {', '.join(sorted(choices))}"
    if field.at_most is not None and field.kind in ("date", "time"):
        moment = moment_of(value)
        limit = due_at(now, length_of(field.at_most, fields, facts))
        if moment > limit:
            return f"at the latest {limit.isoformat()}"
        if moment <= now:
            return "choose a day that is still to come"
    return ""
