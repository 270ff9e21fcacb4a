"""The columns that the doors read and write, each named once.

Beside the kernel's own case and clock rows the database keeps more: what pages show, what scope asks for.
"""

from __future__ import annotations

COLUMNS = (
    "number", "external_number", "title", "title_en", "owner_id", "holder_id", "about_kind", "about_id", "place_code",
    "place_path", "duty", "level", "root_id", "opener_id", "unique_key", "confidential", "readers", "exercise", "adopted",
    "ended_at",
)  # fmt: skip
"""A case's columns that the kernel does not know; entries carry their differences as ``row``."""

HEAD = ("id", "mechanism", "version_id", "seq", "state", "fields", "core", "parent_id", "raiser", "opened_at", "ended")
"""A case's columns that hold the kernel's case."""

CASE = (*HEAD, "moved_at", "next_due", *COLUMNS)

CORE = ("counts", "kids", "persons", "unverified", "verified", "signed", "pending", "overseers", "parent_mechanism")
"""What of the kernel's case lies together in the column ``core``."""

MOVES = {
    "id": "uuid", "seq": "int", "state": "text", "version_id": "text", "fields": "jsonb", "core": "jsonb", "ended": "bool",
    "moved_at": "timestamptz", "next_due": "timestamptz", "number": "text", "external_number": "text", "title": "text",
    "title_en": "text", "about_kind": "text", "about_id": "text", "place_code": "text", "place_path": "text", "duty": "text",
    "owner_id": "bigint", "holder_id": "bigint", "level": "text", "readers": "bigint[]", "ended_at": "timestamptz",
}  # fmt: skip
"""What an entry may change of a case's row, with the types."""

MOVING = tuple(name for name in COLUMNS if name in MOVES)

ENTRY = (
    "id", "case_id", "seq", "act", "state_before", "state_after", "at", "person_id", "principal_id", "post_id", "office_id",
    "key", "body", "salt", "previous", "leaf",
)  # fmt: skip

CLOCK = {
    "name": "name", "holder_id": "holder", "person_id": "person", "first": "first", "start": "start", "due": "due",
    "again": "again", "n": "n", "stopped": "stopped", "paused_at": "paused_at", "pause_used": "pause_used", "rung": "rung",
    "answered_by": "answered",
}  # fmt: skip
"""A clock's columns that hold the kernel's row, and what it calls them."""

CLOCK_TIMES = frozenset({"first", "start", "due", "stopped", "paused_at", "next_rung_at"})

LINE = ("ladder", "amount", "law", "law_version", "calendar", "provisional", "next_rung_at")
"""What people read beside a clock."""

CLOCK_MOVES = {
    "id": "bigint", "holder_id": "bigint", "person_id": "bigint", "first": "timestamptz", "due": "timestamptz",
    "stopped": "timestamptz", "paused_at": "timestamptz", "pause_used": "int", "rung": "int", "answered_by": "bigint",
    "current": "bool", "calendar": "text", "provisional": "bool", "next_rung_at": "timestamptz",
}  # fmt: skip
"""What may change of a clock's row, with the types."""
