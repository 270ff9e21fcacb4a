"""Changes dated ahead that could not be carried out on their day: taken back or entered anew by those entitled to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import translation

from fengsui import moment
from fengsui.region import change_api, coming
from fengsui.region.acting import actings
from fengsui.region.changing import midnight
from fengsui.region.models import Change, Coming, Delegation, Holding, Supervision
from fengsui.region.supervision import supervisor_id
from tests import deferred
from tests.integration.region.conftest import NOW, House
from tests.integration.region.test_coming import DAY, back, client_of, hazard, open_vacancies, owner

pytestmark = pytest.mark.django_db
LATE = DAY + timedelta(hours=9)


@pytest.fixture(autouse=True)
def english() -> object:
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list:
    """Pages and endpoints live at the moment that stands here."""
    at = [NOW]
    monkeypatch.setattr(moment, "now", lambda: at[0])
    monkeypatch.setattr(change_api, "present", lambda: at[0])
    return at


def failed(house: House, clock: list, monkeypatch: pytest.MonkeyPatch) -> Coming:
    """What waits could not be carried out on its day: an error that nobody foresaw. Gives the row, in the late morning."""

    def fails(*args: object, **more: object) -> int:
        raise RuntimeError("disk")

    monkeypatch.setattr("fengsui.ledger.live_check.check_offices", fails)
    with pytest.raises(RuntimeError):
        coming.take_effect(DAY)
    monkeypatch.undo()
    monkeypatch.setattr(moment, "now", lambda: clock[0])
    monkeypatch.setattr(change_api, "present", lambda: clock[0])
    clock[0] = house.now = LATE
    row = coming.waiting().get()
    assert row.failed
    return row


def ended_ahead(house: House) -> Holding:
    """The term of the county's first officer, to end with November."""
    holding = Holding.objects.get(person=house.small.one("county").person)
    house.do(house.admin, holding, "end_holding", last_day="2026-11-30")
    holding.refresh_from_db()
    return holding


def test_an_end_that_failed_is_taken_back_after_its_day(house: House, clock: list, monkeypatch: pytest.MonkeyPatch) -> None:
    holding = ended_ahead(house)
    row = failed(house, clock, monkeypatch)
    assert "/take_back/" in client_of(house.admin).get(f"/offices/{house.small.county.pk}/").content.decode()
    assert back(client_of(house.small.one("county", 1)), row) == 403
    assert back(client_of(house.admin), row) == 200
    holding.refresh_from_db()
    assert holding.until is None and not coming.waiting().exists()
    assert actings(house.small.one("county").account, LATE)
    assert back(client_of(house.admin), row) == 409


def test_an_end_that_failed_is_overtaken_by_a_new_one(house: House, clock: list, monkeypatch: pytest.MonkeyPatch) -> None:
    holding = ended_ahead(house)
    row = failed(house, clock, monkeypatch)
    address = f"/change/holding/{holding.pk}/end_holding/"
    person = client_of(house.admin).get(f"/people/{holding.person_id}/").content.decode()
    assert address in person, "the page offers it"
    answer = client_of(house.admin).post(address, {"grounds": "任免", "last_day": "2026-12-10"})
    assert answer.status_code == 302
    holding.refresh_from_db()
    row.refresh_from_db()
    assert holding.until == midnight(date(2026, 12, 11)) and row.outcome == "overtaken"


def test_a_new_end_does_what_the_failed_one_would_have(house: House, clock: list, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in house.small.people["county"][1:]:
        house.do(house.admin, Holding.objects.get(person=one.person), "end_holding")
    holding = ended_ahead(house)
    case = hazard(house)
    failed(house, clock, monkeypatch)
    assert not open_vacancies(house.small.county) or owner(case) == house.small.county.pk
    address = f"/api/changes/holding/{holding.pk}/end_holding"
    body = {"values": {"grounds": "任免"}}
    assert client_of(house.admin).post(address, body, content_type="application/json").status_code == 200
    deferred.carry_out("ledger.follow_staff")
    holding.refresh_from_db()
    assert holding.until == midnight(date(2026, 12, 1)), "whoever was out already is not let in once more"
    assert open_vacancies(house.small.county) == 1 and owner(case) == house.small.league.pk
    assert not coming.waiting().exists() and coming.take_effect(LATE + timedelta(days=1)) == 0
    assert client_of(house.admin).post(address, body, content_type="application/json").status_code == 409


def test_a_beginning_that_failed_is_taken_back_after_its_day(house: House, clock: list, monkeypatch: pytest.MonkeyPatch) -> None:
    post = house.small.one("county").post
    held = house.do(house.admin, post, "begin_holding", name="新来的", phone="0472-5550101", since="2026-12-01").subject
    row = failed(house, clock, monkeypatch)
    assert back(client_of(house.admin), row) == 200
    held.refresh_from_db()
    assert held.until == LATE, "the person may have acted since: the term stays on record and ends"
    assert not coming.waiting().exists()
    assert Change.objects.unscoped("test").filter(kind="end_holding", at=LATE).count() == 1
    house.do(house.admin, post, "begin_holding", person=str(held.person_id), since="2026-12-02")


def test_an_order_of_supervision_kept_in_the_former_shape_is_taken_back(house: House) -> None:
    small = house.small
    for office, day in ((small.top, "2026-11-25"), (small.league, "2026-12-10"), (small.other, "2026-12-20")):
        small.other.duties = ["hazchem"]
        if office != small.other:
            house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    row = coming.waiting().get()
    ended = [[pk, until] for pk, _office, _since, until in row.how["stood"]]
    assert ended
    coming.waiting().update(how={"site": small.site.pk, "duty": "hazchem", "ended": ended})
    assert back(client_of(house.admin), row) == 200
    assert list(Supervision.objects.values_list("office_id", "until")) == [(small.top.pk, None)]
    assert supervisor_id(small.site.pk, "hazchem", "county", DAY + timedelta(days=30)) == small.top.pk


def test_what_stands_upon_an_order_in_the_former_shape_is_given_anew(house: House) -> None:
    small = house.small
    for office, day in ((small.league, "2026-12-01"), (small.top, "2026-12-10")):
        house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    for row in coming.waiting():
        ended = [[pk, until] for pk, _office, _since, until in row.how["stood"]]
        coming.waiting().filter(pk=row.pk).update(how={"site": small.site.pk, "duty": "hazchem", "ended": ended})
    first = coming.waiting().order_by("due").first()
    assert back(client_of(house.admin), first) == 200
    assert list(Supervision.objects.values_list("office_id", "since")) == [(small.top.pk, date(2026, 12, 10))]


def test_the_end_of_a_term_says_which_delegations_end_with_it(house: House) -> None:
    principal, deputy = house.small.people["county"][:2]
    Delegation.objects.create(
        principal=principal.person,
        deputy=deputy.person,
        post=principal.post,
        acts=["*"],
        since=NOW,
        until=NOW + timedelta(days=60),
    )
    holding = Holding.objects.get(person=principal.person)
    both = f"With it end the delegations: {principal.person.name} → {deputy.person.name}."
    ahead = house.do(house.admin, holding, "end_holding", last_day="2026-12-05")
    assert ahead.said.endswith(both) and Delegation.objects.filter(until__gt=NOW).exists()
    client = client_of(house.admin)
    answer = client.post(f"/change/holding/{holding.pk}/end_holding/", {"grounds": "任免"}, follow=True)
    assert both in answer.content.decode()
    assert not Delegation.objects.filter(until__gt=NOW).exists()
    other = Holding.objects.get(person=house.small.one("county", 2).person)
    assert "delegations" not in house.do(house.admin, other, "end_holding").said


def test_charges_are_fields_of_work_that_are_known(house: House) -> None:
    county, client = house.small.county, client_of(house.admin)
    given = {"title_zh": "副局长", "title_en": "Deputy head", "duties": ["leading"], "charges": ["hazchem", "everything"]}
    body = {"values": {**given, "grounds": "三定"}}
    answer = client.post(f"/api/changes/office/{county.pk}/add_post", body, content_type="application/json")
    (wrong,) = answer.json()["errors"]
    assert answer.status_code == 422 and wrong["about"] == "values.charges"
    assert "“everything”" in wrong["needs"] and "“In charge of”" in wrong["needs"] and "hazchem, mines" in wrong["needs"]
    page = client.post(f"/change/office/{county.pk}/add_post/", {**given, "grounds": "三定"})
    assert page.status_code == 422 and "“everything” is no choice" in page.content.decode() and "副局长" in page.content.decode()
    assert not county.posts.filter(title_zh="副局长").exists()
    body["values"]["charges"] = ["hazchem", "hazchem"]
    assert client.post(f"/api/changes/office/{county.pk}/add_post", body, content_type="application/json").status_code == 200
    assert county.posts.get(title_zh="副局长").charges == ["hazchem"]
