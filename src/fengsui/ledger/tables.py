"""The list of cases as rows of words, and its export."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext, pgettext

from fengsui.ledger import drawing, mechanisms, names, openness, titles
from fengsui.ledger.models import Case, Clock
from fengsui.moment import LEGAL_ZONE

EXPORT_AT_MOST = 50_000
"""Rows of one export; the head says so when the list is longer."""

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One case in a list."""

    case: Case
    mechanism: str
    state: str
    phase: str
    owner: str
    place: str
    mine: bool
    due: datetime | None
    start: datetime | None
    paused: bool
    clock: str


def columns() -> dict[str, str]:
    """The columns of the list that a reader may leave out → their titles; number, title and state always stand."""
    return {
        "level": gettext("Level"),
        "mechanism": gettext("Mechanism"),
        "owner": gettext("Owner"),
        "place": gettext("Place"),
        "due": gettext("Deadline"),
        "moved": gettext("Last act"),
    }


def page(cases: QuerySet[Case], first: int, last: int) -> list[Case]:
    """The cases from ``first`` to before ``last`` of a sorted queryset.

    The ids come first, from an index alone however far down the page lies; then the rows of these few.
    """
    return rows_of(list(cases.values_list("pk", flat=True)[first:last]))


def rows_of(ids: Sequence[Any]) -> list[Case]:
    """The cases of these ids, in their order, as a list shows them."""
    found = Case.objects.filter(pk__in=ids).defer("fields", "core", "raiser").in_bulk()
    return [found[one] for one in ids if one in found]


def rows(cases: Iterable[Case], offices: frozenset[int]) -> list[Row]:
    """The rows of one page; four queries however many there are."""
    page = list(cases)
    owners = names.offices(case.owner_id for case in page)
    places = names.places(case.place_code for case in page)
    clocks: dict[Any, Clock] = {}
    running = Clock.objects.filter(case__in=[case.pk for case in page if not case.ended], stopped__isnull=True, current=True)
    for clock in running.order_by("due"):
        clocks.setdefault(clock.case_id, clock)
    return [_row(case, owners, places, clocks.get(case.pk), offices) for case in page]


def _row(case: Case, owners: Any, places: Any, clock: Clock | None, offices: frozenset[int]) -> Row:
    found = mechanisms.version(case.version_id)
    paused = bool(clock and clock.paused_at)
    return Row(
        case=case,
        mechanism=titles.mechanism(found),
        state=titles.state(found, case.state),
        phase=drawing.phase(found, case.state, paused),
        owner=titles.here(owners.get(case.owner_id)),
        place=titles.here(places.get(case.place_code)),
        mine=not case.ended and case.owner_id in offices,
        due=clock.due if clock else None,
        start=clock.start if clock else None,
        paused=paused,
        clock=titles.clock(found, clock.name) if clock else "",
    )


def _written(when: datetime | None) -> str:
    return when.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M") if when else ""


def _lines(cases: QuerySet[Case], offices: frozenset[int]) -> Iterator[list[str]]:
    batch: list[Case] = []
    for case in cases[:EXPORT_AT_MOST].iterator(chunk_size=BATCH):
        batch.append(case)
        if len(batch) == BATCH:
            yield from _said(batch, offices)
            batch = []
    yield from _said(batch, offices)


def _said(batch: list[Case], offices: frozenset[int]) -> Iterator[list[str]]:
    for row in rows(batch, offices):
        case = row.case
        level = pgettext("level", case.level.title()) if case.level in ("red", "orange", "yellow", "blue") else case.level
        yield [
            case.number or "", case.external_number, level, case.title, row.mechanism, row.state, row.owner, row.place,
            _written(case.opened_at), _written(row.due), _written(case.moved_at), _written(case.ended_at),
            openness.words(case),
        ]  # fmt: skip


def workbook(cases: QuerySet[Case], offices: frozenset[int], said: str, who: str, now: datetime) -> Any:
    """An xlsx workbook: the filter, who exported it and when stand above the columns and on every printed page."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Cases"))
    sheet.freeze_panes = "A5"
    for letter, width in zip("ABCDEFGHIJKLM", (24, 16, 8, 48, 14, 14, 24, 16, 17, 17, 17, 17, 10), strict=True):
        sheet.column_dimensions[letter].width = width
    stamp = gettext("Exported by %(who)s at %(at)s") % {"who": who, "at": _written(now)}
    secret = gettext("Internal. Not for classified information")
    sheet.oddFooter.left.text = stamp.replace("&", "&&")
    sheet.oddFooter.right.text = secret
    sheet.append([harmless(gettext("Filter") + "：" + said)])
    sheet.append([harmless(f"{stamp}。{secret}。")])
    sheet.append([gettext("At most %(n)s rows; cut-off time %(at)s") % {"n": EXPORT_AT_MOST, "at": _written(now)}])
    sheet.append([
        gettext("Number"), gettext("National number"), gettext("Level"), gettext("Title"), gettext("Mechanism"), gettext("State"),
        gettext("Owner"), gettext("Place"), gettext("Opened"), gettext("Due"), gettext("Last act"), gettext("Ended"),
        gettext("May be made public"),
    ])  # fmt: skip
    for line in _lines(cases, offices):
        sheet.append([harmless(text) for text in line])
    return book


_NO_CELL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def harmless(text: str) -> str:
    """The text as a cell takes it: no formula of anybody's, none of the characters that a workbook cannot hold."""
    kept = _NO_CELL.sub("", text)
    return f"'{kept}" if kept.startswith(("=", "+", "-", "@")) else kept
