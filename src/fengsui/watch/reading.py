"""What pages and other rooms ask the watch: newest values, recent ones, limits, standing alarms.

Newest values come from the stream server's memory, recent ones from the history's files. Where either is away the
answer is empty, never an error: a page shows what is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import orjson
from django.conf import settings
from numpy.typing import NDArray

from fengsui.region.models import Point, Site
from fengsui.watch import origins
from fengsui.watch.alarm_states import ACTIVE
from fengsui.watch.history import Store
from fengsui.watch.line import line
from fengsui.watch.models import Alarm, Rule
from fengsui.watch.origins import Origin
from fengsui.watch.warnings import colour_of

STRETCHES = 200
"""A chart's span is read in so many stretches of time: of each its lowest, highest and newest sample."""


class Latest(NamedTuple):
    """A point's newest sample. ``quality`` 0 good, 2 bad; ``raised`` the levels in alarm; ``arrived`` when we had it."""

    time: datetime
    value: float | None
    quality: int
    raised: tuple[str, ...]
    arrived: datetime


class Standing(NamedTuple):
    """An open alarm as pages show it: ``limit`` hh, h, l, ll, bad or silent; ``level`` the colour it calls for."""

    id: int
    point_id: int | None
    limit: str
    level: str
    state: str
    raised_at: datetime
    value: float | None
    beyond: float | None
    hidden: str
    case: str | None
    acknowledged_at: datetime | None
    acknowledged_by: int | None  # person


class Limit(NamedTuple):
    """One running rule of a point; ``origin`` says of each of its numbers where it comes from (``origins``)."""

    rule: int
    level: str
    limit: float | None
    deadband: float
    on_delay_ms: int
    off_delay_ms: int
    priority: int
    origin: Mapping[str, Origin]


# ------------------------------------------------------------------- newest values


def latest_of_sites(codes: Iterable[str]) -> dict[int, Latest]:
    """The newest sample of every point of these sites."""
    found = {}
    for data, arrived in line.newest(list(codes)).values():
        for point, time_ms, value, bad, raised in orjson.loads(data):
            if time_ms is not None:
                at = datetime.fromtimestamp(time_ms / 1000, UTC)
                levels = tuple(level for bit, level in enumerate(Rule.Level.values) if raised >> bit & 1)
                found[point] = Latest(at, value, 2 if bad else 0, levels, arrived)
    return found


def latest(points: Sequence[int]) -> dict[int, Latest]:
    """The newest sample of each of these points; those without any are left out."""
    codes = Site.objects.unscoped("the caller chose the points in scope").filter(points__in=points).distinct()
    wanted = set(points)
    return {point: one for point, one in latest_of_sites(codes.values_list("code", flat=True)).items() if point in wanted}


def engine_word() -> dict[str, int]:
    """How far the engine is (``now_ns``, ``seq``, ``pending``, ``points`` …); empty where nothing is known."""
    found = line.newest(["-engine"]).get("-engine")
    word: dict[str, int] = orjson.loads(found[0]) if found else {}
    return word


class StreamUse(NamedTuple):
    """How full a stream is: ``share`` in percent of its limit; ``full`` from 80 % on."""

    name: str
    messages: int
    share: int
    full: bool


def stream_use() -> list[StreamUse]:
    """How full the streams on disk are; empty where nothing is known."""
    found = []
    for name, messages, size, most in line.use():
        share = round(100 * size / most) if most > 0 else 0
        found.append(StreamUse(name, messages, share, share >= 80))
    return found


# ------------------------------------------------------------------------- history


def history() -> Store:
    """The history of this data folder, for reading."""
    return Store(settings.DATA_DIR / "history")


def recent(
    points: Sequence[int], minutes: int, now: datetime
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]]:
    """Each point's samples of the last minutes as (time_ns, value, quality), thinned for a chart; NaN where there is no value."""
    end = int(now.timestamp() * 1e9) + 1
    begin = int((now - timedelta(minutes=minutes)).timestamp() * 1e9)
    store, found = history(), {}
    for point, rows in store.read_many(points, begin, end, STRETCHES).items():
        times = np.array([row.time_ns for row in rows], np.int64)
        values = np.array([np.nan if row.value is None else row.value for row in rows], np.float64)
        found[point] = (times, values, np.array([row.quality for row in rows], np.uint8))
    return found


# ---------------------------------------------------------------- rules and alarms


def limits(points: Sequence[Point], now: datetime) -> dict[int, list[Limit]]:
    """The rules that run for each of these points, worst first."""
    rows = Rule.objects.unscoped("the caller chose the points in scope").filter(point__in=points, since__lte=now)
    order = {level: number for number, level in enumerate(Rule.Level.values)}
    known, found = {point.pk: point for point in points}, defaultdict[int, list[Limit]](list)
    for r in sorted(rows.exclude(until__lte=now), key=lambda rule: order[rule.level]):
        origin = origins.of_rule(r, known[r.point_id], now)
        found[r.point_id].append(Limit(r.pk, r.level, r.limit, r.deadband, r.on_delay_ms, r.off_delay_ms, r.priority, origin))
    return dict(found)


def alarms(site: int, now: datetime | None = None) -> list[Standing]:
    """The site's open alarms, newest first."""
    rows = Alarm.objects.unscoped("the caller chose the site in scope").filter(site_id=site, closed_at__isnull=True)
    found = []
    for alarm in rows.select_related("rule", "point__unit"):
        colour = colour_of(alarm, now or alarm.raised_at) if alarm.rule and alarm.state in ACTIVE else ""
        case = str(alarm.case) if alarm.case else None
        found.append(
            Standing(
                alarm.pk, alarm.point_id, alarm.level.lower(), colour, alarm.state, alarm.raised_at,
                alarm.value, alarm.limit, alarm.hidden, case, alarm.acknowledged_at, alarm.acknowledged_by,
            )
        )  # fmt: skip
    return found


def points_of(site: int) -> list[Point]:
    """The site's points by unit and tag."""
    rows = Point.objects.unscoped("the caller chose the site in scope").filter(site_id=site)
    return list(rows.select_related("unit").order_by("unit_id", "tag"))
