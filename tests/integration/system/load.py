"""Load on a running platform: devices whose points pass their limits, and people who act by the API and try again.

Both remember what the platform has acknowledged to them, and nothing else.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.integration.system.region import BEYOND, POINTS, QUIET

from fengsui.watch.mqtt import Publisher

EACH = 0.2  # seconds between a site's messages
HELD = 10  # messages a point stays beyond its limit; every third such stretch of time is one


class Devices:
    """Each site sends five messages a second with half its points: 50 points a second in all, in a thread of its own."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self.sent: dict[str, list[int]] = {site: [] for site in tokens}
        self.lines: dict[str, Publisher] = {}
        self._port, self._tokens, self._stop = port, tokens, threading.Event()
        self._given_up = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()), name="devices", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Bring every point back to normal, and wait until every message is acknowledged."""
        self._stop.set()
        self._thread.join(120)
        assert not self._thread.is_alive(), "messages wait for ever for their acknowledgement"

    def give_up(self) -> None:
        """End without waiting for acknowledgements."""
        self._stop.set()
        self._given_up = True

    async def _play(self) -> None:
        self.lines = {site: Publisher("127.0.0.1", self._port, site, token) for site, token in self._tokens.items()}
        held = [asyncio.create_task(line.run()) for line in self.lines.values()]
        await asyncio.gather(*(self._speak(site) for site in self.lines))
        while any(line.waiting for line in self.lines.values()) and not self._given_up:
            await asyncio.sleep(0.05)
        for task in held:
            task.cancel()

    async def _speak(self, site: str) -> None:
        for number in itertools.count():
            last = self._stop.is_set()
            at = time.time_ns() // 1_000_000
            points = range(POINTS) if last else range(number % 2, POINTS, 2)
            values = {f"PT-{n}": QUIET if last or (number // HELD + n) % 3 else BEYOND for n in points}
            self.lines[site].publish(f"tele/{site}/json", json.dumps({"t": at, "v": values}).encode())
            self.sent[site].append(at)
            if last:
                return
            await asyncio.sleep(EACH)


@dataclass
class Person:
    """One who opens hazards and moves them on, each call under a key of its own until it is acknowledged."""

    name: str
    port: int
    known: dict[str, Any]
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)  # idempotency key → receipt
    answers: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None

    def work(self, stop: threading.Event) -> None:
        """Until ``stop``: from a finding to its reports."""
        try:
            for number in itertools.count():
                if stop.is_set():
                    return
                self._life(number)
        except BaseException as error:
            self.failure = error
            raise

    def _life(self, number: int) -> None:
        people = self.known["people"]
        about = {"kind": "site", "id": self.known["site"], "duty": "hazchem", "title": f"{self.name} {number}"}
        opening = {"mechanism": "hazard", "act": "found_here", "values": {"finding": "阀门关闭"}, "about": about}
        held = self.call("county0", "/api/cases", opening)
        case, listing = held["case"], {"criterion": self.known["criterion"]}
        plan = {
            "responsibility": people["plant0"]["person"], "measures": "打开并铅封", "funds": 100, "contingency": "预案",
            "deadline": (date.today() + timedelta(days=20)).isoformat(),
        }  # fmt: skip
        chain = [
            ("county0", "list", listing),
            ("county1", "list", listing),
            ("plant0", "settle", plan),
            ("county0", "approve", {}),
        ]
        for who, act, values in [*chain, *(("plant0", "report", {"progress": f"第{n}次"}) for n in range(3))]:
            held = self.call(who, f"/api/cases/{case}/acts", {"act": act, "values": values}, held["seq"])

    def call(self, who: str, path: str, body: dict[str, Any], version: int | None = None) -> dict[str, Any]:
        """Send until acknowledged, under one key; every fifth is sent once more and must give the same receipt."""
        key = f"{self.name}-{len(self.acknowledged)}"
        deadline = time.monotonic() + 180  # a whole platform may have to start again
        while (receipt := self._once(who, path, body, version, key)) is None:
            assert time.monotonic() < deadline, f"{path} was not acknowledged: {self.answers}"
            time.sleep(0.1)
        if len(self.acknowledged) % 5 == 0 and (again := self._once(who, path, body, version, key)) is not None:
            assert again == receipt, "the same key gave another receipt"
        self.acknowledged[key] = receipt
        return receipt

    def _once(self, who: str, path: str, body: dict[str, Any], version: int | None, key: str) -> dict[str, Any] | None:
        headers = {
            "Authorization": f"Bearer {self.known['people'][who]['token']}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.answers[type(error).__name__] += 1
            return None
        finally:
            connection.close()
        self.answers[str(response.status)] += 1
        if response.status >= 500:
            return None
        assert response.status < 300, f"{path} {body}: {response.status} {said.decode()}"
        return json.loads(said)
