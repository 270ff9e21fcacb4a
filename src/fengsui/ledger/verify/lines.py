"""Reading a run of the tree and judging each entry: its leaf, its columns, its place in its case."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import psycopg
from psycopg import pq

from fengsui.ledger.sealing import TILE
from fengsui.ledger.seals import change
from fengsui.ledger.seals.tree import SIZE, root_of
from fengsui.ledger.verify.findings import MOST, Finding

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL's binary times count microseconds from here."""

SELECT = """
SELECT l.position, l.hash, e.id, e.case_id, e.seq, e.at, e.previous, e.leaf,
       coalesce(e.office_id, -1), coalesce(e.person_id, -1), coalesce(e.principal_id, -1), coalesce(e.post_id, -1),
       e.salt, e.act || E'\\x1f' || e.state_before || E'\\x1f' || e.state_after, e.body
"""
SEALED = SELECT + "FROM ledger_leaf l LEFT JOIN ledger_entry e ON e.id = l.entry_id"
_UNSEALED = "FROM ledger_entry e WHERE NOT EXISTS (SELECT 1 FROM ledger_leaf l WHERE l.entry_id = e.id)"
WAITING = SELECT.replace("l.position", "NULL::bigint").replace("l.hash", "NULL::bytea") + _UNSEALED
FIRST_WAITING = f"SELECT min(id) FROM (SELECT e.id {_UNSEALED} OFFSET 0) w"  # noqa: S608 - constants
"""Answered from two indexes alone (the fence keeps PostgreSQL from looking each entry up), where ``WAITING`` reads all rows."""
_FIELDS = 15

_WHOLE = struct.Struct(">h iq i32s iq i16s ii iq i32s i32s iq iq iq iq i16s i")
"""A row in which nothing is null: each cell after its length, up to the length of the words."""
_NULL = b"\xff\xff\xff\xff"
_DIGEST = re.compile(r"[0-9a-f]{64}")
OLD_WORLD = ":adopted"
"""Stands for a mechanism's name where the entry of a case taken over lists its files; no mechanism's name has a colon."""
_LISTED = re.compile(rb'\["[0-9a-f]{64}"')
"""Where a list of digests may begin: an entry without one names no file, and is not parsed for them."""
_LENGTHS = (_FIELDS, 8, 32, 8, 16, 4, 8, 32, 32, 8, 8, 8, 8, 16)


@dataclass(slots=True)
class Line:
    """One entry as the database tells it. ``at`` is microseconds since 2000; offices … are -1 where unset.

    ``words`` are act, state before and state after, joined by the unit separator.
    """

    position: int | None
    hash: bytes | None
    entry: int | None
    case: bytes
    seq: int
    at: int
    previous: bytes
    leaf: bytes
    office: int
    person: int
    principal: int
    post: int
    salt: bytes | None
    words: bytes
    body: bytes | None


def _int(cell: bytes | None) -> int | None:
    return None if cell is None else int.from_bytes(cell, "big", signed=True)


def line_of(data: bytes) -> Line:
    """A row of ``SELECT`` out of PostgreSQL's binary COPY format; NULLs where rows are missing or erased."""
    if len(data) > _WHOLE.size:
        (n, a, position, b, hashed, c, entry, d, case, e, seq, f, at, g, previous, h, leaf, i, office, j, person, k,
         principal, m, post, o, salt, words) = _WHOLE.unpack_from(data)  # fmt: skip
        if (n, a, b, c, d, e, f, g, h, i, j, k, m, o) == _LENGTHS:
            start = _WHOLE.size + words
            if data[start : start + 4] != _NULL:
                return Line(position, hashed, entry, case, seq, at, previous, leaf, office, person, principal, post, salt,
                            data[_WHOLE.size : start], data[start + 4 :])  # fmt: skip
    return _odd_line(data)


def _odd_line(data: bytes) -> Line:
    cells: list[bytes | None] = []
    at = 2
    for _ in range(_FIELDS):
        length = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        cells.append(None if length < 0 else data[at : at + length])
        at += max(0, length)
    office, person, principal, post = (-1 if (one := _int(cell)) is None else one for cell in cells[8:12])
    return Line(
        position=_int(cells[0]),
        hash=cells[1],
        entry=_int(cells[2]),
        case=cells[3] or b"",
        seq=_int(cells[4]) or 0,
        at=_int(cells[5]) or 0,
        previous=cells[6] or b"",
        leaf=cells[7] or b"",
        office=office,
        person=person,
        principal=principal,
        post=post,
        salt=cells[12],
        words=cells[13] or b"",
        body=cells[14],
    )


def stream(conninfo: str, query: str, snapshot: str, *, settings: tuple[str, ...] = ()) -> Iterator[bytes]:
    """The rows of a query in PostgreSQL's binary COPY format, header and trailer taken off, as the snapshot saw them.

    Straight from libpq: at millions of rows psycopg's own generator would cost more than the judging.
    Raises ``psycopg.OperationalError`` where the connection or the query fails.
    """
    pg = pq.PGconn.connect(conninfo.encode())
    try:
        begin = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", f"SET TRANSACTION SNAPSHOT '{snapshot}'"]
        for said in [*begin, *(f"SET LOCAL {setting}" for setting in settings)]:
            if (done := pg.exec_(said.encode())).status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError(done.error_message.decode())
        answer = pg.exec_(f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode())
        if answer.status != pq.ExecStatus.COPY_OUT:
            raise psycopg.OperationalError((pg.error_message or answer.error_message).decode())
        left, data = pg.get_copy_data(0)
        if left > 0:
            yield from _rows(pg, bytes(data))
        if (last := pg.get_result()) is not None and last.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(last.error_message.decode())
    finally:
        pg.finish()


def _rows(pg: pq.abc.PGconn, first: bytes) -> Iterator[bytes]:
    row = first[19 + int.from_bytes(first[15:19], "big") :]
    while True:
        if len(row) > 2:
            yield row
        left, data = pg.get_copy_data(0)
        if left <= 0:
            return
        row = bytes(data)


@dataclass(slots=True)
class End:
    """How a case begins in this run, and its latest entry here."""

    first_seq: int
    first_previous: bytes
    name: bytes  # the case's id as text
    seq: int
    leaf: bytes
    at: int
    words: bytes
    position: int | None

    def go_on(self, line: Line) -> None:
        """Stand at this line from now on."""
        self.seq, self.leaf, self.at, self.words, self.position = line.seq, line.leaf, line.at, line.words, line.position

    @property
    def after(self) -> bytes:
        """The state after the latest act, as UTF-8."""
        return self.words.rpartition(b"\x1f")[2]


_END = tuple(item.name for item in fields(End))


class Named(NamedTuple):
    """A digest in a list under a field's name: of the case, or of the child mechanism ``of`` that the entry hands it to."""

    case: bytes
    digest: str
    of: str
    name: str


def lists_in(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every member of a list of nothing but digests under a name: (child mechanism or ``""``, name, digest).

    Which of these are files is the question of the fields' kinds; the lines of a list may well look like digests.
    """
    if record.get("act") == "adopt":
        yield from _digests(OLD_WORLD, record["values"])
    for place in change.places(record):
        yield from _digests("", place)
        for name, value in place.items():
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, Mapping):
                    yield from _digests(name, inner)


def _digests(of: str, place: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in place.items():
        if isinstance(value, list) and all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in value):
            yield from ((of, name, one) for one in value)


@dataclass(slots=True)
class Part:
    """What one process found in one run of positions."""

    start: int
    count: int
    leaves: bytes
    tiles: list[bytes]
    ends: dict[bytes, End]
    findings: list[Finding]
    erased: list[tuple[bytes, int]]
    erasures: dict[tuple[bytes, int], int]  # (case, seq) → the entry that says so
    named: dict[Named, int] = field(default_factory=dict)  # lists of digests → the first entry that says so

    def __reduce__(self) -> tuple[Any, ...]:
        """On its way to another process the ends go column by column: a tenth of what a row for each case would take."""
        ends = self.ends.values()
        columns = [[getattr(end, name) for end in ends] for name in _END]
        found = (self.findings, self.erased, self.erasures, self.named)
        return _arrived, (list(self.ends), columns, self.start, self.count, self.leaves, self.tiles, *found)


def _arrived(
    cases: list[bytes], columns: list[list[Any]], start: int, count: int, leaves: bytes, tiles: list[bytes], *rest: Any
) -> Part:
    return Part(start, count, leaves, tiles, dict(zip(cases, map(End, *columns), strict=True)), *rest)


def name_of(case: bytes | None, seq: int) -> tuple[str, str]:
    """How a finding calls an entry, in Chinese and in English; ``case`` is the id's 16 bytes, None where it is not known."""
    where = str(UUID(bytes=case)) if case else "?"
    return f"事项 {where} 第 {seq} 条办理记录", f"entry {seq} of case {where}"


class Reader:
    """Judges the lines of one run in order."""

    def __init__(self, start: int) -> None:
        self.next = start
        self.part = Part(start, 0, b"", [], {}, [], [], {})
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
        """A line that has a place in the tree. One in perfect order is done with at once, all others are looked at closely."""
        if len(data) > _WHOLE.size:
            (n, a, position, b, hashed, c, _, d, case, e, seq, f, at, g, previous, h, leaf, i, office, j, person, k,
             principal, m, post, o, salt, length) = _WHOLE.unpack_from(data)  # fmt: skip
            known, start = self.part.ends.get(case), _WHOLE.size + length
            if (
                known is not None
                and position == self.next
                and leaf == hashed
                and previous == known.leaf
                and seq == known.seq + 1
                and (n, a, b, c, d, e, f, g, h, i, j, k, m, o) == _LENGTHS
                and data[start : start + 4] != _NULL
            ):
                words, body = data[_WHOLE.size : start], data[start + 4 :]
                told = _head(known.name, seq, at, words, (person, principal, office, post))
                same = sha256(b"\x00" + previous + salt + body).digest() == leaf and body.startswith(told)
                if same and not words.startswith(b"erase\x1f"):
                    self.next = position + 1
                    self.leaves.append(hashed)
                    self.part.count += 1
                    known.seq, known.leaf, known.at, known.words, known.position = seq, leaf, at, words, position
                    if _LISTED.search(body):
                        self._named(case, seq, body)
                    return
        self._closely(line_of(data))

    def _closely(self, line: Line) -> None:
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
        part, body, case = self.part, line.body, line.case
        part.count += 1
        known = part.ends.get(case)
        name = known.name if known else str(UUID(bytes=case)).encode()
        if body is None or line.salt is None:
            part.erased.append((case, line.seq))
        elif sha256(b"\x00" + line.previous + line.salt + body).digest() != line.leaf:
            self.tell("tampered", line, "内容已被改动", "its content was changed")
        else:
            if _LISTED.search(body):
                self._named(case, line.seq, body)
            if not body.startswith(_head_of(line, name)) or line.words.startswith(b"erase\x1f"):
                self._look_closer(line, body)
        if known is None:
            part.ends[case] = End(line.seq, line.previous, name, line.seq, line.leaf, line.at, line.words, line.position)
            return
        if line.seq != known.seq + 1 or line.previous != known.leaf:
            self.tell(*_with(broken(known.seq, known.leaf, line.seq, line.previous), line))
        known.go_on(line)

    def _named(self, case: bytes, seq: int, body: bytes) -> None:
        """Note the lists of digests in a genuine entry, each where it is said first."""
        try:
            for of, name, digest in lists_in(orjson.loads(body)):
                self.part.named.setdefault(Named(case, digest, of, name), seq)
        except (ValueError, KeyError, AttributeError):  # sealed, yet no entry: told by whoever looks closer
            return

    def _look_closer(self, line: Line, body: bytes) -> None:
        """An entry that does not begin as its columns say, or that erases another one."""
        try:
            record = orjson.loads(body)
            same = _same(line, record)
            if record["act"] == "erase":
                for seq in record["values"].get("entries") or [record["values"]["seq"]]:
                    self.part.erasures.setdefault((line.case, int(seq)), line.seq)
        except (ValueError, KeyError, TypeError, AttributeError):  # sealed, yet no entry: somebody wrote past the doors
            same = False
        if not same:
            self.tell("tampered", line, "列值与其存证内容不一致", "its columns differ from its sealed content")

    def finish(self) -> Part:
        """The run as a whole: its leaves joined, and the roots of its whole tiles (a run begins at one)."""
        part, step = self.part, TILE * SIZE
        part.leaves = b"".join(self.leaves)
        part.tiles = [root_of(part.leaves[at : at + step]) for at in range(0, len(part.leaves) - step + 1, step)]
        return part


def _head_of(line: Line, name: bytes) -> bytes:
    return _head(name, line.seq, line.at, line.words, (line.person, line.principal, line.office, line.post))


def _head(case: bytes, seq: int, at: int, words: bytes, who: tuple[int, ...]) -> bytes:
    """How the entry's bytes begin if its columns tell the truth (``canon.HEAD``); ``case`` is its id as text."""
    minute, inside = divmod(at, 60_000_000)
    second, micro = divmod(inside, 1_000_000)
    return b'{"v":1,"case":"%b","seq":%d,"at":"%b%02d.%06dZ",%b"who":%b,' % (
        case,
        seq,
        _minutes.get(minute) or _minute(minute),
        second,
        micro,
        _told.get(words) or _words(words),
        _persons.get(who) or _who(who),
    )


# What many entries share is composed once: minutes, acts with their states, who acted.
_minutes: dict[int, bytes] = {}
_told: dict[bytes, bytes] = {}
_persons: dict[tuple[int, ...], bytes] = {}


def _minute(minute: int) -> bytes:
    text = _minutes[minute] = (EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:").encode()
    return text


def _words(words: bytes) -> bytes:
    act, before, after = words.split(b"\x1f")
    was = b'"%b"' % before if before else b"null"
    text = _told[words] = b'"act":"%b","before":%b,"after":"%b",' % (act, was, after)
    return text


def _who(who: tuple[int, ...]) -> bytes:
    text = _persons[who] = ("[" + ",".join("null" if one < 0 else str(one) for one in who) + "]").encode()
    return text


def _same(line: Line, record: dict[str, Any]) -> bool:
    """Whether the columns that pages read are what the leaf commits to."""
    actor = record["actor"]
    words = f"{record['act']}\x1f{record['before'] or ''}\x1f{record['after']}"
    return (
        record["seq"] == line.seq
        and words.encode() == line.words
        and actor.get("office", -1) == line.office
        and actor.get("person", -1) == line.person
        and actor.get("principal", -1) == line.principal
        and actor.get("post", -1) == line.post
        and bytes.fromhex(record["case"].replace("-", "")) == line.case
        and _micro(record["at"]) == line.at
    )


def _with(problem: tuple[str, str, str] | None, line: Line) -> tuple[str, Line, str, str]:
    code, zh, en = problem or ("chain", "", "")
    return code, line, zh, en


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
