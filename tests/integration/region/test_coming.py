"""Changes dated ahead: nothing moves before their day, everything on it, once; until then they are seen and taken back."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.utils import translation

from fengsui import moment
from fengsui.ledger import doors, succession
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Entry
from fengsui.region import change_api, change_views, coming, officenames, subjects
from fengsui.region.acting import actings
from fengsui.region.changing import NotPossible, midnight
from fengsui.region.models import Change, Coming, Holding, Office, Supervision
from fengsui.region.roles import About as Where
from fengsui.region.roles import resolve
from fengsui.region.supervision import supervisor_id
from tests import deferred
from tests.integration.region.conftest import NOW, House
from tests.small_region import Somebody, _somebody

DAY = midnight(date(2026, 12, 1)) + timedelta(minutes=1)
"""The first minute of the day from which the changes of these tests count."""


@pytest.fixture(autouse=True)
def english() -> object:
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and endpoints live at ``NOW`` as everything else here."""
    monkeypatch.setattr(moment, "now", lambda: NOW)
    monkeypatch.setattr(change_api, "present", lambda: NOW)


def hazard(house: House, title: str = "阀门关闭") -> str:
    about = About(kind="site", id=str(house.small.site.pk), duty="hazchem", title=title)
    return doors.open("hazard", "found_here", {"finding": title}, house.small.one("county").actor, about, key="", now=NOW).case


def owner(case: str) -> int | None:
    return Case.objects.get(pk=case).owner_id


def heir_of(house: House) -> Office:
    county = house.small.county
    return Office.objects.create(
        name_zh="新区局", name_en="New bureau", kind="bureau", place=county.place, parent=house.small.league, duties=["duty"]
    )


def client_of(who: Somebody) -> Client:
    client = Client(headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": "en"})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def open_vacancies(office: Office) -> int:
    return Case.objects.filter(mechanism="vacancy", about_id=str(office.pk), ended=False).count()


@pytest.mark.django_db
def test_a_merger_moves_nothing_before_its_day_and_everything_on_it(house: House) -> None:
    county, heir = house.small.county, heir_of(house)
    county.contacts.create(name="值班室", phone="0472-5550101")
    ids = [hazard(house, f"隐患{number}") for number in range(20)]
    answer = client_of(house.admin).post(
        f"/change/office/{county.pk}/merge/",
        {"grounds": "机构改革", "into": str(heir.pk), "since": "2026-12-01", "along": "on"},
    )
    assert answer.status_code == 302
    late = _somebody(county, "late1", ("inspection",), NOW)  # enters the office after the merger was ordered
    for moment_before in (NOW, DAY - timedelta(minutes=2)):
        assert coming.take_effect(moment_before) == 0
    house.small.plant.refresh_from_db()
    heir.refresh_from_db()
    assert house.small.plant.parent_id == county.pk and heir.duties == ["duty"] and not heir.contacts.exists()
    assert set(Case.objects.filter(pk__in=ids).values_list("owner_id", flat=True)) == {county.pk}
    assert [one.office_id for one in actings(late.account, NOW)] == [county.pk]
    for office in (county, heir):
        page = client_of(house.admin).get(f"/offices/{office.pk}/").content.decode()
        assert "from 2026-12-01" in page and "/take_back/" in page and "Merge into another office" in page
    assert coming.take_effect(DAY + timedelta(days=3)) == 1, "caught up after a stop of days"
    house.small.plant.refresh_from_db()
    heir.refresh_from_db()
    assert house.small.plant.parent_id == heir.pk and set(county.duties) <= set(heir.duties)
    assert list(heir.contacts.values_list("name", flat=True)) == ["值班室"]
    assert set(Case.objects.filter(pk__in=ids).values_list("owner_id", flat=True)) == {heir.pk}
    for who in (late, house.small.one("county")):
        assert [one.office_id for one in actings(who.account, DAY)] == [heir.pk]
    assert coming.take_effect(DAY + timedelta(days=4)) == 0
    assert Entry.objects.filter(case__in=ids, act="succeed").count() == 20
    moved = Change.objects.unscoped("test").get(kind="move_office")
    assert moved.person_id == house.admin.person.pk and moved.grounds == "机构改革" and moved.at == DAY + timedelta(days=3)
    assert "/take_back/" not in client_of(house.admin).get(f"/offices/{county.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_processes_carry_a_change_out_once(house: House) -> None:
    case, heir = hazard(house), heir_of(house)
    house.do(house.admin, house.small.county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    done: list[int] = []
    start = threading.Barrier(2)

    def process() -> None:
        start.wait()
        done.append(coming.take_effect(DAY))
        connection.close()

    both = [threading.Thread(target=process) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(done) == [0, 1]
    assert owner(case) == heir.pk and Entry.objects.filter(case=case, act="succeed").count() == 1
    assert Holding.objects.filter(post__office=heir).count() == 4  # three officers and the local administrator


@pytest.mark.django_db
def test_a_merger_is_taken_back_before_its_day(house: House) -> None:
    county, heir, case = house.small.county, heir_of(house), hazard(house)
    house.do(house.admin, county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    county.refresh_from_db()
    with pytest.raises(PermissionDenied):
        subjects.ready("coming", Coming.objects.unscoped("test").get().pk, "take_back", [house.small.one("county").acting], NOW)
    assert "merge" not in [one.operation.name for one in subjects.possible(county, [house.admin.acting], NOW)]
    client = client_of(house.admin)
    (row,) = client.get("/api/coming").json()
    assert row["kind"] == "merge" and row["after"]["successor"] == heir.pk and row["due"].startswith("2026-11-30T16:00")
    address = f"/api/changes/coming/{row['id']}/take_back"
    body = {"values": {"grounds": "暂缓"}}
    assert client.post(address, {"values": {}}, content_type="application/json").status_code == 422
    assert client.post(address, body, content_type="application/json").status_code == 200
    assert client.post(address, body, content_type="application/json").status_code == 409
    assert client.get("/api/coming").json() == []
    county.refresh_from_db()
    assert county.dissolved_on is None and county.successor_id is None
    assert coming.take_effect(DAY) == 0 and owner(case) == county.pk
    assert "taken back" in client.get("/changes/").content.decode()


@pytest.mark.django_db
def test_who_was_to_take_over_was_merged_meanwhile(house: House) -> None:
    county, heir, case = house.small.county, heir_of(house), hazard(house)
    house.do(house.admin, county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    house.do(house.admin, heir, "merge", into=str(house.small.league.pk), since="2026-11-25", along="on")
    assert "into" in house.refused(house.admin, house.small.other, "merge", into=str(county.pk), since="2026-12-03")
    assert coming.take_effect(DAY) == 1
    house.small.plant.refresh_from_db()
    assert house.small.plant.parent_id == house.small.league.pk and owner(case) == house.small.league.pk


@pytest.mark.django_db
def test_a_dissolution_waits_for_its_day(house: House) -> None:
    county, case = house.small.county, hazard(house)
    Office.objects.filter(pk=house.small.plant.pk).update(parent=house.small.league)
    house.do(house.admin, county, "dissolve", since="2026-12-01")
    assert coming.take_effect(DAY - timedelta(hours=1)) == 0 and owner(case) == county.pk
    assert actings(house.small.one("county").account, DAY - timedelta(hours=1))
    page = client_of(house.admin).get(f"/offices/{county.pk}/").content.decode()
    assert "It works until it is dissolved from 2026-12-01 on." in page
    assert coming.take_effect(DAY) == 1
    assert owner(case) == house.small.league.pk and not actings(house.small.one("county").account, DAY)


@pytest.mark.django_db
def test_open_cases_follow_a_site_s_new_supervisor_on_the_day(house: House) -> None:
    small, case = house.small, hazard(house)
    house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(small.league.pk), since="2026-12-01")
    page = client_of(house.admin).get(f"/sites/{small.site.code}/register/").content.decode()
    assert "from 2026-12-01" in page and "/take_back/" in page
    assert coming.take_effect(NOW) == 0 and owner(case) == small.county.pk
    assert coming.take_effect(DAY) == 1 and owner(case) == small.league.pk


@pytest.mark.django_db
def test_a_supervision_taken_back_leaves_the_former_supervisor(house: House) -> None:
    small, case = house.small, hazard(house)
    for office, day in ((small.league, "2026-11-25"), (small.top, "2026-12-01"), (small.county, "2026-12-10")):
        house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    first, second = coming.waiting().order_by("due")
    house.do(house.admin, first, "take_back")
    house.do(house.admin, second, "take_back")
    rows = list(Supervision.objects.values_list("office_id", "until"))
    assert rows == [(small.league.pk, None)]
    assert coming.take_effect(DAY + timedelta(days=30)) == 0
    assert supervisor_id(small.site.pk, "hazchem", "county", DAY + timedelta(days=30)) == small.league.pk == owner(case)


@pytest.mark.django_db
def test_what_was_given_for_sooner_overtakes_what_was_given_for_later(house: House) -> None:
    small, case = house.small, hazard(house)
    for office, day in ((small.top, "2026-12-10"), (small.league, "2026-12-01")):
        house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    outcomes = [one.outcome for one in Coming.objects.unscoped("test").order_by("-due")]
    assert outcomes == ["overtaken", ""]
    assert coming.take_effect(DAY + timedelta(days=30)) == 1 and owner(case) == small.league.pk


@pytest.mark.django_db
def test_a_term_that_ends_later_opens_the_vacancy_on_its_day(house: House) -> None:
    small = house.small
    terms = [Holding.objects.get(person=one.person) for one in small.people["county"]]
    for holding in terms:
        house.do(house.admin, holding, "end_holding", last_day="2026-11-30")
    assert not open_vacancies(small.county) and coming.take_effect(NOW) == 0
    house.do(house.admin, coming.waiting(f"holding:{terms[0].pk}").get(), "take_back")
    terms[0].refresh_from_db()
    assert terms[0].until is None
    assert coming.take_effect(DAY) == 2
    assert open_vacancies(small.county) == 1


@pytest.mark.django_db
def test_where_the_last_term_ends_what_belongs_by_role_passes_on_the_day(house: House) -> None:
    small = house.small
    given = {"hazard_kind": "pressure", "colour": "red"}
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="氨罐压力高")
    case = doors.open("warning", "by_alarm", given, Actor(kind="event", name="warning.level"), about, key="w", now=NOW).case
    for one in small.people["plant"]:
        house.do(house.admin, Holding.objects.get(person=one.person), "end_holding", last_day="2026-11-30")
    assert coming.take_effect(NOW) == 0 and owner(case) == small.plant.pk
    assert coming.take_effect(DAY) == 2
    deferred.carry_out("ledger.follow_staff", at=DAY)
    where = Where(site_id=small.site.pk, duty="hazchem")
    assert owner(case) == resolve("control_room", where, DAY) != small.plant.pk
    assert open_vacancies(small.plant) == 1


@pytest.mark.django_db
def test_a_term_that_begins_later_fills_the_vacancy_on_its_day(house: House) -> None:
    small = house.small
    for one in small.people["county"][1:]:
        house.do(house.admin, Holding.objects.get(person=one.person), "end_holding")
    assert open_vacancies(small.county) == 1
    post = small.one("county", 1).post
    person = house.do(house.admin, post, "begin_holding", name="新来的", phone="0472-5550101", since="2026-12-01").subject.person
    house.officer(person)
    assert coming.take_effect(NOW) == 0 and open_vacancies(small.county) == 1
    assert coming.take_effect(DAY) == 1 and not open_vacancies(small.county)
    assert Holding.objects.get(person=person).post.office_id == small.county.pk


@pytest.mark.django_db
def test_a_term_that_has_not_begun_is_taken_back_by_another_only(house: House) -> None:
    small = house.small
    own = Holding.objects.get(person=house.local.person)
    house.do(house.admin, own, "end_holding", last_day="2026-12-05")
    row = coming.waiting().get()
    assert "another administrator" in str(house.refused(house.local, row, "take_back"))
    house.do(house.admin, small.one("county").post, "begin_holding", name="新来的", phone="0472-5550101", since="2026-12-01")
    begun = coming.waiting().exclude(pk=row.pk).get()
    house.do(house.local, begun, "take_back")
    assert not Holding.objects.filter(pk=begun.how["holding"]).exists()
    assert coming.take_effect(DAY) == 0


@pytest.mark.django_db
def test_a_new_name_is_taken_back(house: House) -> None:
    county = house.small.county
    new = {"name_zh": "甲区局", "name_en": "District A bureau", "since": "2026-12-01"}
    house.do(house.admin, county, "rename", **new)
    assert "since" in house.refused(house.admin, county, "rename", **new)
    house.do(house.admin, coming.waiting().get(), "take_back")
    assert coming.take_effect(DAY) == 0 and officenames.take_effect(DAY.date()) == 0
    house.do(house.admin, county, "rename", **new)
    assert coming.take_effect(DAY) == 1
    county.refresh_from_db()
    assert county.name_zh == "甲区局"


@pytest.mark.django_db
def test_what_cannot_be_done_says_why_and_holds_up_nothing_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    small = house.small
    house.do(house.admin, small.county, "merge", into=str(heir_of(house).pk), since="2026-12-01", along="on")
    house.do(house.admin, small.other, "rename", name_zh="丙局", name_en="C", since="2026-12-02")

    def refuse(changing: object, one: object) -> None:
        raise NotPossible("没有承接机构")

    monkeypatch.setitem(coming._work, "merge", refuse)
    later: datetime = DAY + timedelta(days=2)
    assert coming.take_effect(later) == 1
    assert "没有承接机构" in client_of(house.admin).get(f"/offices/{small.county.pk}/").content.decode()
    monkeypatch.setitem(coming._work, "merge", lambda changing, one: None)
    assert coming.take_effect(later + timedelta(seconds=30)) == 0, "not before the minute is over"
    assert coming.take_effect(later + timedelta(minutes=1)) == 1


def back(client: Client, row: Coming) -> int:
    """Take it back by the programs' door; the status of the answer."""
    body = {"values": {"grounds": "暂缓"}}
    return client.post(f"/api/changes/coming/{row.pk}/take_back", body, content_type="application/json").status_code


@pytest.mark.django_db
@pytest.mark.parametrize("ordered", ["merge", "dissolve"])
def test_an_office_does_not_take_back_its_own_end(house: House, ordered: str) -> None:
    county, small = house.small.county, house.small
    if ordered == "merge":
        house.do(house.admin, county, "merge", into=str(heir_of(house).pk), since="2026-12-01", along="on")
    else:
        Office.objects.filter(pk=small.plant.pk).update(parent=small.league)
        house.do(house.admin, county, "dissolve", since="2026-12-01")
    row = coming.waiting().get()
    assert back(client_of(house.local), row) == 403
    assert "/take_back/" not in client_of(house.local).get(f"/offices/{county.pk}/").content.decode()
    upper = _somebody(small.league, "upper1", ("administration",), NOW)
    assert back(client_of(upper), row) == 200
    county.refresh_from_db()
    assert county.dissolved_on is None


@pytest.mark.django_db
def test_a_term_dated_ahead_begins_though_its_end_is_entered_too(house: House) -> None:
    small = house.small
    for one in small.people["county"][1:]:
        house.do(house.admin, Holding.objects.get(person=one.person), "end_holding")
    assert open_vacancies(small.county) == 1
    held = house.do(
        house.admin, small.one("county", 1).post, "begin_holding", name="新来的", phone="0472-5550101", since="2026-12-01"
    ).subject
    house.officer(held.person)
    house.do(house.admin, held, "end_holding", last_day="2026-12-10")
    assert [(one.change.kind, one.outcome) for one in coming.waiting().order_by("due")] == [
        ("begin_holding", ""),
        ("end_holding", ""),
    ]
    assert coming.take_effect(DAY) == 1 and not open_vacancies(small.county)
    assert coming.take_effect(DAY + timedelta(days=10)) == 1 and open_vacancies(small.county) == 1


@pytest.mark.django_db
def test_with_a_term_taken_back_its_end_goes_too(house: House) -> None:
    post = house.small.one("county").post
    held = house.do(house.admin, post, "begin_holding", name="新来的", phone="0472-5550101", since="2026-12-01").subject
    house.do(house.admin, held, "end_holding", last_day="2026-12-10")
    house.do(house.admin, coming.waiting().get(change__kind="begin_holding"), "take_back")
    assert not coming.waiting().exists() and not Holding.objects.filter(pk=held.pk).exists()
    gone = Coming.objects.unscoped("test").get(change__kind="end_holding")
    Coming.objects.unscoped("test").filter(pk=gone.pk).update(outcome="")  # as one that two entered at once would stand
    assert "no longer there" in str(house.refused(house.admin, coming.waiting().get(), "take_back"))


@pytest.mark.django_db
def test_taking_back_a_later_end_lets_the_sooner_one_count_again(house: House) -> None:
    holding = Holding.objects.get(person=house.small.one("county").person)
    for day in ("2026-11-30", "2026-12-20"):
        house.do(house.admin, holding, "end_holding", last_day=day)
    (row,) = coming.waiting()
    house.do(house.admin, row, "take_back")
    holding.refresh_from_db()
    assert holding.until == midnight(date(2026, 12, 1))
    assert [one.due for one in coming.waiting()] == [holding.until]
    house.do(house.admin, coming.waiting().get(), "take_back")
    holding.refresh_from_db()
    assert holding.until is None and not coming.waiting().exists()
    for day in ("2026-11-30", "2026-12-20"):
        house.do(house.admin, holding, "end_holding", last_day=day)
    house.now = DAY + timedelta(days=3)
    assert "is over" in str(house.refused(house.admin, coming.waiting().get(), "take_back"))


@pytest.mark.django_db
def test_taking_back_a_supervision_restores_what_it_had_overtaken(house: House) -> None:
    small, case = house.small, hazard(house)
    # for later, then for sooner: the sooner one overtakes; one given since, for between, stands upon both
    for office, day in ((small.top, "2026-12-10"), (small.league, "2026-12-01"), (small.county, "2026-12-05")):
        house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    sooner, between = coming.waiting().order_by("due")
    house.do(house.admin, sooner, "take_back")
    rows = list(Supervision.objects.order_by("since").values_list("office_id", "since", "until"))
    assert rows == [(small.county.pk, date(2026, 12, 5), None)], "given for the 5th after the one for the 10th"
    house.do(house.admin, between, "take_back")
    rows = list(Supervision.objects.order_by("since").values_list("office_id", "since", "until"))
    assert rows == [(small.top.pk, date(2026, 12, 10), None)]
    assert [one.due for one in coming.waiting()] == [midnight(date(2026, 12, 10))]
    assert coming.take_effect(DAY + timedelta(days=30)) == 1 and owner(case) == small.top.pk


@pytest.mark.django_db
def test_an_office_merged_meanwhile_takes_nobody_over(house: House) -> None:
    small, heir = house.small, heir_of(house)
    ready, form = house.form(house.admin, small.county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    assert form.is_valid()
    # the other administrator was first: A into B and B into A would be a circle
    Office.objects.filter(pk=heir.pk).update(dissolved_on=date(2026, 12, 1), successor=small.county)
    assert change_views.run(ready, form, NOW) is None and "into" in form.errors
    small.county.refresh_from_db()
    assert small.county.dissolved_on is None


@pytest.mark.django_db
def test_what_was_recorded_before_there_were_such_rows_is_not_done_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.do(house.admin, house.small.county, "merge", into=str(heir_of(house).pk), since="2026-12-01", along="on")
    coming.waiting().update(how={})
    monkeypatch.setitem(coming._work, "merge", lambda changing, one: pytest.fail("it did its moves at once"))
    assert coming.take_effect(DAY) == 1


@pytest.mark.django_db
def test_who_gives_a_site_up_is_who_supervised_until_that_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    small = house.small
    told: list[dict[int, int]] = []
    of_site = succession.of_site

    def heard(*args: Any, moved: dict[int, int], **more: Any) -> int:
        told.append(moved)
        return of_site(*args, moved=moved, **more)

    monkeypatch.setattr(succession, "of_site", heard)
    for office, day in ((small.league, "2026-12-01"), (small.top, "2026-12-10")):
        house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    assert coming.take_effect(DAY) == 1 and coming.take_effect(DAY + timedelta(days=10)) == 1
    assert told == [{small.county.pk: small.league.pk}, {small.league.pk: small.top.pk}]


@pytest.mark.django_db
def test_terms_dated_ahead_go_along_with_a_merger(house: House) -> None:
    small, heir = house.small, heir_of(house)
    house.do(house.admin, small.county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    new = {"name": "新来的", "phone": "0472-5550101", "since": "2026-12-05"}
    person = house.do(house.admin, small.one("county").post, "begin_holding", **new).subject.person
    leaver = small.one("county", 1).person
    house.do(house.admin, Holding.objects.get(person=leaver), "end_holding", last_day="2026-12-19")
    assert coming.take_effect(DAY) == 1
    ends = Holding.objects.get(person=leaver, post__office=heir)
    begins = Holding.objects.get(person=person)
    assert begins.post.office_id == heir.pk and ends.until == midnight(date(2026, 12, 20))
    assert [(one.change.kind, one.change.office_id, one.how["holding"]) for one in coming.waiting()] == [
        ("begin_holding", heir.pk, begins.pk),
        ("end_holding", heir.pk, ends.pk),
    ]
    house.now = DAY
    for row in coming.waiting():
        house.do(house.admin, row, "take_back")
    ends.refresh_from_db()
    assert ends.until is None and not Holding.objects.filter(person=person).exists()


@pytest.mark.django_db
def test_terms_dated_ahead_end_with_a_dissolved_office(house: House) -> None:
    small = house.small
    Office.objects.filter(pk=small.plant.pk).update(parent=small.league)
    house.do(house.admin, small.county, "dissolve", since="2026-12-01")
    new = {"name": "新来的", "phone": "0472-5550101", "since": "2026-12-05"}
    house.do(house.admin, small.one("county").post, "begin_holding", **new)
    house.do(house.admin, Holding.objects.get(person=small.one("county", 1).person), "end_holding", last_day="2026-12-19")
    assert coming.take_effect(DAY) == 1 and not coming.waiting().exists()
    assert not Holding.objects.filter(post__office=small.county, since__gte=DAY).exists()
    set_aside = Coming.objects.unscoped("test").filter(outcome="overtaken")
    assert {one.by.kind for one in set_aside.select_related("by")} == {"dissolve"} and set_aside.count() == 2
    set_aside.filter(change__kind="end_holding").update(outcome="")
    house.now = DAY
    assert "exists no more" in str(house.refused(house.admin, coming.waiting().get(), "take_back"))


@pytest.mark.django_db
def test_a_merger_gives_on_its_day_what_whoever_ordered_it_may_give(house: House) -> None:
    small = house.small
    upper = _somebody(small.league, "upper1", ("administration",), NOW)
    heir = Office.objects.create(
        name_zh="新区局", name_en="New bureau", kind="bureau", place=small.place, parent=small.league, duties=["duty"]
    )
    house.do(upper, small.county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    # the department gives the office a field of work that the league's bureau lacks
    house.do(house.admin, small.county, "edit_office", duties=[*small.county.duties, "finance"], phone="")
    assert coming.take_effect(DAY) == 1
    heir.refresh_from_db()
    assert set(heir.duties) == {"hazchem", "mines", "duty"}
    left = Change.objects.unscoped("test").get(kind="duties_moved")
    assert left.office_id == small.county.pk and left.before["duties"] == ["finance"]


@pytest.mark.django_db
def test_what_cannot_be_done_is_said_in_both_languages_and_taken_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    county, heir = house.small.county, heir_of(house)
    house.do(house.admin, county, "merge", into=str(heir.pk), since="2026-12-01", along="on")
    gone = Office.objects.filter(pk__in=[heir.pk, house.small.league.pk])
    gone.update(dissolved_on=date(2026, 11, 30))  # nobody is left who would take over
    tried = []
    for minutes in range(200):
        assert coming.take_effect(DAY + timedelta(minutes=minutes)) == 0
        tried.append(coming.waiting().get().tries)
    assert [tried.index(number) for number in range(1, 10)] == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    client = client_of(house.admin)
    assert client.get("/api/coming").json()[0]["failed"].startswith("Neither the office")
    assert "Neither the office" in client.get(f"/offices/{county.pk}/").content.decode()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-hans"
    assert "Neither" not in client.get(f"/offices/{county.pk}/", headers={"Accept-Language": "zh-hans"}).content.decode()
    gone.update(dissolved_on=None)
    monkeypatch.setattr(change_api, "present", lambda: DAY + timedelta(days=1))
    assert back(client, coming.waiting().get()) == 200
    county.refresh_from_db()
    assert county.dissolved_on is None and coming.take_effect(DAY + timedelta(days=2)) == 0


@pytest.mark.django_db
def test_an_unforeseen_error_is_shown_and_put_off_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    small, case = house.small, hazard(house)
    house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(small.league.pk), since="2026-12-01")

    def fails(*args: object, **more: object) -> int:
        raise RuntimeError("disk")

    monkeypatch.setattr(succession, "of_site", fails)
    with pytest.raises(RuntimeError):
        coming.take_effect(DAY)
    assert coming.take_effect(DAY + timedelta(seconds=30)) == 0
    row = coming.waiting().get()
    assert "RuntimeError" in row.failed and "not foreseen" in row.failed_en and row.failed != row.failed_en
    monkeypatch.undo()
    house.now = DAY
    house.do(house.admin, row, "take_back")
    assert not Supervision.objects.exists() and owner(case) == small.county.pk
    assert not coming.waiting().exists()


@pytest.mark.django_db
def test_a_failed_order_is_overtaken_by_a_new_one(house: House) -> None:
    small, case = house.small, hazard(house)
    house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(small.league.pk), since="2026-12-01")
    coming.waiting().update(failed="x", failed_en="x", next_try=DAY + timedelta(hours=30))
    house.now = DAY + timedelta(days=1)
    house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(small.top.pk), since="2026-12-02")
    assert not coming.waiting().exists() and owner(case) == small.top.pk


@pytest.mark.django_db
def test_what_is_to_come_is_seen_by_those_who_read_the_record(house: House) -> None:
    county = house.small.county
    house.do(house.admin, Holding.objects.get(person=house.small.one("county", 1).person), "end_holding", last_day="2026-12-19")
    officer, stranger = house.small.one("county"), _somebody(house.small.other, "far1", ("administration",), NOW)
    for who, reads in ((house.admin, True), (house.local, True), (house.auditor, True), (officer, False), (stranger, False)):
        client = client_of(who)
        answer, page = client.get("/api/coming"), client.get(f"/offices/{county.pk}/")
        listed = answer.status_code == 200 and len(answer.json()) == 1
        assert listed is reads and ('id="coming"' in page.content.decode()) is reads
