"""How many acts a second eight processes get through the doors, on the embedded PostgreSQL with durable commits."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.database import fresh

GOAL = 300
PROCESSES = 8
SECONDS = 6.0
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

_WEB = """
import signal, threading
from fengsui.services import web
stop = threading.Event()
signal.signal(signal.SIGINT, lambda *_: stop.set())
web.run(stop)
"""


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
    """Acts per second over all processes; detail holds one process alone, and clients of the real web process."""
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
        web = _by_http(small.one("county").acting, cases)
    return {
        "name": "ledger_acts",
        "value": round(rate),
        "unit": "acts/s from 8 processes",
        "goal": GOAL,
        "ok": rate >= GOAL,
        "detail": {"one_process": round(alone), "seconds": SECONDS, "idempotency_keys": True, **web},
    }


def _by_http(acting: Any, cases: list[str]) -> dict[str, Any]:
    """Eight clients post acts to ``/api`` with a token, ``If-Match`` and an idempotency key, each on its own cases in turn."""
    from django.db import connection
    from tests.real_parts import free_port

    from fengsui import moment
    from fengsui.ledger import tokens

    now, workers = moment.now(), os.cpu_count() or 1
    _token, secret = tokens.issue("bench", acting, now=now, expires=now + timedelta(days=1))
    connection.close()
    port = free_port()
    settings = {"FENGSUI_BIND": "127.0.0.1", "FENGSUI_PORT": str(port), "FENGSUI_WORKERS": str(workers)}
    server = subprocess.Popen([sys.executable, "-c", _WEB], env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
    try:
        _until_answered(port, server)
        share = len(cases) // PROCESSES
        with ThreadPoolExecutor(PROCESSES) as pool:
            parts = [cases[at * share : (at + 1) * share] for at in range(PROCESSES)]
            times = [one for found in pool.map(lambda some: _client(port, secret, some), parts) for one in found]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
    p95 = sorted(times)[int(len(times) * 0.95)]
    return {"http_per_s": round(len(times) / SECONDS), "http_p95_ms": round(p95 * 1000), "http_workers": workers}


def _until_answered(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/")
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web process ended, or did not answer within a minute")


def _client(port: int, secret: str, cases: list[str]) -> list[float]:
    """Acts until the time is over; the seconds of each."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    always = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    link.request("GET", f"/api/cases/{cases[0]}", headers=always)
    link.getresponse().read()  # fills what is cached
    versions: dict[str, int] = {}
    times: list[float] = []
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        case = cases[len(times) % len(cases)]
        if case not in versions:
            link.request("GET", f"/api/cases/{case}", headers=always)
            versions[case] = json.loads(link.getresponse().read())["version"]
        asked = json.dumps({"act": "order_interim", "values": {"interim_control": f"停用{len(times)}号罐"}})
        own = {"If-Match": f'"{versions[case]}"', "Idempotency-Key": f"{case}-{versions[case]}"}
        begun = time.perf_counter()
        link.request("POST", f"/api/cases/{case}/acts", asked.encode(), {**always, **own})
        answer = link.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {told[:300]!r}")
        times.append(time.perf_counter() - begun)
        versions[case] = json.loads(told)["seq"]
    return times


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
