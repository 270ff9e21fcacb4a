"""What one transaction writes: entries first, then everything that follows from them.

In: held cases and the kernel's decisions about them. Out: rows in every table of the ledger, in one flush,
and the receipts. A case that moves several times in one transaction is updated once for each entry, since
the database lets it move by exactly one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from fengsui.ledger.doors import columns, rows, tables
from fengsui.ledger.doors.held import ClockLine, Held
from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.kernel.shapes import Actor, Case
from fengsui.ledger.seals import canon, change
from fengsui.region.acting import beyond

CHANGED = "case"
"""The outbox topic that tells open pages that a case changed."""


@dataclass(slots=True)
class Written:
    """An entry that will be there after the flush."""

    held: Held
    act: str
    before: Case
    after: Case
    number: str | None
    signed_only: bool
    leaf: bytes = b""  # from the flush on
    id: int = 0

    def receipt(self, opened: Sequence[str] = (), at: datetime | None = None) -> Receipt:
        """The caller's receipt of this entry."""
        return Receipt(
            case=self.after.id,
            number=self.number,
            mechanism=self.after.mechanism,
            seq=self.after.seq,
            act=self.act,
            state=self.after.state,
            ended=self.after.ended,
            signed_only=self.signed_only,
            entry=self.id,
            leaf=self.leaf.hex(),
            at=change.stamp(at) if at else "",
            opened=tuple(opened),
        )


@dataclass(slots=True)
class Notice:
    """Somebody to be told about an entry."""

    written: Written
    role: str
    office: int | None
    person: int | None
    kind: str
    text: str
    args: Mapping[str, Any]


class PastLine(NamedTuple):
    """One line of the old world's record: the state it led to, when, what it says and how far that is vouched for."""

    state: str
    at: datetime
    values: Mapping[str, Any]
    besides: Mapping[str, Any]


class Line(NamedTuple):
    """What one entry says; its place in the chain and its bytes come at the flush."""

    case: str
    seq: int
    key: str
    act: str
    actor: Actor
    at: datetime
    before: str
    after: str
    change: Mapping[str, Any]
    values: Mapping[str, Any] | None
    seen: Mapping[str, Any] | None
    besides: Mapping[str, Any] | None


@dataclass(slots=True)
class Work:
    """Everything that one transaction is going to write."""

    now: datetime
    entries: list[tuple[Written, Line]] = field(default_factory=list)
    moves: list[list[dict[str, Any]]] = field(default_factory=list)  # by how often the case moved before
    moved: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, Held] = field(default_factory=dict)
    clocks: dict[str, Held] = field(default_factory=dict)  # cases whose clocks changed
    gone: list[dict[str, Any]] = field(default_factory=list)  # clock rows no longer looked at
    stored: dict[int, Any] = field(default_factory=dict)  # clock id → row as the database has it
    notices: list[Notice] = field(default_factory=list)
    outbox: list[tuple[Written, str, Mapping[str, Any]]] = field(default_factory=list)
    parties: dict[tuple[str, int], str] = field(default_factory=dict)
    links: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    files: dict[tuple[str, int, str, str], Written] = field(default_factory=dict)

    def write(
        self,
        held: Held,
        after: Case,
        row: dict[str, Any],
        lines: list[ClockLine],
        *,
        act: str,
        actor: Actor,
        values: Mapping[str, Any] | None = None,
        seen: Mapping[str, Any] | None = None,
        besides: Mapping[str, Any] | None = None,
        key: str = "",
        signed_only: bool = False,
    ) -> Written:
        """Seal one entry and let ``held`` move on to ``after`` with these columns and clock lines."""
        before = held.case
        step = change.step(before, held.row, after, row) if before.seq else change.diff({}, change.plain(after, row))
        told = self._besides(held, after, lines, besides)
        line = Line(after.id, after.seq, key, act, actor, self.now, before.state, after.state, step, values, seen, told)
        written = Written(held, act, before, after, row["number"], signed_only)
        self.entries.append((written, line))
        self._clocks(held, after, lines)
        if not held.fresh:
            self._move(after.id, rows.case_move(held, after, row, self.now))
        held.case, held.row, held.lines = after, row, lines
        if held.fresh:
            self.fresh[after.id] = held
        return written

    def write_past(self, held: Held, lines: Iterable[PastLine], actor: Actor) -> None:
        """Seal the entries ``past`` of a case not yet in the database: nothing but its state moves."""
        case, seq, state = held.case, held.case.seq, held.case.state
        for line in lines:
            seq += 1
            if seq == 1:  # the first entry states the whole case
                step = change.diff({}, change.plain(replace(case, state=line.state, seq=seq), held.row))
            else:
                step = {"state": line.state} if line.state != state else {}
            written = Written(held, "past", case, case, held.row["number"], False)
            self.entries.append((written, Line(
                case.id, seq, "", "past", actor, line.at, state, line.state, step, line.values, None, line.besides,
            )))  # fmt: skip
            state = line.state
        if seq != case.seq:
            held.case = replace(case, seq=seq, state=state)

    def _besides(self, held: Held, after: Case, lines: list[ClockLine], besides: Mapping[str, Any] | None) -> dict[str, Any]:
        told = dict(besides or {})
        old = held.case.clocks
        changed = {
            str(place): line.plain() for place, line in enumerate(lines) if place >= len(old) or old[place] != after.clocks[place]
        }
        if changed:
            told["clocks"] = {**told.get("clocks", {}), **changed}
        return told

    def _move(self, case_id: str, move: dict[str, Any]) -> None:
        times = self.moved.get(case_id, 0)
        self.moved[case_id] = times + 1
        while len(self.moves) <= times:
            self.moves.append([])
        self.moves[times].append(move)

    def _clocks(self, held: Held, after: Case, lines: list[ClockLine]) -> None:
        if after.clocks == held.case.clocks and len(lines) == len(held.lines):
            return
        for place, line in enumerate(held.lines):
            kept = place < len(lines) and lines[place] is line
            if not kept and line.id is not None:
                row = held.case.clocks[place]
                self.gone.append(rows.clock_move(line, row, current=False))
        for line, row in zip(held.lines, held.case.clocks, strict=True):
            if line.id is not None:
                self.stored.setdefault(line.id, row)
        self.clocks[after.id] = held

    def flush(self) -> None:
        """Write it all and let the database check its constraints now. Raises ``Refused`` before anything is written.

        No NOTIFY here: it would queue every act behind one lock of the whole server until its commit is on disk. The
        publisher sees the outbox rows within a tenth of a second and tells the others.
        """
        self._know_files()
        tables.insert("ledger_case", columns.CASE, [rows.case_row(held, self.now) for held in self.fresh.values()])
        self._insert_entries()
        self._move_cases()
        self._flush_clocks()
        self._flush_rest()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def _move_cases(self) -> None:
        """One statement for all moves of a wave that change the same columns."""
        for wave in self.moves:
            alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
            for move in wave:
                alike.setdefault(tuple(move), []).append(move)
            for names, some in alike.items():
                types = {name: columns.MOVES[name] for name in names}
                if tables.update("ledger_case", types, some, where="AND t.seq = d.seq - 1") != len(some):
                    raise RuntimeError("a locked case moved under the door's hands")

    def _insert_entries(self) -> None:
        """One entry gets its id while it is written; many take theirs before, for one COPY: the server works on those
        that came while the next are composed and sealed.
        """
        if len(self.entries) == 1:
            ((_, row),) = self._sealed([0])
            self.entries[0][0].id = tables.insert_one("ledger_entry", columns.ENTRY[1:], row[1:])
            return
        ids = tables.take_ids("ledger_entry", len(self.entries))
        tables.copy_binary("ledger_entry", columns.ENTRY, (rows.entry_cells(row) for _, row in self._sealed(ids)))

    def _sealed(self, ids: Iterable[int]) -> Iterator[tuple[Written, list[Any]]]:
        """Each entry as a row, sealed onto the one before it in its case's chain."""
        leaves: dict[str, bytes] = {}
        for entry_id, (written, line) in zip(ids, self.entries, strict=True):
            actor = line.actor
            record = canon.record_of(
                case=line.case, seq=line.seq, at=line.at, act=line.act, actor=actor, before=line.before if line.seq > 1 else None,
                after=line.after, change=line.change, values=line.values, seen=line.seen, besides=line.besides,
            )  # fmt: skip
            previous = leaves.get(line.case, written.held.leaf)
            sealed = canon.seal(record, previous)
            written.id, written.leaf = entry_id, sealed.leaf
            leaves[line.case] = written.held.leaf = sealed.leaf
            yield written, [
                entry_id, line.case, line.seq, line.act, line.before, line.after, line.at, actor.person, actor.principal,
                actor.post, actor.office, line.key, sealed.body, sealed.salt, previous, sealed.leaf,
            ]  # fmt: skip

    def _flush_clocks(self) -> None:
        added: list[list[Any]] = []
        changed = list(self.gone)
        for held in self.clocks.values():
            for place, (line, row) in enumerate(zip(held.lines, held.case.clocks, strict=True)):
                if line.id is None:
                    added.append(rows.clock_row(held, place, line, row))
                elif self.stored.get(line.id) != row:
                    changed.append(rows.clock_move(line, row))
        tables.update("ledger_clock", columns.CLOCK_MOVES, changed)
        tables.insert("ledger_clock", rows.CLOCK_ROW, added)

    def _flush_rest(self) -> None:
        tables.insert(
            "ledger_notice",
            ("case_id", "entry_id", "role", "office_id", "person_id", "kind", "text", "args", "at", "exercise"),
            [
                (
                    n.written.after.id,
                    n.written.id,
                    n.role,
                    n.office,
                    n.person,
                    n.kind,
                    n.text,
                    rows.json_text(n.args),
                    self.now,
                    n.written.held.row["exercise"],
                )
                for n in self.notices
            ],
        )
        tables.insert(
            "ledger_outbox",
            ("entry_id", "case_id", "topic", "payload", "at", "attempts", "error"),
            [
                (w.id, w.after.id, topic, rows.json_text(load), self.now, 0, "")
                for w, topic, load in (*self.outbox, *self._changes())
            ],
        )
        parties = ("case_id", "office_id", "kind", "since", "beyond")
        known, new = self._parties()
        tables.insert("ledger_party", parties, new)
        tables.insert("ledger_party", parties, known, conflict="ON CONFLICT DO NOTHING")
        tables.insert(
            "ledger_link",
            ("from_case_id", "to_case_id", "kind", "at"),
            [(*key, at) for key, at in self.links.items()],
            conflict="ON CONFLICT DO NOTHING",
        )
        tables.insert(
            "ledger_searchtext",
            ("case_id", "bigrams"),
            list(self.words.items()),
            conflict="" if len(self.words) > tables.FEW else _ADD_WORDS,
        )
        tables.insert(
            "ledger_evidenceuse",
            ("case_id", "entry_id", "evidence_id", "field"),
            [(case, w.id, digest, name) for (case, _seq, name, digest), w in self.files.items()],
            conflict="ON CONFLICT DO NOTHING",
        )

    def _parties(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Those of cases in the database, which may be there already, and those of new cases, which cannot."""
        moved = {written.after.id: written.held.row for written, _ in self.entries}
        known: list[tuple[Any, ...]] = []
        new: list[tuple[Any, ...]] = []
        for (case, office), kind in self.parties.items():
            reach = case not in moved or beyond(office, moved[case]["place_path"], moved[case]["duty"])
            (new if case in self.fresh else known).append((case, office, kind, self.now, reach))
        return known, new

    def _know_files(self) -> None:
        """Every file that an act names must be in the store. Raises ``Refused`` 422 naming the field.

        Its row is held until the act is written: an erasure at the same moment sees the act, or the act the erasure.
        """
        named = {digest: name for _case, _seq, name, digest in self.files}
        if not named:
            return
        with connection.cursor() as cursor:
            cursor.execute(_HOLD_FILES, [list(named)])
            there = {digest for (digest,) in cursor.fetchall()}
        for digest in named.keys() - there:
            raise refused(422, "bad_value", named[digest], "attach a file that was uploaded before; this one is not in the store")

    def _changes(self) -> list[tuple[Written, str, Mapping[str, Any]]]:
        """For open pages and the clock: which cases changed. Not the cases of a bulk load, which nobody watches yet."""
        latest = {written.after.id: written for written, _ in self.entries}
        few = len(latest) <= tables.FEW
        return [(written, CHANGED, {}) for written in latest.values() if few or not written.held.fresh]


_HOLD_FILES = """
SELECT digest FROM ledger_evidence WHERE digest = ANY(%s) AND erased_at IS NULL ORDER BY digest FOR KEY SHARE
"""
_ADD_WORDS = (
    "ON CONFLICT (case_id) DO UPDATE SET bigrams = ARRAY(SELECT DISTINCT unnest(ledger_searchtext.bigrams || excluded.bigrams))"
)


def new_id() -> str:
    """An id for a case: random, so that it tells nothing and cannot be guessed."""
    return str(uuid.uuid4())


def offices(*some: int | None) -> Iterable[int]:
    """Those that are offices at all."""
    return (office for office in some if office is not None)
