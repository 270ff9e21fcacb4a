"""A file of rows: which columns, which cells, whatever program wrote it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext

MOST = 50_000
"""Rows of one file."""
LARGEST = 60_000_000
"""Bytes of one file."""
UNPACKED = 300_000_000
"""Bytes of an xlsx once unpacked: it is a zip, and zeros pack a thousandfold."""
CELLS = 4_000_000
"""Cells of one file, empty ones as well."""
WIDEST = 200
"""Columns of one file; the widest template has some thirty."""
LONGEST_CELL = 32_767
"""Characters of one cell, as in every spreadsheet program."""


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
        raise Unreadable(
            gettext("The file has %(size)s MB; at most %(most)s are taken: split it.")
            % {"size": len(data) // 1_000_000, "most": LARGEST // 1_000_000}
        )
    if name.lower().endswith(".xlsx") or data.startswith(b"PK\x03\x04"):
        return _table(_sheet(data))
    return _table(_lines(_text(data)))


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(gettext("The file is neither UTF-8 nor GBK text: save it again as CSV, or as xlsx."))


def _lines(text: str) -> Iterator[list[Any]]:
    """The rows of a CSV. A comma inside quotes counts as well: what is bounded is what the reader would have to make."""
    if text.count(",") > CELLS:
        raise _too_many_cells()
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST))  # a cell's length is ours to judge, so that it is named
    try:
        yield from _counted(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise Unreadable(
            gettext("The file cannot be read as CSV (%(why)s): save it again as CSV, or as xlsx.") % {"why": error}
        ) from error


def _counted(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """The rows, as long as they are not too many cells; an empty row counts as one, however its line ends."""
    cells = 0
    for row in rows:
        cells += max(len(row), 1)
        if cells > CELLS:
            raise _too_many_cells()
        yield list(row)


def _sheet(data: bytes) -> Iterator[list[Any]]:
    """The rows of an xlsx's first sheet, looked at before anything is unpacked, and counted while it is."""
    from fengsui.ledger.adoption.workbook import PartTooLarge, opened, rows  # openpyxl is slow to load

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(one.file_size for one in packed.infolist())  # zipfile reads no more than it says here
        if unpacked > UNPACKED:
            raise Unreadable(
                gettext("Unpacked, the file has %(size)s MB; at most %(most)s are taken: split it, or save it as CSV.")
                % {"size": unpacked // 1_000_000, "most": UNPACKED // 1_000_000}
            )
        yield from _counted(rows(opened(data)))
    except PartTooLarge as error:
        raise Unreadable(
            gettext("Beside its rows the workbook holds too much (%(part)s): copy the rows into a new one, or save it as CSV.")
            % {"part": error.part}
        ) from error
    except Unreadable:
        raise
    except Exception as error:  # openpyxl raises whatever it stumbles over, also on the way
        raise Unreadable(gettext("The file is no xlsx workbook: save it again as xlsx, or as CSV.")) from error


def _too_many_cells() -> Unreadable:
    return Unreadable(
        gettext("The file has more than %(most)s cells: split it, or delete the empty rows and columns beside the table.")
        % {"most": f"{CELLS:,}"}
    )


def _table(lines: Iterator[list[Any]]) -> Table:
    head: tuple[str, ...] = ()
    rows: list[Row] = []
    for number, line in enumerate(lines, 1):
        cells = [_cell(one) for one in line]
        if not head:
            head = tuple(str(one) for one in cells)
            while head and not head[-1]:
                head = head[:-1]
            _demand_head(head)
            continue
        _demand_length(number, head, cells)
        if any(one not in ("", None) for one in cells):
            rows.append(Row(number, dict(zip(head, cells, strict=False))))
        if len(rows) > MOST:
            raise Unreadable(gettext("The file has more than %(most)s rows: split it.") % {"most": f"{MOST:,}"})
    if not head:
        raise Unreadable(gettext("The file is empty: the first row names the columns, as the template does."))
    return Table(head, tuple(rows))


def _demand_length(number: int, head: tuple[str, ...], cells: list[Any]) -> None:
    for at, cell in enumerate(cells):
        if isinstance(cell, str) and len(cell) > LONGEST_CELL:
            raise Unreadable(
                gettext("Row %(row)s, column “%(column)s”: %(length)s characters; a cell may have at most %(most)s: shorten it.")
                % {
                    "row": number,
                    "column": head[at] if at < len(head) else at + 1,
                    "length": f"{len(cell):,}",
                    "most": f"{LONGEST_CELL:,}",
                }
            )


def _demand_head(head: tuple[str, ...]) -> None:
    if len(head) > WIDEST:
        raise Unreadable(
            gettext("The first row names %(n)s columns; at most %(most)s are taken: take the template.")
            % {"n": len(head), "most": WIDEST}
        )
    _demand_length(1, (), list(head))
    double = sorted(one for one, times in Counter(head).items() if one and times > 1)
    if double:
        raise Unreadable(gettext("The first row names a column twice: %(columns)s.") % {"columns": ", ".join(double)})


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime | date | int | float | bool):
        return value
    return "" if value is None else str(value).strip()
