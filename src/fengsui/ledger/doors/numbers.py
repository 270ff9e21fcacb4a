"""The numbers that cases carry, by the mechanism's pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from fengsui.moment import LEGAL_ZONE
from fengsui.region.tree import tree

_SERIAL = re.compile(r"\{serial(?::0?(\d+))?\}")


def give(pattern: str, row: Mapping[str, Any], fields: Mapping[str, Any], now: datetime) -> str:
    """The next number of ``pattern`` for a case with these columns and fields.

    ``{place}`` is the place's code, ``{office}`` the opening office (``_seat``), ``{year}`` the legal year, ``{NAME}`` else
    a field; ``{serial:06}`` counts within all of them. The counter's row stays locked until the transaction
    ends, so that an abandoned one leaves no gap.
    """
    words = {
        "place": row["place_code"] or "0",
        "office": _seat(row["opener_id"]) or row["place_code"] or "0",
        "year": now.astimezone(LEGAL_ZONE).year,
        "serial": "\0",
        **{name: value for name, value in fields.items() if isinstance(value, str | int)},
    }
    shape = _SERIAL.sub("\0", pattern).format_map(_Words(words))
    width = _SERIAL.search(pattern)
    if width is None:
        return shape
    while True:
        digits = str(take(shape.replace("\0", "#"), 1)).zfill(int(width[1] or 1))
        number = shape.replace("\0", digits)
        if not _taken(number):
            return number


def _seat(office: int | None) -> str:
    """An office for people: its place's code, ``150207``; the place's second office ``150207.2``.

    Each office has a series of its own: from gaps in a shared one it could tell what its neighbour opened. Offices are
    counted in the order in which they came, also those that are gone, so that none takes over another's numbers. A turn is
    for good: ids only grow, no office's row is deleted, and its place is set when it is added and by no operation after (an
    authority that moves to another place is a new office, into which the old one is merged).
    """
    known = tree().offices
    node = known.get(office) if office else None
    if node is None:
        return ""
    turn = sum(one.place == node.place and one.id <= node.id for one in known.values())
    return node.place if turn == 1 else f"{node.place}.{turn}"


def _taken(number: str) -> bool:
    """Whether a case from the old world brought this number along."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_case WHERE number = %s", [number])
        return cursor.fetchone() is not None


class _Words(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "0"


def take(name: str, count: int) -> int:
    """The first of the next ``count`` serials of a counter."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_counter (name, value) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET value = ledger_counter.value + excluded.value RETURNING value",
            [name, count],
        )
        return int(cursor.fetchone()[0]) - count + 1
