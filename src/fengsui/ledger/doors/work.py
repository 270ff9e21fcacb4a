"""What one transaction writes: entries first, then everything that follows from them.

In: held cases and the kernel's decisions about them. Out: rows in every table of the ledger, in one flush,
and the receipts. A case that moves several times in one transaction is updated once for each entry, since
the database lets it move by exactly one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from fengsui.ledger.doors import tables
from fengsui.ledger.doors.held import COLUMNS, ClockLine, Held, core_json
from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.kernel.shapes import Actor, Case
from fengsui.ledger.models import Evidence
from fengsui.ledger.seals import canon, change

_ENTRY = (
    "id",
    "case_id",
    "seq",
    "act",
    "state_before",
    "state_after",
    "at",
    "person_id",
    "principal_id",
    "post_id",
    "office_id",
    "key",
    "body",
    "salt",
    "previous",
    "leaf",
)
_CASE = (
    "id",
    "mechanism",
    "version_id",
    "seq",
    "state",
    "fields",
    "core",
    "parent_id",
    "raiser",
    "opened_at",
    "ended",
    "moved_at",
    "next_due",
    *COLUMNS,
)
_MOVES = {
    "id": "uuid",
    "seq": "int",
    "state": "text",
    "version_id": "text",
    "fields": "jsonb",
    "core": "jsonb",
    "ended": "bool",
    "moved_at": "timestamptz",
    "next_due": "timestamptz",
    "number": "text",
    "external_number": "text",
    "title": "text",
    "title_en": "text",
    "about_kind": "text",
    "about_id": "text",
    "place_code": "text",
    "place_path": "text",
    "duty": "text",
    "owner_id": "bigint",
    "holder_id": "bigint",
    "level": "text",
    "readers": "bigint[]",
    "ended_at": "timestamptz",
}
_CLOCK = (
    "case_id",
    "place",
    "name",
    "holder_id",
    "person_id",
    "first",
    "start",
    "due",
    "again",
    "n",
    "stopped",
    "paused_at",
    "pause_used",
    "rung",
    "answered_by",
    "current",
    "ladder",
    "amount",
    "law",
    "law_version",
    "calendar",
    "provisional",
    "next_rung_at",
    "exercise",
)
_CLOCK_MOVES = {
    "id": "bigint",
    "holder_id": "bigint",
    "person_id": "bigint",
    "first": "timestamptz",
    "due": "timestamptz",
    "stopped": "timestamptz",
    "paused_at": "timestamptz",
    "pause_used": "int",
    "rung": "int",
    "answered_by": "bigint",
    "current": "bool",
    "calendar": "text",
    "provisional": "bool",
    "next_rung_at": "timestamptz",
}


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
    leaf: bytes
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


@dataclass(slots=True)
class Work:
    """Everything that one transaction is going to write."""

    now: datetime
    entries: list[tuple[Written, list[Any]]] = field(default_factory=list)
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
        at: datetime | None = None,
    ) -> Written:
        """Seal one entry and let ``held`` move on to ``after`` with these columns and clock lines."""
        moment, before = at or self.now, held.case
        plain_before = held.as_plain()
        plain_after = change.plain(after, row, before=(before, plain_before) if plain_before else None)
        record = canon.record_of(
            case=after.id,
            seq=after.seq,
            at=moment,
            act=act,
            actor=actor,
            before=plain_before,
            after=plain_after,
            values=values,
            seen=seen,
            besides=self._besides(held, after, lines, besides),
        )
        sealed = canon.seal(record, held.leaf)
        written = Written(held, act, before, after, row["number"], signed_only, sealed.leaf)
        self.entries.append(
            (
                written,
                [
                    0,
                    after.id,
                    after.seq,
                    act,
                    before.state,
                    after.state,
                    moment,
                    actor.person,
                    actor.principal,
                    actor.post,
                    actor.office,
                    key,
                    sealed.body,
                    sealed.salt,
                    held.leaf,
                    sealed.leaf,
                ],
            )
        )
        self._clocks(held, after, lines)
        held.case, held.row, held.lines, held.leaf, held.plain = after, row, lines, sealed.leaf, plain_after
        if held.fresh:
            self.fresh[after.id] = held
        else:
            self._move(held)
        return written

    def write_past(
        self, held: Held, state: str, at: datetime, actor: Actor, values: Mapping[str, Any], besides: Mapping[str, Any]
    ) -> None:
        """Seal an entry ``past`` of a case not yet in the database: nothing but its state moves.

        ``held.plain`` runs ahead of ``held.case``, which the next ``write`` brings up to it.
        """
        before = held.plain if held.plain is not None else {}
        after = {**(before or change.plain(held.case, held.row)), "state": state, "seq": before.get("seq", 0) + 1}
        step = None  # the first entry states the whole case
        if before:
            step = {"state": state} if state != before["state"] else {}
        record = canon.record_of(
            case=held.case.id, seq=after["seq"], at=at, act="past", actor=actor, before=before, after=after,
            values=values, besides=besides, change=step,
        )  # fmt: skip
        sealed = canon.seal(record, held.leaf)
        written = Written(held, "past", held.case, held.case, held.row["number"], False, sealed.leaf)
        self.entries.append((written, [
            0, held.case.id, after["seq"], "past", before.get("state", ""), state, at, None, None, None, None, "",
            sealed.body, sealed.salt, held.leaf, sealed.leaf,
        ]))  # fmt: skip
        held.plain, held.leaf = after, sealed.leaf

    def _besides(self, held: Held, after: Case, lines: list[ClockLine], besides: Mapping[str, Any] | None) -> dict[str, Any]:
        told = dict(besides or {})
        old = held.case.clocks
        changed = {
            str(place): line.plain() for place, line in enumerate(lines) if place >= len(old) or old[place] != after.clocks[place]
        }
        if changed:
            told["clocks"] = changed
        return told

    def _move(self, held: Held) -> None:
        times = self.moved.get(held.case.id, 0)
        self.moved[held.case.id] = times + 1
        while len(self.moves) <= times:
            self.moves.append([])
        self.moves[times].append(_move_of(held, self.now))

    def _clocks(self, held: Held, after: Case, lines: list[ClockLine]) -> None:
        if after.clocks == held.case.clocks and len(lines) == len(held.lines):
            return
        for place, line in enumerate(held.lines):
            kept = place < len(lines) and lines[place] is line
            if not kept and line.id is not None:
                row = held.case.clocks[place]
                self.gone.append(_clock_move(line, row, current=False))
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
        tables.insert("ledger_case", _CASE, [_case_row(held, self.now) for held in self.fresh.values()])
        self._insert_entries()
        for wave in self.moves:
            if tables.update("ledger_case", _MOVES, wave, where="AND t.seq = d.seq - 1") != len(wave):
                raise RuntimeError("a locked case moved under the door's hands")
        self._flush_clocks()
        self._flush_rest()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def _insert_entries(self) -> None:
        """One entry gets its id while it is written; many take theirs before, for one COPY."""
        if len(self.entries) == 1:
            written, row = self.entries[0]
            written.id = tables.insert_one("ledger_entry", _ENTRY[1:], row[1:])
            return
        ids = tables.take_ids("ledger_entry", len(self.entries))
        for entry_id, (written, row) in zip(ids, self.entries, strict=True):
            written.id = row[0] = entry_id
        tables.insert("ledger_entry", _ENTRY, [row for _, row in self.entries])

    def _flush_clocks(self) -> None:
        added: list[list[Any]] = []
        changed = list(self.gone)
        for held in self.clocks.values():
            for place, (line, row) in enumerate(zip(held.lines, held.case.clocks, strict=True)):
                if line.id is None:
                    added.append(_clock_row(held, place, line, row))
                elif self.stored.get(line.id) != row:
                    changed.append(_clock_move(line, row))
        tables.update("ledger_clock", _CLOCK_MOVES, changed)
        tables.insert("ledger_clock", _CLOCK, added)

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
                    _json(n.args),
                    self.now,
                    n.written.held.row["exercise"],
                )
                for n in self.notices
            ],
        )
        tables.insert(
            "ledger_outbox",
            ("entry_id", "case_id", "topic", "payload", "at", "attempts", "error"),
            [(w.id, w.after.id, topic, _json(load), self.now, 0, "") for w, topic, load in (*self.outbox, *self._changes())],
        )
        tables.insert(
            "ledger_party",
            ("case_id", "office_id", "kind", "since"),
            [(case, office, kind, self.now) for (case, office), kind in self.parties.items()],
            conflict="ON CONFLICT DO NOTHING",
        )
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

    def _know_files(self) -> None:
        """Every file that an act names must be in the store. Raises ``Refused`` 422 naming the field."""
        named = {digest: name for _case, _seq, name, digest in self.files}
        if not named:
            return
        for digest in named.keys() - set(Evidence.objects.filter(pk__in=list(named)).values_list("pk", flat=True)):
            raise refused(422, "bad_value", named[digest], "attach a file that was uploaded before; this one is not in the store")

    def _changes(self) -> list[tuple[Written, str, Mapping[str, Any]]]:
        """For open pages and the clock: which cases changed. Not the cases of a bulk load, which nobody watches yet."""
        latest = {written.after.id: written for written, _ in self.entries}
        few = len(latest) <= tables.FEW
        return [(written, CHANGED, {}) for written in latest.values() if few or not written.held.fresh]


_ADD_WORDS = (
    "ON CONFLICT (case_id) DO UPDATE SET bigrams = ARRAY(SELECT DISTINCT unnest(ledger_searchtext.bigrams || excluded.bigrams))"
)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def next_due(case: Case) -> datetime | None:
    """The earliest due of the clocks that run."""
    running = [row.due for row in case.clocks if row.stopped is None and row.paused_at is None]
    return min(running) if running and not case.ended else None


def _move_of(held: Held, now: datetime) -> dict[str, Any]:
    case, row = held.case, held.row
    return {
        "id": case.id,
        "seq": case.seq,
        "state": case.state,
        "version_id": case.version,
        "fields": dict(case.fields),
        "core": orjson.Fragment(core_json(case)),
        "ended": case.ended,
        "moved_at": now,
        "next_due": next_due(case),
        **{name: row[name] for name in _MOVES if name in row},
    }


def _case_row(held: Held, now: datetime) -> list[Any]:
    case, row = held.case, held.row
    return [
        case.id,
        case.mechanism,
        case.version,
        case.seq,
        case.state,
        _json(dict(case.fields)),
        core_json(case).decode(),
        case.parent,
        _json(dict(case.raiser)),
        case.opened,
        case.ended,
        now,
        next_due(case),
        *(row[name] for name in COLUMNS),
    ]


def _clock_row(held: Held, place: int, line: ClockLine, row: Any) -> list[Any]:
    return [
        held.case.id,
        place,
        row.name,
        row.holder,
        row.person,
        row.first,
        row.start,
        row.due,
        row.again,
        row.n,
        row.stopped,
        row.paused_at,
        row.pause_used,
        row.rung,
        row.answered,
        True,
        line.ladder,
        line.amount,
        line.law,
        line.law_version,
        line.calendar,
        line.provisional,
        line.next_rung_at,
        held.row["exercise"],
    ]


def _clock_move(line: ClockLine, row: Any, *, current: bool = True) -> dict[str, Any]:
    return {
        "id": line.id,
        "holder_id": row.holder,
        "person_id": row.person,
        "first": row.first,
        "due": row.due,
        "stopped": row.stopped,
        "paused_at": row.paused_at,
        "pause_used": row.pause_used,
        "rung": row.rung,
        "answered_by": row.answered,
        "current": current,
        "calendar": line.calendar,
        "provisional": line.provisional,
        "next_rung_at": line.next_rung_at if current else None,
    }


def new_id() -> str:
    """An id for a case: random, so that it tells nothing and cannot be guessed."""
    return str(uuid.uuid4())


def offices(*some: int | None) -> Iterable[int]:
    """Those that are offices at all."""
    return (office for office in some if office is not None)
