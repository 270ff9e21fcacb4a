"""Correcting, merging, sharing: the ledger's own acts by persons."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from fengsui.ledger import casepage, clockwork, doors, evidence, reading, rebuild, receipts, verify
from fengsui.ledger.doors import About, Correction, Refused, calling
from fengsui.ledger.doors.doubles import survivor
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import CallLine, CallRecord, Case, Clock, Entry, EvidenceUse, Link, Notice, Share
from fengsui.ledger.reading.scoped import reach_of
from fengsui.ledger.verify.receipt import here
from fengsui.region.models import Holding, Post
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import first_criterion
from tests.small_region import Small, brought_by_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


LATER = NOW + timedelta(minutes=5)
RIGHT = "安全阀根部阀关闭，上锁未开"


def opened(small: Small, finding: str = "安全阀根部阀关闭") -> str:
    subject = About(kind="site", id=str(small.site.pk), duty="hazchem", title="根部阀")
    return doors.open("hazard", "found_here", {"finding": finding}, small.one("county").actor, subject, key="", now=NOW).case


def act(case: str, name: str, actor: Actor, **values: object) -> None:
    doors.act(case, Call(name, actor, values), now=NOW)


def correction(value: object, *, entry: int = 1, field: str = "finding", grounds: str = "笔误") -> Correction:
    return Correction(entry, field, value, grounds)


def status(caught: pytest.ExceptionInfo[Refused]) -> tuple[int, str]:
    return caught.value.status, caught.value.refusals[0].code


# ------------------------------------------------------------------ correcting


def test_a_correction_is_an_entry_and_the_field_follows(small: Small) -> None:
    case = opened(small)
    given = doors.correct(case, correction(RIGHT), small.one("county").actor, expects=1, key="c1", now=LATER)
    assert doors.correct(case, correction(RIGHT), small.one("county").actor, expects=1, key="c1", now=LATER) == given
    row = Case.objects.get(pk=case)
    assert (row.fields["finding"], row.seq) == (RIGHT, 2)
    entry = Entry.objects.get(case=case, seq=2)
    values = entry.content()["values"]
    assert entry.act == "correct"
    assert (values["was"], values["becomes"]) == ({"finding": "安全阀根部阀关闭"}, {"finding": RIGHT})
    assert Entry.objects.get(case=case, seq=1).content()["values"]["finding"] == "安全阀根部阀关闭"
    assert reading.search(Case.objects.all(), "上锁未开").exists()


def test_a_title_is_corrected_and_search_forgets_the_wrong_one(small: Small) -> None:
    case = opened(small)
    doors.correct(case, correction("三号罐根阀", field="case.title"), small.one("county").actor, now=LATER)
    assert Case.objects.get(pk=case).title_zh == "三号罐根阀"
    assert "三号罐根阀" in Case.objects.get(pk=case).title_en and "Example Chemical" in Case.objects.get(pk=case).title_en
    assert reading.search(Case.objects.all(), "三号罐").exists()


def test_who_neither_wrote_nor_answers_corrects_nothing(small: Small) -> None:
    case = opened(small)
    for office, wanted in (("other", 404), ("plant", 404), ("league", 403)):
        with pytest.raises(Refused) as caught:
            doors.correct(case, correction(RIGHT), small.one(office).actor, now=LATER)
        assert caught.value.status == wanted, office
    doors.correct(case, correction(RIGHT), small.one("county", 1).actor, now=LATER)  # a colleague answers for it too


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (Correction(1, "finding", "", "笔误"), (422, "missing")),
        (Correction(1, "finding", 7, "笔误"), (422, "bad_value")),
        (Correction(1, "finding", "安全阀根部阀关闭", "笔误"), (422, "bad_value")),
        (Correction(1, "finding", RIGHT, "  "), (422, "missing")),
        (Correction(9, "finding", RIGHT, "笔误"), (404, "no_such_case")),
        (Correction(1, "measures", RIGHT, "笔误"), (422, "unknown")),
        (Correction(1, "case.title", "", "笔误"), (422, "bad_value")),
    ],
)
def test_a_wrong_correction_is_refused_and_leaves_no_entry(small: Small, one: Correction, wanted: tuple[int, str]) -> None:
    case = opened(small)
    with pytest.raises(Refused) as caught:
        doors.correct(case, one, small.one("county").actor, now=LATER)
    assert status(caught) == wanted
    assert Entry.objects.filter(case=case).count() == 1


def test_a_stale_correction_is_refused(small: Small) -> None:
    case = opened(small)
    with pytest.raises(Refused) as caught:
        doors.correct(case, correction(RIGHT), small.one("county").actor, expects=7, now=LATER)
    assert caught.value.status == 412


def rectified(small: Small) -> str:
    """A hazard under review."""
    case = opened(small)
    first, second, safety = small.one("county", 1).actor, small.one("county", 2).actor, small.one("plant", 1).actor
    for who in (first, second):
        act(case, "list", who, criterion=first_criterion())
    five = {"responsibility": small.one("plant").person.pk, "measures": "换阀", "funds": 1000, "contingency": "预案"}
    act(case, "settle", safety, deadline=(NOW + timedelta(days=20)).date().isoformat(), **five)
    act(case, "approve", first)
    act(case, "submit", safety, evidence=[paper("错的")])
    return case


def paper(text: str) -> str:
    """The digest of a small file in the store."""
    stored = evidence.store(ContentFile(text.encode(), f"{text}.txt"), Actor("system", name="test"), NOW)
    return brought_by_all(stored.digest, NOW)


def test_what_steers_a_case_is_changed_by_acts_only(small: Small) -> None:
    case = rectified(small)
    settle = Entry.objects.get(case=case, act="settle").seq
    longer = (NOW + timedelta(days=60)).date().isoformat()
    with pytest.raises(Refused) as caught:
        doors.correct(case, Correction(settle, "deadline", longer, "笔误"), small.one("plant", 1).actor, now=LATER)
    assert status(caught) == (409, "steers")
    doors.correct(case, Correction(settle, "measures", "换阀并上锁", "笔误"), small.one("plant", 1).actor, now=LATER)
    assert Case.objects.get(pk=case).fields["measures"] == "换阀并上锁"


def test_wrong_evidence_is_taken_out_by_an_entry_and_signatures_on_it_are_void(small: Small) -> None:
    case = rectified(small)
    submit = Entry.objects.get(case=case, act="submit").seq
    act(case, "pass_off_site", small.one("county", 1).actor, grounds="材料齐全", photos=[paper("现场")])
    assert doors.held.read([case], lock=False)[case].case.signed
    doors.correct(case, Correction(submit, "evidence", [paper("对的")], "传错照片"), small.one("plant", 1).actor, now=LATER)
    assert not doors.held.read([case], lock=False)[case].case.signed
    assert Case.objects.get(pk=case).fields["evidence"] == [paper("对的")]
    found = Case.objects.get(pk=case)
    assert EvidenceUse.objects.get(case=case, evidence_id=paper("错的")).withdrawn_seq == found.seq
    assert reading.file_of(found, paper("对的"), small.one("league").acting, LATER) is not None
    assert reading.file_of(found, paper("错的"), small.one("league").acting, LATER) is None
    assert reading.file_of(found, paper("错的"), small.one("county").acting, LATER) is not None
    with pytest.raises(Refused) as caught:
        doors.correct(case, Correction(submit, "evidence", [], "全错"), small.one("plant", 1).actor, now=LATER)
    assert status(caught) == (422, "missing")


def test_whoever_mends_a_piece_of_work_may_not_verify_it(small: Small) -> None:
    case = rectified(small)
    submit = Entry.objects.get(case=case, act="submit").seq
    helper = small.one("county", 1).actor
    doors.correct(case, Correction(submit, "evidence", [paper("对的")], "代传"), helper, now=LATER)
    with pytest.raises(Refused) as caught:
        act(case, "pass_off_site", helper, grounds="齐", photos=[paper("现场")])
    assert status(caught) == (403, "same_person")


def test_verified_work_is_corrected_by_the_office_that_ended_the_case(small: Small) -> None:
    case = rectified(small)
    submit = Entry.objects.get(case=case, act="submit").seq
    for number in (1, 2):
        act(case, "pass_off_site", small.one("county", number).actor, grounds="材料齐全", photos=[paper("现场")])
    assert Case.objects.get(pk=case).ended
    clerk = Post.objects.create(office=small.county, title_zh="岗", title_en="Post", duties=["enforcement"])
    Holding.objects.create(post=clerk, person=small.one("other").person, since=NOW - timedelta(days=1))
    stranger = Actor("person", small.one("other").person.pk, office=small.county.pk, post=clerk.pk)
    for who in (stranger, small.one("plant", 1).actor, small.one("league").actor):
        with pytest.raises(Refused) as caught:
            doors.correct(case, Correction(submit, "evidence", [paper("对的")], "传错"), who, now=LATER)
        assert caught.value.status == 403
    doors.correct(case, Correction(submit, "evidence", [paper("对的")], "传错"), small.one("county").actor, now=LATER)
    assert Case.objects.get(pk=case).state == "cancelled"
    assert Notice.objects.filter(case=case, office_id=small.plant.pk, text__contains="corrected").exists()


# --------------------------------------------------------------------- merging


def test_a_double_ends_and_its_raiser_follows_the_case_that_goes_on(small: Small) -> None:
    kept = opened(small)
    subject = About("place", small.place.pk, small.place.pk, "hazchem", "氨味")
    given = doors.open(
        "hazard", "public_report", {"finding": "氨味", "reporter_code": "R1"}, Actor("public"), subject, key="", now=NOW
    )
    double, promise = given.case, receipts.give(given.entry, NOW)
    doors.merge(double, kept, small.one("county").actor, grounds="同一处氨味", now=LATER, expects=1)
    row = Case.objects.get(pk=double)
    assert (row.state, row.ended, row.owner_id, row.next_due) == ("merged", True, None, None)
    assert not Clock.objects.filter(case=double, stopped__isnull=True).exists()
    assert Link.objects.filter(from_case=double, to_case=kept, kind="merged").exists()
    assert survivor(double) == Case.objects.get(pk=kept).pk
    assert Notice.objects.filter(case=double, role="raiser", kind="end").count() == 1
    assert here(receipts.to_file(promise, receipts.prove(promise))).ok


@pytest.mark.django_db(transaction=True)
def test_rebuild_and_verify_know_corrections_merges_and_sharings(small: Small) -> None:
    county = small.one("county").actor
    case, other = rectified(small), opened(small, "另一处")
    submit = Entry.objects.get(case=case, act="submit").seq
    doors.correct(case, Correction(submit, "evidence", [paper("对的")], "传错"), county, now=LATER)
    doors.correct(case, correction("三号罐根阀", field="case.title"), county, now=LATER)
    doors.merge(other, case, county, grounds="同一处", now=LATER)
    doors.share(case, small.other.pk, county, until=NOW + timedelta(days=7), grounds="互检", now=LATER)
    told = rebuild.check()
    assert told.ok, [str(one) for one in told.differences]
    for one in (case, other):
        assert verify.case(one, files=False).ok, verify.case(one, files=False).findings


def test_the_raisers_of_doubles_are_told_how_the_other_case_ends(small: Small) -> None:
    kept = opened(small)
    subject = About(kind="site", id=str(small.site.pk), duty="hazchem", title="自查")
    double = doors.open("hazard", "self_reported", {"finding": "x"}, small.one("plant", 1).actor, subject, key="", now=NOW).case
    doors.merge(double, kept, small.one("county").actor, grounds="同一处", now=LATER)
    for number in (1, 2):
        act(kept, "nothing", small.one("county", number).actor, grounds="现场核实无泄漏")
    plant = small.one("plant", 1)
    assert Notice.objects.filter(case=kept, role="raiser", kind="end", person_id=plant.person.pk).exists()
    assert reading.find([plant.acting], kept) is not None


def test_no_merge_loses_work_runs_from_a_deadline_or_mixes_matters(small: Small) -> None:
    county = small.one("county").actor
    kept, league = opened(small), small.one("league").actor
    elsewhere = About("place", "150203", "150203", "hazchem", "别处")
    other = doors.open("hazard", "found_above", {"finding": "x"}, league, elsewhere, key="", now=NOW).case
    with pytest.raises(Refused) as caught:
        doors.merge(other, kept, league, grounds="同", now=LATER)
    assert status(caught) == (409, "merge")
    under_review = rectified(small)
    with pytest.raises(Refused) as caught:
        doors.merge(under_review, kept, county, grounds="同", now=LATER)
    assert status(caught) == (409, "unverified")
    with pytest.raises(Refused) as caught:
        doors.merge(kept, kept, county, grounds="同", now=LATER)
    assert status(caught) == (409, "merge")
    late = opened(small)
    with pytest.raises(Refused) as caught:
        doors.merge(late, kept, county, grounds="同", now=NOW + timedelta(days=60))
    assert status(caught) == (409, "merge")
    for office, wanted in (("plant", 404), ("other", 404)):
        with pytest.raises(Refused) as caught:
            doors.merge(late, kept, small.one(office).actor, grounds="同", now=LATER)
        assert caught.value.status == wanted
    doors.merge(late, kept, county, grounds="同", now=LATER)
    with pytest.raises(Refused) as caught:
        doors.merge(late, kept, county, grounds="同", now=LATER)
    assert status(caught) == (409, "ended")
    clockwork.tick(NOW + timedelta(days=90))
    assert not Notice.objects.filter(case=late, kind="overdue").exists()


# --------------------------------------------------------------------- sharing


def test_a_shared_case_is_read_until_its_day_and_not_acted_on(small: Small) -> None:
    case, other = opened(small), small.one("other")
    assert reading.find([other.acting], case) is None
    until = NOW + timedelta(days=7)
    doors.share(case, small.other.pk, small.one("county").actor, until=until, grounds="交叉互检", now=NOW)
    found = reading.cases([other.acting], NOW).filter(pk=case)
    assert found.exists()
    assert not reading.cases([other.acting], until).filter(pk=case).exists()
    with pytest.raises(Refused) as caught:
        act(case, "order_interim", other.actor, interim_control="停")
    assert caught.value.status in (403, 404)
    assert Notice.objects.filter(case=case, office_id=small.other.pk).exists()
    doors.unshare(case, small.other.pk, small.one("county").actor, grounds="已检毕", now=LATER)
    assert not reading.cases([other.acting], LATER).filter(pk=case).exists()
    doors.share(case, small.other.pk, small.one("county").actor, until=until, grounds="再检", now=LATER)
    assert Share.objects.filter(case=case).count() == 2
    assert [one.act for one in Entry.objects.filter(case=case).order_by("seq")][1:] == ["share"] * 3


def test_who_may_share_what_with_whom(small: Small) -> None:
    case, until = opened(small), NOW + timedelta(days=7)
    for who, office, when, wanted in (
        ("plant", small.other.pk, until, 404),
        ("other", small.other.pk, until, 404),
        ("county", small.plant.pk, until, 422),
        ("county", 999_999, until, 422),
        ("county", small.league.pk, until, 409),
        ("county", small.other.pk, NOW, 422),
        ("county", small.other.pk, NOW + timedelta(days=400), 422),
    ):
        with pytest.raises(Refused) as caught:
            doors.share(case, office, small.one(who).actor, until=when, grounds="x", now=NOW)
        assert caught.value.status == wanted, (who, office)
    assert not Share.objects.exists()


def test_a_shared_territory_is_read_and_only_that(small: Small) -> None:
    case = opened(small)
    other = small.one("other")
    Share.objects.create(
        office_id=small.other.pk, by_office_id=small.county.pk, reach=reach_of(small.place.path, "hazchem"), grounds="x",
        since=NOW, until=NOW + timedelta(days=1),
    )  # fmt: skip
    assert reading.cases([other.acting], NOW).filter(pk=case).exists()
    Share.objects.update(reach=reach_of(small.place.path, "mines"))
    assert not reading.cases([other.acting], NOW).filter(pk=case).exists()


# ----------------------------------------------------------------------- calls


def test_a_recorded_call_is_an_entry_and_an_enterprise_records_its_own_only(small: Small) -> None:
    case = rectified(small)
    line = CallLine.objects.create(
        case_id=case, round="x", office_id=small.county.pk, name="值班", phone="1", order=1, listed_at=NOW
    )
    with pytest.raises(Refused) as caught:
        calling.record(case, line.pk, "reached", small.one("plant").actor, now=NOW)
    assert status(caught) == (403, "not_yours")
    for result, number, wanted in (("perhaps", line.pk, 422), ("reached", line.pk + 1, 404)):
        with pytest.raises(Refused) as caught:
            calling.record(case, number, result, small.one("league").actor, now=NOW)
        assert caught.value.status == wanted
    with pytest.raises(Refused) as caught:
        calling.record(case, line.pk, "reached", small.one("league").actor, now=NOW, note="长" * (calling.NOTE + 1))
    assert status(caught) == (422, "bad_value") and caught.value.refusals[0].about == "note"
    given = calling.record(case, line.pk, "no_answer", small.one("league").actor, now=NOW, note="无人接听", key="k")
    assert calling.record(case, line.pk, "no_answer", small.one("league").actor, now=NOW, note="无人接听", key="k") == given
    kept = CallRecord.objects.get()
    assert (kept.entry_id, kept.result, Entry.objects.get(pk=given.entry).act) == (given.entry, "no_answer", "call")


def test_a_note_of_a_call_is_refused_and_not_cut(small: Small) -> None:
    case, county = rectified(small), small.one("county")
    line = CallLine.objects.create(
        case_id=case, round="x", office_id=small.county.pk, name="值班", phone="1", order=1, listed_at=NOW
    )
    with pytest.raises(Refused) as caught:
        calling.record(case, line.pk, "reached", county.actor, now=NOW, note="字" * 501)
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "note") and not CallRecord.objects.exists()
    found = Case.objects.get(pk=case)
    assert [one["mine"] for one in casepage.calls(found, county.acting)] == [True]
    found.ended = True
    assert [one["mine"] for one in casepage.calls(found, county.acting)] == [False], "an ended case takes no more records"
