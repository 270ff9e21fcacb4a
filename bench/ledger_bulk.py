"""How many entries a second ``adopt`` writes: cases from the old world with their record, each entry sealed.

``act_many`` decides every act anew and is measured beside it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.database import fresh

GOAL = 20_000
CASES, PAST, ACTS = 4_000, 9, 2_000
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def run() -> dict[str, Any]:
    """Entries per second of ``adopt`` (ten per case); detail holds ``act_many``."""
    with fresh():
        from tests.small_region import build

        from fengsui.ledger import doors
        from fengsui.ledger.kernel.shapes import Call
        from fengsui.ledger.models import Entry

        small = build(NOW)
        past = tuple(doors.Past(f"第{n}次记录", NOW - timedelta(days=60 - n), "王某", "台账", "found") for n in range(PAST))
        about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="历史隐患")
        fields = {"finding": "历史隐患", "answering": small.county.pk}
        rows = [doors.Adoption("hazard", "found", about, f"旧-{n}", fields, past=past) for n in range(CASES)]
        doors.adopt([doors.Adoption("hazard", "found", about, "旧", fields)], NOW)  # fills what is cached
        begun = time.perf_counter()
        receipts = doors.adopt(rows, NOW)
        rate = CASES * (PAST + 1) / (time.perf_counter() - begun)
        who = small.one("county").actor
        calls = [(one.case, Call("order_interim", who, {"interim_control": "停用"})) for one in receipts[:ACTS]]
        begun = time.perf_counter()
        answers = doors.act_many(calls, NOW)
        acts = ACTS / (time.perf_counter() - begun)
        written = Entry.objects.count()
    good = written == CASES * (PAST + 1) + 1 + ACTS and not [one for one in answers if isinstance(one, doors.Refused)]
    return {
        "name": "ledger_bulk",
        "value": round(rate),
        "unit": "entries/s by adopt",
        "goal": GOAL,
        "ok": good and rate >= GOAL,
        "detail": {"cases": CASES, "entries": CASES * (PAST + 1), "act_many_per_s": round(acts)},
    }
