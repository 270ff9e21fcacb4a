"""Reading a run of the tree and judging each entry: its leaf, its columns, its place in its case."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
import psycopg

from fengsui.ledger.verify.findings import MOST, Finding

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL's binary times count microseconds from here."""

_FIXED = struct.Struct(">h iq i32s iq i16s ii iq i32s i32s")
_LENGTHS = (8, 32, 8, 16, 4, 8, 32, 32)
SELECT = """
SELECT l.position, l.hash, e.id, e.case_id, e.seq, e.at, e.previous, e.leaf,
       e.act, e.state_before, e.state_after, e.office_id, e.person_id, e.principal_id, e.post_id, e.salt, e.body
"""
SEALED = SELECT + "FROM ledger_leaf l LEFT JOIN ledger_entry e ON e.id = l.entry_id"
WAITING = (
    SELECT.replace("l.position", "NULL::bigint").replace("l.hash", "NULL::bytea")  # noqa: S608 - constants
    + "FROM ledger_entry e WHERE NOT EXISTS (SELECT 1 FROM ledger_leaf l WHERE l.entry_id = e.id) ORDER BY e.id"
)
_FIELDS = 17


@dataclass(slots=True)
class Line:
    """One entry as the database tells it, still as bytes where that is quicker."""

    position: int | None
    hash: bytes | None
    entry: int | None
    case: bytes | None
    seq: int
    at: int  # microseconds since 2000
    previous: bytes
    leaf: bytes
    act: bytes
    before: bytes
    after: bytes
    office: int | None
    person: int | None
    principal: int | None
    post: int | None
    salt: bytes | None
    body: bytes | None


def _cells(data: bytes, at: int = 2) -> list[bytes | None]:
    cells: list[bytes | None] = []
    for _ in range(_FIELDS):
        length = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        cells.append(None if length < 0 else data[at : at + length])
        at += max(0, length)
    return cells


def _int(cell: bytes | None) -> int | None:
    return None if cell is None else int.from_bytes(cell, "big", signed=True)


def line_of(data: bytes) -> Line:
    cells = _cells(data)
    return Line(
        _int(cells[0]), cells[1], _int(cells[2]), cells[3], _int(cells[4]) or 0, _int(cells[5]) or 0, cells[6] or b"",
        cells[7] or b"", cells[8] or b"", cells[9] or b"", cells[10] or b"", _int(cells[11]), _int(cells[12]), _int(cells[13]),
        _int(cells[14]), cells[15], cells[16],
    )  # fmt: skip


def stream(pg: psycopg.Connection[Any], query: str) -> Iterator[bytes]:
    """The rows of a query in PostgreSQL's binary COPY format, header and trailer taken off."""
    with pg.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
        first = True
        for chunk in copy:
            data = bytes(chunk)
            if first:
                data, first = data[19 + int.from_bytes(data[15:19], "big") :], False
            if len(data) > 2:
                yield data


@dataclass(slots=True)
class End:
    """How far a case got: its latest entry in this run, and how it began here."""

    first_seq: int
    first_previous: bytes
    seq: int
    leaf: bytes
    after: str
    at: int
    position: int | None


@dataclass(slots=True)
class Part:
    """What one process found in one run of positions."""

    start: int
    count: int
    leaves: bytes
    ends: dict[bytes, End]
    findings: list[Finding]
    erased: list[tuple[bytes, int]]
    erasures: set[tuple[bytes, int]]


def name_of(case: bytes | None, seq: int) -> tuple[str, str]:
    where = str(UUID(bytes=case)) if case else "?"
    return f"事项 {where} 第 {seq} 条办理记录", f"entry {seq} of case {where}"


class Reader:
    """Judges the lines of one run in order."""

    def __init__(self, start: int) -> None:
        self.next = start
        self.part = Part(start, 0, b"", {}, [], [], set())
        self.leaves: list[bytes] = []

    def tell(self, code: str, line: Line, zh: str, en: str) -> None:
        if len(self.part.findings) > MOST:
            return
        where_zh, where_en = name_of(line.case, line.seq)
        case = str(UUID(bytes=line.case)) if line.case else ""
        self.part.findings.append(
            Finding(code, f"{where_zh}：{zh}", f"{where_en}: {en}", case=case, seq=line.seq, position=line.position)
        )

    def sealed(self, data: bytes) -> None:
        """A line that has a place in the tree."""
        line = line_of(data)
        position = line.position or 0
        if position != self.next:
            self.tell("gap", line, f"存证树缺第 {self.next}—{position - 1} 位", f"places {self.next} to {position - 1} are gone")
            self.next = position
        self.next += 1
        self.leaves.append(line.hash or b"")
        if line.entry is None:
            zh, en = f"存证树第 {position} 位的办理记录已被删除", f"the entry at place {position} was removed"
            self.part.findings.append(Finding("removed", zh, en, position=position))
            return
        if line.leaf != line.hash:
            self.tell("tampered", line, "哈希与存证不符，已被改动", "its leaf is not the sealed one: it was changed")
        self.entry(line)

    def entry(self, line: Line) -> None:
        """The entry itself, and its place after the one before."""
        self.part.count += 1
        if line.body is None or line.salt is None:
            self.part.erased.append((line.case or b"", line.seq))
        elif sha256(b"\x00" + line.previous + line.salt + line.body).digest() != line.leaf:
            self.tell("tampered", line, "内容已被改动", "its content was changed")
        else:
            self.columns(line, orjson.loads(line.body))
        self.chain(line)

    def columns(self, line: Line, record: dict[str, Any]) -> None:
        """The columns that pages read against the bytes that the leaf commits to."""
        actor = record["actor"]
        same = (
            record["seq"] == line.seq
            and record["act"].encode() == line.act
            and record["after"].encode() == line.after
            and (record["before"] or "").encode() == line.before
            and actor.get("office") == line.office
            and actor.get("person") == line.person
            and actor.get("principal") == line.principal
            and actor.get("post") == line.post
            and UUID(record["case"]).bytes == line.case
            and _micro(record["at"]) == line.at
        )
        if not same:
            self.tell("tampered", line, "列值与其存证内容不一致", "its columns differ from its sealed content")
        if record["act"] == "erase":
            self.part.erasures.add((line.case or b"", int(record["values"].get("seq", 0))))

    def chain(self, line: Line) -> None:
        """Each entry follows the one before it in its case."""
        case = line.case or b""
        known = self.part.ends.get(case)
        if known is None:
            self.part.ends[case] = End(
                line.seq, line.previous, line.seq, line.leaf, line.after.decode(), line.at, line.position
            )
            return
        if problem := broken(known.seq, known.leaf, line.seq, line.previous):
            self.tell(*_with(problem, line))
        known.seq, known.leaf, known.after = line.seq, line.leaf, line.after.decode()
        known.at, known.position = line.at, line.position


def _with(problem: tuple[str, str, str], line: Line) -> tuple[str, Line, str, str]:
    return problem[0], line, problem[1], problem[2]


def broken(seq: int, leaf: bytes, next_seq: int, previous: bytes) -> tuple[str, str, str] | None:
    """Why an entry does not follow the one before, as code and words; None: it does."""
    if next_seq == seq + 1:
        if previous == leaf:
            return None
        return "chain", f"未接在第 {seq} 条之后（前序哈希不符）", f"it does not follow entry {seq} as that stands now"
    if next_seq > seq + 1:
        return "removed", f"第 {seq + 1} 条缺失", f"entry {seq + 1} before it is missing"
    return "reordered", f"排在第 {seq} 条之后，次序被改动", f"it stands after entry {seq}: the order was changed"


_days: dict[str, int] = {}


def _micro(text: str) -> int:
    """``2026-11-24T03:00:00.000000Z`` → microseconds since 2000; days are remembered."""
    day = text[:10]
    base = _days.get(day)
    if base is None:
        base = _days[day] = (datetime.fromisoformat(day).replace(tzinfo=UTC) - EPOCH).days * 86_400_000_000
    seconds = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    return base + seconds * 1_000_000 + int(text[20:26])
