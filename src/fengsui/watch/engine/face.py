"""The engine's face: it owns the arrays, the stream's time and the snapshot."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fengsui.watch.engine import kernel
from fengsui.watch.engine.shapes import (
    BATCH,
    FUTURE_NS,
    GRACE_NS,
    NEVER,
    OUTAGE_NS,
    POINT_STATE,
    RULE_STATE,
    SECOND,
    TRANSITION,
    UNSEEN,
    Kind,
    Level,
    Phase,
    Points,
    Rules,
    Transitions,
)

_MAGIC = b"FSENG1\n\0"
_NO_VERDICT = np.empty(0, np.uint8)
_INT = np.dtype(np.int32)
_ARRAYS = {"ids": _INT, "points": POINT_STATE, "rules": RULE_STATE, "point_of_rule": _INT}


class SnapshotError(ValueError):
    """A snapshot is cut, changed or of another kind; start from an older one or from the stream's begin."""


def _successors(
    level: NDArray[Any], place: NDArray[np.int32], fresh: NDArray[np.bool_],
    old_level: NDArray[Any], old_place: NDArray[np.int32], gone: NDArray[np.bool_],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:  # fmt: skip
    """Rows of the fresh rules that take a gone one's point and level, and the rows of those, pairwise."""

    def keys(levels: NDArray[Any], places: NDArray[np.int32], among: NDArray[np.intp]) -> NDArray[np.int64]:
        return places[among].astype(np.int64) * len(Level) + levels[among].astype(np.int64)

    new, old = np.flatnonzero(fresh), np.flatnonzero(gone)
    _, after, before = np.intersect1d(keys(level, place, new), keys(old_level, old_place, old), return_indices=True)
    return new[after], old[before]


class Engine:
    """Alarm detection over all points of a shard.

    >>> engine = Engine(Points.of([7]), Rules.of([(1, 7, Level.HH, 100.0, 0.0, 0, 0)]))
    >>> [t.kind.name for t in engine.step([7], [1], [120.0], [0])]
    ['RAISED']

    The result's arrays are reused by the next call: take what you need first.
    """

    def __init__(self, points: Points, rules: Rules, *, now_ns: int = 0) -> None:
        self.now_ns = now_ns
        """The stream's time: the latest arrival seen; 0 before any."""
        self._out = np.zeros(BATCH, TRANSITION)
        self._verdict = np.zeros(BATCH, np.uint8)
        self._build(points, rules)
        self.points["last_seen"] = now_ns

    # ------------------------------------------------------------ configuration

    def _build(self, points: Points, rules: Rules) -> None:
        self.ids = points.id
        size = int(points.id.max()) + 1 if points.id.size else 0
        self._lookup = np.full(size, -1, np.int32)
        self._lookup[points.id] = np.arange(points.id.size, dtype=np.int32)
        stray = ~np.isin(rules.point, points.id)
        if stray.any():
            raise ValueError(f"rule {rules.id[stray][0]}: its point {rules.point[stray][0]} is not among the points")
        self.points = np.zeros(points.id.size, POINT_STATE)
        self.points["last_time"] = UNSEEN
        self.points["last_value"] = np.nan
        self.rules = np.zeros(rules.id.size, RULE_STATE)
        order = np.argsort(rules.point, kind="stable")
        for name in ("id", "level", "limit"):
            self.rules[name] = getattr(rules, name)[order]
        self.rules["on_delay"] = rules.on_delay_ns[order]
        self.rules["off_delay"] = rules.off_delay_ns[order]
        level, deadband = self.rules["level"], rules.deadband[order]
        self.rules["clear"] = self.rules["limit"] + np.where(level <= Level.H, -deadband, deadband)
        self.point_of_rule = rules.point[order]
        where = self._lookup[self.point_of_rule]
        self.points["first"] = np.searchsorted(where, np.arange(points.id.size), "left")
        self.points["beyond"] = np.searchsorted(where, np.arange(points.id.size), "right")
        self._quiet(where)

    def _quiet(self, where: NDArray[np.int32]) -> None:
        level, limit = self.rules["level"], self.rules["limit"]
        self.points["quiet_low"], self.points["quiet_high"] = -np.inf, np.inf
        self.points["stale_after"] = NEVER
        high, low = level <= Level.H, (level == Level.L) | (level == Level.LL)
        silent = level == Level.SILENT
        np.minimum.at(self.points["quiet_high"], where[high], limit[high])
        np.maximum.at(self.points["quiet_low"], where[low], limit[low])
        np.minimum.at(self.points["stale_after"], where[silent], self.rules["on_delay"][silent])
        most = int((self.points["beyond"] - self.points["first"]).max()) if self.points.size else 0
        # One sample can fire a pending alarm and clear it at once: two rows a rule.
        self._room = 2 * most + 2
        if self._room > self._out.size:
            self._out = np.zeros(2 * self._room, TRANSITION)

    def configure(self, points: Points, rules: Rules) -> Transitions:
        """Replace points and rules, keeping the state of those that stay; rules taken away while raised are withdrawn.

        A rule whose place (point and level) another takes is replaced, not taken away: its alarm goes on under the
        successor, which clears it when a sample says so. What was pending goes on only where the newest value still
        is on that side of the successor's limit.
        """
        old_ids, old_points, old_rules, old_place = self.ids, self.points, self.rules, self.point_of_rule
        self._build(points, rules)
        kept, here, there = np.intersect1d(self.ids, old_ids, return_indices=True)
        for name in ("last_time", "last_seen", "last_value", "last_bad"):
            self.points[name][here] = old_points[name][there]
        new = ~np.isin(self.ids, kept)
        self.points["last_seen"][new] = self.now_ns
        _, here, there = np.intersect1d(self.rules["id"], old_rules["id"], return_indices=True)
        same = old_rules["level"][there] == self.rules["level"][here]
        same &= old_place[there] == self.point_of_rule[here]
        here, there = here[same], there[same]
        fresh, gone = np.ones(self.rules.size, bool), np.ones(old_rules.size, bool)
        fresh[here] = gone[there] = False
        after, before = _successors(self.rules["level"], self.point_of_rule, fresh, old_rules["level"], old_place, gone)
        gone[before] = False
        for name in ("phase", "since"):
            self.rules[name][here] = old_rules[name][there]
            self.rules[name][after] = old_rules[name][before]
        self._judge_pending(after)
        np.add.at(self.points["busy"], self._lookup[self.point_of_rule], self.rules["phase"] != Phase.NORMAL)
        gone &= old_rules["phase"] >= Phase.ACTIVE
        rows = np.zeros(int(gone.sum()), TRANSITION)
        rows["kind"], rows["time_ns"], rows["value"] = Kind.WITHDRAWN, self.now_ns, np.nan
        rows["rule"], rows["level"], rows["point"] = old_rules["id"][gone], old_rules["level"][gone], old_place[gone]
        return Transitions(rows, _NO_VERDICT)

    def _judge_pending(self, successors: NDArray[np.intp]) -> None:
        """Let successors drop what waited under the former limit and is nothing under theirs."""
        rule = self.rules[successors]
        state = self.points[self._lookup[self.point_of_rule[successors]]]
        high, value = rule["level"] <= Level.H, state["last_value"]
        # Bad values freeze what is pending; bad quality and silence know no limit.
        judged = (rule["level"] <= Level.LL) & (state["last_bad"] == 0)
        beyond = np.where(high, value >= rule["limit"], value <= rule["limit"])
        clear = np.where(high, value < rule["clear"], value > rule["clear"])
        phase = rule["phase"]
        phase[judged & (phase == Phase.PENDING_ON) & ~beyond] = Phase.NORMAL
        phase[judged & (phase == Phase.PENDING_OFF) & ~clear] = Phase.ACTIVE
        self.rules["phase"][successors] = phase

    # ------------------------------------------------------------ time

    def step(
        self,
        point: Any,
        time_ns: Any,
        value: Any,
        quality: Any,
        arrival_ns: int | None = None,
    ) -> Transitions:
        """Judge a batch of samples in their order.

        Parameters
        ----------
        point : int32[n]
            Point ids; unknown ones get the verdict UNKNOWN.
        time_ns : int64[n]
            Event times, ns since 1970 UTC.
        value : float64[n]
            In each point's own measure.
        quality : uint8[n]
            ``Quality``.
        arrival_ns : int, optional
            When the stream stored the batch. Without it the batch arrives at its own latest time, and
            nothing counts as future.
        """
        point, time_ns = np.asarray(point, np.int32), np.asarray(time_ns, np.int64)
        value, quality = np.asarray(value, np.float64), np.asarray(quality, np.uint8)
        if not len(point) == len(time_ns) == len(value) == len(quality):
            raise ValueError("point, time_ns, value and quality must have one length")
        if len(point) > self._verdict.size:
            self._verdict = np.zeros(len(point), np.uint8)
        if arrival_ns is None:
            latest = NEVER
            self.now_ns = max(self.now_ns, int(time_ns.max(initial=0)))
        else:
            latest = arrival_ns + FUTURE_NS
            self.now_ns = max(self.now_ns, arrival_ns)
        begin = 0
        pieces: list[NDArray[np.void]] = []
        while True:
            begin, count = kernel.step(
                self.points, self.rules, self._lookup, point, time_ns, value, quality,
                begin, self.now_ns, latest, self._out, self._room, self._verdict,
            )  # fmt: skip
            if begin >= len(point) and not pieces:
                return Transitions(self._out[:count], self._verdict[: len(point)])
            pieces.append(self._out[:count].copy())
            if begin >= len(point):
                return Transitions(np.concatenate(pieces), self._verdict[: len(point)])

    def advance(self, arrival_ns: int) -> Transitions:
        """Let the stream's time pass to ``arrival_ns``: what silence brings about, or one outage.

        Ticks fall on whole seconds of the stream's time. Where the whole stream was silent for longer
        than ``OUTAGE_NS`` the gap is taken out of every point's silence and one OUTAGE is given.
        """
        before = self.now_ns
        if arrival_ns <= before:
            return Transitions(self._out[:0], _NO_VERDICT)
        self.now_ns = arrival_ns
        if before and arrival_ns - before > OUTAGE_NS:
            self.points["last_seen"] += arrival_ns - before
            rows = np.zeros(1, TRANSITION)
            rows[0] = (before, (arrival_ns - before) / SECOND, -1, -1, Kind.OUTAGE, 0)
            return Transitions(rows, _NO_VERDICT)
        if arrival_ns // SECOND == before // SECOND:
            return Transitions(self._out[:0], _NO_VERDICT)
        return self._tick(arrival_ns // SECOND * SECOND)

    def _tick(self, now_ns: int) -> Transitions:
        begin = 0
        pieces: list[NDArray[np.void]] = []
        while True:
            begin, count = kernel.tick(self.points, self.ids, self.rules, begin, now_ns, GRACE_NS, self._out, self._room)
            if begin >= self.points.size and not pieces:
                return Transitions(self._out[:count], _NO_VERDICT)
            pieces.append(self._out[:count].copy())
            if begin >= self.points.size:
                return Transitions(np.concatenate(pieces), _NO_VERDICT)

    def index(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Rows of ``points`` for known point ids."""
        return self._lookup[ids]

    # ------------------------------------------------------------ snapshot

    def snapshot(self, more: bytes) -> bytes:
        """All state, with the caller's own ``more``, as bytes that carry their SHA-256."""
        arrays = [np.ascontiguousarray(getattr(self, name)) for name in _ARRAYS]
        sizes = [array.size for array in arrays]
        head = json.dumps({"now_ns": self.now_ns, "sizes": sizes, "more": len(more)}).encode()
        body = b"".join([len(head).to_bytes(8, "little"), head, *(array.tobytes() for array in arrays), more])
        return _MAGIC + hashlib.sha256(body).digest() + body

    @classmethod
    def restore(cls, data: bytes) -> tuple[Engine, bytes]:
        """The engine and ``more`` of a snapshot; ``SnapshotError`` where a byte is missing or changed."""
        if not data.startswith(_MAGIC):
            raise SnapshotError("this is no engine snapshot of version 1: remove it to start from the stream's begin")
        start = len(_MAGIC) + 32
        body = memoryview(data)[start:]
        if hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
            raise SnapshotError("the snapshot's digest does not fit: it is cut or changed; use the older one")
        length = int.from_bytes(body[:8], "little")
        head = json.loads(bytes(body[8 : 8 + length]))
        at, arrays = 8 + length, {}
        for (name, kind), size in zip(_ARRAYS.items(), head["sizes"], strict=True):
            arrays[name] = np.frombuffer(body, kind, size, at).copy()
            at += size * kind.itemsize
        engine = cls(Points.of([]), Rules.of([]), now_ns=head["now_ns"])
        engine.ids, engine.points, engine.rules = arrays["ids"], arrays["points"], arrays["rules"]
        engine.point_of_rule = arrays["point_of_rule"]
        engine._lookup = np.full(int(engine.ids.max(initial=-1)) + 1, -1, np.int32)
        engine._lookup[engine.ids] = np.arange(engine.ids.size, dtype=np.int32)
        most = int((engine.points["beyond"] - engine.points["first"]).max(initial=0))
        engine._room = 2 * most + 2
        if engine._room > engine._out.size:
            engine._out = np.zeros(2 * engine._room, TRANSITION)
        return engine, bytes(body[at : at + head["more"]])
