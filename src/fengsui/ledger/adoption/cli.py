"""What ``fengsui adopt`` prints. Exit codes: 0 taken over (or could be), 1 something is wrong, 2 a wrong question."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TextIO

import orjson

from fengsui.ledger.adoption import table, taking


def main(file: Path, mechanism: str, dry: bool, now: datetime, out: TextIO, *, as_json: bool = False) -> int:
    """Read, hold against the mechanism, take over; all rows or none."""
    begun = time.perf_counter()
    try:
        told = taking.take(table.read(file.read_bytes(), file.name), mechanism, now, dry=dry)
    except (table.Unreadable, LookupError) as error:
        out.write(f"{file.name}: {error}\n")
        return 2
    seconds = time.perf_counter() - begun
    if as_json:
        out.write(orjson.dumps({**taking.plain(told), "seconds": round(seconds, 2)}).decode() + "\n")
        return 0 if told.ok else 1
    for one in told.problems:
        out.write(f"{file.name}:{one.row}: {one.column}: {one.text}\n")
    if told.more:
        out.write(f"… and {told.more} more\n")
    if told.ok:
        verb = "can be taken over" if dry else "taken over, their past sealed as unverified"
        out.write(f"{told.taken} cases {verb}, {seconds:.1f} s\n")
    else:
        out.write(f"{len(told.problems) + told.more} cells are wrong in {told.rows} rows; nothing was written\n")
    return 0 if told.ok else 1
