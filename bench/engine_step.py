"""How many samples a second one core judges, and whether every transition is the plain engine's.

20,000 points with four limits, bad quality and silence each; 10 million random samples with
excursions, bad values, doubles, late and future ones, in batches of 20,000 a second of stream time.
"""

from __future__ import annotations

import math
import os
import time

import numpy as np

from bench.plain_engine import PlainEngine
from fengsui.watch.engine import SECOND, Batch, Engine, Level, Points, Rules

POINTS, SITE, SECONDS, GOAL = 20_000, 20, 500, 50.0
START = 1_700_000_000 * SECOND


def rules() -> list[tuple[int, int, int, float, float, int, int]]:
    """Six rules a point around a normal of 50: on-delay 3 s, off-delay 2 s, deadband 1."""
    rows = []
    for point in range(POINTS):
        for level, limit in ((Level.HH, 90.0), (Level.H, 80.0), (Level.L, 20.0), (Level.LL, 10.0)):
            rows.append((6 * point + level, point, level, limit, 1.0, 3 * SECOND, 2 * SECOND))
        rows.append((6 * point + 4, point, Level.BAD, 0.0, 0.0, 0, 0))
        rows.append((6 * point + 5, point, Level.SILENT, 0.0, 0.0, 10 * SECOND, 0))
    return rows


def story(seed: int) -> list[tuple[int, Batch]]:
    """(arrival, batch) for each second: walks that wander over the limits, with every kind of bad sample."""
    chance = np.random.default_rng(seed)
    value = chance.normal(50.0, 8.0, POINTS)
    told = []
    for second in range(SECONDS):
        value += (50.0 - value) * 0.05 + chance.normal(0.0, 2.5, POINTS)
        value += (chance.random(POINTS) < 0.002) * chance.choice([-60.0, 60.0], POINTS)
        # Sites send in any order, each its own points together.
        point = (chance.permutation(POINTS // SITE)[:, None] * SITE + np.arange(SITE)).ravel().astype(np.int32)
        arrival = START + second * SECOND
        at = arrival - chance.integers(0, SECOND // 2, POINTS)
        odd = chance.random(POINTS)
        at[odd < 0.002] -= 5 * SECOND
        at[odd > 0.999] += 90 * SECOND
        reading = np.where(chance.random(POINTS) < 0.001, math.nan, value[point])
        quality = (chance.random(POINTS) < 0.001).astype(np.uint8) * 2
        again = chance.integers(0, POINTS, POINTS // 200)
        target = chance.integers(0, POINTS, POINTS // 200)
        for column in (point, at, reading, quality):
            column[target] = column[again]
        told.append((arrival, Batch(point, at, reading, quality)))
    return told


def _quick(told: list[tuple[int, Batch]], rows: list[tuple[int, int, int, float, float, int, int]]) -> tuple[float, list[str]]:
    engine = Engine(Points.of(range(POINTS)), Rules.of(rows), now_ns=START - SECOND)
    said, spent = [], 0.0
    for arrival, batch in told:
        begin = time.thread_time()
        ticks = engine.advance(arrival).rows
        spent += time.thread_time() - begin
        said += map(str, ticks.tolist())
        begin = time.thread_time()
        out = engine.step(*batch, arrival).rows
        spent += time.thread_time() - begin
        said += map(str, out.tolist())
    return spent, said


def _plain(told: list[tuple[int, Batch]], rows: list[tuple[int, int, int, float, float, int, int]]) -> list[str]:
    engine = PlainEngine(range(POINTS), rows, START - SECOND)
    said = []
    for arrival, batch in told:
        rows_said = engine.advance(arrival)
        rows_said += engine.step(zip(*(column.tolist() for column in batch), strict=True), arrival)[0]
        said += [str((at, value, point, rule, int(kind), int(level))) for kind, point, rule, level, at, value in rows_said]
    return said


def run() -> dict[str, object]:
    """Measure the compiled engine, then hold its transitions against the plain one's."""
    rows = rules()
    _quick(story(1)[:3], rows)
    told = story(2026)
    best, said = math.inf, []
    for _ in range(3):
        spent, said = _quick(told, rows)
        best = min(best, spent)
    begin = time.perf_counter()
    expected = _plain(told, rows)
    plain = time.perf_counter() - begin
    samples = POINTS * SECONDS
    rate = samples / best / 1e6
    return {
        "name": "engine_step",
        "value": round(rate, 1),
        "unit": "million points/s, one core",
        "goal": GOAL,
        "ok": rate >= GOAL and said == expected,
        "detail": {
            "samples": samples,
            "points": POINTS,
            "rules": len(rows),
            "transitions": len(said),
            "identical_to_plain": said == expected,
            "plain_million_per_second": round(samples / plain / 1e6, 2),
            "cores": os.cpu_count(),
        },
    }
