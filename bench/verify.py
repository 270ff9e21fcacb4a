"""``verify``: seconds to verify a ledger of two million entries: every leaf, chain, seal and case."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from bench import database

CASES, GOAL = 200_000, 20.0


def run(cases: int = CASES) -> dict[str, Any]:
    """Fill, seal, verify; only the last is timed."""
    with database.fresh(fsync=False):
        from django.db import connection

        from bench import fill
        from fengsui.ledger import sealer, sealing, verify

        now = datetime(2026, 11, 24, 3, tzinfo=UTC)
        begun = time.perf_counter()
        for first in range(1, cases + 1, 20_000):
            fill.fill(min(20_000, cases + 1 - first), first=first)
        filled = time.perf_counter()
        sealer.round_(sealing.Grower.load(), now)
        sealed = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        start = time.perf_counter()
        report = verify.ledger(now)
        value = time.perf_counter() - start
    return {
        "name": "verify",
        "value": round(value, 2),
        "unit": "s",
        "goal": GOAL,
        "ok": report.ok and report.entries == cases * 10 and value < GOAL,
        "detail": {
            "entries": report.entries, "cases": report.cases, "findings": len(report.findings),
            "fill_s": round(filled - begun, 1), "seal_s": round(sealed - filled, 1),
        },
    }  # fmt: skip
