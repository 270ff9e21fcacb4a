"""``signal_to_page``: from a device's publish to the alarm on an open page, with everything running.

The demo's whole region is up: all processes, every synthetic site sending once a second, the exercise. A gas point's
value beyond its limit is published; a browser's open event stream hears of the site and fetches the list's rows again,
as the page does. The time ends when the fetched rows hold the alarm.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.startup import _environment, _free_ports
from fengsui.services import folder as folders

SIGNALS, GOAL_MS = 60, 1_000.0
_PATIENCE = 600.0
_WARM_UP = 40.0


class _Demo:
    """`fengsui demo` on a fresh folder."""

    def __init__(self, room: Path) -> None:
        self.folder = folders.make(room / "data")
        folders.write_config(self.folder.path / "config.toml", "127.0.0.1", _free_ports())
        self.out = room / "out"
        words = [sys.executable, "-m", "fengsui.services.cli", "demo", "--plain", "--data", str(self.folder.path)]
        with self.out.open("wb") as file:
            self.process = subprocess.Popen(words, env=_environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while "Open http://" not in self.out.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the demo did not start: {self.out.read_text(errors='replace')[-800:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


class _Browser:
    """A signed-in page: its event stream on a thread, its fetches on the caller's."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie
        self.heard: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def get(self, address: str) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("GET", address, headers={"Cookie": self.cookie})
        return line.getresponse()

    def _listen(self) -> None:
        answer = self.get("/live/?topic=alarm")
        while text := answer.readline():
            if text.startswith(b"data: "):
                self.heard.put(str(json.loads(text[6:])["id"]))


def _cookie() -> str:
    """A session of the region's duty room, as signing in would make it."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from fengsui.region.models import Account

    account = Account.objects.get(username="demo.duty")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _targets() -> list[tuple[int, str, str, float]]:
    """(site id, code, tag, value beyond HH) of gas points, which raise without delay, one a site."""
    from fengsui.watch.models import Rule

    rows = Rule.objects.unscoped("a benchmark").filter(
        level="HH", on_delay_ms=0, alarms__isnull=True, point__site__synthetic=True
    )
    found: dict[int, tuple[int, str, str, float]] = {}
    for rule in rows.select_related("point__site").order_by("id"):
        site = rule.point.site
        found.setdefault(site.pk, (site.pk, site.code, rule.point.tag, (rule.limit or 0.0) + 1.0))
    return list(found.values())[:SIGNALS]


async def _signals(url: str, browser: _Browser, targets: list[tuple[int, str, str, float]]) -> list[float]:
    from fengsui.watch import stream

    client = await stream.connect(url, "bench")
    times = []
    for site, code, tag, value in targets:
        while not browser.heard.empty():
            browser.heard.get()
        begin = time.perf_counter()
        body = json.dumps({"t": int(time.time() * 1000), "v": {tag: value}}).encode()
        await client.publish(f"tele.{code}.json", body)
        await client.flush()
        times.append(await asyncio.to_thread(_seen, browser, site, tag, begin))
        await asyncio.sleep(0.3)
    await client.close()
    return times


def _seen(browser: _Browser, site: int, tag: str, begin: float) -> float:
    """Milliseconds until the page's rows hold the alarm."""
    while time.perf_counter() - begin < 30:
        try:
            heard = browser.heard.get(timeout=1)
        except queue.Empty:
            continue
        if heard == str(site):
            rows = browser.get(f"/alarms/?part=rows&show=all&order=newest&site={site}").read().decode()
            if (tag in rows and "HH" in rows) or "高高报" in rows:
                return (time.perf_counter() - begin) * 1000
    return 30_000.0


def run() -> dict[str, Any]:
    """Start the demo, let it warm up, send the signals one after another."""
    room = Path(tempfile.mkdtemp(prefix="fengsui-bench-"))
    room.chmod(0o711)
    demo = _Demo(room)
    try:
        demo.ready()
        os.environ.update(demo.folder.environment())
        import django

        django.setup()
        browser = _Browser(demo.folder.config.web, _cookie())
        time.sleep(_WARM_UP)
        before = _accepted()
        began = time.perf_counter()
        times = sorted(asyncio.run(_signals(os.environ["NATS_URL"], browser, _targets())))
        rate = (_accepted() - before) / (time.perf_counter() - began)
    finally:
        demo.stop()
        shutil.rmtree(room, ignore_errors=True)
    value = times[int(len(times) * 0.95)] if times else float("inf")
    detail = {
        "signals": len(times),
        "median_ms": round(times[len(times) // 2]) if times else None,
        "worst_ms": round(times[-1]) if times else None,
        "points_per_second": round(rate),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    ok = value < GOAL_MS and rate > 5_500
    return {"name": "signal_to_page", "value": round(value), "unit": "ms, p95", "goal": GOAL_MS, "ok": ok, "detail": detail}


def _accepted() -> int:
    """Samples that the engine has accepted so far, as last counted."""
    from django.db.models import Sum

    from fengsui.watch.models import IngestCounter

    return IngestCounter.objects.filter(kind="accepted").aggregate(sum=Sum("total"))["sum"] or 0
