"""Rows into tables, few or many: one statement for a few, COPY for many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db import connection

FEW = 64
"""Up to here one INSERT is faster than setting up a COPY."""

Row = Sequence[Any]


def insert(table: str, columns: Sequence[str], rows: Sequence[Row], *, conflict: str = "") -> None:
    """Insert rows; ``conflict`` such as ``ON CONFLICT DO NOTHING`` keeps it to one statement."""
    if not rows:
        return
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if len(rows) <= FEW or conflict:
            for start in range(0, len(rows), 2000):
                part = rows[start : start + 2000]
                marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * len(part))
                cursor.execute(
                    f"INSERT INTO {table} ({names}) VALUES {marks} {conflict}",  # noqa: S608 - own names only
                    [value for row in part for value in row],
                )
            return
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


_HEADER, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_AT_ONCE = 1 << 18


def copy_binary(table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
    """COPY rows that are in PostgreSQL's binary form already; the server takes them while the next are composed."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
        waiting = bytearray(_HEADER)
        for row in rows:
            waiting += row
            if len(waiting) >= _AT_ONCE:
                copy.write(waiting)
                waiting = bytearray()
        copy.write(bytes(waiting) + _END)


def insert_one(table: str, columns: Sequence[str], row: Row) -> int:
    """Insert one row and return its new id."""
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) RETURNING id", list(row))  # noqa: S608
        return int(cursor.fetchone()[0])


def take_ids(table: str, count: int) -> list[int]:
    """The next ``count`` ids of a table, for rows that refer to each other.

    The table is locked as an insert locks it before the first id is taken: the sealer holds an id for settled once no
    transaction that could still write it holds that lock, and an entry below it would never be sealed.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [f"{table}_id_seq", count])
        return [value for (value,) in cursor.fetchall()]


def update(table: str, types: dict[str, str], rows: Sequence[dict[str, Any]], *, where: str = "") -> int:
    """Update many rows by ``id`` from plain dicts; ``types`` gives each column's SQL type. Returns how many."""
    if not rows:
        return 0
    sets = ", ".join(f"{name} = d.{name}" for name in types if name != "id")
    shape = ", ".join(f"{name} {kind}" for name, kind in types.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET {sets} FROM json_to_recordset(%s::json) AS d({shape}) "  # noqa: S608 - own names
            f"WHERE t.id = d.id {where}",
            [orjson.dumps(rows, default=str).decode()],
        )
        return int(cursor.rowcount)
