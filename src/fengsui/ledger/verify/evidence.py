"""The files behind the cases: is each there, and are its bytes still what its name says?

In: the entries read, the rows of the evidence store and of its uses, the evidence folder. Out: findings that name file,
case and entry.
A file is named by the SHA-256 of its bytes, and entries hold that name sealed; one erased by law is gone rightly where
an erasure entry of that very moment says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import file_digest
from uuid import UUID

from django.db import connection

from fengsui.ledger.evidence.storing import path_of
from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.lines import Part, name_of

_KNOWN = """
SELECT e.digest, u.case_id, n.seq,
       e.erased_at IS NOT NULL AND EXISTS (SELECT 1 FROM ledger_entry x WHERE x.act = 'erase' AND x.at = e.erased_at)
FROM ledger_evidence e
LEFT JOIN LATERAL (SELECT * FROM ledger_evidenceuse WHERE evidence_id = e.digest {only} ORDER BY entry_id LIMIT 1) u ON true
LEFT JOIN ledger_entry n ON n.id = u.entry_id
"""


def judge(report: Report, parts: Iterable[Part], case_id: UUID | None = None) -> None:
    """Hash every stored file (of one case: every file of it) and every other one that an entry names; add what is wrong.

    What the sealed entries in ``parts`` say counts, not the tables beside them. An erasure takes files out of a case without
    saying their names, so that of such a case only those in the store are asked for.
    """
    report.files = 0
    told: set[str] = set()
    for digest, known, seq, erased in _known(case_id):
        told.add(digest)
        _file(report, digest, known, seq, erased)
    runs = list(parts)
    erasing = set[bytes]().union(*(part.erasing for part in runs))
    for named, (case, seq) in sorted(pair for part in runs for pair in part.named.items() if pair[1][0] not in erasing):
        digest = named.decode()
        if digest in told:
            continue
        told.add(digest)
        if path_of(digest).exists():
            _file(report, digest, UUID(bytes=case), seq, False)
        else:
            zh, en = "其登记已被删除，文件亦不在", "neither its record nor the file is there"
            _tell(report, "evidence_missing", digest, UUID(bytes=case), seq, zh, en)


def _known(case_id: UUID | None) -> Iterator[tuple[str, UUID | None, int | None, bool]]:
    only = "AND case_id = %(case)s" if case_id is not None else ""
    query = _KNOWN.format(only=only) + ("WHERE u.case_id IS NOT NULL " if case_id is not None else "") + "ORDER BY e.digest"
    with connection.cursor() as cursor:
        cursor.execute(query, {"case": case_id})
        yield from cursor.fetchall()


def _file(report: Report, digest: str, case: UUID | None, seq: int | None, erased: bool) -> None:
    path = path_of(digest)
    if erased:
        report.files_erased += 1
        if path.exists():
            zh, en = "已依法删除，文件却仍在", "it was erased by law, yet the file is still there"
            _tell(report, "evidence_kept", digest, case, seq, zh, en)
        return
    report.files = (report.files or 0) + 1
    try:
        with path.open("rb") as file:
            same = file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        _tell(report, "evidence_missing", digest, case, seq, "文件缺失或无法读取", "the file is missing or cannot be read")
        return
    if not same:
        _tell(report, "evidence_changed", digest, case, seq, "文件内容已被改动", "the file's bytes were changed")


def _tell(report: Report, code: str, digest: str, case: UUID | None, seq: int | None, zh: str, en: str) -> None:
    where_zh, where_en = name_of(case.bytes if case else None, seq or 0) if case else ("未归入事项的文件", "a file of no case")
    zh, en = f"{where_zh}，证据 {digest[:12]}…：{zh}", f"{where_en}, evidence {digest[:12]}…: {en}"
    report.add(Finding(code, zh, en, str(case or ""), seq or 0))
