"""The alarm rules once more, in plain Python and written from their words, to hold the compiled engine against.

One dict per rule and point, no arrays, no fast path: slow and easy to read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from fengsui.watch.engine import GRACE_NS, OUTAGE_NS, SECOND, Kind, Level, Quality, Verdict
from fengsui.watch.engine.shapes import FUTURE_NS

Row = tuple[int, int, int, float, float, int, int]
Said = tuple[int, int, int, int, int, float]


@dataclass(slots=True)
class _Rule:
    id: int
    level: int
    limit: float
    clear: float
    on_delay: int
    off_delay: int
    raised: bool = False
    pending: int | None = None  # since when it waits to be raised, or (while raised) to be cleared


@dataclass(slots=True)
class _Point:
    rules: list[_Rule] = field(default_factory=list)
    time: int | None = None
    seen: int = 0
    value: float = math.nan
    bad: bool = False


class PlainEngine:
    """The same face as ``Engine`` for the same rows; transitions as tuples (kind, point, rule, level, time, value)."""

    def __init__(self, points: Iterable[int], rules: Iterable[Row], now_ns: int = 0) -> None:
        self.now = now_ns
        self.points = {point: _Point(seen=now_ns) for point in points}
        for identity, point, level, limit, deadband, on_delay, off_delay in sorted(rules, key=lambda r: (r[1], r[2], r[0])):
            clear = limit - deadband if level in (Level.HH, Level.H) else limit + deadband
            self.points[point].rules.append(_Rule(identity, level, limit, clear, on_delay, off_delay))

    def step(self, batch: Iterable[tuple[int, int, float, int]], arrival: int) -> tuple[list[Said], list[int]]:
        self.now = max(self.now, arrival)
        said: list[Said] = []
        return said, [self._sample(said, *sample, arrival) for sample in batch]

    def _sample(self, said: list[Said], identity: int, time: int, value: float, quality: int, arrival: int) -> int:
        point = self.points.get(identity)
        if point is None:
            return Verdict.UNKNOWN
        if time > arrival + FUTURE_NS:
            return Verdict.FUTURE
        bad = quality >= Quality.BAD or math.isnan(value) or math.isinf(value)
        if point.time is not None and time <= point.time:
            if time == point.time and bad == point.bad and (bad or value == point.value):
                return Verdict.DUPLICATE
            if not bad:
                for rule in point.rules:
                    if _beyond(rule, value):
                        said.append((Kind.LATE_BEYOND, identity, rule.id, rule.level, time, value))
            return Verdict.LATE
        for rule in point.rules:
            self._take(said, identity, point, rule, time, value, bad)
        point.time, point.seen, point.value, point.bad = time, self.now, value, bad
        return Verdict.ACCEPTED

    def _take(self, said: list[Said], identity: int, point: _Point, rule: _Rule, time: int, value: float, bad: bool) -> None:
        def say(kind: Kind, at: int, what: float) -> None:
            said.append((kind, identity, rule.id, rule.level, at, what))

        frozen = False
        if rule.level == Level.SILENT:
            time, beyond, clear = self.now, False, True
        elif rule.level == Level.BAD:
            beyond, clear = bad, not bad
        else:
            if bad:
                return
            beyond, clear, frozen = _beyond(rule, value), _clear(rule, value), point.bad
        if not rule.raised:
            if rule.pending is None and beyond:
                rule.pending = time
            if rule.pending is not None:
                due = rule.pending + rule.on_delay
                if due < time and not frozen:
                    rule.raised, rule.pending = True, None
                    say(Kind.RAISED, due, point.value)
                elif beyond and due <= time:
                    rule.raised, rule.pending = True, None
                    say(Kind.RAISED, time, value)
                    return
                elif not beyond:
                    rule.pending = None
        if rule.raised:
            if not clear:
                rule.pending = None
                return
            if rule.pending is None or frozen:
                rule.pending = time
            if time - rule.pending >= rule.off_delay:
                rule.raised, rule.pending = False, None
                say(Kind.CLEARED, time, value)

    def advance(self, arrival: int) -> list[Said]:
        before, said = self.now, []
        if arrival <= before:
            return said
        self.now = arrival
        if before and arrival - before > OUTAGE_NS:
            for point in self.points.values():
                point.seen += arrival - before
            return [(Kind.OUTAGE, -1, -1, 0, before, (arrival - before) / SECOND)]
        if arrival // SECOND == before // SECOND:
            return said
        now = arrival // SECOND * SECOND
        for identity, point in self.points.items():
            for rule in point.rules:
                self._silence(said, identity, point, rule, now)
        return said

    def _silence(self, said: list[Said], identity: int, point: _Point, rule: _Rule, now: int) -> None:
        silent = now - point.seen
        if rule.level == Level.SILENT:
            if silent >= rule.on_delay:
                if not rule.raised:
                    said.append((Kind.RAISED, identity, rule.id, rule.level, point.seen + rule.on_delay, point.value))
                rule.raised, rule.pending = True, None
        elif not rule.raised and rule.pending is not None and (rule.level == Level.BAD or not point.bad):
            due = rule.pending + rule.on_delay
            if silent >= due - point.time + GRACE_NS:
                rule.raised, rule.pending = True, None
                said.append((Kind.RAISED, identity, rule.id, rule.level, due, point.value))


def _beyond(rule: _Rule, value: float) -> bool:
    if rule.level in (Level.HH, Level.H):
        return value >= rule.limit
    return rule.level in (Level.L, Level.LL) and value <= rule.limit


def _clear(rule: _Rule, value: float) -> bool:
    return value < rule.clear if rule.level in (Level.HH, Level.H) else value > rule.clear
