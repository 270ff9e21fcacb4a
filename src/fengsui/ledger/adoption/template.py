"""The empty table that people fill in: the columns of a mechanism, one example row, what each cell wants."""

from __future__ import annotations

import csv
import io
from datetime import date

from fengsui.ledger import titles
from fengsui.ledger.adoption.columns import FIXED, STATE
from fengsui.ledger.kernel.shapes import Mechanism

_BY_TABLE = frozenset({"files"})


def _heads(mechanism: Mechanism) -> list[str]:
    fixed = [titles.here({"zh": zh, "en": en}) for zh, en in FIXED.values()]
    fields = [titles.field(one) for one in mechanism.fields.values() if one.kind not in _BY_TABLE and not one.sealed]
    return fixed + [one for one in fields if one not in fixed]


def _example(mechanism: Mechanism, today: date) -> list[str]:
    first = next(iter(mechanism.states))
    known = {STATE: titles.state(mechanism, first), "opened": today.isoformat()}
    return [known.get(key, "") for key in FIXED]


def as_csv(mechanism: Mechanism, today: date) -> bytes:
    """UTF-8 with the mark by which spreadsheet programs know it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_heads(mechanism))
    writer.writerow(_example(mechanism, today))
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(mechanism: Mechanism, today: date) -> bytes:
    """A workbook: the table, and a second sheet with the states that may be written."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = titles.mechanism(mechanism)[:30]
    sheet.append(_heads(mechanism))
    sheet.append(_example(mechanism, today))
    sheet.freeze_panes = "A2"
    known = book.create_sheet(titles.here({"zh": "状态", "en": "States"}))
    for name in (*mechanism.states, *mechanism.ends):
        known.append([titles.state(mechanism, name), name])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
