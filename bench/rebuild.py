"""``rebuild``: seconds to derive two million entries' cases, clocks and numbers and find them identical."""

from __future__ import annotations

import time
from typing import Any

from bench import database

CASES, GOAL = 200_000, 120.0


def run(cases: int = CASES) -> dict[str, Any]:
    """Fill, then derive and compare; only that is timed."""
    with database.fresh(fsync=False):
        from django.db import connection

        from bench import fill
        from fengsui.ledger import rebuild

        for first in range(1, cases + 1, 20_000):
            fill.fill(min(20_000, cases + 1 - first), first=first)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        start = time.perf_counter()
        told = rebuild.check()
        value = time.perf_counter() - start
    return {
        "name": "rebuild",
        "value": round(value, 2),
        "unit": "s",
        "goal": GOAL,
        "ok": told.ok and told.entries == cases * 10 and value < GOAL,
        "detail": {
            "entries": told.entries,
            "cases": told.cases,
            "clocks": told.clocks,
            "differences": [str(one) for one in told.differences[:3]],
        },
    }
