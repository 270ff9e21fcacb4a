"""Opening an xlsx so that only its rows may be long: openpyxl reads every other part whole, before the first row.

In: the file's bytes. Out: openpyxl's workbook, its sheets read row by row. A workbook is a zip whose parts name each other,
so that a part's bound goes by how it is read, and not by what it is called.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any
from xml.etree.ElementTree import Element

from openpyxl import Workbook
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

WHOLE = 5_000_000
"""Bytes of a part that is read whole, unpacked: contents, workbook, styles, theme, properties, references."""
STRINGS = 60_000_000
"""Bytes of the texts that cells share, unpacked: as much as a whole file may have."""
_TEXT = f"{{{SHEET_MAIN_NS}}}si"


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
            root: Element | None = None
            for event, node in iterparse(source, events=("start", "end")):
                if root is None:
                    root = node
                elif event == "end" and node.tag == _TEXT:
                    self.shared_strings.append(Text.from_tree(node).content.replace("x005F_", ""))
                    root.clear()

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        """Nothing: openpyxl would read the part whole."""


def opened(data: bytes) -> Workbook:
    """The workbook. Raises ``PartTooLarge``, and whatever openpyxl and zipfile raise for a file that is damaged."""
    reader = _Reader(data)
    reader.read()
    book: Workbook = reader.wb
    return book
