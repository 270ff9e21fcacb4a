"""Opening an xlsx so that only its rows may be long: openpyxl reads every other part whole, before the first row.

In: the file's bytes. Out: openpyxl's workbook, its sheets read row by row. A workbook is a zip whose parts name each other,
so that a part's bound goes by how it is read, and not by what it is called.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element

from openpyxl import Workbook
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

WHOLE = 5_000_000
"""Bytes of a part that is read whole, unpacked: contents, workbook, styles, theme, properties, references."""
STRINGS = 60_000_000
"""Bytes of the texts that cells share, unpacked: as much as a whole file may have."""
ELEMENTS = 16_384 * 8
"""XML elements of one row or one shared text: eight for each column that a spreadsheet can have."""
DEEPEST = 100
"""Elements within each other; a row's lie five deep."""
MARKUP = 2_000_000
"""Bytes from one "<" to the next: a tag's attributes, or a text. A cell holds 32,767 characters."""
_TEXT, _ROW = f"{{{SHEET_MAIN_NS}}}si", f"{{{SHEET_MAIN_NS}}}row"


class PartTooLarge(Exception):
    """A part is longer than its bound; ``part`` names it."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part[:100]


class _Archive(zipfile.ZipFile):
    """A zip whose parts are read whole only up to ``WHOLE`` bytes."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        _demand(self, name, WHOLE)
        return super().read(name, pwd)


def _demand(archive: zipfile.ZipFile, name: Any, most: int) -> None:
    known = archive.getinfo(name) if isinstance(name, str) else name
    if known.file_size > most:  # zipfile gives no more than is said here
        raise PartTooLarge(known.filename)


class _Bounded:
    """A part as a file in which no piece of markup is longer than ``MARKUP``: a parser keeps a tag until it is whole."""

    def __init__(self, source: IO[bytes], part: str) -> None:
        self._source, self._part, self._since = source, part, 0

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        first = data.find(b"<")
        self._since += len(data) if first < 0 else first
        if self._since > MARKUP:
            raise PartTooLarge(self._part)
        if first >= 0:
            self._since = len(data) - data.rfind(b"<")
        return data


def _elements(source: IO[bytes], tag: str, part: str) -> Iterator[Element]:
    """The part's elements of that tag, one by one; they, and all between them, are forgotten at once."""
    above: list[Element] = []
    found: Element | None = None
    inside = 0
    for event, node in iterparse(_Bounded(source, part), events=("start", "end")):
        if event == "start":
            above.append(node)
            if found is None and node.tag == tag:
                found, inside = node, 0
            inside += 1
            if len(above) > DEEPEST or (found is not None and inside > ELEMENTS):
                raise PartTooLarge(part)
            continue
        above.pop()
        if found is not None and node is found:
            yield found
            found = None
        if found is None:
            node.clear()
            if above:
                above[-1].remove(node)


def rows(book: Workbook) -> Iterator[tuple[Any, ...]]:
    """The values of the first sheet's rows as openpyxl gives them; rows that the file leaves out are empty.

    openpyxl's own way keeps every element that it does not know until the end of the sheet. What the file says of its size is
    not believed. Raises ``PartTooLarge``, and whatever openpyxl raises for a sheet that is damaged.
    """
    sheet: Any = book.worksheets[0]
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source, sheet._shared_strings, data_only=True, epoch=book.epoch, date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        next_one = 1
        for row in _elements(source, _ROW, str(sheet._worksheet_path)):
            number, cells = parser.parse_row(row)
            parser.row_dimensions.clear()
            while next_one < number:
                next_one += 1
                yield ()
            if next_one == number:
                next_one += 1
                yield sheet._get_row(cells, values_only=True)


class _Reader(ExcelReader):
    """openpyxl's reader with bounds; charts on sheets of their own hold no rows and are passed over."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        self.archive = _Archive(io.BytesIO(data))

    def read_strings(self) -> None:
        """The shared texts, each forgotten as XML once it is read; a text as openpyxl gives it."""
        known = self.package.find(SHARED_STRINGS)
        if known is None:
            return
        name = known.PartName[1:]
        _demand(self.archive, name, STRINGS)
        with self.archive.open(name) as source:
            for text in _elements(source, _TEXT, name):
                self.shared_strings.append(Text.from_tree(text).content.replace("x005F_", ""))

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Nothing: openpyxl would read the part whole."""


def opened(data: bytes) -> Workbook:
    """The workbook. Raises ``PartTooLarge``, and whatever openpyxl and zipfile raise for a file that is damaged."""
    reader = _Reader(data)
    reader.read()
    book: Workbook = reader.wb
    return book
