"""Smaller questions: one case, and whether the ledger grew from a kept head."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fengsui.ledger import sealing
from fengsui.ledger.database import conninfo, one_moment, snapshot_of
from fengsui.ledger.seals import heads
from fengsui.ledger.seals.tree import grew, included
from fengsui.ledger.verify import evidence
from fengsui.ledger.verify.findings import Report
from fengsui.ledger.verify.lines import SELECT, End, Line, Reader, line_of, stream
from fengsui.ledger.verify.whole import begins, erased, head_finding, ledger, tell, trusted_keys


def grown_from(kept: bytes, now: datetime, *, files: bool = True) -> Report:
    """Whether the ledger grew from a head that somebody kept (``verify --head FILE``), and is itself whole.

    Raises ``ValueError`` where the file is no head.
    """
    head, public = heads.from_file(kept)
    report = ledger(now, files=files)
    if not head.genuine(public):
        head_finding(report, "forged_seal", head, "所持存证的签名不符", "the kept head's own signature does not hold")
        return report
    if public not in trusted_keys(report).values():
        zh = "所持存证由本账本不认得的密钥签署"
        head_finding(report, "forged_key", head, zh, "the kept head was signed by a key this ledger does not know")
    latest = report.head or sealing.latest_head()
    if latest is None or latest.size < head.size:
        have = latest.size if latest else 0
        zh, en = f"账本现仅 {have} 条，少于所持存证", f"the ledger has only {have} entries under a head"
        head_finding(report, "cut_tail", head, zh, en)
        return report
    if not grew(head.size, head.root, latest.size, latest.root, sealing.growth(head.size, latest.size)):
        zh = "现账本并非由所持存证增长而来，历史已被改写"
        head_finding(report, "not_grown", head, zh, "the ledger did not grow from it: history was rewritten")
    return report


def case(case_id: str, *, files: bool = True) -> Report:
    """Verify one case: its entries, its chain, each entry's place under the latest head, its row, its files."""
    report = Report()
    reader = Reader(0)
    query = f"""{SELECT} FROM ledger_entry e LEFT JOIN ledger_leaf l ON l.entry_id = e.id
        WHERE e.case_id = '{UUID(case_id)}' ORDER BY e.seq"""
    lines: list[Line] = []
    with one_moment() as keeper:
        row = keeper.execute("SELECT seq, state FROM ledger_case WHERE id = %s", [UUID(case_id)]).fetchone()
        for data in stream(conninfo(), query, snapshot_of(keeper)):
            line = line_of(data)
            lines.append(line)
            reader.entry(lines[-1])
    for finding in reader.part.findings:
        report.add(finding)
    for known, end in reader.part.ends.items():
        begins(known, end, report)
    report.entries = len(lines)
    erased([reader.part], report)
    _under_head(lines, report)
    _one_case(UUID(case_id), row, reader.part.ends, report)
    if files:
        evidence.judge(report, [reader.part], UUID(case_id))
    return report


def _under_head(lines: list[Line], report: Report) -> None:
    trusted, head = trusted_keys(report), sealing.latest_head()
    report.head = head
    if head and (head.key_id not in trusted or not head.genuine(trusted[head.key_id])):
        head_finding(report, "forged_seal", head, "存证签名系伪造或已被改动", "its signature is forged or it was changed")
    for line in lines:
        if line.position is None or head is None or line.position >= head.size:
            report.waiting += 1
            continue
        path = sealing.inclusion(line.position, head.size)
        if not included(line.leaf, line.position, head.size, path, head.root):
            text = "不在已签名的存证之下", "it is not under the signed head"
            tell(report, ("tampered", *text), line.case, line.seq, line.position)


def _one_case(case_id: UUID, row: tuple[Any, ...] | None, ends: dict[bytes, End], report: Report) -> None:
    end = ends.get(case_id.bytes)
    report.cases = 1 if row else 0
    if row is None or end is None:
        text = "事项或其全部记录不存在", "there is no such case, or all its entries are gone"
        tell(report, ("removed", *text), case_id.bytes, 0, None)
    elif (end.seq, end.after.decode()) != tuple(row):
        text = "事项现状与末条记录不一致", "the case row differs from its last entry"
        tell(report, ("case_row", *text), case_id.bytes, row[0], None)
