"""Amendments of unsettled law numbers: checked, recorded once, brought into the book.

The book itself knows no database; ``sync`` hands it what is recorded. A door calls it before it looks numbers
up, and it asks the database at most once a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Person

from . import numbers
from .contents import Unfit, meaning
from .models import LawEdit
from .numbers import Amendment, UnknownNumber

__all__ = ["Unfit", "apply", "check", "forget", "history", "recorded", "sync"]

EVERY_SECONDS = 1.0
_lock = threading.Lock()
_asked = float("-inf")
_last: int | None = None


def check(name: str, row: str, content: str, since: date, today: date, change: str = "replace") -> Any:
    """What ``content``, as an administrator wrote it, means for that number; ``change`` is one of ``contents.CHANGES``.

    Returns the value to record: a length of time as text, or a JSON value. Raises ``Unfit`` for an unknown or a
    settled number, a row or a content that cannot stand, and a day in the past.
    """
    try:
        number = numbers.find(name, since)
    except UnknownNumber as wrong:
        told = {"name": name, "day": since}
        raise Unfit(_("Law number: none is called %(name)s on %(day)s; choose one from the list") % told) from wrong
    if not number.open:
        told = {"name": name, "source": gettext_of(number.source)}
        raise Unfit(
            _("Law number: %(name)s is settled by %(source)s; only proposed ones and those to be supplied are amended") % told
        )
    if since < today:
        raise Unfit(
            _("In force from: write today (%(today)s) or later; the past was decided under the old number") % {"today": today}
        )
    return meaning(number, row, content, change or "replace")


def gettext_of(text: str) -> str:
    """A source in the reader's language; the empty text stays empty."""
    return _(text) if text else ""


def apply(
    name: str,
    row: str,
    content: str,
    since: date,
    *,
    change: str = "replace",
    basis: str,
    reference: str,
    case: UUID | str,
    persons: tuple[int | None, int | None],
    now: datetime,
) -> LawEdit:
    """Record the amendment in the caller's transaction; ``persons`` are who proposed and who decided.

    Raises ``Unfit``; a case that was applied before raises ``IntegrityError``.
    """
    recorded_as = check(name, row, content, since, now.astimezone(LEGAL_ZONE).date(), change)
    edit = LawEdit.objects.create(
        number=name,
        row=row,
        content=recorded_as,
        change=change or "replace",
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
    """All amendments on record, in their order, with the name of who entered each."""
    edits = list(LawEdit.objects.all())
    if not edits:
        return ()
    people = Person.objects.unscoped("who entered a number of the law stands beside it for all")
    names = dict(people.filter(pk__in={edit.proposed_by for edit in edits}).values_list("pk", "name"))
    return tuple(
        Amendment(
            edit.number, edit.content, edit.since, edit.reference, edit.row,
            source=edit.basis, change=edit.change, by=names.get(edit.proposed_by, ""),
        )
        for edit in edits
    )  # fmt: skip


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
    return list(
        LawEdit.objects.filter(number=name).values("row", "change", "content", "since", "basis", "reference", "case", "recorded")
    )
