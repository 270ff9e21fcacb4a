"""``verify``: seconds to verify a ledger of two million entries: every leaf, chain, seal and case."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from bench import database

CASES, PER_CASE, GOAL = 200_000, 10, 20.0


def run(cases: int = CASES) -> dict[str, Any]:
    """Fill, seal, verify; only the last is timed."""
    with database.filled(cases) as large:
        from bench import lives
        from fengsui.ledger import verify

        start = time.perf_counter()
        report = verify.ledger(lives.NOW + timedelta(minutes=1))
        value = time.perf_counter() - start
    whole = report.ok and report.entries == large.entries >= cases * PER_CASE
    return {
        "name": "verify",
        "value": round(value, 2),
        "unit": "s",
        "goal": GOAL,
        "ok": whole and value < GOAL,
        "detail": {
            "entries": report.entries, "cases": report.cases, "findings": len(report.findings),
            "fill_s": large.fill_s, "seal_s": large.seal_s,
        },
    }  # fmt: skip
