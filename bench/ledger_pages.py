"""``ledger_pages``: the pages themselves with 200,000 cases and 2 million entries, the 95th percentile of each in ms.

The real web process serves them over HTTP to a county's duty officer, a league's and the region's top office: the list
with filters, orders and deep pages, the search, a case, a case with 500 entries, the desk, the map and its counts, the
alarms, notices, sites and offices, and the API's answers. ``value`` is the slowest page of all. ``BENCH_CASES`` makes the
ledger smaller, ``FENGSUI_BENCH_KEEP`` keeps it between runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.database import filled

GOAL = 300.0
CASES = int(os.environ.get("BENCH_CASES", "200000"))
ROLES = {"county": "county", "league": "league", "region": "top"}
ASKED, WARM = 20, 1
LONG, LONG_NUMBER = 500, "BENCH-500"
WORDS = ("安全阀", "可燃气体报警器", "消防水压力不足", "静电接地断开", "围堰破损", "联锁已摘除")
_SERVE = "import threading; from fengsui.services import web; web.run(threading.Event())"


def pages(some: list[str], long: str) -> dict[str, list[str]]:
    """What is asked, by name: addresses taken in turn."""
    lists = "/cases/"
    return {
        "desk": ["/desk/"],
        "desk_lines": ["/desk/?part=lines"],
        "list": [lists],
        "list_deep": [f"{lists}?page={page}" for page in (40, 120, 200)],
        "list_all": [f"{lists}?open=all&page={page}" for page in (1, 60, 200)],
        "list_filters": [
            f"{lists}?mechanism=hazard&state=review", f"{lists}?level=red,orange", f"{lists}?clock=overdue", f"{lists}?mine=1",
            f"{lists}?place=150207", f"{lists}?open=0&mechanism=warning", f"{lists}?clock=week&order=-moved",
        ],
        "list_orders": [
            *(f"{lists}?order={order}" for order in ("-due", "-opened", "-moved", "number", "place")),
            f"{lists}?open=all&order=-opened&page=100", f"{lists}?open=0&order=place",
        ],
        "search": [f"{lists}?q={quote(word)}" for word in WORDS],
        "search_all": [f"{lists}?open=all&q={quote(word)}" for word in WORDS],
        "search_one": [f"{lists}?open=all&q={quote(f'{word} 00{10_007 + 9_001 * at}')}" for at, word in enumerate(WORDS)],
        "palette": [f"/find/?q={quote(word)}" for word in WORDS],
        "case": [f"/cases/{one}/" for one in some],
        "case_500": [f"/cases/{long}/"],
        "map": ["/map/"],
        "map_counts": ["/map/now.json"],
        "alarms": ["/alarms/"],
        "notices": ["/notices/"],
        "site": ["/sites/HC-1/"],
        "sites": ["/sites/"],
        "offices": ["/offices/"],
        "mechanisms": ["/mechanisms/"],
        "raise": ["/cases/new/"],
        "api_list": ["/api/cases?limit=50", "/api/cases?limit=50&ended=false&state=review"],
        "api_search": [f"/api/cases?q={quote(word)}" for word in WORDS],
        "api_entries": [f"/api/cases/{one}/entries" for one in (*some, long)],
        "api_acts": [f"/api/cases/{one}/acts" for one in some],
        "api_desk": ["/api/desk"],
    }  # fmt: skip


@contextlib.contextmanager
def _web(data: Path) -> Iterator[int]:
    """The web process on a free port; ended afterwards."""
    from tests.real_parts import free_port

    port = free_port()
    environment = {**os.environ, "FENGSUI_PORT": str(port), "PYTHONPATH": os.pathsep.join(sys.path)}
    with (data / "web.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVE], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the web process did not start: {(data / 'web.log').read_text()[-800:]}")
            time.sleep(0.1)
        yield port
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


@contextlib.contextmanager
def _stream(data: Path) -> Iterator[None]:
    """The stream server with its streams, which pages with live values ask; ended afterwards."""
    from tests.real_parts import free_port

    from fengsui.services import nats

    ports = nats.Ports(free_port(), free_port(), free_port())
    nats.configure(data, ports, nats.site_tokens(data), sync="2m")
    os.environ["NATS_URL"] = address = nats.url(data, ports.client)
    server = subprocess.Popen(nats.command(data))
    try:
        asyncio.run(_streams(address))
        yield
    finally:
        server.terminate()
        server.wait(30)


async def _streams(address: str) -> None:
    from fengsui.watch import stream

    client = await stream.connect(address, "bench")
    await stream.ensure(client)
    await client.close()


def _answers(port: int) -> bool:
    try:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        line.request("GET", "/sign-in/")
        return line.getresponse().status == 200
    except OSError:
        return False


@contextlib.contextmanager
def _sessions(small: Any) -> Iterator[dict[str, dict[str, str]]]:
    """Headers of each role, signed in; the sessions are forgotten afterwards."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    store, made, headers = import_module(settings.SESSION_ENGINE).SessionStore, [], {}
    for role, office in ROLES.items():
        who, session = small.one(office), store()
        session[SESSION_KEY] = str(who.account.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = who.account.get_session_auth_hash()
        session.save()
        made.append(session)
        cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
        headers[role] = {"Cookie": cookie, "X-Acting-Post": str(who.post.pk)}
    try:
        yield headers
    finally:
        for session in made:
            session.delete()


@contextlib.contextmanager
def _long_case(small: Any) -> Iterator[str]:
    """A case with 500 entries, adopted with its past; taken out again, since a kept ledger is only to be read."""
    from django.db import connection, transaction

    from bench import lives
    from fengsui.ledger import doors

    start = lives.NOW - timedelta(days=LONG)
    past = tuple(
        doors.Past(f"第{day}次巡查", start + timedelta(days=day), "王某", "阀门完好，液位正常", "rectifying")
        for day in range(LONG - 1)
    )
    about = doors.About(kind="site", id=str(small.site.pk), place_code="150207", duty="hazchem", title="长期整改")
    fields = {"finding": "长期整改", "answering": small.county.pk, "deadline": f"{lives.NOW + timedelta(days=30):%Y-%m-%d}"}
    case = doors.adopt(
        [doors.Adoption("hazard", "rectifying", about, LONG_NUMBER, fields, opened_at=start, source="bench", past=past)],
        lives.NOW,
    )[0].case
    try:
        yield case
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in ("outbox", "notice", "clock", "party", "searchtext", "entry"):
                cursor.execute(f"DELETE FROM ledger_{table} WHERE case_id = %s", [case])
            cursor.execute("DELETE FROM ledger_case WHERE id = %s", [case])


def _ask(port: int, path: str, headers: dict[str, str]) -> float:
    """Milliseconds from the request to the last byte."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.perf_counter()
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    body = answer.read()
    spent = (time.perf_counter() - begun) * 1000
    line.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return spent


def _times(port: int, headers: dict[str, str], asked: dict[str, list[str]]) -> dict[str, list[float]]:
    found = {}
    for name, paths in asked.items():
        times = [_ask(port, paths[turn % len(paths)], headers) for turn in range(-WARM * len(paths), max(ASKED, 2 * len(paths)))]
        found[name] = times[WARM * len(paths) :]  # the first fill what is cached
    return found


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def run() -> dict[str, Any]:
    """p95 of each page by role; the figure is the worst of them."""
    with filled(CASES) as large, _long_case(large.small) as long:
        from django.conf import settings

        from fengsui.ledger.models import Case

        some = [
            str(one)
            for one in Case.objects.filter(place_code="150207").order_by("pk").values_list("pk", flat=True)[: ASKED * 2 : 3]
        ]
        data = Path(settings.DATA_DIR)
        with _stream(data), _web(data) as port, _sessions(large.small) as visitors:
            asked = pages(some, long)
            found = {role: _times(port, headers, asked) for role, headers in visitors.items()}
    by_role = {role: {name: round(p95(times)) for name, times in each.items()} for role, each in found.items()}
    worst, role, page = max((value, role, name) for role, each in by_role.items() for name, value in each.items())
    medians = {name: round(max(statistics.median(each[name]) for each in found.values())) for name in asked}
    return {
        "name": "ledger_pages",
        "value": worst,
        "unit": "ms p95, worst page",
        "goal": GOAL,
        "ok": worst < GOAL,
        "detail": {
            "worst": f"{page} as {role}", "cases": large.cases, "entries": large.entries, "p95": by_role, "median": medians,
            "load": round(os.getloadavg()[0], 1), "cores": os.cpu_count(),
        },
    }  # fmt: skip
