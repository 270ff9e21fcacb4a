"""Cases, clocks and entries as rows of their tables."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from fengsui.ledger.doors.columns import CLOCK, CLOCK_MOVES, COLUMNS, LINE, MOVING
from fengsui.ledger.doors.held import ClockLine, Held, core_json
from fengsui.ledger.kernel.shapes import Case, ClockRow

_CLOCK_MOVES = [(name, CLOCK[name]) for name in CLOCK_MOVES if name in CLOCK]


def json_text(value: Any) -> str:
    """A JSON column's text."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def next_due(case: Case) -> datetime | None:
    """The earliest due of the clocks that run."""
    if case.ended:
        return None
    return min((row.due for row in case.clocks if row.stopped is None and row.paused_at is None), default=None)


def case_row(held: Held, now: datetime) -> list[Any]:
    """A new case, in the order of ``columns.CASE``."""
    case, row = held.case, held.row
    return [
        case.id, case.mechanism, case.version, case.seq, case.state, json_text(dict(case.fields)), core_json(case).decode(),
        case.parent, json_text(dict(case.raiser)), case.opened, case.ended, now, next_due(case),
        *(row[name] for name in COLUMNS),
    ]  # fmt: skip


def case_move(held: Held, after: Case, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What an entry changes of a stored case's row, by column; ``held`` is the case before it."""
    before = held.case
    move: dict[str, Any] = {"id": after.id, "seq": after.seq, "core": orjson.Fragment(core_json(after)), "moved_at": now}
    if after.fields is not before.fields:
        move["fields"] = dict(after.fields)
    for name, old, new in (
        ("state", before.state, after.state),
        ("version_id", before.version, after.version),
        ("ended", before.ended, after.ended),
        ("next_due", next_due(before), next_due(after)),
    ):
        if old != new:
            move[name] = new
    if row is not held.row:
        move.update((name, row[name]) for name in MOVING if row[name] != held.row[name])
    return move


def clock_row(held: Held, place: int, line: ClockLine, row: ClockRow) -> list[Any]:
    """A new clock, in the order of ``CLOCK_ROW``."""
    return [
        held.case.id, place, *(getattr(row, kernel) for kernel in CLOCK.values()),
        *(getattr(line, name) for name in LINE), True, held.row["exercise"],
    ]  # fmt: skip


CLOCK_ROW = ("case_id", "place", *CLOCK, *LINE, "current", "exercise")


def clock_move(line: ClockLine, row: ClockRow, *, current: bool = True) -> dict[str, Any]:
    """What may have changed of a stored clock's row, by column."""
    move: dict[str, Any] = {name: getattr(row, kernel) for name, kernel in _CLOCK_MOVES}
    move.update(id=line.id, current=current, calendar=line.calendar, provisional=line.provisional)
    move["next_rung_at"] = line.next_rung_at if current else None
    return move


# -------------------------------------------------------------------- entries

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL's binary times count microseconds from here."""
_MICROSECOND = timedelta(microseconds=1)
_NULL = b"\xff\xff\xff\xff"
_START = struct.Struct(">hiqi16sii")
_LEAF = struct.Struct(">i16si32si32s")
_NUMBER = struct.Struct(">iq")
_LENGTH = struct.Struct(">i")


@lru_cache(maxsize=4096)
def _word(text: str) -> bytes:
    """A text cell of an act's or a state's name: few names, many rows."""
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


def entry_cells(row: Sequence[Any]) -> bytes:
    """A row of ``columns.ENTRY`` in PostgreSQL's binary COPY format; the columns' types are fixed here.

    The text form would send each body as hexadecimal digits, twice as long, and cost several times as much.
    """
    key, case, seq, act, before, after, at, person, principal, post, office, mark, body, salt, previous, leaf = row
    parts = [_START.pack(16, 8, key, 16, bytes.fromhex(case.replace("-", "")), 4, seq), _word(act), _word(before), _word(after)]
    parts.append(_NUMBER.pack(8, (at - _EPOCH) // _MICROSECOND))
    parts += (_NULL if one is None else _NUMBER.pack(8, one) for one in (person, principal, post, office))
    data = mark.encode()
    parts += (_LENGTH.pack(len(data)), data, _LENGTH.pack(len(body)), body, _LEAF.pack(16, salt, 32, previous, 32, leaf))
    return b"".join(parts)
