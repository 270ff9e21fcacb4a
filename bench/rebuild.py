"""``rebuild``: seconds to derive two million entries' cases, clocks and numbers and find them identical."""

from __future__ import annotations

import time
from typing import Any

from bench import database

CASES, PER_CASE, GOAL = 200_000, 10, 120.0


def run(cases: int = CASES) -> dict[str, Any]:
    """Fill, then derive and compare; only that is timed."""
    with database.filled(cases) as large:
        from fengsui.ledger import rebuild

        start = time.perf_counter()
        told = rebuild.check()
        value = time.perf_counter() - start
    return {
        "name": "rebuild",
        "value": round(value, 2),
        "unit": "s",
        "goal": GOAL,
        "ok": told.ok and told.entries == large.entries >= cases * PER_CASE and value < GOAL,
        "detail": {
            "entries": told.entries,
            "cases": told.cases,
            "clocks": told.clocks,
            "fill_s": large.fill_s,
            "differences": [str(one) for one in told.differences[:3]],
        },
    }
