"""The evidence behind the entries hashed anew; a case and the ledger taken away as a file and judged there."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from fengsui.ledger import doors, erasure, evidence, receipts, sealer, sealing, verify
from fengsui.ledger.evidence.storing import path_of
from fengsui.ledger.models import Case, Entry, Head, MechanismVersion, SealKey
from fengsui.ledger.seals import heads, signing
from fengsui.ledger.verify import cli, exporting, offline
from fengsui.ledger.verify import evidence as verify_evidence
from fengsui.ledger.verify.lines import Named, Part
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, found, settle, site
from tests.integration.ledger.test_evidence import photo, upload
from tests.integration.ledger.test_reporters import law_officer
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Any) -> None:
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


@pytest.fixture
def small(transactional_db: None) -> Small:
    return build(NOW)


def with_file(small: Small) -> tuple[str, str]:
    """A hazard under review with one file as evidence: (case, digest)."""
    case = found(small).case
    settle(small, case)
    digest = str(evidence.store(upload(photo()), small.one("plant").actor, NOW).digest)
    do(case, "submit", small.one("plant"), evidence=[digest])
    return case, digest


def seal() -> None:
    sealer.round_(sealing.Grower.load(), NOW + timedelta(minutes=9), at_once=True)


def codes(report: verify.Report) -> set[str]:
    return {finding.code for finding in report.findings}


# ------------------------------------------------------------------- evidence


def test_every_file_is_hashed_and_counted(small: Small) -> None:
    case, _ = with_file(small)
    assert (verify.case(case).files, verify.case(case).ok) == (1, True)
    assert verify.case(case, files=False).files is None
    whole = verify.ledger(NOW + timedelta(hours=1))
    assert (whole.files, whole.ok) == (1, True)


def test_a_changed_and_a_missing_file_are_named_with_case_and_entry(small: Small) -> None:
    case, digest = with_file(small)
    path = path_of(digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")
    seq = Entry.objects.get(case_id=case, act="submit").seq
    for report in (verify.case(case), verify.ledger(NOW + timedelta(hours=1))):
        (one,) = report.findings
        assert (one.code, one.case, one.seq) == ("evidence_changed", case, seq)
        assert digest[:12] in one.en
    path.unlink()
    assert codes(verify.case(case)) == {"evidence_missing"}
    assert codes(verify.ledger(NOW + timedelta(hours=1))) == {"evidence_missing"}
    assert verify.ledger(NOW + timedelta(hours=1), files=False).ok


def test_a_file_gone_with_its_record_is_missed_by_the_entry_that_names_it(small: Small) -> None:
    case, digest = with_file(small)
    path_of(digest).unlink()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_evidenceuse")
        cursor.execute("DELETE FROM ledger_evidence")
        cursor.execute("SET session_replication_role = origin")
    assert codes(verify.case(case)) == {"evidence_missing"}
    whole = verify.ledger(NOW + timedelta(hours=1))
    assert [(one.code, one.case) for one in whole.findings] == [("evidence_missing", case)], "the entry knows"


def test_a_file_erased_by_law_is_in_order_and_one_marked_so_by_hand_is_not(small: Small) -> None:
    case, digest = with_file(small)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_evidence SET erased_at = %s", [NOW + timedelta(days=1)])
    kept = path_of(digest).with_suffix(".kept")
    shutil.move(path_of(digest), kept)
    assert codes(verify.ledger(NOW + timedelta(hours=1))) == {"evidence_missing"}, "no erasure entry says so"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_evidence SET erased_at = NULL")
    shutil.move(kept, path_of(digest))
    what = erasure.Erasure(files=(digest,))
    erasure.erase(
        case, what, grounds="当事人依法要求", clause="个人信息保护法第四十七条", actor=law_officer(small).actor, now=NOW
    )
    assert not path_of(digest).exists()
    report = verify.ledger(NOW + timedelta(hours=1))
    assert (report.ok, report.files, report.files_erased) == (True, 0, 1), report.findings
    assert verify.case(case).ok


def two_photos(small: Small) -> tuple[str, str, str]:
    """A hazard with two photos at its opening: case, the one to erase, the one that stays."""
    by = small.one("county").actor
    gone, kept = (str(evidence.store(upload(photo()), by, NOW).digest) for _ in range(2))
    values = {"finding": "阀门渗漏", "photos": [gone, kept]}
    return doors.open("hazard", "found_here", values, by, site(small), key="", now=NOW).case, gone, kept


def erased(small: Small, case: str, **what: Any) -> None:
    erasure.erase(
        case, erasure.Erasure(**what), grounds="当事人依法要求", clause="个人信息保护法第四十七条",
        actor=law_officer(small).actor, now=NOW,
    )  # fmt: skip


def without_rows(digest: str) -> None:
    path_of(digest).unlink()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_evidenceuse WHERE evidence_id = %s", [digest])
        cursor.execute("DELETE FROM ledger_evidence WHERE digest = %s", [digest])
        cursor.execute("SET session_replication_role = origin")


def test_after_an_erasure_the_files_that_it_left_are_still_missed(small: Small) -> None:
    case, gone, kept = two_photos(small)
    erased(small, case, files=(gone,))
    whole = verify.ledger(NOW + timedelta(hours=1))
    assert (whole.ok, whole.files, whole.files_erased) == (True, 1, 1), whole.findings
    without_rows(kept)
    for report in (verify.case(case), verify.ledger(NOW + timedelta(hours=1))):
        assert [(one.code, one.case) for one in report.findings] == [("evidence_missing", case)]


def test_nobody_hides_a_file_behind_another_ones_erasure(small: Small) -> None:
    case, gone, kept = two_photos(small)
    erased(small, case, files=(gone,))
    path_of(kept).unlink()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_evidence SET erased_at = %s WHERE digest = %s", [NOW, kept])
    assert codes(verify.case(case)) == codes(verify.ledger(NOW + timedelta(hours=1))) == {"evidence_missing"}


def test_a_field_of_files_erased_takes_them_out_of_every_field(small: Small) -> None:
    case, gone, _ = two_photos(small)
    settle(small, case)
    do(case, "submit", small.one("plant"), evidence=[gone])
    erased(small, case, fields=("photos",))
    assert Case.objects.get(pk=case).fields["evidence"] == []
    report = verify.ledger(NOW + timedelta(hours=1))
    assert (report.ok, report.files, report.files_erased) == (True, 0, 2), report.findings


def test_only_a_field_for_files_names_files(small: Small) -> None:
    """A list of another kind may say what looks like a digest, also where another mechanism has files under that name."""
    source = {"fields": {"lines": {"kind": "list"}, "finding": {"kind": "files"}, "photos": {"kind": "list"}}}
    MechanismVersion.objects.create(digest="1" * 64, name="sheet", number=1, source=source, stored_at=NOW)
    case = UUID(found(small).case).bytes
    part = Part(0, 0, b"", [], {}, [], [], {})
    for digest, of, name in (("a", "", "finding"), ("b", "", "photos"), ("c", "sheet", "lines"), ("d", "sheet", "finding")):
        part.named[Named(case, digest * 64, of, name)] = 1
    report = verify.Report()
    verify_evidence.judge(report, [part])
    assert [one.en.split("evidence ")[1][:12] for one in report.findings] == ["b" * 12, "d" * 12]


# --------------------------------------------------------------------- export


def exported(tmp_path: Path, case: str | None = None) -> Path:
    path = tmp_path / "ledger.zip"
    exporting.export(path, NOW + timedelta(minutes=10), case)
    return path


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of the file with its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return other


def lines(members: dict[str, bytes], change: Callable[[list[bytes]], list[bytes]]) -> None:
    members["entries.jsonl"] = b"".join(change(members["entries.jsonl"].splitlines(keepends=True)))


def listed(members: dict[str, bytes], **values: Any) -> None:
    members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **values}).encode()


@pytest.fixture(params=["case", "ledger"])
def file(request: pytest.FixtureRequest, small: Small, tmp_path: Path) -> Iterator[Path]:
    case, _ = with_file(small)
    found(small)
    seal()
    do(case, "return", small.one("county"), reason="补正")  # waits for its seal
    yield exported(tmp_path, case if request.param == "case" else None)


def test_an_export_is_judged_without_the_database(file: Path, django_db_blocker: Any) -> None:
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    with django_db_blocker.block():
        report = offline.judge(file)
    assert report.ok, report.findings
    assert report.entries >= 7
    assert report.waiting == 1
    assert any("public key" in en for _, en in report.notes)


TAMPERINGS: dict[str, tuple[Callable[[dict[str, bytes]], None], set[str]]] = {
    "one byte of an entry": (
        lambda m: lines(m, lambda rows: [row.replace("打开并铅封".encode(), "打开不铅封".encode()) for row in rows]),
        {"tampered", "changed"},
    ),
    "an entry taken out": (lambda m: lines(m, lambda rows: [*rows[:2], *rows[3:]]), {"removed", "changed"}),
    "two entries exchanged": (lambda m: lines(m, lambda rows: [rows[1], rows[0], *rows[2:]]), {"removed", "changed"}),
    "the tail cut": (lambda m: lines(m, lambda rows: rows[:-2]), {"changed"}),
    "content taken out": (
        lambda m: lines(m, lambda rows: [json.dumps({**json.loads(rows[0]), "body": None}).encode() + b"\n", *rows[1:]]),
        {"tampered", "changed"},
    ),
    "the list counts fewer": (lambda m: listed(m, entries=1), {"forged_export", "changed"}),
    "another root": (
        lambda m: listed(m, head={**json.loads(m["manifest.json"])["head"], "root": "00" * 32}),
        {"forged_seal", "forged_export"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_changed_export_is_named(file: Path, tampering: str) -> None:
    change, wanted = TAMPERINGS[tampering]
    report = offline.judge(rewritten(file, change))
    assert wanted <= codes(report), report.findings


def test_an_export_signed_by_a_stranger_is_named_by_the_kept_head(small: Small, tmp_path: Path, settings: Any) -> None:
    case, _ = with_file(small)
    seal()
    head = sealing.latest_head()
    assert head is not None
    kept = heads.to_file(head, bytes(SealKey.objects.get(key_id=head.key_id).public))
    for scope in (case, None):
        assert offline.judge(exported(tmp_path, scope), kept).ok
    with connection.cursor() as cursor:  # somebody with the database writes history anew and seals it with a key of his own
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE ledger_head, ledger_sealkey")
        cursor.execute("SET session_replication_role = origin")
    settings.KEYS_DIR = tmp_path / "other keys"
    signing.load_or_make(settings.KEYS_DIR)
    grower = sealing.Grower.load()
    grower.sign(sealing.signer(NOW), NOW)
    assert Head.objects.count() == 1
    forged = exported(tmp_path, None)
    assert offline.judge(forged).ok, "by itself it looks like a ledger"
    assert {"forged_key", "forged_export"} <= codes(offline.judge(forged, kept))


def test_a_ledger_that_did_not_grow_from_the_kept_head_is_named(small: Small, tmp_path: Path) -> None:
    with_file(small)
    seal()
    path = exported(tmp_path)
    head = sealing.latest_head()
    assert head is not None
    key = signing.load(tmp_path / "keys")
    other = heads.sign_head(key, 3, bytes(32), NOW, bytes(32))
    assert "not_grown" in codes(offline.judge(path, heads.to_file(other, key.public)))
    longer = heads.sign_head(key, head.size + 5, bytes(32), NOW, bytes(32))
    assert "cut_tail" in codes(offline.judge(path, heads.to_file(longer, key.public)))


def test_the_command_judges_receipts_and_exports_by_themselves(file: Path, small: Small, tmp_path: Path) -> None:
    promise = receipts.give(Entry.objects.earliest("id").pk, NOW)
    kept = tmp_path / "receipt.json"
    kept.write_bytes(receipts.to_file(promise, receipts.prove(promise)))
    assert cli.file(kept) == 0
    assert cli.file(file, as_json=True) == 0
    kept.write_bytes(b"{}")
    assert cli.file(kept) == 2
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("manifest.json", b'{"kind": "else", "case": null}')
    assert cli.file(broken) == 2


def test_nothing_is_exported_before_a_seal_nor_of_no_case(small: Small, tmp_path: Path) -> None:
    found(small)
    sealing.signer(NOW)
    with pytest.raises(ValueError, match="nothing is sealed"):
        exported(tmp_path)
    seal()
    with pytest.raises(ValueError, match="no such case"):
        exported(tmp_path, "00000000-0000-4000-8000-000000000000")
    assert not [one for one in tmp_path.iterdir() if one.suffix in (".zip", ".part")]
    assert Case.objects.count() == 1
