"""How many acts a second eight processes get through the doors, on the embedded PostgreSQL with durable commits."""

from __future__ import annotations

import multiprocessing
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.database import fresh

GOAL = 300
PROCESSES = 8
SECONDS = 6.0
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def _acts(start: Any, cases: list[str], actor: dict[str, Any], out: Any) -> None:
    """One process: acts on its own cases in turn until the time is over."""
    import django

    django.setup()
    from django.db import connection

    from fengsui.ledger import doors
    from fengsui.ledger.kernel.shapes import Actor, Call

    who = Actor(**actor)
    doors.act(cases[0], Call("order_interim", who, {"interim_control": "停用"}), now=NOW)  # fills what is cached per process
    start.wait()
    done, until = 0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        call = Call("order_interim", who, {"interim_control": f"停用{done}号罐"}, key=f"{os.getpid()}-{done}")
        doors.act(cases[done % len(cases)], call, now=NOW + timedelta(seconds=done))
        done += 1
    connection.close()
    out.put(done)


def run() -> dict[str, Any]:
    """Acts per second over all processes; detail holds one process alone."""
    with fresh():
        from django.db import connection
        from tests.small_region import build

        from fengsui.ledger import doors

        small = build(NOW)
        about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="基准")
        who = small.one("county").actor
        actor = {"kind": "person", "person": who.person, "office": who.office, "post": who.post}
        found = {"finding": "基准"}
        cases = [doors.open("hazard", "found_here", found, who, about, key="", now=NOW).case for _ in range(PROCESSES * 8)]
        connection.close()
        alone = _together(1, cases, actor)
        rate = _together(PROCESSES, cases, actor)
    return {
        "name": "ledger_acts",
        "value": round(rate),
        "unit": "acts/s from 8 processes",
        "goal": GOAL,
        "ok": rate >= GOAL,
        "detail": {"one_process": round(alone), "seconds": SECONDS, "idempotency_keys": True},
    }


def _together(count: int, cases: list[str], actor: dict[str, Any]) -> float:
    spawn = multiprocessing.get_context("spawn")
    start, out = spawn.Barrier(count), spawn.Queue()
    share = len(cases) // count
    workers = [spawn.Process(target=_acts, args=(start, cases[at * share : (at + 1) * share], actor, out)) for at in range(count)]
    for one in workers:
        one.start()
    done = sum(out.get(timeout=120) for _ in workers)
    for one in workers:
        one.join(30)
    return done / SECONDS
