"""Rows that many tests begin with, made once by each process and then set again as they were.

A region takes a hundred statements through Django's models; its rows again take one `COPY` a table. Each test still begins
with rows of its own, in its own transaction.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from django.db import connection, models, transaction

T = TypeVar("T")


@dataclass(frozen=True)
class Mold:
    """What one making left: each table's rows as `COPY` writes them, the object that it gave, and its moments as written."""

    rows: tuple[tuple[str, bytes], ...]
    given: bytes
    moments: tuple[bytes, ...]


_molds: dict[Hashable, Mold] = {}


def cast(
    what: Hashable, tables: Sequence[type[models.Model]], make: Callable[[datetime], T], now: datetime, days: Sequence[int]
) -> T:
    """What ``make(now)`` gives and the rows that it writes into ``tables``, which may be made from an earlier call's.

    ``days`` are the distances from ``now``, in days, of all moments and dates in the rows: they move with ``now``. Where one
    of the tables holds rows already, the new ones are made one by one.
    """
    key = (connection.settings_dict["NAME"], what)
    names = [one._meta.db_table for one in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"(SELECT 1 FROM {name} LIMIT 1)" for name in names))
        if cursor.fetchone():
            return make(now)
        mold, moments = _molds.get(key), _written(now, days)
        if mold is None:
            given = make(now)
            rows = []
            for name in names:
                with cursor.copy(f"COPY {name} TO STDOUT") as copy:
                    rows.append((name, b"".join(copy)))
            _molds[key] = Mold(tuple(rows), pickle.dumps(given), moments)
            return given
        moved = dict(zip(mold.moments, moments, strict=True))
        for name, written in mold.rows:
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                copy.write(_moved(written, moved))
        return pickle.loads(mold.given)


def _written(now: datetime, days: Sequence[int]) -> tuple[bytes, ...]:
    """The moments and the dates at these distances, as PostgreSQL writes them."""
    moments = [now.astimezone(UTC) + timedelta(days=one) for one in days]
    return tuple(_moment(one) for one in moments) + tuple(_date(now.date() + timedelta(days=one)) for one in days)


def _moment(moment: datetime) -> bytes:
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}+00".encode()


def _date(day: date) -> bytes:
    return day.isoformat().encode()


def _moved(written: bytes, moved: dict[bytes, bytes]) -> bytes:
    """The rows with other moments: a field is one of them as a whole or not at all."""
    return b"\n".join(b"\t".join(moved.get(field, field) for field in row.split(b"\t")) for row in written.split(b"\n"))
