"""Ways around the rules that a second reader found, each tried and refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from fengsui.ledger import adoption, doors, erasure, live_check, mechanisms, registry, succession
from fengsui.ledger.adoption import table
from fengsui.ledger.doors import About, Adoption, Correction, Refused, answered, calling, deadlines, held
from fengsui.ledger.doors.single import move
from fengsui.ledger.erasure import GONE, Erasure
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import (
    CallLine,
    CallRecord,
    Case,
    Clock,
    Entry,
    Evidence,
    IdempotencyKey,
    MechanismVersion,
    Notice,
    Party,
)
from fengsui.ledger.persons_acts.share import end_of
from fengsui.ledger.proof.live import Lack
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_adoption import HEAD, line, written
from tests.integration.ledger.test_doors import do, first_criterion, settle
from tests.integration.ledger.test_erasure import BY_LAW
from tests.integration.ledger.test_persons_acts import opened, paper, rectified, status
from tests.integration.ledger.test_reporters import law_officer
from tests.small_region import Small

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def test_an_enterprise_ends_no_listed_hazard_by_merging_it_into_its_own_report(small: Small) -> None:
    listed, plant = opened(small), small.one("plant").actor
    settle(small, listed)
    subject = About(kind="site", id=str(small.site.pk), duty="hazchem", title="自查")
    own = doors.open("hazard", "self_reported", {"finding": "小事"}, small.one("plant", 1).actor, subject, key="", now=NOW).case
    with pytest.raises(Refused) as caught:
        doors.merge(listed, own, plant, grounds="同一处", now=LATER)
    assert status(caught) == (403, "not_yours")
    assert Case.objects.get(pk=listed).state == "rectifying"


def test_one_officer_does_not_merge_away_what_two_have_signed(small: Small) -> None:
    """Listed by two certified officers: only the other, which nobody has listed, is merged into it."""
    listed, fresh = opened(small), opened(small, "同一阀门")
    officers = small.people["county"]
    for officer in officers[:2]:
        do(listed, "list", officer, criterion=first_criterion())
    plan = {"responsibility": small.one("plant").person.pk, "measures": "打开并铅封", "funds": 100, "contingency": "预案"}
    do(listed, "settle", small.one("plant"), deadline="2026-12-20", **plan)
    with pytest.raises(Refused) as caught:
        doors.merge(listed, fresh, officers[2].actor, grounds="同一处", now=LATER)
    assert "Several persons signed" in str([reason.needs for reason in caught.value.refusals])
    doors.merge(fresh, listed, officers[2].actor, grounds="同一处", now=LATER)
    assert Case.objects.get(pk=fresh).state == "merged" and not Case.objects.get(pk=listed).ended


def test_whoever_took_part_earlier_in_a_batch_is_told_of_the_end(small: Small) -> None:
    case = opened(small)
    calls = [(case, Call("order_interim", small.one("league").actor, {"interim_control": "停用该罐"}))]
    calls += [(case, Call("nothing", small.one("county", one).actor, {"grounds": "不构成"})) for one in (1, 2)]
    assert not [one for one in doors.act_many(calls, LATER) if isinstance(one, Refused)]
    assert Case.objects.get(pk=case).state == "none"
    assert Notice.objects.filter(case=case, kind="end", role="parties", office_id=small.league.pk).exists()


def test_whoever_opened_an_ended_case_does_not_rewrite_its_finding_alone(small: Small) -> None:
    case = rectified(small)
    for number in (1, 2):
        do(case, "pass_off_site", small.one("county", number), grounds="材料齐全", photos=[paper("现场")])
    with pytest.raises(Refused) as caught:
        doors.correct(case, Correction(1, "finding", "另一说法", "笔误"), small.one("county").actor, now=LATER)
    assert status(caught) == (403, "same_person")
    doors.correct(case, Correction(1, "finding", "另一说法", "笔误"), small.one("county", 1).actor, now=LATER)


def test_an_office_that_was_only_told_shares_nothing(small: Small) -> None:
    case, leader = opened(small), small.one("other")
    Party.objects.create(case_id=case, office_id=small.other.pk, kind="told", since=NOW)
    leader.post.duties = [*leader.post.duties, "leading"]
    leader.post.save()
    with pytest.raises(Refused) as caught:
        doors.share(case, small.other.pk, leader.actor, until=LATER + timedelta(days=1), grounds="x", now=LATER)
    assert status(caught) == (403, "not_yours")


def test_the_calendars_last_day_is_a_day() -> None:
    assert end_of(dt.date.max).year == 9999


def test_erasing_a_choice_takes_no_entry_along_that_only_names_it(small: Small) -> None:
    case = opened(small)
    settle(small, case)
    do(case, "report", small.one("plant"), progress=f"按 {first_criterion()} 条整改")
    erasure.erase(case, Erasure(fields=("criterion",)), actor=law_officer(small).actor, now=LATER, **BY_LAW)
    assert "criterion" not in Case.objects.get(pk=case).fields
    assert Entry.objects.get(case=case, act="report").body is not None


def test_an_erasure_reaches_a_calls_note_and_no_file_of_another_case(small: Small) -> None:
    case, law = opened(small), law_officer(small).actor
    listed = CallLine.objects.create(
        case_id=case, round="x", office_id=small.county.pk, name="值班", phone="1", order=1, listed_at=NOW
    )
    call = calling.record(case, listed.pk, "no_answer", small.one("county").actor, now=NOW, note="其妻接听，称其住院")
    loose = paper("别处的")
    with pytest.raises(Refused) as caught:
        erasure.erase(case, Erasure(files=(loose,), entries=(call.seq,)), actor=law, now=LATER, **BY_LAW)
    assert status(caught) == (422, "bad_value")
    erasure.erase(case, Erasure(entries=(call.seq,)), actor=law, now=LATER, **BY_LAW)
    assert CallRecord.objects.get().note == GONE
    assert Evidence.objects.get(pk=loose).erased_at is None


def test_a_table_with_what_no_column_or_key_takes_is_refused_by_row(small: Small) -> None:
    head = [*HEAD, "上级系统编号"]
    told = adoption.take(table.read(written([[*line("旧-1"), "9" * 129]], head=head), "old.csv"), "hazard", NOW)
    assert [(one.row, one.column) for one in told.problems] == [(2, "上级系统编号")]
    about = About("site", str(small.site.pk), str(small.site.place_id), "hazchem", "旧预警")
    rows = [Adoption("warning", "watching", about, f"旧-{n}", {"hazard_kind": "leak", "colour": "red"}) for n in (1, 2)]
    with pytest.raises(Refused) as caught:
        doors.adopt(rows, NOW)
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "rows.1.about")
    assert not Case.objects.filter(mechanism="warning").exists()


def test_work_given_up_about_a_place_goes_to_who_supervises_there(small: Small) -> None:
    subject = About("place", small.place.pk, small.place.pk, "hazchem", "氨味")
    case = doors.open(
        "hazard", "public_report", {"finding": "氨味", "reporter_code": "R1"}, Actor("public"), subject, key="", now=NOW
    ).case
    asked: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(succession.roles, "resolve", lambda _role, about, _now: asked.append(about))
        succession.of_duties(small.county.pk, ["hazchem"], LATER)
    assert [(one.place_code, one.site_id) for one in asked] == [(str(small.place.pk), None)]  # type: ignore[attr-defined]
    assert Case.objects.get(pk=case).owner_id == small.county.pk


def test_a_moved_case_climbs_the_new_versions_ladder(small: Small) -> None:
    old, case = mechanisms.current("hazard"), opened(small)
    ladders = old.source["ladders"]
    source = {**old.source, "ladders": {**ladders, "standard": [{"at": "-1d", "tells": ["holder"]}, *ladders["standard"][1:]]}}
    newer = load.mechanism(source, registry.names(), "hazard v2", titles=True)
    MechanismVersion.objects.create(digest=newer.digest, name="hazard", number=2, source=source, stored_at=NOW, current=False)
    before = list(Clock.objects.filter(case=case, current=True).order_by("place").values_list("next_rung_at", flat=True))
    move(case, newer.digest, {}, Actor("system", name="administrator"), now=LATER)
    after = list(Clock.objects.filter(case=case, current=True).order_by("place").values_list("next_rung_at", flat=True))
    known = held.read([case], lock=False)[case]
    assert after == [deadlines.next_rung(newer, row, None, known.case.fields) for row in known.case.clocks] != before
    mechanisms.forget()


def test_calls_of_an_older_platform_are_known_again(small: Small) -> None:
    about = About(kind="office", id=str(small.county.pk), place_code=str(small.place.pk), title=small.county.name_zh)
    lacking, rows = Actor(kind="event", name="posts.lacking"), (Lack(small.county.pk, "site_supervisor", 0, 2, "hazard"),)
    text = live_check.sentence(rows[0])
    key = sha256(f"{small.county.pk}\n0\n{text}".encode()).hexdigest()
    given = doors.open("vacancy", "found", {"lacks": text}, lacking, about, key=key, now=NOW)
    old = {name: value for name, value in asdict(about).items() if name != "title_en"}
    body = answered.body_hash(mechanism="vacancy", act="found", values={"lacks": text}, actor=asdict(lacking), about=old)
    assert bytes(IdempotencyKey.objects.get(key=key).body_hash) == body
    live_check._open(small.county, rows, LATER)  # said already
    assert Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk)).seq == given.seq
    live_check._open(small.county, (replace(rows[0], has=1),), LATER)
    assert Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk)).seq == given.seq + 1
