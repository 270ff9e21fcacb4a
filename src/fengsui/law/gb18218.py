"""The tables of GB 18218 in force on a day, for ``science.gb18218``."""

from __future__ import annotations

import functools
from datetime import date

from fengsui.science.gb18218 import Limit, Tables

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
