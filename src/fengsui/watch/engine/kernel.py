"""The compiled loops. They change the state's arrays in place and write into preallocated outputs.

Between two samples a value holds: an alarm pending longer than its on-delay has fired by then,
whether or not a tick came in between, so that timing never depends on how samples were batched.
Clearing is never assumed: it needs samples that say so.
"""

from __future__ import annotations

import math
from typing import Any

import numba

_HH, _H, _L, _LL, _BAD, _SILENT = 0, 1, 2, 3, 4, 5
_NORMAL, _PENDING_ON, _ACTIVE, _PENDING_OFF = 0, 1, 2, 3
_RAISED, _CLEARED, _LATE_BEYOND = 1, 2, 3
_ACCEPTED, _DUPLICATE, _LATE, _FUTURE, _UNKNOWN = 0, 1, 2, 3, 4
_BAD_QUALITY = 2

Array = Any  # numba types the arrays; numpy's generics cannot say "record"


@numba.njit(cache=True, nogil=True, inline="always")
def _emit(out: Array, count: int, kind: int, point: int, rule: Array, time: int, value: float) -> int:
    row = out[count]
    row.kind = kind
    row.point = point
    row.rule = rule.id
    row.level = rule.level
    row.time_ns = time
    row.value = value
    return count + 1


@numba.njit(cache=True, nogil=True)
def _judge(
    state: Array,
    rule: Array,
    point: int,
    time: int,
    value: float,
    beyond: bool,
    clear: bool,
    thawing: bool,
    out: Array,
    count: int,
) -> int:
    """Take one rule through one sample that says ``beyond`` its limit, ``clear`` of it, or neither (deadband)."""
    if rule.phase == _NORMAL:
        if not beyond:
            return count
        state.busy += 1
        if rule.on_delay == 0:
            rule.phase = _ACTIVE
            return _emit(out, count, _RAISED, point, rule, time, value)
        rule.phase = _PENDING_ON
        rule.since = time
        return count
    if rule.phase == _PENDING_ON:
        due = rule.since + rule.on_delay
        if due < time and not thawing:
            rule.phase = _ACTIVE
            count = _emit(out, count, _RAISED, point, rule, due, state.last_value)
        elif beyond and due <= time:
            rule.phase = _ACTIVE
            return _emit(out, count, _RAISED, point, rule, time, value)
        else:
            if not beyond:
                rule.phase = _NORMAL
                state.busy -= 1
            return count
    if not clear:
        rule.phase = _ACTIVE
        return count
    if rule.phase == _ACTIVE or thawing:
        rule.phase = _PENDING_OFF
        rule.since = time
    if time - rule.since >= rule.off_delay:
        rule.phase = _NORMAL
        state.busy -= 1
        count = _emit(out, count, _CLEARED, point, rule, time, value)
    return count


@numba.njit(cache=True, nogil=True)
def _late(state: Array, rules: Array, point: int, time: int, value: float, out: Array, count: int) -> int:
    """Record a late sample that was beyond a limit; no state changes."""
    for r in range(state.first, state.beyond):
        rule = rules[r]
        if rule.level <= _H:
            if value >= rule.limit:
                count = _emit(out, count, _LATE_BEYOND, point, rule, time, value)
        elif rule.level <= _LL and value <= rule.limit:
            count = _emit(out, count, _LATE_BEYOND, point, rule, time, value)
    return count


@numba.njit(cache=True, nogil=True)
def _attend(
    state: Array,
    rules: Array,
    point: int,
    time: int,
    value: float,
    bad: bool,
    arrival: int,
    out: Array,
    count: int,
) -> int:
    """Take all rules of a point through an accepted sample that is not plainly quiet."""
    thawing = state.last_bad == 1
    for r in range(state.first, state.beyond):
        rule = rules[r]
        level = rule.level
        if level <= _H:
            beyond = value >= rule.limit
        elif level <= _LL:
            beyond = value <= rule.limit
        else:
            beyond = level == _BAD and bad
        if rule.phase == _NORMAL and not beyond:
            continue
        if level == _SILENT:
            # Silence is measured by arrival, so that a wrong device clock cannot hide or feign it.
            count = _judge(state, rule, point, arrival, value, False, True, False, out, count)
        elif level == _BAD:
            count = _judge(state, rule, point, time, value, bad, not bad, False, out, count)
        elif not bad:
            clear = value < rule.clear if level <= _H else value > rule.clear
            count = _judge(state, rule, point, time, value, beyond, clear, thawing, out, count)
    return count


@numba.njit(cache=True, nogil=True)
def step(
    points: Array, rules: Array, lookup: Array, point: Array, time_ns: Array, value: Array, quality: Array,
    begin: int, arrival: int, latest: int, out: Array, room: int, verdict: Array,
) -> tuple[int, int]:  # fmt: skip
    """Judge samples from ``begin``; give how far it came and how many transitions it wrote.

    It stops early where fewer than ``room`` rows are left in ``out`` (the most one sample can need).
    """
    count = 0
    full = len(out) - room
    known = len(lookup)
    for i in range(begin, len(point)):
        if count > full:
            return i, count
        identity = point[i]
        p = lookup[identity] if 0 <= identity < known else -1
        if p < 0:
            verdict[i] = _UNKNOWN
            continue
        time = time_ns[i]
        v = value[i]
        state = points[p]
        if (
            state.last_time < time <= latest
            and state.busy == 0
            and quality[i] < _BAD_QUALITY
            and state.quiet_low < v < state.quiet_high
        ):
            # Nearly every sample ends here: in order, good, no limit near.
            verdict[i] = _ACCEPTED
            state.last_time = time
            state.last_seen = arrival
            state.last_value = v
            state.last_bad = 0
            continue
        if time > latest:
            verdict[i] = _FUTURE
            continue
        bad = quality[i] >= _BAD_QUALITY or not math.isfinite(v)
        if time <= state.last_time:
            same = (bad and state.last_bad == 1) or (not bad and state.last_bad == 0 and v == state.last_value)
            if time == state.last_time and same:
                verdict[i] = _DUPLICATE
            else:
                verdict[i] = _LATE
                if not bad:
                    count = _late(state, rules, identity, time, v, out, count)
            continue
        verdict[i] = _ACCEPTED
        count = _attend(state, rules, identity, time, v, bad, arrival, out, count)
        state.last_time = time
        state.last_seen = arrival
        state.last_value = v
        state.last_bad = 1 if bad else 0
    return len(point), count


@numba.njit(cache=True, nogil=True)
def tick(points: Array, ids: Array, rules: Array, begin: int, now: int, grace: int, out: Array, room: int) -> tuple[int, int]:
    """Find what silence itself brings about up to ``now``: stale points, pending alarms that fire.

    Give how far it came and how many transitions it wrote, as ``step`` does.
    """
    count = 0
    full = len(out) - room
    for p in range(begin, len(points)):
        if count > full:
            return p, count
        state = points[p]
        silent = now - state.last_seen
        if state.busy == 0 and silent < state.stale_after:
            continue
        for r in range(state.first, state.beyond):
            rule = rules[r]
            if rule.level == _SILENT:
                if silent >= rule.on_delay and rule.phase != _ACTIVE:
                    if rule.phase == _NORMAL:
                        state.busy += 1
                        due = state.last_seen + rule.on_delay
                        count = _emit(out, count, _RAISED, ids[p], rule, due, state.last_value)
                    rule.phase = _ACTIVE
            elif rule.phase == _PENDING_ON and (rule.level == _BAD or state.last_bad == 0):
                left = rule.on_delay - (state.last_time - rule.since)
                if silent >= left + grace:
                    rule.phase = _ACTIVE
                    due = rule.since + rule.on_delay
                    count = _emit(out, count, _RAISED, ids[p], rule, due, state.last_value)
    return len(points), count
