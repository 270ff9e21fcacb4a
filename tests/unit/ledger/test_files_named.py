"""What an entry lists as digests: each once, under the name and the mechanism whose field it may be, and nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.seals import canon
from fengsui.ledger.verify.lines import EPOCH, OLD_WORLD, Line, Named, Reader

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CASE = UUID("00000000-0000-4000-8000-000000000001")
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
FILES = st.lists(DIGESTS, max_size=3)
NAMES = st.text("abcdefghij_", min_size=1, max_size=8)
OTHER = st.none() | st.integers(-5, 5) | st.text(max_size=80) | DIGESTS | st.builds('["{}"]'.format, DIGESTS)
PLACES = st.dictionaries(NAMES, FILES | OTHER | st.lists(OTHER, max_size=3), max_size=4)


def said(place: dict[str, Any], of: str = "") -> set[tuple[str, str, str]]:
    """What must be found: members of lists of nothing but digests."""
    lists = {name: value for name, value in place.items() if isinstance(value, list) and all(map(looks_like_one, value))}
    return {(of, name, one) for name, value in lists.items() for one in value}


def looks_like_one(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def listed(act: str, values: dict[str, Any], change: dict[str, Any], besides: dict[str, Any]) -> set[tuple[str, str, str]]:
    record = canon.record_of(
        case=str(CASE), seq=1, at=NOW, act=act, actor=Actor("system"), before=None, after="open",
        values=values, change=change, besides=besides,
    )  # fmt: skip
    body, salt = canon.encode_entry(record), os.urandom(16)
    at = int((NOW - EPOCH).total_seconds() * 1_000_000)
    leaf = canon.leaf_of(canon.FIRST, salt, body)
    reader = Reader(0)
    words = f"{act}\x1f\x1fopen".encode()
    reader.entry(Line(0, leaf, 1, CASE.bytes, 1, at, canon.FIRST, leaf, -1, -1, -1, -1, salt, words, body))
    assert not reader.part.findings
    assert all(type(one) is Named and one.case == CASE.bytes for one in reader.part.named)
    return {(one.of, one.name, one.digest) for one in reader.part.named}


@given(values=PLACES, fields=PLACES, pending=PLACES, whole=PLACES, handed=st.lists(PLACES, max_size=2))
def test_every_list_of_digests_is_found_under_its_name(
    values: dict[str, Any], fields: dict[str, Any], pending: dict[str, Any], whole: dict[str, Any], handed: list[dict[str, Any]]
) -> None:
    change = {"fields": {"+": fields}, "pending": pending}
    expected = said(values) | said(fields) | said(pending) | said(whole)
    for place in handed:
        expected |= said(place, "child_kind")
    found = listed("do", {**values, "child_kind": handed}, change, {"whole": {"fields": whole}})
    assert found == expected


@given(was=PLACES, becomes=PLACES)
def test_what_a_correction_struck_and_put_is_found(was: dict[str, Any], becomes: dict[str, Any]) -> None:
    found = listed("correct", {"was": was, "becomes": becomes}, {}, {})
    assert {one for one in found if not one[0]} == said(was) | said(becomes)


@given(files=FILES)
def test_the_files_of_a_case_taken_over_are_its_files(files: list[str]) -> None:
    found = listed("adopt", {"evidence": files}, {}, {})
    assert {one for one in found if one[0]} == said({"evidence": files}, OLD_WORLD)
