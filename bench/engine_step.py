"""How many samples a second one core judges, and whether every transition is the plain engine's.

20,000 points with four limits, bad quality and silence each; 10 million random samples with
excursions, bad values, doubles, late and future ones, in batches of 20,000 a second of stream time.
"""

from __future__ import annotations

import concurrent.futures
import math
import multiprocessing
import os
import time

import numpy as np

from bench.plain_engine import PlainEngine
from fengsui.watch.engine import SECOND, Batch, Engine, Level, Points, Rules

POINTS, SITE, SECONDS, GOAL = 20_000, 20, 500, 50.0
START = 1_700_000_000 * SECOND

Row = tuple[int, int, int, float, float, int, int]
Said = tuple[int, float, int, int, int, int]  # time, value, point, rule, kind, level


def rules() -> list[Row]:
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


def _quick(told: list[tuple[int, Batch]], rows: list[Row]) -> tuple[float, list[Said]]:
    """Seconds of processor time that the compiled engine took, and what it said."""
    engine = Engine(Points.of(range(POINTS)), Rules.of(rows), now_ns=START - SECOND)
    said: list[Said] = []
    spent = 0.0
    for arrival, batch in told:
        begin = time.thread_time()
        ticks = engine.advance(arrival).rows
        spent += time.thread_time() - begin
        said += ticks.tolist()
        begin = time.thread_time()
        out = engine.step(*batch, arrival).rows
        spent += time.thread_time() - begin
        said += out.tolist()
    return spent, said


def _plain(told: list[tuple[int, Batch]], rows: list[Row], share: int, shares: int) -> tuple[float, list[Said]]:
    """The same of the plain engine for the points whose id leaves ``share`` when divided by ``shares``."""
    own = [row for row in rows if row[1] % shares == share]
    engine = PlainEngine(range(share, POINTS, shares), own, START - SECOND)
    said: list[Said] = []
    begin = time.process_time()
    for arrival, batch in told:
        mine = batch.point % shares == share
        found = engine.advance(arrival)
        found += engine.step(zip(*(column[mine].tolist() for column in batch), strict=True), arrival)[0]
        said += [(at, value, point, rule, int(kind), int(level)) for kind, point, rule, level, at, value in found]
    return time.process_time() - begin, said


def _reference(told: list[tuple[int, Batch]], rows: list[Row]) -> tuple[float, list[list[Said]]]:
    """The plain engine over everything: points know nothing of each other, so each core takes a share of them."""
    shares = os.cpu_count() or 1
    fork = multiprocessing.get_context("fork")  # the samples are shared, not copied
    _told[:] = told
    with concurrent.futures.ProcessPoolExecutor(shares, fork) as pool:
        running = [pool.submit(_share, rows, share, shares) for share in range(shares)]
        done = [one.result() for one in running]
    return sum(spent for spent, _ in done), [said for _, said in done]


_told: list[tuple[int, Batch]] = []


def _share(rows: list[Row], share: int, shares: int) -> tuple[float, list[Said]]:
    return _plain(_told, rows, share, shares)


def run() -> dict[str, object]:
    """Measure the compiled engine, then hold all its transitions against the plain one's."""
    rows = rules()
    _quick(story(1)[:3], rows)
    told = story(2026)
    best, said = math.inf, list[Said]()
    for _ in range(3):
        spent, said = _quick(told, rows)
        best = min(best, spent)
    plain, expected = _reference(told, rows)
    shares = len(expected)
    same = all([str(one) for one in said if one[2] % shares == k] == [str(one) for one in expected[k]] for k in range(shares))
    samples = POINTS * SECONDS
    rate = samples / best / 1e6
    return {
        "name": "engine_step",
        "value": round(rate, 1),
        "unit": "million points/s, one core",
        "goal": GOAL,
        "ok": rate >= GOAL and same,
        "detail": {
            "samples": samples,
            "points": POINTS,
            "rules": len(rows),
            "transitions": len(said),
            "compared": sum(len(part) for part in expected),
            "identical_to_plain": same,
            "plain_million_per_second": round(samples / plain / 1e6, 2),
            "times_plain": round(plain / best),
            "cores": os.cpu_count(),
        },
    }
