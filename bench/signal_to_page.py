"""``signal_to_page``: from a device's publish to the alarm on an open page, with everything running.

The demo's whole region is up: all processes, every synthetic site sending once a second, the exercise. A gas point's
value beyond its limit is published by MQTT with its site's own token; Chromium has the list of alarms open and renews it by
itself. The time ends when the alarm's row stands in the page's document. Each hop's share is in the detail, from stamps that
the parts leave:

``store``   publish → JetStream's own time of the stored sample (``AlarmEvent.stored_at``)
``engine``  → the engine's event on its way into the ALARM stream
``relay``   → the relay begins its transaction (``Outbox.at``)
``commit``  → committed, and given a position by the publisher (``Outbox.next_attempt_at``)
``heard``   → the page's event source hears of it
``shown``   → the fetched row stands in the document

Without a browser the same address is fetched as the page would; ``detail.page`` says which it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.startup import _environment, _free_ports
from fengsui.services import folder as folders
from fengsui.services import nats

SIGNALS, GOAL_MS, LEAST_RATE = 60, 1_000.0, 6_000
HOPS = ("store", "engine", "relay", "commit", "heard", "shown")
_PATIENCE = 600.0
_WARM_UP = 40.0
_LONGEST = 30.0
_ADDRESS = "/alarms/?show=all&order=newest"
_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--disable-component-update")
_OBSERVE = """
window.seen = {}; window.heard = {};
const look = () => { for (const row of document.querySelectorAll('tr[data-key]')) if (!(row.dataset.key in window.seen))
  window.seen[row.dataset.key] = { at: Date.now(), text: row.textContent } };
look(); for (const key in window.seen) window.seen[key].old = true;
new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
document.addEventListener('fs:news', ({ detail: { topic, id } }) => {
  if (topic === 'alarm') (window.heard[id] ??= []).push(Date.now()) });
"""
_FIND = """([names, tag]) => Object.values(window.seen).find(
  row => !row.old && row.text.includes(tag) && names.some(name => row.text.includes(name)))?.at"""


@dataclass
class Target:
    """A gas point that raises without delay, and what its signal brought about: ms since 1970 by hop."""

    site: int
    code: str
    names: tuple[str, str]
    tag: str
    point: int
    value: float
    sent: float = 0.0
    at: dict[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> float:
        """Milliseconds from the publish to the row on the page."""
        return self.at.get("shown", self.sent + 1000 * _LONGEST) - self.sent

    def hops(self) -> dict[str, float]:
        """Milliseconds of each hop whose ends are both known."""
        times, before = {}, self.sent
        for hop in HOPS:
            if hop in self.at:
                times[hop] = self.at[hop] - before
                before = self.at[hop]
        return times


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
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Page(Protocol):
    """An open page of alarms."""

    kind: str

    def await_row(self, target: Target) -> None:
        """Wait until the target's row is there, and note ``heard`` and ``shown``; leaves them out where it never comes."""


class _Chromium:
    """The page in a real browser."""

    kind = "Chromium, its own document"

    def __init__(self, playwright: Any, port: int, cookie: tuple[str, str]) -> None:
        program = next(path for path in _CHROMIUM if Path(path).exists())
        self._browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        context = self._browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": f"http://127.0.0.1:{port}"}])
        self.page = context.new_page()
        self.page.goto(f"http://127.0.0.1:{port}{_ADDRESS}", wait_until="domcontentloaded", timeout=60_000)
        self.page.wait_for_selector("[data-live-topic~=alarm]", timeout=30_000)
        self.page.evaluate(f"() => {{ {_OBSERVE} }}")

    def await_row(self, target: Target) -> None:
        wanted = [list(target.names), target.tag]
        with contextlib.suppress(Exception):  # whatever the browser calls "not in time" counts as not shown
            found = self.page.wait_for_function(_FIND, arg=wanted, timeout=1000 * _LONGEST, polling=20)
            target.at["shown"] = float(found.json_value())
        heard = self.page.evaluate("site => window.heard[site] ?? []", str(target.site))
        if after := [at for at in heard if target.sent <= at <= target.at.get("shown", 0)]:
            target.at["heard"] = float(after[0])


class _Fetching:
    """The page's event stream and its fetches, without a browser."""

    kind = "event stream and fetched rows, no browser found"

    def __init__(self, port: int, cookie: tuple[str, str]) -> None:
        self._port, self._cookie = port, "=".join(cookie)
        self._heard: dict[str, float] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _get(self, address: str) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        line.request("GET", address, headers={"Cookie": self._cookie})
        return line.getresponse()

    def _listen(self) -> None:
        answer = self._get("/live/?topic=alarm")
        while text := answer.readline():
            if text.startswith(b"data: "):
                self._heard[str(json.loads(text[6:])["id"])] = time.time() * 1000

    def await_row(self, target: Target) -> None:
        while time.time() * 1000 - target.sent < 1000 * _LONGEST:
            if (heard := self._heard.get(str(target.site), 0.0)) > target.sent:
                target.at["heard"] = heard
                if target.tag in self._get(f"{_ADDRESS}&part=rows&site={target.site}").read().decode():
                    target.at["shown"] = time.time() * 1000
                    return
            time.sleep(0.01)


@contextlib.contextmanager
def _open_page(port: int, cookie: tuple[str, str]) -> Iterator[Page]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield _Fetching(port, cookie)
        return
    if not any(Path(path).exists() for path in _CHROMIUM):
        yield _Fetching(port, cookie)
        return
    with sync_playwright() as playwright:
        yield _Chromium(playwright, port, cookie)


def _cookie() -> tuple[str, str]:
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
    return settings.SESSION_COOKIE_NAME, str(session.session_key)


def _targets() -> list[Target]:
    """Gas points, which raise without delay, one a site."""
    from fengsui.watch.models import Rule

    rows = Rule.objects.unscoped("a benchmark").filter(
        level="HH", on_delay_ms=0, alarms__isnull=True, point__site__synthetic=True
    )
    found: dict[int, Target] = {}
    for rule in rows.select_related("point__site").order_by("id"):
        site, point = rule.point.site, rule.point
        names = (site.name_zh, site.name_en or site.name_zh)
        found.setdefault(site.pk, Target(site.pk, site.code, names, point.tag, point.pk, (rule.limit or 0.0) + 1.0))
    return list(found.values())[:SIGNALS]


class _Wire:
    """The engine's events as they pass, and beside it one MQTT connection for each site, signed in with the site's token."""

    def __init__(self, url: str, port: int, tokens: dict[str, str], targets: list[Target]) -> None:
        self._url, self._of = url, {target.point: target for target in targets}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._client = self._do(self._connect())
        self._devices = {one.code: self._device(port, one.code, tokens[one.code]) for one in targets}

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _connect(self) -> Any:
        from fengsui.watch import stream

        client = await stream.connect(self._url, "bench")
        await client.subscribe("alarm.*", cb=self._passing)
        await client.flush()
        return client

    def _device(self, port: int, code: str, token: str) -> Any:
        from paho.mqtt import client as mqtt

        device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{code}-bench")  # the simulator's has the code
        device.username_pw_set(code, token)
        device.connect("127.0.0.1", port)
        device.loop_start()
        return device

    async def _passing(self, message: Any) -> None:
        at = time.time() * 1000
        body = json.loads(message.data)
        for event in body.get("events", [body]):
            target = self._of.get(event.get("point", -1))
            if target is not None and target.sent and event["kind"] == "RAISED":
                target.at.setdefault("store", event["stored"] / 1e6)
                target.at.setdefault("engine", at)

    def send(self, target: Target) -> None:
        target.sent = time.time() * 1000
        body = json.dumps({"t": int(target.sent), "v": {target.tag: target.value}})
        self._devices[target.code].publish(f"tele/{target.code}/json", body, qos=1)

    def close(self) -> None:
        for device in self._devices.values():
            device.disconnect()
            device.loop_stop()
        self._do(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)


def _signals(wire: _Wire, page: Page, targets: list[Target]) -> None:
    for target in targets:
        wire.send(target)
        page.await_row(target)
        _relayed(target)
        time.sleep(0.3)


def _relayed(target: Target) -> None:
    """Note when the relay began the transaction that told the site's alarm, and when it had its position."""
    from datetime import UTC, datetime

    from fengsui.ledger.models import Outbox

    since = datetime.fromtimestamp(target.sent / 1000, UTC)
    row = Outbox.objects.filter(topic="alarm", payload__id=str(target.site), at__gte=since).order_by("id").first()
    if row is not None and row.next_attempt_at is not None:
        target.at["relay"] = row.at.timestamp() * 1000
        target.at["commit"] = row.next_attempt_at.timestamp() * 1000


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
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's loop runs in this thread; nothing else does
        cookie, targets = _cookie(), _targets()
        with _open_page(demo.folder.config.web, cookie) as page:
            time.sleep(_WARM_UP)
            before, began = _accepted(), time.perf_counter()
            tokens = nats.site_tokens(demo.folder.path)
            wire = _Wire(os.environ["NATS_URL"], demo.folder.config.mqtt, tokens, targets)
            _signals(wire, page, targets)
            rate = (_accepted() - before) / (time.perf_counter() - began)
            wire.close()
            kind = page.kind
    finally:
        demo.stop()
        shutil.rmtree(room, ignore_errors=True)
    return _result(targets, rate, kind)


def _accepted() -> int:
    """Samples that the engine has accepted so far, as last counted."""
    from django.db.models import Sum

    from fengsui.watch.models import IngestCounter

    return IngestCounter.objects.filter(kind="accepted").aggregate(sum=Sum("total"))["sum"] or 0


def _percentile(times: list[float], share: float) -> int:
    return round(sorted(times)[min(len(times) - 1, int(len(times) * share))])


def _result(targets: list[Target], rate: float, kind: str) -> dict[str, Any]:
    whole = [target.whole for target in targets]
    value = _percentile(whole, 0.95) if whole else None
    hops: dict[str, list[float]] = {hop: [] for hop in HOPS}
    for target in targets:
        for hop, spent in target.hops().items():
            hops[hop].append(spent)
    detail = {
        "page": kind,
        "signals": len(targets),
        "shown": sum("shown" in target.at for target in targets),
        "median_ms": round(statistics.median(whole)) if whole else None,
        "worst_ms": round(max(whole)) if whole else None,
        "hops_median_p95_ms": {hop: [_percentile(t, 0.5), _percentile(t, 0.95)] for hop, t in hops.items() if t},
        "points_per_second": round(rate),
        "least_points_per_second": LEAST_RATE,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    ok = value is not None and value < GOAL_MS and rate > LEAST_RATE and detail["shown"] == len(targets)
    return {"name": "signal_to_page", "value": value, "unit": "ms, p95", "goal": GOAL_MS, "ok": ok, "detail": detail}
