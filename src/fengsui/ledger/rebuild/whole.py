"""All cases, in several processes, each folding one run of case ids."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing import get_context
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import connection
from psycopg import sql
from psycopg.types.json import set_json_loads

from fengsui.ledger import collecting, mechanisms
from fengsui.ledger.database import conninfo, one_moment, snapshot_of
from fengsui.ledger.doors.columns import CASE
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.models import MechanismVersion
from fengsui.ledger.rebuild import compare
from fengsui.ledger.rebuild.compare import CLOCK_READ, Difference
from fengsui.ledger.rebuild.fold import Folded

MOST = 200
PARALLEL_FROM = 5_000
_LAST = UUID(int=(1 << 128) - 1)
_DIGITS = re.compile(r"\d+")
_BETWEEN = "BETWEEN %s AND %s"
_CASES = f"SELECT {', '.join(CASE)} FROM ledger_case WHERE id {_BETWEEN} ORDER BY id"  # noqa: S608 - own names
_ENTRIES = f"SELECT case_id, body FROM ledger_entry WHERE case_id {_BETWEEN} ORDER BY case_id, seq"  # noqa: S608
_CLOCKS = (
    f"SELECT {', '.join(CLOCK_READ)} FROM ledger_clock "  # noqa: S608 - own names
    f"WHERE current AND case_id {_BETWEEN} ORDER BY case_id, place"
)


@dataclass(slots=True)
class Rebuilt:
    """What was derived and where it differs. ``partly`` cases have erased content that no later entry restates."""

    cases: int = 0
    entries: int = 0
    clocks: int = 0
    partly: int = 0
    differences: list[Difference] = field(default_factory=list)
    more: int = 0
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)  # counter's name → highest serial, how many

    @property
    def ok(self) -> bool:
        """Whether everything is identical."""
        return not self.differences

    def add(self, difference: Difference) -> None:
        """Keep a difference, or count it where there are too many."""
        if len(self.differences) < MOST:
            self.differences.append(difference)
        else:
            self.more += 1

    def join(self, other: Rebuilt) -> None:
        """Take in what another process found."""
        self.cases += other.cases
        self.entries += other.entries
        self.clocks += other.clocks
        self.partly += other.partly
        self.more += other.more
        for difference in other.differences:
            self.add(difference)
        for name, (highest, count) in other.numbers.items():
            known = self.numbers.get(name, (0, 0))
            self.numbers[name] = (max(known[0], highest), known[1] + count)


def check(workers: int | None = None) -> Rebuilt:
    """Derive everything as it is at this moment from the entries and compare."""
    bounds = _bounds(workers or min(os.cpu_count() or 1, 8))
    _known_mechanisms()
    with one_moment() as keeper:
        where, snapshot = conninfo(), snapshot_of(keeper)
        counters = _counters()  # after the snapshot: they only grow, so none may stand below a number that it shows
        connection.close()  # a fork must not share it
        runs = [(where, snapshot, start, stop, counters) for start, stop in bounds]
        if len(runs) == 1:
            parts = [_run(*runs[0])]
        else:
            with ProcessPoolExecutor(len(runs), mp_context=get_context("fork")) as pool:
                parts = list(pool.map(_run, *zip(*runs, strict=True)))
    whole = Rebuilt()
    for part in parts:
        whole.join(part)
    _numbers(whole, counters)
    _lineage(whole)
    return whole


def _bounds(workers: int) -> list[tuple[UUID, UUID]]:
    """Runs of case ids of about the same number of cases: (from, to) both included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_case")
        count = cursor.fetchone()[0]
        if workers == 1 or count < PARALLEL_FROM:
            return [(UUID(int=0), _LAST)]
        cuts = []
        for number in range(1, workers):
            cursor.execute("SELECT id FROM ledger_case ORDER BY id OFFSET %s LIMIT 1", [count * number // workers])
            cuts.append(cursor.fetchone()[0])
    starts = [UUID(int=0), *(UUID(int=cut.int + 1) for cut in cuts)]
    return list(zip(starts, [*cuts, _LAST], strict=True))


def _counters() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, value FROM ledger_counter")
        return dict(cursor.fetchall())


def _known_mechanisms() -> None:
    """Load every stored version before the fork; one that no longer loads is met again by its cases."""
    for digest in MechanismVersion.objects.values_list("digest", flat=True):
        _mechanism(digest)


def _mechanism(digest: str) -> Mechanism | None:
    try:
        return mechanisms.version(digest)
    except (LookupError, ValueError):
        return None


def _rows(pg: psycopg.Connection[Any], name: str, query: str, start: UUID, stop: UUID) -> Iterator[tuple[Any, ...]]:
    with pg.cursor(name, binary=True) as cursor:
        cursor.itersize = 2000
        cursor.execute(query, [start, stop])
        yield from cursor


def _run(where: str, snapshot: str, start: UUID, stop: UUID, counters: dict[str, int]) -> Rebuilt:
    """Fold and compare the cases ``start`` … ``stop``: entries, cases and clocks each in the order of case ids."""
    part = Rebuilt()
    with collecting.paused(), psycopg.connect(where) as pg:
        pg.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        pg.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        set_json_loads(orjson.loads, pg)
        pg.execute("SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off")
        cases = _rows(pg, "c", _CASES, start, stop)
        entries = _rows(pg, "e", _ENTRIES, start, stop)
        clocks = _rows(pg, "k", _CLOCKS, start, stop)
        fired = _fired(pg)
        _merge(part, cases, _grouped(entries), _grouped(clocks), fired, counters)
    return part


def _fired(pg: psycopg.Connection[Any]) -> dict[int, tuple[int, int]]:
    """Clock id → its latest fired rung and where the case stood after it."""
    rows = pg.execute("SELECT DISTINCT ON (clock_id) clock_id, rung, seq FROM ledger_rung ORDER BY clock_id, id DESC")
    return {clock: (rung, seq) for clock, rung, seq in rows}


def _grouped(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[UUID, list[tuple[Any, ...]]]]:
    for key, some in groupby(rows, itemgetter(0)):
        yield key, list(some)


def _merge(
    part: Rebuilt,
    cases: Iterator[tuple[Any, ...]],
    entries: Iterator[tuple[UUID, list[tuple[Any, ...]]]],
    clocks: Iterator[tuple[UUID, list[tuple[Any, ...]]]],
    fired: dict[int, tuple[int, int]],
    counters: dict[str, int],
) -> None:
    own, ticking = next(entries, None), next(clocks, None)
    for row in cases:
        part.cases += 1
        case_id, lines, rows = row[0], [], []
        while own is not None and own[0] < case_id:
            part.add(Difference(str(own[0]), "case", None, f"{len(own[1])} entries"))
            own = next(entries, None)
        if own is not None and own[0] == case_id:
            lines, own = own[1], next(entries, None)
        if ticking is not None and ticking[0] == case_id:
            rows, ticking = ticking[1], next(clocks, None)
        part.entries += len(lines)
        part.clocks += len(rows)
        _one(part, row, lines, rows, fired)
        _serial(part, row, counters)


def _one(part: Rebuilt, row: tuple[Any, ...], lines: list[Any], rows: list[Any], fired: dict[int, tuple[int, int]]) -> None:
    name = str(row[0])
    if not lines:
        part.add(Difference(name, "entries", row[3], 0))
        return
    folded = Folded()
    for _, body in lines:
        folded.add(body)
    if not folded.whole:
        part.partly += 1
        return
    for difference in compare.case(row, folded):
        part.add(difference)
    running = any(clock["stopped"] is None for clock in folded.known["clocks"])
    for difference in compare.clocks(name, rows, folded, fired, _mechanism(row[2]) if running else None):
        part.add(difference)


_NUMBER = CASE.index("number")


def _serial(part: Rebuilt, row: tuple[Any, ...], counters: dict[str, int]) -> None:
    """Count the case's number towards the counter that gave it."""
    number = row[_NUMBER]
    for run in _DIGITS.finditer(number or ""):
        name = f"{number[: run.start()]}#{number[run.end() :]}"
        if name in counters:
            highest, count = part.numbers.get(name, (0, 0))
            part.numbers[name] = (max(highest, int(run[0])), count + 1)


def _numbers(whole: Rebuilt, counters: dict[str, int]) -> None:
    """No counter stands below a number that was given, so that none is given twice."""
    for name, (highest, _count) in sorted(whole.numbers.items()):
        if counters[name] < highest:
            whole.add(Difference(name, "counter", counters[name], highest))


def _lineage(whole: Rebuilt) -> None:
    """Every child knows its parent and the link between them stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.parent_id FROM ledger_case c WHERE c.parent_id IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM ledger_link l WHERE l.from_case_id = c.parent_id AND l.to_case_id = c.id)"
        )
        for case_id, parent in cursor.fetchall():
            whole.add(Difference(str(case_id), "link from its parent", None, str(parent)))
