"""Whose entry stood at a place of the tree from which it was removed.

In: places without an entry, cases that are shorter than they say. Out: the same findings with case and number, as far as
anything that was kept tells them: the next entry of the case, a signed receipt, a row that was written with the entry, and at
last that only one case lacks what was there. Where nothing is gone, nothing is read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from fengsui.ledger.models import SealKey
from fengsui.ledger.seals.canon import decode
from fengsui.ledger.seals.signing import genuine
from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.lines import name_of


class Cut(NamedTuple):
    """A case that stands at ``stands`` though its last kept entry is ``kept`` (0: none is kept)."""

    kept: int
    stands: int


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose entry it was; ``seq`` 0: one of the case's last, which of them is not known. ``alone``: no other case lacks one."""

    case: UUID
    seq: int
    alone: bool = False


_NEXT = """
SELECT l.position, e.case_id, e.seq - 1 FROM ledger_leaf l JOIN ledger_entry e ON e.previous = l.hash WHERE l.position = ANY(%s)
"""
_PROMISED = """
SELECT l.position, l.hash, r.body, r.key_id, r.signature FROM ledger_leaf l JOIN ledger_receipt r USING (entry_id)
WHERE l.position = ANY(%s)
"""
_WRITTEN_WITH = """
SELECT l.position, w.case_id FROM ledger_leaf l JOIN (
    SELECT entry_id, case_id FROM ledger_outbox UNION ALL SELECT entry_id, case_id FROM ledger_notice
    UNION ALL SELECT entry_id, case_id FROM ledger_evidenceuse
) w USING (entry_id) WHERE l.position = ANY(%s) AND w.case_id IS NOT NULL
"""


def name(report: Report, cut: Mapping[UUID, Cut]) -> None:
    """Say of each place of the report whose entry is gone which case's entry it was, and its number there."""
    places = [one.position for one in report.findings if one.code == "removed" and not one.case and one.position is not None]
    if not places:
        return
    known = _by_next(places) | _by_receipts(places)
    left = [place for place in places if place not in known]
    if left:
        known |= _last_ones(left, cut, known)
    report.findings = [_named(one, known) for one in report.findings]


def _ask(query: str, places: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [places])
        return list(cursor.fetchall())


def _by_next(places: list[int]) -> dict[int, _Owner]:
    """The next entry of a case holds the leaf of the one before."""
    return {place: _Owner(case, seq) for place, case, seq in _ask(_NEXT, places)}


def _by_receipts(places: list[int]) -> dict[int, _Owner]:
    """A receipt names case, number and leaf under a signature."""
    keys = {row.key_id: bytes(row.public) for row in SealKey.objects.all()}
    found = {}
    for place, leaf, body, key, signature in _ask(_PROMISED, places):
        public = keys.get(key)
        if public and genuine(public, bytes(signature), "receipt", bytes(body)):
            record = decode(bytes(body))
            if record["leaf"] == bytes(leaf).hex():
                found[place] = _Owner(UUID(record["case"]), record["seq"])
    return found


def _last_ones(left: list[int], cut: Mapping[UUID, Cut], known: Mapping[int, _Owner]) -> dict[int, _Owner]:
    """Places of last entries: by the rows that were written with them, then by the only case that still lacks some."""
    named = {(owner.case, owner.seq) for owner in known.values()}
    missing = {case: [n for n in range(gap.kept + 1, gap.stands + 1) if (case, n) not in named] for case, gap in cut.items()}
    told = {place: case for place, case in _ask(_WRITTEN_WITH, left) if case in missing}
    rest = [place for place in left if place not in told]
    taken = Counter(told.values())
    lacking = {case: len(seqs) - taken[case] for case, seqs in missing.items() if len(seqs) > taken[case]}
    alone = list(lacking.values()) == [len(rest)]
    if alone:
        told |= dict.fromkeys(rest, *lacking)
    of_case: dict[UUID, list[int]] = defaultdict(list)
    for place in sorted(told):
        of_case[told[place]].append(place)
    found: dict[int, _Owner] = {}
    for case, places in of_case.items():  # a case's entries stand in the tree in their order
        seqs = missing[case] if len(missing[case]) == len(places) else [0] * len(places)
        found |= {place: _Owner(case, seq, alone and place in rest) for place, seq in zip(places, seqs, strict=True)}
    return found


def _named(one: Finding, known: Mapping[int, _Owner]) -> Finding:
    """The finding with its case and entry, where it is about one of the ``known`` places."""
    position = one.position
    if one.code != "removed" or one.case or position is None or position not in known:
        return one
    owner = known[position]
    zh, en = name_of(owner.case.bytes, owner.seq)
    if not owner.seq:
        zh, en = f"事项 {owner.case} 末尾的一条办理记录", f"one of the last entries of case {owner.case}"
    why_zh, why_en = ("，仅此事项有缺", ", only this case lacks one") if owner.alone else ("", "")
    says = f"{zh}：已被删除（存证树第 {position} 位{why_zh}）", f"{en}: it was removed (place {position} of the tree{why_en})"
    return Finding("removed", *says, str(owner.case), owner.seq, position)
