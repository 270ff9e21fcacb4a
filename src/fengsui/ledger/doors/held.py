"""A case in the hands of a door: locked, as the kernel sees it, with its columns, clocks and last leaf."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from fengsui.ledger import mechanisms
from fengsui.ledger.doors.columns import CLOCK, CLOCK_TIMES, COLUMNS, HEAD, LINE
from fengsui.ledger.kernel.shapes import Case, ClockRow, Kid, Mechanism
from fengsui.ledger.seals import canon, change


@dataclass(slots=True)
class ClockLine:
    """What the database keeps of a clock beside the kernel's row; ``id`` None until written."""

    id: int | None = None
    ladder: str = ""
    amount: str = ""
    law: str = ""
    law_version: str = ""
    calendar: str = ""
    provisional: bool = False
    next_rung_at: datetime | None = None

    def plain(self) -> dict[str, Any]:
        """As entries carry it."""
        moment = self.next_rung_at
        return {
            "ladder": self.ladder,
            "amount": self.amount,
            "law": self.law,
            "law_version": self.law_version,
            "calendar": self.calendar,
            "provisional": self.provisional,
            "next_rung_at": change.stamp(moment) if moment else None,
        }


@dataclass(slots=True)
class Held:
    """One case inside a transaction. ``case`` and ``row`` move on with every entry written."""

    mechanism: Mechanism
    case: Case
    row: dict[str, Any]
    leaf: bytes = canon.FIRST
    lines: list[ClockLine] = field(default_factory=list)  # beside case.clocks, same order
    fresh: bool = False  # not in the database yet
    given: Mapping[str, str] = field(default_factory=dict)  # the words for its title, of whoever opens it


def core_json(case: Case) -> bytes:
    """The part of the kernel's case that has no column of its own."""
    return orjson.dumps(
        {
            "counts": dict(case.counts),
            "kids": [
                {"kind": kid.kind, "id": kid.id, "state": kid.state, "end": kid.end, "persons": sorted(kid.persons)}
                for kid in case.kids
            ],
            "persons": {act: sorted(who) for act, who in case.persons.items()},
            "unverified": sorted(case.unverified),
            "verified": sorted(case.verified),
            "signed": {act: list(who) for act, who in case.signed.items()},
            "pending": dict(case.pending),
            "overseers": list(case.overseers),
            "parent_mechanism": case.parent_mechanism,
        },
        option=orjson.OPT_SORT_KEYS,
    )


_CELLS = ("id", *CLOCK, *LINE)
_KERNEL = [(at, kernel, name in CLOCK_TIMES) for at, (name, kernel) in enumerate(CLOCK.items(), 1)]
_BESIDE = [(at, name, name in CLOCK_TIMES) for at, name in enumerate(LINE, len(CLOCK) + 1)]


def _cell(value: Any, moment: bool) -> Any:
    return datetime.fromisoformat(value) if moment and value else value


def _clock(cells: list[Any]) -> tuple[ClockRow, ClockLine]:
    row = ClockRow(**{name: _cell(cells[at], moment) for at, name, moment in _KERNEL})
    return row, ClockLine(cells[0], **{name: _cell(cells[at], moment) for at, name, moment in _BESIDE})


_CLOCKS = ", ".join(f"k.{name}" for name in _CELLS)
_SELECT = (
    f"SELECT {', '.join(f'c.{name}' for name in (*HEAD, *COLUMNS))}, e.leaf, "  # noqa: S608 - own column names
    f"(SELECT json_agg(json_build_array({_CLOCKS}) ORDER BY k.place) FROM ledger_clock k "
    "WHERE k.case_id = c.id AND k.current)::text "
    "FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (id, place) JOIN ledger_case c ON c.id = wanted.id "
    "JOIN ledger_entry e ON e.case_id = c.id AND e.seq = c.seq ORDER BY wanted.place"
)
_LOCK = (
    "SELECT c.id FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (id, place) JOIN ledger_case c ON c.id = wanted.id "
    "{only} ORDER BY wanted.place FOR UPDATE OF c"
)


def read(ids: Iterable[str], *, lock: bool = True, rootless: bool = False) -> dict[str, Held]:
    """The cases of these ids that exist, locked in the order given: parents before children.

    ``rootless``: only those that have no parent. Locking is a statement of its own: one that waited for a lock would
    still see entries and clocks as they were before it waited.
    """
    wanted = [known for one in ids if (known := as_uuid(one)) is not None]
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        if lock:
            cursor.execute(_LOCK.format(only="WHERE c.parent_id IS NULL" if rootless else ""), [wanted])
            wanted = [one for (one,) in cursor.fetchall()]
        cursor.execute(_SELECT, [wanted])
        return {held.case.id: held for held in map(_held, cursor.fetchall())}


_LINES = """
WITH RECURSIVE line(id, parent_id) AS (
  SELECT id, parent_id FROM ledger_case WHERE id = ANY(%(ids)s)
  UNION SELECT c.id, c.parent_id FROM ledger_case c JOIN line ON c.id = line.parent_id),
deep(id, depth) AS (
  SELECT id, 0 FROM line WHERE parent_id IS NULL
  UNION ALL SELECT line.id, depth + 1 FROM line JOIN deep ON deep.id = line.parent_id)
SELECT d.id, l.parent_id FROM deep d JOIN line l ON l.id = d.id ORDER BY d.depth, d.id
"""


def lines_of(ids: Iterable[str]) -> dict[str, str | None]:
    """These cases and all their ancestors, each with its parent, in the one order in which cases are locked.

    That order is depth, then id: every ancestor comes before its descendants, and two who lock several lines at once go
    through them alike. A case's parent never changes, so that it may be read before anything is locked.
    """
    wanted = [known for one in ids if (known := as_uuid(one)) is not None]
    with connection.cursor() as cursor:
        cursor.execute(_LINES, {"ids": wanted})
        return {str(one): str(parent) if parent else None for one, parent in cursor.fetchall()}


def as_uuid(text: str) -> uuid.UUID | None:
    """The id, or None where the text is none (a guess, a number)."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _loads(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _held(values: tuple[Any, ...]) -> Held:
    head = dict(zip(HEAD, values, strict=False))
    row = dict(zip(COLUMNS, values[len(HEAD) :], strict=False))
    row["root_id"] = str(row["root_id"]) if row["root_id"] else None
    clocks = [_clock(cells) for cells in orjson.loads(values[-1] or "[]")]
    core = _loads(head["core"])
    case = Case(
        id=str(head["id"]),
        mechanism=head["mechanism"],
        version=head["version_id"],
        seq=head["seq"],
        state=head["state"],
        fields=_loads(head["fields"]),
        counts=core["counts"],
        clocks=tuple(clock for clock, _ in clocks),
        kids=tuple(Kid(**{**kid, "persons": frozenset(kid["persons"])}) for kid in core["kids"]),
        persons={act: frozenset(who) for act, who in core["persons"].items()},
        unverified=frozenset(core["unverified"]),
        verified=frozenset(core["verified"]),
        signed={act: tuple(map(tuple, who)) for act, who in core["signed"].items()},
        pending=core.get("pending", {}),
        overseers=tuple(core["overseers"]),
        parent=str(head["parent_id"]) if head["parent_id"] else None,
        parent_mechanism=core["parent_mechanism"],
        raiser=_loads(head["raiser"]),
        opened=head["opened_at"],
        ended=head["ended"],
    )
    return Held(mechanisms.version(case.version), case, row, bytes(values[-2]), [line for _, line in clocks])
