"""What a reader of a case must not see all the same, and whose notice a notice is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from fengsui.ledger import doors, notices, reading, receipts, reporters
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Entry, Evidence, EvidenceUse
from fengsui.ledger.public import words
from fengsui.ledger.reading.sealed import hidden_in, shown
from fengsui.region.acting import Acting
from fengsui.region.models import Delegation
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, first_criterion, photo, settle
from tests.integration.ledger.test_reporters import FORM, law_officer
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def client_of(one: Somebody) -> Client:
    client = Client()
    client.force_login(one.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reported(small: Small) -> Case:
    """Reported by the public at the plant, with a photo and where the reporter stood."""
    Evidence.objects.create(digest="ab" * 32, name="photo 1", media_type="image/jpeg", size=3, stored_at=NOW)
    values = {
        "finding": "冷库后门有氨味", "reporter_code": reporters.code_of(FORM), "photos": ["ab" * 32], "position": [110.01, 40.01],
    }  # fmt: skip
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨味")
    given = doors.open("hazard", "public_report", values, Actor("public"), about, key="k", now=NOW)
    reporters.keep(given.case, reporters.secret_of(FORM), {"name": "甲"}, NOW)
    return Case.objects.get(pk=given.case)


@pytest.fixture
def listed(reported: Case, small: Small) -> Case:
    """The same, taken up and listed: the enterprise has it in hand and reads it."""
    do(str(reported.pk), "accept", small.one("county"))
    for number in (0, 1):
        do(str(reported.pk), "list", small.one("county", number), criterion=first_criterion())
    case = Case.objects.get(pk=reported.pk)
    assert case.state == "settling"
    return case


def test_the_enterprise_finds_neither_where_the_reporter_stood_nor_the_photos(listed: Case, small: Small) -> None:
    reported, plant, county = listed, small.one("plant", 1), small.one("county")
    assert "position" in hidden_in(reported, plant.acting, NOW)
    assert "position" not in hidden_in(reported, county.acting, NOW)
    assert reading.file_of(reported, "ab" * 32, plant.acting, NOW) is None
    assert reading.file_of(reported, "ab" * 32, county.acting, NOW) is not None
    said = shown(Entry.objects.get(case=reported, seq=1).content()["values"], hidden_in(reported, plant.acting, NOW))
    assert said["position"] == "•••" and said["reporter_code"] == "•••"
    code = Entry.objects.get(case=reported, seq=1).content()["values"]["reporter_code"]
    for address in (f"/api/cases/{reported.pk}", f"/api/cases/{reported.pk}/entries", f"/cases/{reported.pk}/"):
        answers = {}
        for who in (plant, county):
            answers[who] = client_of(who).get(address, headers={"X-Acting-Post": str(who.post.pk)})
            assert answers[who].status_code == 200, address
        assert b"110.01" not in answers[plant].content and code.encode() not in answers[plant].content, address
        if address.startswith("/api/"):
            assert b"110.01" in answers[county].content, "what the enterprise is not shown is there to be shown"
    assert client_of(plant).get(f"/cases/{reported.pk}/evidence/{'ab' * 32}/").status_code == 404


def test_a_file_of_a_sealed_field_opens_to_nobody_who_may_not_read_the_field(reported: Case, small: Small) -> None:
    entry = Entry.objects.get(case=reported, seq=1)
    EvidenceUse.objects.create(evidence_id="ab" * 32, case=reported, entry=entry, field="reporter_code")
    EvidenceUse.objects.filter(field="photos").delete()
    county = small.one("county")
    assert client_of(county).get(f"/cases/{reported.pk}/evidence/{'ab' * 32}/").status_code == 404


def test_a_notice_that_a_colleague_read_stays_new_to_me(reported: Case, small: Small) -> None:
    first, second = small.one("county").acting, small.one("county", 1).acting
    reporters.say(reported, "今天更重", NOW)
    offices = [small.county.pk]
    many = notices.unread(offices, first.person_id)
    assert many and notices.see(notices.of(offices, first.person_id), first.person_id, NOW) == many
    assert notices.unread(offices, first.person_id) == 0
    assert notices.unread(offices, second.person_id) == many
    page = client_of(small.one("county", 1)).get("/notices/").content.decode()
    assert "fs-strong" in page


def test_without_the_key_a_look_says_what_to_restore_and_makes_no_other_key(reported: Case, small: Small, settings) -> None:  # type: ignore[no-untyped-def]
    path = Path(settings.KEYS_DIR) / reporters.KEY
    path.rename(path.with_suffix(".away"))
    officer = law_officer(small)
    answer = client_of(officer).post(
        f"/cases/{reported.pk}/reporter/", {"grounds": "核发奖励", "post": officer.post.pk}, headers={"Accept-Language": "en"}
    )
    assert answer.status_code == 503
    assert "reporter.key" in answer.content.decode()
    assert not path.exists()
    with pytest.raises(Refused):
        reporters.look(reported, "核发奖励", officer.acting, NOW)
    assert not Entry.objects.filter(case=reported, act="look").exists(), "nothing was shown, so nothing is entered"
    code = receipts.give(Entry.objects.get(case=reported, seq=1).pk, NOW).code
    told = Client().post("/follow/", {"code": code, "secret": reporters.secret_of(FORM)})
    assert told.status_code == 503
    path.with_suffix(".away").rename(path)
    assert reporters.follow(code, reporters.secret_of(FORM)) == reported


def test_a_deputy_looks_only_where_the_delegation_says_so(reported: Case, small: Small) -> None:
    officer, helper = law_officer(small), small.one("plant")
    lent = {"person_id": helper.person.pk, "post_id": officer.post.pk, "office_id": officer.post.office_id,
            "principal_id": officer.person.pk}  # fmt: skip
    Delegation.objects.create(
        principal=officer.person, deputy=helper.person, post=officer.post, acts=["order_stop"], since=NOW - timedelta(days=1),
        until=NOW + timedelta(days=1),
    )  # fmt: skip
    with pytest.raises(Refused) as caught:
        reporters.look(reported, "想知道", Acting(**lent, acts=("order_stop",)), NOW)
    assert caught.value.status == 403
    Delegation.objects.update(acts=["look"])
    assert reporters.look(reported, "核发奖励", Acting(**lent, acts=("look",)), NOW) == {"name": "甲"}


def rewarded(small: Small, reported: Case) -> Case:
    """The reported hazard found, rectified and cancelled: its reward in the payer's hands."""
    case = str(reported.pk)
    do(case, "accept", small.one("county"))
    settle(small, case)
    do(case, "submit", small.one("plant"), evidence=[photo(digest="cd" * 32)])
    for number in (1, 2):
        do(case, "pass_off_site", small.one("county", number), grounds="材料齐全", photos=["cd" * 32])
    found = Case.objects.get(parent=reported, mechanism="reward")
    do(str(found.pk), "compute", small.one("county"), amount=100000, grounds="按百分之一")
    do(str(found.pk), "approve", small.one("league"))
    return Case.objects.get(pk=found.pk)


def test_the_payer_checks_a_password_and_sees_no_name(reported: Case, small: Small) -> None:
    law_officer(small)  # else a leader stands in for the vacant post
    payer = small.one("top", 1)
    payer.post.duties = [*payer.post.duties, "finance"]
    payer.post.save()
    reward = rewarded(small, reported)
    assert reward.owner_id == small.top.pk and reward.confidential
    code = receipts.give(Entry.objects.get(case=reported, seq=1).pk, NOW).code
    client = client_of(payer)
    page = client.get(f"/cases/{reward.pk}/payee/")
    assert page.status_code == 200
    wrong = client.post(f"/cases/{reward.pk}/payee/", {"code": code, "secret": "0000-0000-0000", "post": payer.post.pk})
    right = client.post(f"/cases/{reward.pk}/payee/", {"code": code, "secret": reporters.secret_of(FORM), "post": payer.post.pk})
    assert "fs-verdict--bad" in wrong.content.decode() and "fs-verdict--bad" not in right.content.decode()
    proofs = [one.content()["values"]["proved"] for one in Entry.objects.filter(case=reward, act="message").order_by("seq")]
    assert proofs == [False, True]
    for office in ("county", "league"):
        assert client_of(small.one(office)).post(f"/cases/{reward.pk}/payee/", {"code": code, "secret": "x"}).status_code in (
            403,
            422,
        )
    with pytest.raises(Refused):
        reporters.look(reported, "发放", payer.acting, NOW)


def test_the_reporter_hears_of_the_reward_by_the_secret(reported: Case, small: Small) -> None:
    rewarded(small, reported)
    told = [one.title for one in words.told(Case.objects.get(pk=reported.pk))]
    assert any("举报奖励" in one for one in told), told
