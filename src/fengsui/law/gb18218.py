"""The tables of GB 18218 in force on a day, for ``science.gb18218``."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date

from fengsui.region import grading
from fengsui.region.filters import here
from fengsui.science.gb18218 import Amount, Limit, Tables
from fengsui.science.gb18218 import assess as sums

from .numbers import Book, book


def tables(on: date) -> Tables:
    """The standard's tables in force on that day; raises ``UnknownNumber`` before the standard."""
    return _tables(book(), on)


@functools.lru_cache(maxsize=8)
def _tables(present: Book, on: date) -> Tables:
    def rows(name: str) -> dict[str, object]:
        return dict(present.find(name, on).table or {})

    classes = rows("gb18218.classes")
    return Tables(
        named={key: float(row["critical_quantity_t"]) for key, row in rows("gb18218.critical").items()},  # type: ignore[index]
        beta_named={key: float(row) for key, row in rows("gb18218.beta").items()},  # type: ignore[arg-type]
        classes={
            key: Limit(float(row["critical_quantity_t"]), float(row["beta"]))  # type: ignore[index]
            for key, row in classes.items()
        },
        alpha=tuple(sorted(((int(key), float(row)) for key, row in rows("gb18218.alpha").items()), reverse=True)),  # type: ignore[arg-type]
        grades=tuple(sorted(((float(row), int(key)) for key, row in rows("gb18218.grade").items()), reverse=True)),  # type: ignore[arg-type]
    )


def assess(held: Sequence[tuple[float, str, Sequence[str]]], exposed: int, on: date) -> tuple[float, float, int | None]:
    """S, R and the grade of amounts (tonnes, number in table 1, classes) under the standard of that day.

    Raises ``ValueError`` naming what the standard does not know.
    """
    found = sums([Amount(tonnes, named, tuple(classes)) for tonnes, named, classes in held], exposed, tables(on))
    return round(found.s, 3), round(found.r, 3), found.grade


def named(on: date) -> list[tuple[str, str]]:
    """The substances of table 1: number → name in the reader's language."""
    rows = book().find("gb18218.critical", on).table or {}
    return [(key, f"{key} {here({'zh': row['zh'], 'en': row['en']})}") for key, row in rows.items()]


def classes(on: date) -> list[tuple[str, str]]:
    """The classes of table 2 by symbol."""
    rows = book().find("gb18218.classes", on).table or {}
    return [(key, f"{key} {here({'zh': row['zh'], 'en': row['en']})}") for key, row in rows.items()]


STANDARD = grading.Standard(assess, named, classes)
