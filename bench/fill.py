"""A ledger of any size, quickly: some hundred lives played through the doors (``bench.lives``), then copied.

A copy is what the doors would have written for another case of the same life some weeks earlier: other ids, numbers,
titles, times and (where one case of a key may be open) sites in the canonical bytes and in every row, new salts, leaves
chained anew. Copies are written by COPY from one process for each core, entries of many cases mixed as years of work
leave them.
"""

from __future__ import annotations

import os
import random
import re
import struct
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import zip_longest
from multiprocessing import get_context
from typing import Any

import psycopg

from bench import lives
from fengsui.ledger.seals import canon

LIVES = 160
PER_CASE = 10
WEEKS = 26
"""A copy happened up to so many weeks earlier; one that is still open at most one."""
FIRST_COPY = 7_100_000
"""Sites of copies are numbered from here, with as many digits as the lives' own."""
AT_ONCE = 6_000
"""Entries of one COPY, mixed."""
_MOMENT = re.compile(rb"(20\d\d-\d\d-\d\d)(?=[T ]\d\d:\d\d)")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_SETTINGS = (
    "SET session_replication_role = replica; SET synchronous_commit = off"  # the owner's bulk load: keys are right by making
)

_ENTRY = "case_id, seq, act, state_before, state_after, person_id, principal_id, post_id, office_id, key, at, body, previous, id"
_TABLES = {
    "ledger_case": "case_id, id, mechanism, version_id, number, external_number, title, title_en, seq, state, fields, core, "
    "owner_id, holder_id, about_kind, about_id, place_code, place_path, duty, level, parent_id, root_id, opener_id, raiser, "
    "unique_key, confidential, readers, exercise, adopted, ended, opened_at, ended_at, moved_at, next_due",
    "ledger_clock": "case_id, place, name, holder_id, person_id, first, start, due, again, n, stopped, answered_by, paused_at, "
    "pause_used, rung, ladder, amount, law, law_version, calendar, provisional, next_rung_at, current, exercise",
    "ledger_party": "case_id, office_id, kind, since, beyond",
    "ledger_notice": "case_id, entry_id, rung, role, office_id, person_id, kind, text, args, at, seen_at, seen_by, due, exercise",
    "ledger_link": "from_case_id, to_case_id, kind, at",
    "ledger_evidenceuse": "case_id, entry_id, evidence_id, field",
}
"""What is copied beside entries and words; the first column says whose row it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a life: the cells of its row that stay, and what a copy writes anew."""

    case: int  # its place in the family
    head: bytes  # seq, act, states, who and key as COPY's binary cells
    at: datetime
    body: bytes


@dataclass(slots=True)
class Family:
    """A case with all that came out of it, as rows to copy."""

    ids: list[bytes]
    numbers: list[bytes]
    serial: bytes
    ended: bool
    site: tuple[bytes, str, int] | None  # of an open case with a key: its site's id, place and office
    entries: list[Entry] = field(default_factory=list)
    lines: dict[str, list[bytes]] = field(default_factory=dict)  # table → rows as COPY's text
    words: list[tuple[int, list[str]]] = field(default_factory=list)


# -------------------------------------------------------------------- reading


def _cell(value: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value


def _head(row: Sequence[Any]) -> bytes:
    seq, act, before, after, person, principal, post, office, key = row
    cells = [struct.pack(">i", seq), *(text.encode() for text in (act, before, after))]
    cells += [None if one is None else struct.pack(">q", one) for one in (person, principal, post, office)]
    return b"".join(map(_cell, [*cells, key.encode()]))


def _families(pg: psycopg.Connection[Any]) -> list[Family]:
    found = []
    for ids in lives.families():
        asked = "SELECT number, title, ended, about_id FROM ledger_case WHERE id = ANY(%s::uuid[])"
        rows = pg.execute(asked, [ids]).fetchall()
        numbers = [row[0].encode() for row in rows if row[0]]
        serial = next(one for row in rows if (one := lives.SERIAL.search(row[1])))
        own = {row[3] for row in rows if row[3].isdecimal() and int(row[3]) >= lives.FIRST_SITE}
        site = pg.execute(
            "SELECT id::text, place_id, office_id FROM region_site WHERE id = ANY(%s)", [[*map(int, own)]]
        ).fetchone()
        kept = (site[0].encode(), site[1], site[2]) if site else None
        family = Family([one.encode() for one in ids], numbers, serial[1].encode(), all(row[2] for row in rows), kept)
        _read(pg, family, ids)
        found.append(family)
    return found


def _read(pg: psycopg.Connection[Any], family: Family, ids: list[str]) -> None:
    place_of = {one: at for at, one in enumerate(ids)}
    place_of_entry = {}
    query = f"SELECT {_ENTRY} FROM ledger_entry WHERE case_id = ANY(%s::uuid[]) ORDER BY id"
    for case, *row, at, body, _previous, entry in pg.execute(query, [ids]).fetchall():
        place_of_entry[entry] = len(family.entries)
        family.entries.append(Entry(place_of[str(case)], _head(row), at, bytes(body)))
    for table, columns in _TABLES.items():
        named = columns.replace("case_id, id", "id AS case_id, id") if table == "ledger_case" else columns
        query = f"COPY (SELECT {named} FROM {table}) TO STDOUT"
        family.lines[table] = []
        with pg.cursor() as cursor, cursor.copy(query) as copy:
            for line in b"".join(bytes(part) for part in copy).splitlines():
                if line.split(b"\t", 1)[0].decode() in place_of:
                    family.lines[table].append(_line(table, line, place_of_entry))
    own = {pair for text in (*family.numbers, family.serial + "号装置".encode()) for pair in _bigrams(text)}
    for case, words in pg.execute("SELECT case_id, bigrams FROM ledger_searchtext WHERE case_id = ANY(%s::uuid[])", [ids]):
        family.words.append((place_of[str(case)], [pair for pair in words if pair not in own]))


def _line(table: str, line: bytes, place_of_entry: dict[int, int]) -> bytes:
    """A row with its entry's id as ``@place@``; a case's begins with its id."""
    if table == "ledger_case":
        return line.split(b"\t", 1)[1]
    if "entry_id" not in _TABLES[table] or (cells := line.split(b"\t", 2))[1] == b"\\N":
        return line
    return b"\t".join([cells[0], b"@%d@" % place_of_entry[int(cells[1])], cells[2]])


def _bigrams(*texts: bytes) -> list[str]:
    from fengsui.ledger.words import bigrams

    return bigrams(*(text.decode() for text in texts))


# -------------------------------------------------------------------- copying


def _earlier(data: bytes, weeks: int) -> bytes:
    """The same bytes with every moment in them so many weeks earlier."""
    if not weeks:
        return data

    def shift(found: re.Match[bytes]) -> bytes:
        return (date.fromisoformat(found[1].decode()) - timedelta(weeks=weeks)).isoformat().encode()

    return _MOMENT.sub(shift, data)


@dataclass(frozen=True, slots=True)
class Moved:
    """A family some weeks earlier."""

    family: Family
    entries: list[tuple[int, bytes, bytes]]  # the case's place, the row's cells up to the moment, body
    lines: dict[str, list[bytes]]


def _moved(family: Family, weeks: int) -> Moved:
    entries = []
    for one in family.entries:
        at = (one.at - timedelta(weeks=weeks) - _EPOCH) // timedelta(microseconds=1)
        entries.append((one.case, one.head + struct.pack(">iq", 8, at), _earlier(one.body, weeks)))
    return Moved(family, entries, {table: [_earlier(line, weeks) for line in rows] for table, rows in family.lines.items()})


@dataclass(frozen=True, slots=True)
class Job:
    """A copy to write."""

    place: int  # the family's among the families
    weeks: int  # earlier
    number: int  # its serial
    first: int  # the id of its first entry
    site: int  # the id of its site, where it needs one of its own; else 0


@dataclass(slots=True)
class Batch:
    """Rows of many copies, for one COPY into each table."""

    entries: list[list[bytes]] = field(default_factory=list)  # by copy
    lines: dict[str, list[bytes]] = field(default_factory=lambda: {table: [] for table in (*_TABLES, "ledger_searchtext")})
    count: int = 0

    def add(self, moved: Moved, job: Job, chance: random.Random) -> None:
        """One more copy."""
        number, first = job.number, job.first
        family = moved.family
        keys = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in family.ids]
        names = [str(key).encode() for key in keys]
        changes = list(zip(family.ids, names, strict=True))
        given = [b"%b-%06d" % (known.rpartition(b"-")[0], number) for known in family.numbers]
        serial = b"%07d" % number
        changes += [*zip(family.numbers, given, strict=True), (family.serial, serial)]
        if family.site:
            changes.append((family.site[0], b"%d" % job.site))
        self.entries.append(_chained(moved, keys, changes, first))
        self.count += len(moved.entries)
        for table, rows in moved.lines.items():
            for row in rows:
                row = _changed(row, changes)
                if b"@" in row:
                    row = re.sub(rb"@(\d+)@", lambda found: b"%d" % (first + int(found[1])), row)
                self.lines[table].append(row)
        own = _bigrams(*given, serial + "号装置".encode())
        for place, words in family.words:
            array = ",".join(f'"{one}"' for one in sorted({*words, *own}))
            self.lines["ledger_searchtext"].append(names[place] + b"\t{" + array.encode() + b"}")


def _changed(data: bytes, changes: Iterable[tuple[bytes, bytes]]) -> bytes:
    for old, new in changes:
        data = data.replace(old, new)
    return data


def _chained(moved: Moved, keys: list[uuid.UUID], changes: list[tuple[bytes, bytes]], first: int) -> list[bytes]:
    """The copy's entries as binary rows: id, case, head, body, salt, previous, leaf."""
    leaves = [canon.FIRST] * len(keys)
    salts, rows = os.urandom(canon.SALT_BYTES * len(moved.entries)), []
    for at, (place, head, body) in enumerate(moved.entries):
        own, salt, previous = _changed(body, changes), salts[at * 16 : at * 16 + 16], leaves[place]
        leaf = leaves[place] = sha256(b"\x00" + previous + salt + own).digest()
        key = keys[place].bytes
        start = struct.pack(">hiqi16s", 16, 8, first + at, 16, key)
        rows.append(
            b"".join(
                (start, head, struct.pack(">i", len(own)), own, struct.pack(">i16si32si32s", 16, salt, 32, previous, 32, leaf))
            )
        )
    return rows


def _write(pg: psycopg.Connection[Any], batch: Batch) -> None:
    columns = f"id, {_ENTRY.removesuffix(', id').replace('previous', 'salt, previous, leaf')}"
    with pg.cursor() as cursor:
        with cursor.copy(f"COPY ledger_entry ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for wave in zip_longest(*batch.entries):
                copy.write(b"".join(row for row in wave if row is not None))
            copy.write(b"\xff\xff")
        for table, rows in batch.lines.items():
            named = _TABLES.get(table, "case_id, bigrams").replace("case_id, id", "id")
            with cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copy:
                copy.write(b"".join(row + b"\n" for row in rows))


def _worker(where: str, families: list[Family], jobs: list[Job], seed: int) -> int:
    """Write the copies in order."""
    chance, batch, written = random.Random(seed), Batch(), 0
    known: dict[tuple[int, int], Moved] = {}
    with psycopg.connect(where, autocommit=True) as pg:
        pg.execute(_SETTINGS)
        for job in jobs:
            key = (job.place, job.weeks)
            moved = known.get(key) or known.setdefault(key, _moved(families[job.place], job.weeks))
            batch.add(moved, job, chance)
            if batch.count >= AT_ONCE:
                _write(pg, batch)
                written, batch = written + batch.count, Batch()
        _write(pg, batch)
    return written + batch.count


def _jobs(families: list[Family], cases: int, entries: int, first: int) -> Iterator[Job]:
    """Copies in a mixed order until there are so many more cases and entries; entry ids count on from ``first``.

    Open cases with a key are of different kinds in one county: a round's copies share one new site in each county.
    """
    chance = random.Random(2)
    counties = sorted({one.site[1] for one in families if one.site})
    number, turn = 100_000, 0
    while cases > 0 or entries > 0:
        turn += 1
        for place in chance.sample(range(len(families)), len(families)):
            if cases <= 0 and entries <= 0:
                return
            family, number = families[place], number + 1
            site = FIRST_COPY + turn * len(counties) + counties.index(family.site[1]) if family.site else 0
            yield Job(place, chance.randrange(WEEKS) if family.ended else chance.randrange(2), number, first, site)
            first += len(family.entries)
            cases -= len(family.ids)
            entries -= len(family.entries)


def _sites(families: list[Family], jobs: list[Job]) -> None:
    """Make the sites that the copies are about."""
    from fengsui.region.models import Site

    wanted = {job.site: site for job in jobs if (site := families[job.place].site)}
    Site.objects.bulk_create(Site(pk=number, **lives.site_cells(number, *site[1:])) for number, site in wanted.items())


def fill(cases: int, *, patterns: int = LIVES, workers: int | None = None) -> int:
    """Play so many lives in an empty, migrated database and copy them until there are at least so many cases with, over
    all, ``PER_CASE`` entries for each of them.

    Returns how many entries were copied. ``lives.region()`` then gives offices and people.
    """
    from django.db import connection

    from fengsui.ledger.database import conninfo

    lives.Player().play(patterns)
    where = conninfo()
    with psycopg.connect(where) as pg:
        families = _families(pg)
        asked = "SELECT (SELECT count(*) FROM ledger_case), count(*), max(id) FROM ledger_entry"
        have, written, last = pg.execute(asked).fetchone() or (0, 0, 0)
        jobs = list(_jobs(families, cases - have, PER_CASE * cases - written, last + 1))
    _sites(families, jobs)
    connection.close()  # a fork must not share it
    count = workers or min(os.cpu_count() or 1, 4)
    shares = [jobs[len(jobs) * at // count : len(jobs) * (at + 1) // count] for at in range(count)]
    with ProcessPoolExecutor(count, mp_context=get_context("fork")) as pool:
        written = sum(pool.map(_worker, [where] * count, [families] * count, shares, range(count)))
    with psycopg.connect(where) as pg:
        pg.execute("SELECT setval('ledger_entry_id_seq', %s)", [last + written])
        pg.execute("UPDATE ledger_counter SET value = greatest(value, %s)", [100_000 + len(jobs)])
    return written
