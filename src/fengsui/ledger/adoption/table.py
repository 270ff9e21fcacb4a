"""A file of rows: which columns, which cells, whatever program wrote it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

MOST = 50_000
"""Rows of one file."""
LARGEST = 60_000_000
"""Bytes of one file."""


class Unreadable(ValueError):
    """The file is none of ours; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a person counts it (the head is 1), cells by the head's words."""

    number: int
    cells: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The head's words in order, and the rows that hold anything."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


def read(data: bytes, name: str) -> Table:
    """The table of a file by its name's ending. Raises ``Unreadable``."""
    if len(data) > LARGEST:
        raise Unreadable(f"the file has {len(data) // 1_000_000} MB; at most {LARGEST // 1_000_000} are taken: split it")
    if name.lower().endswith(".xlsx") or data.startswith(b"PK\x03\x04"):
        return _table(_sheet(data))
    return _table(csv.reader(io.StringIO(_text(data), newline="")))


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("the file is neither UTF-8 nor GBK text: save it again as CSV, or as xlsx")


def _sheet(data: bytes) -> Iterator[list[Any]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever it stumbles over
        raise Unreadable("the file is no xlsx workbook: save it again as xlsx, or as CSV") from error
    for row in book.worksheets[0].iter_rows(values_only=True):
        yield list(row)


def _table(lines: Iterator[list[Any]]) -> Table:
    head: tuple[str, ...] = ()
    rows: list[Row] = []
    try:
        for number, line in enumerate(lines, 1):
            cells = [_cell(one) for one in line]
            if not head:
                head = tuple(str(one) for one in cells)
                while head and not head[-1]:
                    head = head[:-1]
                _demand_head(head)
                continue
            if any(one not in ("", None) for one in cells):
                rows.append(Row(number, dict(zip(head, cells, strict=False))))
            if len(rows) > MOST:
                raise Unreadable(f"the file has more than {MOST} rows: split it")
    except csv.Error as error:
        raise Unreadable(f"the file cannot be read as CSV ({error}): save it again as CSV, or as xlsx") from error
    if not head:
        raise Unreadable("the file is empty: the first row names the columns, as the template does")
    return Table(head, tuple(rows))


def _demand_head(head: tuple[str, ...]) -> None:
    double = sorted({one for one in head if one and head.count(one) > 1})
    if double:
        raise Unreadable(f"the first row names a column twice: {', '.join(double)}")


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime | date | int | float | bool):
        return value
    return "" if value is None else str(value).strip()
