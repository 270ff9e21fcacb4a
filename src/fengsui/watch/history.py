"""The history of samples: Parquet files sorted by point and time, read with DuckDB.

Every file holds exactly the samples of a range of stream sequences and is named by it. Small files are
merged into larger ones (5 minutes, an hour, a day); where a crash left both, the larger one counts. A
part written after the engine's last snapshot is forgotten at the next start, for the engine writes it
again: each sample is kept exactly once.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fengsui.watch.engine import Batch

_SCHEMA = pa.schema([("point", pa.int32()), ("time", pa.int64()), ("value", pa.float64()), ("quality", pa.uint8())])
_ENCODING = {"time": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"}
_ROW_GROUP = 100_000
_LEVELS = ((30, "block"), (12, "hour"), (24, "day"))
"""How many files of one size make one of the next: 30 parts of 10 s, 12 blocks, 24 hours."""
_MEMORY = "512MB"


class Reading(NamedTuple):
    """One sample, or the lowest and highest of a stretch of time; times in ns, values in the point's measure."""

    time_ns: int
    value: float | None
    low: float | None
    high: float | None
    quality: int


@dataclass(frozen=True, order=True)
class _File:
    first: int
    last: int
    level: str
    path: Path

    @classmethod
    def of(cls, path: Path) -> _File:
        level, first, last = path.stem.split("-")
        return cls(int(first), int(last), level, path)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Store:
    """A folder of sorted Parquet files. One process writes, any number reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._merging = threading.Lock()
        self._durable = 0

    # ------------------------------------------------------------ writing

    def write_part(self, first: int, last: int, batches: Sequence[Batch]) -> None:
        """Keep the samples that messages ``first`` … ``last`` brought."""
        self._durable = first - 1
        if not batches:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        point, time_ns, value, quality = (np.concatenate(column) for column in zip(*batches, strict=True))
        order = np.lexsort((time_ns, point))
        table = pa.Table.from_arrays([pa.array(c[order]) for c in (point, time_ns, value, quality)], schema=_SCHEMA)
        self._write(table, "part", first, last)

    def _write(self, table: pa.Table, level: str, first: int, last: int) -> None:
        path = self._folder / f"{level}-{first:020}-{last:020}.parquet"
        fresh = path.with_suffix(".new")
        pq.write_table(
            table,
            fresh,
            row_group_size=_ROW_GROUP,
            compression="zstd",
            compression_level=1,
            use_dictionary=["point", "quality"],
            column_encoding=_ENCODING,
        )
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(self._folder)

    def forget_after(self, seq: int) -> None:
        """Remove what was written after the engine's position: it comes again."""
        for stale in self._folder.glob("*.new"):
            stale.unlink()
        for file in self._files():
            if file.last > seq:
                file.path.unlink()
        self._durable = seq

    def merge(self) -> int:
        """Merge files where enough of one size lie ready; give how many merges were done."""
        with self._merging:
            done = 0
            source = "part"
            for number, target in _LEVELS:
                while len(ready := [f for f in self._cover() if f.level == source and f.last <= self._durable]) >= number:
                    self._merge(ready[:number], target)
                    done += 1
                source = target
            self._sweep()
            return done

    def _merge(self, files: list[_File], level: str) -> None:
        first, last = files[0].first, files[-1].last
        path = self._folder / f"{level}-{first:020}-{last:020}.parquet"
        fresh = path.with_suffix(".new")
        # DuckDB sorts beyond memory by spilling; pyarrow then gives the encodings that make it small.
        with (
            duckdb.connect() as db,
            pq.ParquetWriter(
                fresh,
                _SCHEMA,
                compression="zstd",
                compression_level=1,
                use_dictionary=["point", "quality"],
                column_encoding=_ENCODING,
            ) as writer,
        ):
            db.execute(f"SET memory_limit='{_MEMORY}'; SET threads=1; SET temp_directory='{self._folder}/spill'")
            names = [str(file.path) for file in files]
            query = "SELECT point, time, value, quality FROM read_parquet($1) ORDER BY point, time"
            rows = db.sql(query, params=[names]).to_arrow_reader(_ROW_GROUP)
            for batch in rows:
                writer.write_batch(batch.cast(_SCHEMA), row_group_size=_ROW_GROUP)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(self._folder)

    def _sweep(self) -> None:
        counted = set(self._cover())
        for file in self._files():
            if file not in counted:
                file.path.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "spill", ignore_errors=True)

    # ------------------------------------------------------------ reading

    def _files(self) -> list[_File]:
        return sorted(_File.of(path) for path in self._folder.glob("*-*-*.parquet"))

    def _cover(self) -> list[_File]:
        """The files that together hold each sample once: those within no other's range."""
        kept: list[_File] = []
        for file in sorted(self._files(), key=lambda f: (f.first, -f.last)):
            if not kept or file.last > kept[-1].last:
                kept.append(file)
        return kept

    def read(self, point: int, begin_ns: int, end_ns: int, most: int = 2_000) -> list[Reading]:
        """A point's samples with begin ≤ time < end in order; beyond ``most``, stretches with their extremes."""
        for _ in range(3):
            names = [str(file.path) for file in self._cover()]
            if not names:
                return []
            try:
                return _query(names, point, begin_ns, end_ns, most)
            except (duckdb.IOException, duckdb.HTTPException):
                continue  # a merge replaced a file between listing and opening
        raise OSError("the history's files keep changing: try again")

    def read_many(self, points: Sequence[int], begin_ns: int, end_ns: int, most: int) -> dict[int, list[Reading]]:
        """``read`` for several points at once: every n-th sample where a point has more than ``most``, extremes left out."""
        for _ in range(3):
            names = [str(file.path) for file in self._cover()]
            if not names or not points:
                return {}
            try:
                return _query_many(names, points, begin_ns, end_ns, most)
            except (duckdb.IOException, duckdb.HTTPException):
                continue  # a merge replaced a file between listing and opening
        raise OSError("the history's files keep changing: try again")

    def size(self) -> tuple[int, int]:
        """(files, bytes) on disk."""
        files = self._files()
        return len(files), sum(file.path.stat().st_size for file in files)

    def points_between(self, begin_ns: int, end_ns: int) -> Iterable[tuple[int, int]]:
        """(point, number of samples) in a span of time, for checks and statistics."""
        names = [str(file.path) for file in self._cover()]
        if not names:
            return []
        with duckdb.connect() as db:
            found: list[tuple[int, int]] = db.execute(
                "SELECT point, count(*) FROM read_parquet($1) WHERE time >= $2 AND time < $3 GROUP BY point ORDER BY point",
                [names, begin_ns, end_ns],
            ).fetchall()
        return found


def _query(names: list[str], point: int, begin_ns: int, end_ns: int, most: int) -> list[Reading]:
    with duckdb.connect() as db:
        db.execute(f"SET memory_limit='{_MEMORY}'; SET threads=1")
        where = [names, point, begin_ns, end_ns]
        chosen = "FROM read_parquet($1) WHERE point = $2 AND time >= $3 AND time < $4"
        (number,) = db.execute(f"SELECT count(*) {chosen}", where).fetchone() or (0,)
        if number <= most:
            rows = db.execute(f"SELECT time, value, quality {chosen} ORDER BY time", where).fetchall()
            return [Reading(t, _finite(v), _finite(v), _finite(v), q) for t, v, q in rows]
        width = max(1, -(-(end_ns - begin_ns) // most))
        good = "CASE WHEN quality < 2 AND isfinite(value) THEN value END"
        rows = db.execute(
            f"""SELECT min(time), arg_max(value, time), min({good}), max({good}), max(quality)
                {chosen} GROUP BY (time - $3) // $5 ORDER BY 1""",
            [*where, width],
        ).fetchall()
    return [Reading(t, _finite(v), low, high, q) for t, v, low, high, q in rows]


def _query_many(names: list[str], points: Sequence[int], begin_ns: int, end_ns: int, most: int) -> dict[int, list[Reading]]:
    with duckdb.connect() as db:
        db.execute(f"SET memory_limit='{_MEMORY}'; SET threads=1")
        rows = db.execute(
            """SELECT point, time, value, quality FROM (
                 SELECT *, row_number() OVER w AS n, count(*) OVER (PARTITION BY point) AS all_of FROM read_parquet($1)
                 WHERE point IN (SELECT unnest($2)) AND time >= $3 AND time < $4
                 WINDOW w AS (PARTITION BY point ORDER BY time DESC))
               WHERE (n - 1) % greatest(1, ceil(all_of / $5)::BIGINT) = 0 ORDER BY point, time""",
            [names, list(points), begin_ns, end_ns, most],
        ).fetchall()
    found: dict[int, list[Reading]] = {}
    for point, time_ns, value, quality in rows:
        number = _finite(value)
        found.setdefault(point, []).append(Reading(time_ns, number, number, number, quality))
    return found


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
