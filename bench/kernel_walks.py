"""Attempts per second of processor time of random walks through the kernel, in plain Python."""

from __future__ import annotations

import random
import time

from tests.unit.ledger.walking import MECHANISMS, Walk

GOAL = 16_000
WALKS = 600


def run() -> dict[str, object]:
    """The best of three: every mechanism walked by seeds, at most 60 attempts each."""
    best, tries, done = 0.0, 0, 0
    for _ in range(3):
        begun, tries, done = time.process_time(), 0, 0
        for seed in range(WALKS):
            rng = random.Random(seed)
            walk = Walk(rng.choice(list(MECHANISMS.values())), rng)
            while not walk.case.ended and walk.tries < 60:
                if walk.attempt() is None:
                    walk.tries += 1
            tries, done = tries + walk.tries, done + len(walk.path)
        best = max(best, tries / (time.process_time() - begun))
    return {
        "name": "kernel_walks",
        "value": round(best),
        "unit": "attempts per CPU second",
        "goal": GOAL,
        "ok": best >= GOAL,
        "detail": {"walks": WALKS, "attempts": tries, "done": done},
    }
