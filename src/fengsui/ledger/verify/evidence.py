"""The files behind the cases: is each there, and are its bytes still what its name says?

In: the entries read, the rows of the evidence store and of its uses, the evidence folder. Out: findings that name file,
case and entry.
A file is named by the SHA-256 of its bytes, and entries hold that name sealed; one erased by law is gone rightly where
an erasure entry of that very moment says so and no entry names the file any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import file_digest
from uuid import UUID

from django.db import connection

from fengsui.ledger.evidence.storing import path_of
from fengsui.ledger.fieldkinds import kinds_ever
from fengsui.ledger.models import Case
from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.lines import OLD_WORLD, Named, Part, name_of

_KNOWN = """
SELECT e.digest, u.case_id, n.seq,
       e.erased_at IS NOT NULL AND EXISTS (SELECT 1 FROM ledger_entry x WHERE x.act = 'erase' AND x.at = e.erased_at)
FROM ledger_evidence e
LEFT JOIN LATERAL (SELECT * FROM ledger_evidenceuse WHERE evidence_id = e.digest {only} ORDER BY entry_id LIMIT 1) u ON true
LEFT JOIN ledger_entry n ON n.id = u.entry_id
"""


def judge(report: Report, parts: Iterable[Part], case_id: UUID | None = None) -> None:
    """Hash every stored file (of one case: every file of it) and every other one that an entry names; add what is wrong.

    What the sealed entries in ``parts`` say counts, not the tables beside them. An erasure by law takes the content of every
    entry of its case that named the file: what an entry still names was not erased, whatever the tables say.
    """
    report.files = 0
    named = _files_named(list(parts))
    for digest, known, seq, erased in _known(case_id):
        case, said = named.pop(digest, (None, None))
        _file(report, digest, known or (UUID(bytes=case) if case else None), seq or said, erased and case is None)
    for digest, (case, seq) in sorted(named.items()):
        if path_of(digest).exists():
            _file(report, digest, UUID(bytes=case), seq, False)
        else:
            zh, en = "其登记已被删除，文件亦不在", "neither its record nor the file is there"
            _tell(report, "evidence_missing", digest, UUID(bytes=case), seq, zh, en)


def _files_named(parts: Sequence[Part]) -> dict[str, tuple[bytes, int]]:
    """Digest → (case, seq) of an entry with content that names it in a field for files, by the kinds of its mechanism's fields.

    A field is one for files where any version of the case's mechanism says so: cases move from one version to another.
    """
    listed: dict[Named, int] = {}
    for part in parts:
        for one, seq in part.named.items():
            listed.setdefault(one, seq)
    if not listed:
        return {}
    cases = Case.objects.filter(pk__in={UUID(bytes=one.case) for one in listed})
    mechanism = {pk.bytes: name for pk, name in cases.values_list("pk", "mechanism").iterator()}
    kinds = _file_fields()
    found: dict[str, tuple[bytes, int]] = {}
    for one, seq in listed.items():
        of = one.of or mechanism.get(one.case, "")  # of a case whose row is gone, any mechanism's word is taken
        if one.name in kinds.get(of, ()):
            found.setdefault(one.digest, (one.case, seq))
    return found


def _file_fields() -> dict[str, set[str]]:
    """The fields for files by mechanism, of all its stored versions; under no name, those of all mechanisms."""
    kinds: dict[str, set[str]] = {"": set(), OLD_WORLD: {"evidence"}}
    for name, fields in kinds_ever().items():
        kinds[name] = {field for field, ever in fields.items() if "files" in ever}
        kinds[""] |= kinds[name]
    return kinds


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
