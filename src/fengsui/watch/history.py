"""The history of samples: Parquet files sorted by point and time, read with DuckDB.

It is a set: a sample is its point, time, value and quality, and counts once however many files hold it. So a worker
that goes back to its last snapshot simply writes again what it wrote before, several may write at once, and a merge
that is cut off leaves both old and new. Small files are merged into larger ones (5 minutes, an hour, a day) by
whoever gets the lock; doubles end there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fengsui import files
from fengsui.watch.engine import SECOND, Batch

_SCHEMA = pa.schema([("point", pa.int32()), ("time", pa.int64()), ("value", pa.float64()), ("quality", pa.uint8())])
_FORMAT: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["point", "quality"],
    "column_encoding": {"time": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
}
_ROW_GROUP = 100_000
_LEVELS = ((30, "block"), (12, "hour"), (24, "day"))
"""How many files of one size make one of the next: 30 parts of 10 s, 12 blocks, 24 hours."""
_MEMORY = "512MB"


class Reading(NamedTuple):
    """One sample; for a stretch of time its newest sample with the lowest and highest good value of the stretch.

    Time in ns, values in the point's measure; ``quality`` (0 good, 1 uncertain, 2 bad) is that of ``value``.
    """

    time_ns: int
    value: float | None
    low: float | None
    high: float | None
    quality: int


@dataclass(frozen=True, order=True)
class _File:
    """``LEVEL-FIRST-UNIQUE.parquet``; ``first`` is the earliest sample's second, which orders the merging."""

    first: int
    level: str
    path: Path

    @classmethod
    def of(cls, path: Path) -> _File:
        level, first, _ = path.stem.split("-")
        return cls(int(first), level, path)


class Store:
    """A folder of sorted Parquet files. Any number of processes write and read; one at a time merges."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # ------------------------------------------------------------ writing

    def write_part(self, batches: Sequence[Batch]) -> None:
        """Keep these samples, durable when it returns. ``OSError`` where the disk will not take them."""
        if not batches:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        point, time_ns, value, quality = (np.concatenate(column) for column in zip(*batches, strict=True))
        order = np.lexsort((time_ns, point))
        table = pa.Table.from_arrays([pa.array(c[order]) for c in (point, time_ns, value, quality)], schema=_SCHEMA)
        self._write("part", int(time_ns.min()) // SECOND, table.to_batches(_ROW_GROUP))

    def _write(self, level: str, first: int, batches: Iterable[pa.RecordBatch]) -> None:
        path = self._folder / f"{level}-{max(0, first):012}-{uuid.uuid4().hex}.parquet"
        fresh = path.with_suffix(f".{os.getpid()}.new")
        try:
            with pq.ParquetWriter(fresh, _SCHEMA, **_FORMAT) as writer:
                for batch in batches:
                    writer.write_batch(batch, row_group_size=_ROW_GROUP)
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        files.sync_folder(self._folder)

    def merge(self) -> int:
        """Merge files where enough of one size lie ready; give how many merges were done (0 while another merges)."""
        with self._alone() as mine:
            if not mine:
                return 0
            self._sweep()
            done, source = 0, "part"
            for number, target in _LEVELS:
                while len(ready := [file for file in self._files() if file.level == source]) >= number:
                    self._merge(ready[:number], target)
                    done += 1
                source = target
            return done

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        if not self._folder.exists():
            yield False
            return
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _merge(self, files: list[_File], level: str) -> None:
        # DuckDB sorts beyond memory by spilling; pyarrow then gives the encodings that make it small.
        with duckdb.connect() as db:
            db.execute(f"SET memory_limit='{_MEMORY}'; SET threads=1; SET temp_directory='{self._folder}/spill'")
            names = [str(file.path) for file in files]
            query = "SELECT point, time, value, quality FROM read_parquet($1) ORDER BY point, time, quality, value"
            rows = db.sql(query, params=[names]).to_arrow_reader(_ROW_GROUP)
            self._write(level, files[0].first, _once(batch.cast(_SCHEMA) for batch in rows))
        for file in files:
            file.path.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "spill", ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what a killed writer left half written."""
        for stale in self._folder.glob("*.new"):
            words = stale.name.split(".")
            if not (words[-2].isdecimal() and Path(f"/proc/{words[-2]}").exists()):
                stale.unlink(missing_ok=True)

    # ------------------------------------------------------------ reading

    def _files(self) -> list[_File]:
        return sorted(_File.of(path) for path in self._folder.glob("*-*-*.parquet"))

    def _names(self) -> list[str]:
        return [str(file.path) for file in self._files()]

    def read(self, point: int, begin_ns: int, end_ns: int, most: int = 2_000) -> list[Reading]:
        """A point's samples with begin ≤ time < end in order; beyond ``most``, stretches with their extremes."""
        for _ in range(3):
            names = self._names()
            if not names:
                return []
            try:
                return _query(names, point, begin_ns, end_ns, most)
            except (duckdb.IOException, duckdb.HTTPException):
                continue  # a merge replaced a file between listing and opening
        raise OSError("the history's files keep changing: try again")

    def read_many(self, points: Sequence[int], begin_ns: int, end_ns: int, stretches: int) -> dict[int, list[Reading]]:
        """``read`` for several points at once, for charts: of each stretch of time its lowest, highest and newest sample.

        Stretches are equally long, so that sparse samples stay where dense ones are thinned, and no peak is lost.
        """
        for _ in range(3):
            names = self._names()
            if not names or not points:
                return {}
            try:
                return _query_many(names, points, begin_ns, end_ns, stretches)
            except (duckdb.IOException, duckdb.HTTPException):
                continue  # a merge replaced a file between listing and opening
        raise OSError("the history's files keep changing: try again")

    def size(self) -> tuple[int, int]:
        """(files, bytes) on disk."""
        files = self._files()
        return len(files), sum(file.path.stat().st_size for file in files)


def _once(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Sorted rows without doubles; values are compared by their bits, so that NaN equals NaN."""
    before: tuple[Any, ...] | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in ("point", "time", "value", "quality")]
        columns[2] = columns[2].view(np.int64)
        fresh = np.ones(batch.num_rows, bool)
        fresh[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
        first = tuple(column[0] for column in columns)
        fresh[0] = first != before
        before = tuple(column[-1] for column in columns)
        yield batch if fresh.all() else batch.filter(pa.array(fresh))


def _query(names: list[str], point: int, begin_ns: int, end_ns: int, most: int) -> list[Reading]:
    with duckdb.connect() as db:
        db.execute(f"SET memory_limit='{_MEMORY}'; SET threads=1")
        where = [names, point, begin_ns, end_ns]
        chosen = """FROM (SELECT DISTINCT time, value, quality FROM read_parquet($1)
                          WHERE point = $2 AND time >= $3 AND time < $4)"""
        (number,) = db.execute(f"SELECT count(*) {chosen}", where).fetchone() or (0,)
        if number <= most:
            rows = db.execute(f"SELECT time, value, quality {chosen} ORDER BY time", where).fetchall()
            return [Reading(t, _finite(v), _finite(v), _finite(v), q) for t, v, q in rows]
        width = max(1, -(-(end_ns - begin_ns) // most))
        good = "CASE WHEN quality < 2 AND isfinite(value) THEN value END"
        rows = db.execute(
            f"""SELECT arg_max({{'t': time, 'v': value, 'q': quality}}, time), min({good}), max({good})
                {chosen} GROUP BY (time - $3) // $5 ORDER BY max(time)""",
            [*where, width],
        ).fetchall()
    return [Reading(one["t"], _finite(one["v"]), low, high, one["q"]) for one, low, high in rows]


def _query_many(names: list[str], points: Sequence[int], begin_ns: int, end_ns: int, stretches: int) -> dict[int, list[Reading]]:
    width = max(1, -(-(end_ns - begin_ns) // stretches))
    with duckdb.connect() as db:
        db.execute(f"SET memory_limit='{_MEMORY}'; SET threads=1")
        rows = db.execute(
            # Whole samples, so that the newest, the lowest and the highest each keep their own time and quality.
            """SELECT point, arg_max(one, time), arg_min(one, value) FILTER (fit), arg_max(one, value) FILTER (fit)
               FROM (SELECT *, {'t': time, 'v': value, 'q': quality} AS one, quality < 2 AND isfinite(value) AS fit
                     FROM read_parquet($1)
                     WHERE point IN (SELECT unnest($2)) AND time >= $3 AND time < $4)
               GROUP BY point, (time - $3) // $5 ORDER BY point, max(time)""",
            [names, list(points), begin_ns, end_ns, width],
        ).fetchall()
    found: dict[int, list[Reading]] = {}
    for point, newest, low, high in rows:
        told = {one["t"]: one for one in (low, high, newest) if one is not None}
        for time_ns in sorted(told):
            number = _finite(told[time_ns]["v"])
            found.setdefault(point, []).append(Reading(time_ns, number, number, number, told[time_ns]["q"]))
    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
