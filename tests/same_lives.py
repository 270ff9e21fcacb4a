"""A few hundred cases of one life of ten entries, at once and without a region: for tests of seals and verification.

The rows are what the doors would have written: canonical bytes, salts, chained leaves, the case and its
clocks as the last entry leaves them.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from django.db import connection, transaction

from fengsui.ledger.kernel.shapes import Actor, Case, ClockRow
from fengsui.ledger.seals import canon, change

NAME = "same_hazard"
DIGEST = sha256(NAME.encode()).hexdigest()
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
_ID = "00000000-0000-4000-8000-000000000000"
_NUMBER = "YH-150207-2026-000000"
_STEPS = [
    ("found_here", "found", {"finding": "氨罐安全阀根部阀门处于关闭状态，现场已责令立即打开并挂牌"}),
    ("list", "settling", {"criterion": "15"}),
    ("settle", "settled", {"responsibility": 31, "measures": "更换并铅封根部阀", "funds": 120000, "contingency": "见预案第四章"}),
    ("approve", "rectifying", {}),
    ("report", "rectifying", {"progress": "备件已到货，计划周三停车更换"}),
    ("report", "rectifying", {"progress": "已更换，等待校验"}),
    ("report", "rectifying", {"progress": "校验合格，整理资料"}),
    ("submit", "review", {"evidence": ["photo"]}),
    ("pass", "review", {}),
    ("pass", "cancelled", {}),
]


def _life() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The records of one case and the case after them, in plain form."""
    row: dict[str, Any] = {
        "number": _NUMBER, "external_number": "", "title": f"{_NUMBER} 氨罐根部阀关闭", "title_en": "",
        "owner_id": 12, "holder_id": None,
        "about_kind": "site", "about_id": "77", "place_code": "150207", "place_path": "15/1502/150207", "duty": "hazchem",
        "level": "", "root_id": None, "opener_id": 12, "unique_key": None, "confidential": False, "readers": [],
        "exercise": False, "adopted": False, "ended_at": None,
    }  # fmt: skip
    case = Case(id=_ID, mechanism=NAME, version=DIGEST, seq=0, state="", raiser={"kind": "office", "office": 12}, opened=START)
    records: list[canon.Record] = []
    before: dict[str, Any] = {}
    for seq, (act, to, values) in enumerate(_STEPS, 1):
        at, clocks = START + timedelta(hours=7 * (seq - 1)), case.clocks
        if to != case.state:
            clocks = tuple(replace(clock, stopped=at, answered=31) if clock.stopped is None else clock for clock in clocks)
            if seq < len(_STEPS):
                clocks = (*clocks, ClockRow(f"within:{to}", 12, at, at + timedelta(days=3)))
        case = replace(
            case, seq=seq, state=to, fields={**case.fields, **values}, counts={**case.counts, act: case.counts.get(act, 0) + 1},
            clocks=clocks, ended=seq == len(_STEPS), persons={**case.persons, act: frozenset({31})},
        )  # fmt: skip
        row = {**row, "owner_id": None, "ended_at": at} if case.ended else row
        after = change.plain(case, row)
        records.append(
            canon.record_of(
                case=_ID, seq=seq, at=at, act=act, actor=Actor("person", person=31, office=12, post=5),
                before=before.get("state"), after=to, change=change.diff(before, after), values=values, seen={"certified": True},
            )
        )  # fmt: skip
        before = after
    return records, before


def fill(cases: int, *, first: int = 1) -> int:
    """Write ``cases`` cases of ten entries each; returns how many entries."""
    records, last = _life()
    bodies = [canon.encode_entry(record) for record in records]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # the owner's bulk load: keys are right by making
        cursor.execute(
            "INSERT INTO ledger_mechanismversion (digest, name, number, source, ladders, stored_at, current) "
            "VALUES (%s, %s, 1, '{}', '{}', %s, true) ON CONFLICT DO NOTHING",
            [DIGEST, NAME, START],
        )
        ids = [(uuid.UUID(int=(0xBE << 120) | number), f"YH-150207-2026-{number:06}") for number in range(first, first + cases)]
        _entries(cursor, ids, records, bodies)
        _cases(cursor, ids, last)
        _clocks(cursor, ids, last)
    return cases * len(_STEPS)


def _entries(cursor: Any, ids: list[tuple[uuid.UUID, str]], records: list[canon.Record], bodies: list[bytes]) -> None:
    columns = "case_id, seq, act, state_before, state_after, at, person_id, post_id, office_id, key, salt, body, previous, leaf"
    salts = os.urandom(canon.SALT_BYTES * len(records) * len(ids))
    with cursor.copy(f"COPY ledger_entry ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        kinds = ["uuid", "int4", "text", "text", "text", "timestamptz", "int8", "int8", "int8", "text", *["bytea"] * 4]
        copy.set_types(kinds)
        at = 0
        heads = [
            (r["seq"], r["act"], r["before"] or "", r["after"], change.moment_of(r["at"]), 31, 5, 12, "")
            for r in (record.head for record in records)
        ]
        for case, number in ids:
            previous, name, given = canon.FIRST, str(case).encode(), number.encode()
            for head, body in zip(heads, bodies, strict=True):
                own = body.replace(_ID.encode(), name).replace(_NUMBER.encode(), given)
                salt = salts[at : at + canon.SALT_BYTES]
                at += canon.SALT_BYTES
                leaf = canon.leaf_of(previous, salt, own)
                copy.write_row((case, *head, salt, own, previous, leaf))
                previous = leaf


def _cases(cursor: Any, ids: list[tuple[uuid.UUID, str]], last: dict[str, Any]) -> None:
    row = last["row"]
    core = {
        name: last[name]
        for name in ("counts", "kids", "persons", "unverified", "verified", "signed", "pending", "overseers", "parent_mechanism")
    }
    fixed = (
        NAME, DIGEST, len(_STEPS), last["state"], orjson.dumps(last["fields"]).decode(), orjson.dumps(core).decode(),
        orjson.dumps(last["raiser"]).decode(), row["opener_id"], row["about_kind"], row["about_id"], row["place_code"],
        row["place_path"], row["duty"], "", "", False, [], False, False, True, START, change.moment_of(row["ended_at"]),
        change.moment_of(row["ended_at"]),
    )  # fmt: skip
    columns = (
        "id, number, title, title_en, mechanism, version_id, seq, state, fields, core, raiser, opener_id, about_kind, about_id, "
        "place_code, place_path, duty, level, external_number, confidential, readers, exercise, adopted, ended, "
        "opened_at, ended_at, moved_at"
    )
    with cursor.copy(f"COPY ledger_case ({columns}) FROM STDIN") as copy:
        for case, number in ids:
            copy.write_row((case, number, row["title"].replace(_NUMBER, number), "", *fixed))


def _clocks(cursor: Any, ids: list[tuple[uuid.UUID, str]], last: dict[str, Any]) -> None:
    columns = (
        "case_id, place, name, holder_id, start, due, again, n, stopped, answered_by, pause_used, rung, ladder, amount, law, "
        "law_version, calendar, provisional, current, exercise"
    )
    lines = [
        (at, c["name"], c["holder"], c["start"], c["due"], c["again"], c["n"], c["stopped"], c["answered"], 0, c["rung"],
         "", "", "", "", "", False, True, False)
        for at, c in enumerate(last["clocks"])
    ]  # fmt: skip
    with cursor.copy(f"COPY ledger_clock ({columns}) FROM STDIN") as copy:
        for case, _ in ids:
            for line in lines:
                copy.write_row((case, *line))
