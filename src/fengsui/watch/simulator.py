"""Plays the devices of synthetic sites: one MQTT message per site and second (others than hazchem: each 20 s) with all
its points' values.

Values follow from the seed, the point and the second alone; orders make single points leave their normal value.
Orders come from code (``order``) or from a JSON file that is read again when it changes::

    {"HC-150207-01": {"PT-1021": {"to": 1.68, "over": 20}}}

A point ramps from its present value to ``to`` within ``over`` seconds and holds it, with its usual noise; once it is
listed no longer it ramps back within 20 s.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zlib import crc32

import numpy as np
import orjson
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from numpy.typing import NDArray

from fengsui.moment import now
from fengsui.watch.engine import SECOND, Batch
from fengsui.watch.mqtt import Publisher

log = logging.getLogger(__name__)

_BACK = 20.0
_SELDOM = 20.0
"""Seconds between the messages of sites other than hazardous chemicals': well below the limit of silence."""


@dataclass
class Signal:
    """One point's course: around ``normal`` with at most ``swing``, moved by ``shift``."""

    tag: str
    normal: float
    swing: float
    seed: int
    _from: float = 0.0
    _to: float = 0.0
    _begin: float = 0.0
    _over: float = 0.0
    _ordered: tuple[float, float] | None = None

    def value(self, at: float) -> float:
        """The value at a second (since 1970)."""
        first, second = 60 + self.seed % 240, 400 + self.seed % 1100
        wave = 0.5 * math.sin(2 * math.pi * (at / first + self.seed % 97 / 97))
        wave += 0.3 * math.sin(2 * math.pi * (at / second + self.seed % 89 / 89))
        noise = 0.2 * (crc32(b"%d:%d" % (self.seed, int(at))) / 2**31 - 1)
        return self.normal + self.swing * (wave + noise) + self.shift(at)

    def past(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values at these seconds (since 1970), as `value` gives them one by one while no order moves the point."""
        first, second = 60 + self.seed % 240, 400 + self.seed % 1100
        wave = 0.5 * np.sin(2 * np.pi * (at / first + self.seed % 97 / 97))
        wave += 0.3 * np.sin(2 * np.pi * (at / second + self.seed % 89 / 89))
        noise = np.array([crc32(b"%d:%d" % (self.seed, one)) for one in at.tolist()], np.float64)
        return self.normal + self.swing * (wave + 0.2 * (noise / 2**31 - 1))

    def shift(self, at: float) -> float:
        """How far an order has moved the point."""
        if self._over <= 0 or at >= self._begin + self._over:
            return self._to
        return self._from + (self._to - self._from) * max(0.0, at - self._begin) / self._over

    def order(self, to: float | None, over: float, at: float) -> None:
        """Go to the value ``to`` (None: back to normal) within ``over`` seconds from ``at``; the same order again goes on."""
        wanted = None if to is None else (to, over)
        if wanted == self._ordered:
            return
        self._from, self._begin, self._over = self.shift(at), at, over
        self._to = 0.0 if to is None else to - self.normal
        self._ordered = wanted


@dataclass
class Device:
    """A site's gateway."""

    site: str
    signals: dict[str, Signal]
    every: float = 1.0  # seconds between its messages
    phase: float = field(init=False)

    def __post_init__(self) -> None:
        self.phase = crc32(self.site.encode()) % 1000 / 1000 * self.every  # sites do not all speak at the same moment

    def message(self, at: float) -> bytes:
        """The message of a moment (seconds since 1970)."""
        values = {tag: round(signal.value(at), 4) for tag, signal in self.signals.items()}
        return orjson.dumps({"t": round(at * 1000), "v": values})


class Simulator:
    """All devices on one event loop. ``sent`` counts messages handed to connections."""

    def __init__(self, host: str, port: int, devices: Iterable[Device], tokens: dict[str, str]) -> None:
        self.devices = {device.site: device for device in devices if device.site in tokens}
        self.lines = {site: Publisher(host, port, site, tokens[site]) for site in self.devices}
        self.sent = 0

    def order(self, site: str, tag: str, to: float | None, over: float, at: float) -> None:
        """Move one point; raises ``KeyError`` for one that is not simulated."""
        self.devices[site].signals[tag].order(to, over, at)

    def obey(self, orders: dict[str, dict[str, dict[str, float]]], at: float) -> None:
        """Make these the only orders; what is not simulated is left out with a word in the log."""
        for site, device in self.devices.items():
            listed = orders.get(site, {})
            for tag, signal in device.signals.items():
                one = listed.get(tag)
                signal.order(None if one is None else float(one["to"]), _BACK if one is None else float(one.get("over", 0)), at)
        for site, tags in orders.items():
            if unknown := set(tags) - set(self.devices[site].signals if site in self.devices else ()):
                log.warning("orders for points that are not simulated: %s %s", site, ", ".join(sorted(unknown)))

    async def play(self, stop: threading.Event, orders: Path | None = None) -> None:
        """Speak until ``stop``."""
        tasks = [asyncio.create_task(line.run()) for line in self.lines.values()]
        tasks += [asyncio.create_task(self._speak(device)) for device in self.devices.values()]
        stamp = 0
        try:
            while not stop.is_set():
                if orders is not None and (changed := _stamp(orders)) != stamp:
                    stamp = changed
                    self._read(orders)
                await asyncio.sleep(0.2)
        finally:
            for task in tasks:
                task.cancel()

    async def _speak(self, device: Device) -> None:
        line = self.lines[device.site]
        topic = f"tele/{device.site}/json"
        while True:
            at = now().timestamp()
            line.publish(topic, device.message(at))
            self.sent += 1
            await asyncio.sleep((device.phase - at) % device.every or device.every)

    def _read(self, orders: Path) -> None:
        try:
            self.obey(orjson.loads(orders.read_bytes()) if orders.exists() else {}, now().timestamp())
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("%s is no file of orders: %r", orders.name, error)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return -1


def devices_of_region(seed: int = 2026, most: int | None = None) -> list[Device]:
    """A device for each synthetic site with points, from the database."""
    from fengsui.region.models import Point

    rows = Point.objects.unscoped("the simulator plays every synthetic device").filter(site__synthetic=True)
    found: dict[str, Device] = {}
    for point in rows.select_related("site").order_by("site_id", "id"):
        every = 1.0 if "hazchem" in point.site.duties else _SELDOM
        device = found.setdefault(point.site.code, Device(point.site.code, {}, every))
        number = crc32(f"{seed}:{point.site.code}:{point.tag}".encode())
        device.signals[point.tag] = Signal(point.tag, _normal(point), _swing(point), number)
    return list(found.values())[:most]


PAST, PAST_EVERY = 4 * 3600, 60
"""How far back the devices' made-up past reaches, and the seconds between its samples: dense enough for a chart without gaps."""


def past(until: datetime, seed: int = 2026) -> Batch:
    """What the synthetic devices would have sent in the hours before ``until``, thinned; for the history of a fresh demo."""
    from fengsui.region.models import Point

    last = int(until.timestamp()) // PAST_EVERY * PAST_EVERY
    at = np.arange(last - PAST, last + 1, PAST_EVERY, dtype=np.int64)
    ids = {
        (site, tag): pk
        for pk, site, tag in Point.objects.unscoped("the simulator plays every synthetic device")
        .filter(site__synthetic=True)
        .values_list("pk", "site__code", "tag")
    }
    signals = [(ids[device.site, tag], one) for device in devices_of_region(seed) for tag, one in device.signals.items()]
    size = len(at)
    return Batch(
        np.repeat(np.array([pk for pk, _ in signals], np.int32), size),
        np.tile(at * SECOND, len(signals)),
        np.concatenate([np.round(one.past(at), 4) for _, one in signals]) if signals else np.zeros(0),
        np.zeros(size * len(signals), np.uint8),
    )


def _normal(point: object) -> float:
    normal, low, high = (getattr(point, name) for name in ("normal", "range_low", "range_high"))
    return float(normal if normal is not None else ((low or 0.0) + (high or 0.0)) / 2)


def _swing(point: object) -> float:
    """So small that the nearest limit stays away."""
    limits = [getattr(point, name) for name in ("low_low", "low", "high", "high_high")]
    near = [abs(limit - _normal(point)) for limit in limits if limit is not None]
    span = abs((getattr(point, "range_high", None) or 0.0) - (getattr(point, "range_low", None) or 0.0))
    return min([0.02 * span or 0.02 * abs(_normal(point)), *(0.4 * distance for distance in near)])


def run(stop: threading.Event, orders: Path | None = None) -> None:
    """Play every synthetic site until ``stop``. The MQTT address is ``FENGSUI_MQTT`` (127.0.0.1:1883)."""
    host, _, port = os.environ.get("FENGSUI_MQTT", "127.0.0.1:1883").rpartition(":")
    keys = Path(settings.KEYS_DIR) / "sites.json"
    while not stop.is_set():
        try:
            devices = devices_of_region()
            tokens = orjson.loads(keys.read_bytes())
        except (DatabaseError, OSError, orjson.JSONDecodeError) as error:
            log.warning("devices wait: %s", type(error).__name__)
            connection.close()
            time.sleep(0.5)
            continue
        connection.close()
        log.info("%d devices with %d points", len(devices), sum(len(device.signals) for device in devices))
        file = orders or Path(settings.DATA_DIR) / "exercise" / "signals.json"
        asyncio.run(Simulator(host, int(port), devices, tokens).play(stop, file))
