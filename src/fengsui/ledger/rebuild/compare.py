"""A folded case against its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fengsui.ledger.doors import deadlines
from fengsui.ledger.doors.columns import CASE, CLOCK, COLUMNS, CORE, LINE
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.rebuild.fold import Folded
from fengsui.ledger.seals import change

CLOCK_READ = ("case_id", "place", *CLOCK, *LINE, "id")
_KERNEL = {column: kernel for column, kernel in CLOCK.items() if column != "rung"}
_BESIDE = tuple(name for name in LINE if name != "next_rung_at")
_ABSENT: Mapping[str, Any] = {"pending": {}}
"""What an entry of an older form leaves unsaid."""
_UNSAID: Mapping[str, Any] = {"title_en": ""}
"""… of the columns."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that says something else than the entries do."""

    case: str
    what: str
    row: Any
    entries: Any

    def __str__(self) -> str:
        return f"case {self.case}: {self.what} is {self.row!r}, its entries give {self.entries!r}"


def _stamp(value: Any) -> Any:
    return change.stamp(value) if isinstance(value, datetime) else value


def case(row: Sequence[Any], folded: Folded) -> Iterator[Difference]:
    """Where the case's row differs from its entries."""
    known, own = folded.known, dict(zip(CASE, row, strict=True))
    name, columns, core = str(own["id"]), known["row"], own["core"]
    expected: dict[str, Any] = {
        "mechanism": known["mechanism"],
        "version_id": known["version"],
        "seq": folded.seq,
        "state": known["state"],
        "fields": known["fields"],
        "raiser": known["raiser"],
        "opened_at": known["opened"],
        "ended": known["ended"],
        "parent_id": known["parent"],
        "moved_at": folded.at,
        "next_due": _next_due(known),
        **{column: columns.get(column, _UNSAID.get(column)) for column in COLUMNS},
    }
    for what, value in expected.items():
        have = own[what]
        if what in ("parent_id", "root_id") and have is not None:
            have = str(have)
        if _stamp(have) != value:
            yield Difference(name, what, _stamp(have), value)
    for what in CORE:
        value = known[what] if what in known else _ABSENT.get(what)
        if core.get(what, _ABSENT.get(what)) != value:
            yield Difference(name, what, core.get(what), value)


def _next_due(known: Mapping[str, Any]) -> str | None:
    running = [row["due"] for row in known["clocks"] if row["stopped"] is None and row["paused_at"] is None]
    return min(running) if running and not known["ended"] else None


def clocks(
    case_id: str, rows: Sequence[Sequence[Any]], folded: Folded, fired: Mapping[int, tuple[int, int]], mechanism: Mechanism | None
) -> Iterator[Difference]:
    """Where the case's running and stopped clocks differ; ``fired``: clock id → its latest rung and the seq after it."""
    expected = folded.known["clocks"]
    if len(rows) != len(expected):
        yield Difference(case_id, "clocks", len(rows), len(expected))
        return
    for row, wanted in zip(rows, expected, strict=True):
        own = dict(zip(CLOCK_READ, row, strict=True))
        place, label = own["place"], f"clock {own['name']}"
        for column, key in _KERNEL.items():
            if _stamp(own[column]) != wanted.get(key):
                yield Difference(case_id, f"{label} {column}", _stamp(own[column]), wanted.get(key))
        line = folded.lines.get(place, {})
        for column in _BESIDE:
            if column in line and own[column] != line[column]:
                yield Difference(case_id, f"{label} {column}", own[column], line[column])
        rung = wanted["rung"]
        if (last := fired.get(own["id"])) and last[1] >= folded.changed.get(place, 0):
            rung = last[0] + 1
        if own["rung"] != rung:
            yield Difference(case_id, f"{label} rung", own["rung"], rung)
        if own["paused_at"] is None:
            wake = _wake({**wanted, "rung": rung}, mechanism, folded.known["fields"])
            if _stamp(own["next_rung_at"]) != wake:
                yield Difference(case_id, f"{label} next_rung_at", _stamp(own["next_rung_at"]), wake)


def _wake(row: Mapping[str, Any], mechanism: Mechanism | None, fields: Mapping[str, Any]) -> str | None:
    """When the next rung fires; nothing fires on a stopped clock."""
    if row["stopped"] is not None or mechanism is None:
        return None
    moment = deadlines.next_rung(mechanism, change.clock_of(row), fields=fields)
    return change.stamp(moment) if moment else None
