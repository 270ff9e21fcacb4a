"""The columns that go into the engine and come out of it. Times are int64 nanoseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000_000
FUTURE_NS = 60 * SECOND
"""A sample further ahead of its arrival than this is quarantined: one wrong clock must not freeze a point."""
GRACE_NS = 2 * SECOND
"""How much longer than its on-delay a pending alarm waits for a sample still on its way before it fires."""
OUTAGE_NS = 15 * SECOND
"""The stream carries a heartbeat each second: a longer silence of the whole stream is the broker's, not the points'."""
NEVER = np.iinfo(np.int64).max // 4
BATCH = 1 << 16
"""Rows of the preallocated output; longer input is taken in pieces."""


class Level(IntEnum):
    """What a rule watches. HH … LL compare the value; BAD the quality; SILENT the arrival of any data."""

    HH = 0
    H = 1
    L = 2
    LL = 3
    BAD = 4
    SILENT = 5


class Quality(IntEnum):
    """A sample's own word about itself; from BAD on (and for NaN, infinity) its value is not judged."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Phase(IntEnum):
    """Where a rule's detection stands (the operator's side, ISA-18.2, is another process's)."""

    NORMAL = 0
    PENDING_ON = 1
    ACTIVE = 2
    PENDING_OFF = 3


class Kind(IntEnum):
    """What a transition says."""

    RAISED = 1
    CLEARED = 2
    LATE_BEYOND = 3  # a late sample was beyond this rule's limit: recorded, changes no state
    WITHDRAWN = 4  # the rule was taken away while raised
    OUTAGE = 5  # the whole stream was silent; time is its begin, value its length in seconds


class Verdict(IntEnum):
    """What became of a sample. ACCEPTED and LATE belong into the history."""

    ACCEPTED = 0
    DUPLICATE = 1
    LATE = 2
    FUTURE = 3
    UNKNOWN = 4


class Batch(NamedTuple):
    """Samples as columns of one length."""

    point: NDArray[np.int32]
    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


POINT_STATE = np.dtype(
    [
        ("last_time", np.int64),  # event time of the last accepted sample; minimum: none yet
        ("last_seen", np.int64),  # its arrival; before any: when the point became known
        ("last_value", np.float64),
        ("quiet_low", np.float64),  # strictly between these no limit is touched
        ("quiet_high", np.float64),
        ("stale_after", np.int64),
        ("first", np.int32),  # its rules are first … beyond-1
        ("beyond", np.int32),
        ("busy", np.int32),  # how many of its rules are not NORMAL
        ("last_bad", np.uint8),
    ],
    align=True,
)
RULE_STATE = np.dtype(
    [
        ("limit", np.float64),
        ("clear", np.float64),  # the limit moved inwards by the deadband
        ("on_delay", np.int64),
        ("off_delay", np.int64),
        ("since", np.int64),  # begin of a pending phase
        ("id", np.int32),
        ("level", np.uint8),
        ("phase", np.uint8),
    ],
    align=True,
)
TRANSITION = np.dtype(
    [
        ("time_ns", np.int64),
        ("value", np.float64),
        ("point", np.int32),
        ("rule", np.int32),
        ("kind", np.uint8),
        ("level", np.uint8),
    ],
    align=True,
)
UNSEEN = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Points:
    """The points an engine watches: their ids, unique and not negative."""

    id: NDArray[np.int32]

    @classmethod
    def of(cls, ids: Iterable[int]) -> Points:
        """Points by id, checked."""
        column = np.array(sorted(ids), np.int32)
        if column.size and column[0] < 0:
            raise ValueError(f"point id {column[0]} is negative: ids are whole numbers from 0")
        if np.unique(column).size != column.size:
            raise ValueError("a point id is given twice: give each point once")
        return cls(column)


@dataclass(frozen=True)
class Rules:
    """Alarm rules as columns: id, point id, level, limit and deadband in the point's measure, delays in ns.

    For SILENT the on-delay is the time without data; for SILENT and BAD limit and deadband are unused.
    """

    id: NDArray[np.int32]
    point: NDArray[np.int32]
    level: NDArray[np.uint8]
    limit: NDArray[np.float64]
    deadband: NDArray[np.float64]
    on_delay_ns: NDArray[np.int64]
    off_delay_ns: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, float, float, int, int]]) -> Rules:
        """Rules from rows in the order of the fields, checked; ``ValueError`` names the rule and its field."""
        table = sorted(rows, key=lambda row: (row[1], row[2], row[0]))
        seen: set[int] = set()
        for row in table:
            if row[0] in seen:
                raise ValueError(f"rule {row[0]}: id is given twice")
            seen.add(row[0])
            if row[2] < Level.BAD and not np.isfinite(row[3]):
                raise ValueError(f"rule {row[0]}: limit {row[3]} is not a finite number")
            if not (np.isfinite(row[4]) and row[4] >= 0):
                raise ValueError(f"rule {row[0]}: deadband {row[4]} must be a finite number from 0")
            if row[5] < 0 or row[6] < 0:
                raise ValueError(f"rule {row[0]}: a delay is negative")
        columns = list(zip(*table, strict=True)) or [()] * 7
        return cls(
            np.array(columns[0], np.int32),
            np.array(columns[1], np.int32),
            np.array(columns[2], np.uint8),
            np.array(columns[3], np.float64),
            np.array(columns[4], np.float64),
            np.array(columns[5], np.int64),
            np.array(columns[6], np.int64),
        )


class Transition(NamedTuple):
    """One transition in Python's own types."""

    kind: Kind
    point: int
    rule: int
    level: int
    time_ns: int
    value: float


class Transitions:
    """What a step gave: ``rows`` (structured, in order) and ``verdict``, one per sample of the batch."""

    __slots__ = ("rows", "verdict")

    def __init__(self, rows: NDArray[np.void], verdict: NDArray[np.uint8]) -> None:
        self.rows = rows
        self.verdict = verdict

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Transition]:
        for time_ns, value, point, rule, kind, level in self.rows.tolist():
            yield Transition(Kind(kind), point, rule, level, time_ns, value)
