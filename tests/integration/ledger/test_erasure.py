"""Erased by law: nothing of it is left anywhere, and everything else still proves what it proved."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from fengsui.ledger import (
    doors,
    erasure,
    evidence,
    mechanisms,
    reading,
    rebuild,
    receipts,
    registry,
    reporters,
    sealer,
    sealing,
    verify,
)
from fengsui.ledger.doors import About, Correction, Refused
from fengsui.ledger.doors.single import move
from fengsui.ledger.erasure import GONE, Erasure
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Entry, Evidence, EvidenceUse, IdempotencyKey, MechanismVersion, Reporter, ReporterMessage
from fengsui.ledger.verify.receipt import here
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, settle
from tests.integration.ledger.test_evidence import photo as jpeg
from tests.integration.ledger.test_reporters import FORM, law_officer, whole_database
from tests.small_region import Small

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "张某某家住三号楼二单元"
LATER = NOW + timedelta(minutes=5)
BY_LAW = {"grounds": "当事人依法要求删除", "clause": "个人信息保护法第四十七条"}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def opened(small: Small, **values: object) -> str:
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title=f"根部阀（{WORDS}）")
    said, who = {"finding": f"{WORDS}旁", **values}, small.one("county").actor
    return doors.open("hazard", "found_here", said, who, about, key="form", now=NOW).case


def left_of(text: str) -> list[str]:
    """The rows of the whole database that still hold the text, as text or as bytes."""
    hidden = (text, text.encode().hex())
    return [line[:200] for line in whole_database().decode().split("\n") if any(one in line for one in hidden)]


def test_a_field_is_gone_from_everywhere_and_the_case_lives_on(small: Small) -> None:
    case = opened(small)
    promise = receipts.give(Entry.objects.get(case=case, seq=1).pk, NOW)
    settle(small, case)
    county, law = small.one("county").actor, law_officer(small).actor
    doors.correct(case, Correction(1, "finding", f"{WORDS}东侧", "方位写错"), county, now=LATER)
    sealer.round_(sealing.Grower.load(), NOW)
    leaves = list(Entry.objects.filter(case=case).order_by("seq").values_list("leaf", flat=True))
    assert WORDS.encode() in whole_database()
    given = erasure.erase(case, Erasure(fields=("finding",), title=True), actor=law, now=LATER, **BY_LAW)
    assert not left_of(WORDS)
    row = Case.objects.get(pk=case)
    assert (row.fields["finding"], row.title_zh) == (GONE, GONE)
    assert not reading.search(Case.objects.all(), "三号楼").exists()
    assert list(Entry.objects.filter(case=case).order_by("seq").values_list("leaf", flat=True))[:-1] == leaves
    sealer.round_(sealing.Grower.load(), LATER)
    report = verify.ledger(LATER + timedelta(hours=1))
    assert report.ok, report.findings
    assert report.erased == 2 and all(f"by entry {given.seq}" in en for _, en in report.notes)
    assert here(receipts.to_file(promise, receipts.prove(promise))).ok
    assert rebuild.check().ok, [str(one) for one in rebuild.check().differences]
    do(case, "report", small.one("plant"), progress="继续整改")
    assert rebuild.check().ok


def test_a_second_erasure_clears_what_the_first_one_restated(small: Small) -> None:
    case, law = opened(small), law_officer(small).actor
    do(case, "order_interim", small.one("county"), interim_control="李某某停用三号阀门")
    erasure.erase(case, Erasure(fields=("finding",)), actor=law, now=LATER, **BY_LAW)
    erasure.erase(case, Erasure(fields=("interim_control",)), actor=law, now=LATER, **BY_LAW)
    assert not left_of("李某某")
    report = verify.ledger(LATER)
    assert report.ok, report.findings
    assert rebuild.check().ok


def test_a_photo_goes_with_its_small_picture_and_does_not_come_back(small: Small) -> None:
    by = small.one("county").actor
    taken = jpeg()
    row = evidence.store(ContentFile(taken, "现场.jpg"), by, NOW)
    case, other = opened(small, photos=[row.digest]), opened_other(small, row.digest)
    path = evidence.path_of(row.digest)
    law = law_officer(small).actor
    erasure.erase(case, Erasure(files=(row.digest,)), actor=law, now=LATER, **BY_LAW)
    assert path.exists(), "another case still stands on it"
    assert not EvidenceUse.objects.filter(case=case).exists()
    erasure.erase(other, Erasure(files=(row.digest,)), actor=law, now=LATER, **BY_LAW)
    assert not path.exists() and not path.with_suffix(".small.jpg").exists()
    gone = Evidence.objects.get(pk=row.digest)
    assert (gone.name, gone.position, gone.erased_at) == ("", None, LATER)
    with pytest.raises(Refused) as caught:
        evidence.store(ContentFile(taken, "再传.jpg"), by, LATER)
    assert caught.value.status == 409 and not path.exists()
    assert verify.ledger(LATER).ok and rebuild.check().ok


def test_a_photo_goes_with_a_field_that_was_one_for_files_when_it_was_given(small: Small) -> None:
    row = evidence.store(ContentFile(jpeg(), "现场.jpg"), small.one("county").actor, NOW)
    case, law = opened(small, photos=[row.digest]), law_officer(small).actor
    old = mechanisms.current("hazard").source
    source = {**old, "fields": {**old["fields"], "photos": {**old["fields"]["photos"], "kind": "text"}}}
    found = load.mechanism(source, registry.names(), "hazard v3", titles=True)
    MechanismVersion.objects.create(digest=found.digest, name="hazard", number=3, source=source, stored_at=NOW, current=False)
    move(case, found.digest, {}, Actor("system"), now=LATER)
    erasure.erase(case, Erasure(fields=("photos",)), actor=law, now=LATER, **BY_LAW)
    assert not EvidenceUse.objects.filter(case=case).exists() and not evidence.path_of(row.digest).exists()
    assert verify.ledger(LATER).ok
    mechanisms.forget()


def opened_other(small: Small, digest: str) -> str:
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="另一处")
    values = {"finding": "另一处", "photos": [digest]}
    return doors.open("hazard", "found_here", values, small.one("county").actor, about, key="", now=NOW).case


def test_who_reported_is_erased_and_the_secret_still_opens_the_report(small: Small) -> None:
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨味")
    values = {"finding": "氨味", "reporter_code": "R1"}
    given = doors.open("hazard", "public_report", values, Actor("public"), about, key="k", now=NOW)
    reporters.keep(given.case, reporters.secret_of(FORM), {"name": "赵某某"}, NOW)
    code = receipts.give(given.entry, NOW).code
    found = Case.objects.get(pk=given.case)
    reporters.say(found, "我住隔壁", NOW)
    officer = law_officer(small)
    erasure.erase(given.case, Erasure(reporter=True), actor=officer.actor, now=LATER, **BY_LAW)
    assert Reporter.objects.get(case=given.case).sealed is None and not ReporterMessage.objects.exists()
    assert reporters.look(Case.objects.get(pk=given.case), "核实", officer.acting, LATER) == {}
    assert reporters.follow(code, reporters.secret_of(FORM)) is not None


def test_only_the_law_office_erases_and_only_with_grounds_and_clause(small: Small) -> None:
    case, law = opened(small), law_officer(small).actor
    for office, wanted in (("county", 403), ("league", 403), ("other", 404)):
        with pytest.raises(Refused) as caught:
            erasure.erase(case, Erasure(fields=("finding",)), actor=small.one(office).actor, now=LATER, **BY_LAW)
        assert caught.value.status == wanted
    for said in ({"grounds": "", "clause": "x"}, {"grounds": "x", "clause": " "}):
        with pytest.raises(Refused) as caught:
            erasure.erase(case, Erasure(fields=("finding",)), actor=law, now=LATER, **said)
        assert caught.value.status == 422
    for what, wanted in ((Erasure(), 422), (Erasure(fields=("nothing",)), 422), (Erasure(fields=("answering",)), 409),
                         (Erasure(fields=("measures",)), 409), (Erasure(entries=(9,)), 404)):  # fmt: skip
        with pytest.raises(Refused) as caught:
            erasure.erase(case, what, actor=law, now=LATER, **BY_LAW)
        assert caught.value.status == wanted, what
    assert Entry.objects.filter(case=case).count() == 1


def test_what_a_case_handed_to_its_children_goes_too(small: Small) -> None:
    from fengsui.ledger import clockwork

    case = opened(small)
    settle(small, case)
    clockwork.tick(NOW + timedelta(days=120))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_case WHERE parent_id = %s OR root_id = %s", [case, case])
        assert cursor.fetchone()[0], "the ladder opened a circular that repeats the finding"
    assert Case.objects.filter(fields__body__icontains=WORDS).exists()
    erasure.erase(
        case, Erasure(fields=("finding",), title=True), actor=law_officer(small).actor, now=NOW + timedelta(days=121), **BY_LAW
    )
    assert not left_of(WORDS)
    assert rebuild.check().ok and verify.ledger(NOW + timedelta(days=122)).ok


def test_another_callers_same_key_goes_on_answering(small: Small) -> None:
    case = opened(small)  # under the key "form"
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="另一处")
    given = ("hazard", "found_above", {"finding": "另一处阀门"}, small.one("league").actor, about)
    theirs = doors.open(*given, key="form", now=NOW)
    erasure.erase(case, Erasure(fields=("finding",)), actor=law_officer(small).actor, now=LATER, **BY_LAW)
    assert doors.open(*given, key="form", now=LATER) == theirs
    assert IdempotencyKey.objects.filter(key="form").count() == 2
