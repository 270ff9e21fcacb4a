"""Amendments of unsettled law numbers: checked, recorded once, brought into the book.

The book itself knows no database; ``sync`` hands it what is recorded. A door calls it before it looks numbers
up, and it asks the database at most once a second.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fengsui.moment import LEGAL_ZONE

from . import numbers
from .amounts import parse_amount
from .models import LawEdit
from .numbers import Amendment, LawNumber, UnknownNumber

EVERY_SECONDS = 1.0
_lock = threading.Lock()
_asked = float("-inf")
_last: int | None = None


class Unfit(ValueError):
    """The amendment cannot stand; the message says why, for people."""


def check(name: str, row: str, content: str, since: date, today: date) -> Any:
    """What ``content``, as an administrator wrote it, means for that number.

    Returns the value to record: a length of time as text, or a JSON value. Raises ``Unfit`` for an unknown or a
    settled number, a missing or unknown row, a content of the wrong kind, and a day in the past.
    """
    try:
        number = numbers.find(name, since)
    except UnknownNumber as wrong:
        raise Unfit(str(wrong)) from wrong
    if not number.open:
        raise Unfit(f"{name} is settled by {number.source}; only proposed numbers and those to be supplied may be amended")
    if since < today:
        raise Unfit(f"an amendment counts from today ({today}) or later: the past was decided under the old number")
    return _meaning(number, row, content)


def _meaning(number: LawNumber, row: str, content: str) -> Any:
    if number.table is not None and row not in number.table:
        raise Unfit(f"{number.name} is a table: name one of its rows ({', '.join(number.table)})")
    if number.table is None and row:
        raise Unfit(f"{number.name} is no table: leave the row empty")
    if number.duration is not None:
        try:
            length = parse_amount(content)
        except ValueError as wrong:
            raise Unfit(str(wrong)) from wrong
        if (length.seconds or length.days or length.workdays or 0) <= 0:
            raise Unfit("a time limit must be longer than nothing")
        return content.strip()
    try:
        value = json.loads(content)
    except ValueError as wrong:
        raise Unfit(f"{content!r} is no value: write a number, or JSON for a list or a mapping") from wrong
    known = number.table[row] if number.table is not None else number.value
    if type(value) is not type(known) and not _both_numbers(value, known):
        raise Unfit(f"{number.name} holds a {_kind(known)}, not a {_kind(value)}")
    return value


def _both_numbers(value: Any, known: Any) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, known))


def _kind(value: Any) -> str:
    return {dict: "mapping", list: "list", str: "text", bool: "truth", int: "number", float: "number"}.get(type(value), "nothing")


def apply(
    name: str,
    row: str,
    content: str,
    since: date,
    *,
    basis: str,
    reference: str,
    case: UUID | str,
    persons: tuple[int | None, int | None],
    now: datetime,
) -> LawEdit:
    """Record the amendment in the caller's transaction; ``persons`` are who proposed and who decided.

    Raises ``Unfit``; a case that was applied before raises ``IntegrityError``.
    """
    meaning = check(name, row, content, since, now.astimezone(LEGAL_ZONE).date())
    edit = LawEdit.objects.create(
        number=name,
        row=row,
        content=meaning,
        since=since,
        basis=basis,
        reference=reference,
        case=case,
        recorded=now,
        proposed_by=persons[0],
        decided_by=persons[1],
    )
    forget()
    return edit


def recorded() -> tuple[Amendment, ...]:
    """All amendments on record, in their order."""
    return tuple(
        Amendment(edit.number, edit.content, edit.since, edit.reference, edit.row, source=edit.basis)
        for edit in LawEdit.objects.all()
    )


def sync() -> None:
    """Bring the book up to what is recorded, at most once a second; needs a database connection."""
    global _asked, _last
    if time.monotonic() - _asked < EVERY_SECONDS:
        return
    with _lock:
        last = LawEdit.objects.order_by("-pk").values_list("pk", flat=True).first()
        if last != _last:
            numbers.amend_with(recorded())
            _last = last
        _asked = time.monotonic()


def forget() -> None:
    """Ask the database again at the next ``sync``."""
    global _asked, _last
    _asked, _last = float("-inf"), -1


def history(name: str) -> list[Mapping[str, Any]]:
    """The amendments of one number, oldest first, for its page."""
    return list(LawEdit.objects.filter(number=name).values("row", "content", "since", "basis", "reference", "case", "recorded"))
