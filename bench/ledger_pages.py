"""The ledger's list, search and case page with 200,000 cases and 2 million entries: the 95th percentile in ms.

The cases are taken over through ``doors.adopt``, so that words, parties, clocks and seals are the real ones.
``BENCH_CASES`` makes it smaller.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.database import fresh

GOAL = 300.0
CASES = int(os.environ.get("BENCH_CASES", "200000"))
PAST, ASKED = 9, 40
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
THINGS = ("安全阀根部阀关闭", "可燃气体报警器失效", "储罐液位计损坏", "消防水压力不足", "围堰破损", "静电接地断开", "联锁已摘除")
STATES = ("found", "settling", "settled", "review", "cancelled")


def _rows(small: Any) -> Iterator[Any]:
    from fengsui.ledger import doors

    past = tuple(doors.Past(f"第{n}次记录", NOW - timedelta(days=60 - n), "王某", "台账", "found") for n in range(PAST))
    for n in range(CASES):
        place = ("150207", "150203")[n % 2]
        about = doors.About(kind="place", place_code=place, duty="hazchem", title=f"{THINGS[n % len(THINGS)]}（{n}号装置）")
        state = STATES[n % len(STATES)]
        fields = {"finding": THINGS[n % len(THINGS)], "answering": small.county.pk if n % 2 == 0 else small.other.pk}
        opened = NOW - timedelta(days=60, minutes=n)
        yield doors.Adoption(
            "hazard", state, about, f"旧-{n:07}", fields, opened_at=opened, ended=state == "cancelled", source="bench", past=past
        )


def _ask(client: Any, path: str, post: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path, headers={"X-Acting-Post": post})
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.content[:200]!r}")
    return (time.perf_counter() - begun) * 1000


def _times(small: Any) -> dict[str, list[float]]:
    """Milliseconds by visitor and page, warm."""
    from django.test import Client

    from fengsui.ledger.models import Case

    times: dict[str, list[float]] = {}
    some = [str(one) for one in Case.objects.filter(place_code="150207").values_list("pk", flat=True)[: ASKED + 1]]
    for office in ("county", "top"):
        who = small.one(office)
        client = Client(SERVER_NAME="localhost")
        client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
        for turn in range(ASKED + 1):
            asked = {
                "list": "/api/cases?limit=50",
                "list_open": "/api/cases?limit=50&ended=false&state=review",
                "search": f"/api/cases?q={THINGS[turn % len(THINGS)][:4]} {turn}号",
                "entries": f"/api/cases/{some[turn]}/entries",
                "acts": f"/api/cases/{some[turn]}/acts",
                "desk": "/api/desk",
            }
            for kind, path in asked.items():
                spent = _ask(client, path, str(who.post.pk))
                if turn:  # the first fills what is cached
                    times.setdefault(f"{office}_{kind}", []).append(spent)
    return times


def run() -> dict[str, Any]:
    """p95 of each page as the API serves it to a county officer and to the region's."""
    with fresh(fsync=False):
        from django.db import connection
        from tests.small_region import build

        from fengsui.ledger import doors
        from fengsui.ledger.models import Entry

        small = build(NOW)
        begun = time.perf_counter()
        doors.adopt(_rows(small), NOW)
        filled = time.perf_counter() - begun
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        times = _times(small)
        entries = Entry.objects.count()
    detail = {name: round(sorted(found)[int(len(found) * 0.95)], 1) for name, found in times.items()}
    worst = max(detail.values())
    return {
        "name": "ledger_pages",
        "value": worst,
        "unit": "ms p95, worst page",
        "goal": GOAL,
        "ok": worst < GOAL,
        "detail": {"cases": CASES, "entries": entries, "fill_s": round(filled), **detail},
    }
