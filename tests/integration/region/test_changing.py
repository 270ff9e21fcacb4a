"""The region's registers change through one door: on record, with the check of vacancies, and cases follow."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import translation

from fengsui.ledger import doors, live_check, succession
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Clock, Entry
from fengsui.region import changerecord, coming, officenames, subjects
from fengsui.region.acting import actings
from fengsui.region.change_views import run
from fengsui.region.models import Account, Certificate, Change, Delegation, Holding, Office, Person, Post, Supervision
from fengsui.region.operations import find
from fengsui.region.operations.delegations import colleague
from fengsui.region.operations.posts import within_reach
from fengsui.region.roles import About as Where
from fengsui.region.roles import resolve
from fengsui.region.supervision import supervisor_id, unanswered
from tests.integration.region.conftest import NOW, House
from tests.small_region import _somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english() -> object:
    with translation.override("en"):
        yield


def vacancies(office: Office) -> list[Case]:
    return list(Case.objects.filter(mechanism="vacancy", about_id=str(office.pk), ended=False))


def hazard(house: House, title: str = "阀门关闭") -> str:
    about = About(kind="site", id=str(house.small.site.pk), duty="hazchem", title=title)
    return doors.open("hazard", "found_here", {"finding": title}, house.small.one("county").actor, about, key="", now=NOW).case


def test_only_administrators_of_the_office_or_above_may(house: House) -> None:
    county, other = house.small.county, house.small.other
    officer = house.small.one("county")
    with pytest.raises(PermissionDenied):
        subjects.ready("office", county.pk, "add_post", [officer.acting], NOW)
    with pytest.raises(Http404):
        subjects.ready("office", other.pk, "add_post", [house.local.acting], NOW)
    with pytest.raises(PermissionDenied):
        subjects.ready("office", county.pk, "add_post", [house.auditor.acting], NOW)
    for who in (house.admin, house.local):
        assert subjects.ready("office", county.pk, "add_post", [who.acting], NOW).acting == who.acting


def test_a_term_that_ends_leaves_a_vacancy_and_a_new_one_fills_it(house: House) -> None:
    county, small = house.small.county, house.small
    assert not vacancies(county)
    for one in small.people["county"][1:]:
        house.do(house.local, Holding.objects.get(person=one.person), "end_holding")
    case = vacancies(county)[0]
    assert case.state == "open"
    post = small.one("county", 1).post
    done = house.do(house.local, post, "begin_holding", name="新来的", phone="0472-5550101", since="2026-11-25")
    person = done.subject.person
    assert vacancies(county) and person.account is None, "who cannot sign in fills nothing yet"
    house.officer(person)
    assert not vacancies(county)
    case.refresh_from_db()
    assert case.state == "filled"
    assert Change.objects.unscoped("test").filter(kind="begin_holding", subject_id=post.pk).exists()
    line = Change.objects.unscoped("test").filter(kind="end_holding").first()
    assert line.grounds == "任免〔2026〕12号" and line.person_id == house.local.person.pk and line.office_id == county.pk


def test_a_post_that_belongs_to_oneself_is_changed_by_another(house: House) -> None:
    own = Holding.objects.get(person=house.local.person)
    assert "another administrator" in str(house.refused(house.local, own, "end_holding"))
    errors = house.refused(house.local, house.local.post, "edit_post", title_zh="管", title_en="Adm",
                           duties=["administration", "leading"])  # fmt: skip
    assert "duties" in errors
    vacant = Post.objects.create(office=house.small.county, title_zh="副局长", title_en="Deputy", duties=["leading"])
    assert "person" in house.refused(house.local, vacant, "begin_holding", person=str(house.local.person.pk), since="2026-11-25")
    house.do(house.admin, own, "end_holding")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "", "person": "", "since": "2026-11-25"}, "person"),
        ({"name": "甲", "person": "7", "since": "2026-11-25"}, "person"),
        ({"name": "甲", "since": "soon"}, "since"),
        ({"name": "甲", "since": "2026-11-25", "grounds": "  "}, "grounds"),
        ({"person": "drop table", "since": "2026-11-25"}, "person"),
        ({"person": "999999999", "since": "2026-11-25"}, "person"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(house: House, values: dict[str, str], field: str) -> None:
    post = house.small.one("county").post
    before = Holding.objects.count(), Change.objects.unscoped("test").count(), Person.objects.unscoped("test").count()
    assert field in house.refused(house.local, post, "begin_holding", **values)
    assert before == (Holding.objects.count(), Change.objects.unscoped("test").count(), Person.objects.unscoped("test").count())


def test_an_invitation_is_a_password_for_once(house: House, client: Client) -> None:
    person = house.do(
        house.local, house.small.one("county").post, "begin_holding", name="乌兰", since="2026-11-20"
    ).subject.person
    done = house.do(house.local, person, "invite", username="wulan")
    secret = done.secret["password"]
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", secret)
    assert not Change.objects.unscoped("test").filter(after__icontains=secret).exists(), "the password stands nowhere"
    account = Account.objects.get(username="wulan")
    account.one_time_until = NOW + timedelta(days=3650)
    account.save()
    assert client.post("/sign-in/", {"login": "wulan", "password": secret}).status_code == 302
    assert client.get("/desk/").url == "/account/password/change/"
    assert client.get("/api/offices").status_code == 403
    own = "ein langes eigenes Wort 7"
    answer = client.post("/account/password/change/", {"oldpassword": secret, "password1": own, "password2": own})
    assert answer.status_code == 302, answer.content[:500]
    account.refresh_from_db()
    assert account.one_time_until is None
    assert client.get("/desk/").status_code == 200
    person.refresh_from_db()
    house.do(house.local, person, "lock")
    assert client.get("/desk/").status_code == 302, "a locked account is signed out"
    house.do(house.local, person, "unlock")
    assert "username" in house.refused(house.local, house.small.one("county").person, "invite", username="wulan")


def test_a_stale_password_for_once_is_refused(house: House, client: Client) -> None:
    account = house.small.one("county").account
    account.set_password("x-y-z")
    account.one_time_until = NOW - timedelta(days=400)
    account.save()
    client.post("/sign-in/", {"login": account.username, "password": "x-y-z"})
    assert client.get("/desk/").url == "/sign-in/"
    assert "_auth_user_id" not in client.session


def test_a_stale_password_for_once_chooses_no_other(house: House, client: Client) -> None:
    account = house.small.one("county").account
    account.set_password("x-y-z")
    account.one_time_until = NOW - timedelta(days=400)
    account.save()
    client.post("/sign-in/", {"login": account.username, "password": "x-y-z"})
    own = "ein langes eigenes Wort 7"
    client.post("/account/password/change/", {"oldpassword": "x-y-z", "password1": own, "password2": own})
    account.refresh_from_db()
    assert account.check_password("x-y-z") and account.one_time_until is not None
    assert "_auth_user_id" not in client.session


def test_nobody_takes_over_an_account_by_putting_its_owner_into_a_post_of_theirs(house: House) -> None:
    upper = house.small.one("top").person
    vacant = Post.objects.create(office=house.small.county, title_zh="顾问", title_en="Adviser", duties=[])
    assert "person" in house.refused(house.local, vacant, "begin_holding", person=str(upper.pk), since="2026-11-25")
    house.do(house.admin, vacant, "begin_holding", person=str(upper.pk), since="2026-11-25")
    for name in ("new_password", "lock", "edit_person", "add_certificate"):
        with pytest.raises((PermissionDenied, Http404)):
            subjects.ready("person", upper.pk, name, [house.local.acting], NOW)
        assert subjects.ready("person", upper.pk, name, [house.admin.acting], NOW)


def test_a_holder_who_administers_nothing_finds_the_delegation_on_the_office_page(house: House, client: Client) -> None:
    chief = house.small.one("county")
    client.force_login(chief.account)
    page = client.get(f"/offices/{house.small.county.pk}/").content.decode()
    assert f"/change/post/{chief.post.pk}/delegate/" in page and "/end_holding/" not in page


def test_a_deputy_for_one_act_does_not_read_the_record(house: House) -> None:
    for one in (house.admin.acting, house.auditor.acting):
        assert changerecord.readers([one])
        with pytest.raises(PermissionDenied):
            changerecord.readers([replace(one, principal_id=house.local.person.pk, acts=("hazard.list",))])


def test_no_office_with_a_territory_stands_below_a_plant(house: House) -> None:
    operation = find("office", "add_office")
    assert operation and operation.fits(house.small.county, NOW) and not operation.fits(house.small.plant, NOW)


def test_a_change_is_judged_by_what_stands_in_the_database(house: House) -> None:
    county = house.small.county
    ready, form = house.form(house.local, county, "edit_office", duties=["hazchem"], phone="0472-5550102")
    Office.objects.filter(pk=county.pk).update(phone="0472-5550101")
    ready.subject.phone = "0472-5550102"  # as an undone try leaves it
    assert form.is_valid() and run(ready, form, NOW)
    assert Office.objects.get(pk=county.pk).phone == "0472-5550102"
    line = Change.objects.unscoped("test").get(kind="edit_office", subject_id=county.pk)
    assert line.before["phone"] == "0472-5550101"
    ended = Holding.objects.get(person=house.small.one("county").person)
    ready, form = house.form(house.local, ended, "end_holding")
    Holding.objects.filter(pk=ended.pk).update(until=NOW)
    assert form.is_valid() and run(ready, form, NOW) is None and form.errors


def test_a_box_filled_with_no_id_is_shown_again(house: House) -> None:
    for subject, name, field in ((house.small.one("county").post, "begin_holding", "person"),
                                 (house.small.one("county").post, "delegate", "deputy")):  # fmt: skip
        who = house.small.one("county") if name == "delegate" else house.local
        _, form = house.form(who, subject, name, **{field: "drop table"})
        assert not form.is_valid() and "drop table" in str(form[field])


def test_nobody_gets_a_post_of_others_through_a_deputys_password(house: House) -> None:
    """A division's administrator sets no password with which they would sign for the head of the bureau above."""
    small = house.small
    room = Office.objects.create(
        name_zh="甲旗局一科", name_en="Division One", kind="division", place=small.place, parent=small.county, duties=["hazchem"]
    )
    clerk, below = _somebody(room, "clerk1", ("enforcement",), NOW), _somebody(room, "room1", ("administration",), NOW)
    house.do(below, clerk.person, "new_password")
    chief = small.one("county")
    house.do(chief, chief.post, "delegate", deputy=str(clerk.person.pk), which="all", since="2026-11-24", last_day="2026-12-31")
    for name in ("new_password", "unlock"):
        with pytest.raises(PermissionDenied):
            subjects.ready("person", clerk.person.pk, name, [below.acting], NOW)
    house.do(below, clerk.person, "lock")  # to shut it stays theirs
    house.do(house.local, Person.objects.unscoped("test").get(pk=clerk.person.pk), "unlock")
    house.do(house.local, clerk.person, "new_password")


def test_a_deputy_who_left_every_post_signs_no_more(house: House) -> None:
    """They belonged to no office any more and went on signing for one."""
    chief, deputy = house.small.one("county"), house.small.one("county", 1)
    house.do(chief, chief.post, "delegate", deputy=str(deputy.person.pk), which="all", since="2026-11-24",
             last_day="2026-12-31")  # fmt: skip
    assert [one for one in actings(deputy.account, NOW) if one.principal_id]
    house.do(house.local, Holding.objects.get(person=deputy.person), "end_holding", last_day="")
    assert actings(deputy.account, NOW) == [] and not Delegation.objects.filter(until__gt=NOW).exists()
    line = Change.objects.unscoped("test").get(kind="end_delegation")
    assert line.subject_id == chief.post.pk and line.before["deputy"] == deputy.person.name


def test_a_delegation_is_given_by_the_holder_and_shown_in_the_entry(house: House) -> None:
    small = house.small
    chief, deputy = small.one("county"), small.one("county", 1)
    with pytest.raises(PermissionDenied):
        subjects.ready("post", chief.post.pk, "delegate", [house.local.acting], NOW)
    house.do(chief, chief.post, "delegate", deputy=str(deputy.person.pk), which="named", acts=["hazard.found_here"],
             since="2026-11-25", last_day="2026-12-31")  # fmt: skip
    lent = next(one for one in actings(deputy.account, NOW) if one.principal_id == chief.person.pk)
    assert lent.may_do("hazard", "found_here") and not lent.may_do("hazard", "list")
    from fengsui.ledger import casepage, mechanisms
    from fengsui.ledger.reading.possible import actor_of

    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="代签")
    case = doors.open("hazard", "found_here", {"finding": "x"}, actor_of(lent), about, key="", now=NOW).case
    entries = list(Entry.objects.filter(case_id=case))
    with translation.override("zh-hans"):
        line = casepage.timeline(mechanisms.version(Case.objects.get(pk=case).version_id), entries, frozenset())[-1]
    assert line.deputy and line.by == f"{chief.person.name}（代签： {deputy.person.name}·{small.county.name_zh}）"
    house.do(chief, Delegation.objects.get(), "end_delegation")
    assert not [one for one in actings(deputy.account, NOW + timedelta(seconds=1)) if one.principal_id]
    errors = house.refused(chief, chief.post, "delegate", deputy=str(chief.person.pk), which="all", since="2026-11-25",
                           last_day="2026-11-30")  # fmt: skip
    assert "deputy" in errors
    errors = house.refused(chief, chief.post, "delegate", deputy=str(deputy.person.pk), which="all", since="2026-11-25",
                           last_day="2028-11-30")  # fmt: skip
    assert "last_day" in errors


def test_certificates_are_entered_and_withdrawn(house: House) -> None:
    person = house.small.one("county").person
    made = house.do(house.local, person, "add_certificate", kind="enforcement", number="NM-1", fields_of=["hazchem"],
                    issued="2026-01-01", expires="2030-12-31").subject  # fmt: skip
    assert Certificate.objects.unscoped("test").get(pk=made.pk).fields == ["hazchem"]
    house.do(house.local, made, "withdraw_certificate")
    made.refresh_from_db()
    assert made.expires < NOW.date()
    assert "expires" in house.refused(house.local, person, "add_certificate", kind="safety", number="1", issued="2026-02-01",
                                      expires="2026-01-01")  # fmt: skip


def test_a_new_name_counts_from_its_day(house: House) -> None:
    county = house.small.county
    case = hazard(house)
    house.do(house.admin, county, "rename", name_zh="甲区局", name_en="District A bureau", since="2026-12-01")
    county.refresh_from_db()
    assert county.name_zh == "甲旗局", "its day has not come"
    officenames.take_effect(NOW.date() + timedelta(days=6))
    county.refresh_from_db()
    assert county.name_zh == "甲区局"
    days = officenames.then([(county.pk, NOW.date()), (county.pk, NOW.date() + timedelta(days=30))])
    assert [days[county.pk, day][0] for day in sorted(day for _, day in days)] == ["甲旗局", "甲区局"]
    from fengsui.ledger import casepage, mechanisms

    line = casepage.timeline(
        mechanisms.version(Case.objects.get(pk=case).version_id), Entry.objects.filter(case_id=case), frozenset()
    )
    assert "Bureau A" in line[-1].by, "an old entry keeps the old name"


def test_fifty_open_cases_follow_a_merged_office(house: House) -> None:
    small = house.small
    county = small.county
    heir = Office.objects.create(name_zh="新区局", name_en="New bureau", kind="bureau", place=county.place, parent=small.league,
                                 duties=["duty"])  # fmt: skip
    ids = [hazard(house, f"隐患{number}") for number in range(50)]
    assert set(Case.objects.filter(pk__in=ids).values_list("owner_id", flat=True)) == {county.pk}
    dues = dict(Clock.objects.filter(case__in=ids).values_list("pk", "due"))
    house.do(house.admin, county, "merge", into=str(heir.pk), since="2026-11-25", along="on")
    assert set(Case.objects.filter(pk__in=ids).values_list("owner_id", flat=True)) == {heir.pk}
    assert set(Clock.objects.filter(case__in=ids, stopped__isnull=True).values_list("holder_id", flat=True)) == {heir.pk}
    assert dict(Clock.objects.filter(case__in=ids).values_list("pk", "due")) == dues, "no due moves"
    assert Entry.objects.filter(case__in=ids, act="succeed").count() == 50
    moved = next(one for one in actings(small.one("county").account, NOW + timedelta(minutes=1)))
    assert moved.office_id == heir.pk
    from fengsui.ledger.reading.possible import actor_of, may

    later = NOW + timedelta(minutes=1)
    case = Case.objects.get(pk=ids[0])
    assert "list" in {one.act.name for one in may(case, moved, later)[0]}
    for number in (1, 2):
        signer = actings(small.one("county", number).account, later)[0]
        doors.act(ids[0], Call("nothing", actor_of(signer), {"grounds": "已核实"}), now=later)
    assert Case.objects.get(pk=ids[0]).ended
    assert succession.nightly(later) == 0, "handed on once"
    heir.refresh_from_db()
    assert set(county.duties) <= set(heir.duties)


def test_a_merger_on_a_later_day_waits_for_it(house: House) -> None:
    small = house.small
    case = hazard(house)
    house.do(house.admin, small.county, "merge", into=str(small.league.pk), since="2026-12-01", along="on")
    assert Case.objects.get(pk=case).owner_id == small.county.pk
    day = NOW + timedelta(days=7)
    assert coming.take_effect(day) == 1
    assert Case.objects.get(pk=case).owner_id == small.league.pk
    assert succession.nightly(day) == 0, "handed on once"
    assert [one.office_id for one in actings(small.one("county").account, NOW)] == [small.county.pk]
    assert [one.office_id for one in actings(small.one("county").account, day)] == [small.league.pk]


def test_a_dissolved_office_needs_nobody_below_it(house: House) -> None:
    small = house.small
    case = hazard(house)
    assert "merge" in str(house.refused(house.admin, small.county, "dissolve", since="2026-11-25"))
    Office.objects.filter(pk=small.plant.pk).update(parent=small.league)
    with pytest.raises(Http404):
        subjects.ready("office", small.top.pk, "dissolve", [house.local.acting], NOW)
    house.do(house.admin, small.county, "dissolve", since="2026-11-25")
    assert Case.objects.get(pk=case).owner_id == small.league.pk
    assert not vacancies(small.county)


def test_supervision_is_given_and_open_cases_follow(house: House) -> None:
    small = house.small
    case = hazard(house)
    house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(small.league.pk), since="2026-11-25")
    assert supervisor_id(small.site.pk, "hazchem", "county", NOW) == small.league.pk
    where = Where(site_id=small.site.pk, duty="hazchem")
    assert resolve("site_supervisor", where, NOW) == small.league.pk and resolve("upper_supervisor", where, NOW) == small.top.pk
    assert Case.objects.get(pk=case).owner_id == small.league.pk
    house.do(house.admin, Supervision.objects.get(), "by_place")
    assert supervisor_id(small.site.pk, "hazchem", "county", NOW) == small.county.pk
    assert Case.objects.get(pk=case).owner_id == small.county.pk


def test_what_was_given_for_later_gives_way_to_what_is_given_for_sooner(house: House) -> None:
    small = house.small
    for day, office in (("2026-11-25", small.league), ("2026-12-10", small.top), ("2026-12-01", small.county)):
        house.do(house.admin, small.site, "supervise", duty="hazchem", office=str(office.pk), since=day)
    rows = [(one.office_id, str(one.since), one.until and str(one.until)) for one in Supervision.objects.order_by("since")]
    assert rows == [(small.league.pk, "2026-11-25", "2026-12-01"), (small.county.pk, "2026-12-01", None)]
    assert [str(one.last_day) for one in Supervision.objects.order_by("since")] == ["2026-11-30", "None"]
    client = Client()
    client.force_login(small.one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("region:register", args=[small.site.code])).content.decode()
    assert "2026-11-25 – 2026-11-30" in page and "– 2026-12-01" not in page, "the last day on which it counts"


def test_a_site_is_closed_once_nothing_is_open_there(house: House) -> None:
    small = house.small
    case = hazard(house)
    assert "1 matters are open" in str(house.refused(house.local, small.site, "close_site", since="2026-11-25"))
    with pytest.raises(PermissionDenied):
        plant = _somebody(small.plant, "plantadm1", ("administration",), NOW)
        subjects.ready("site", small.site.pk, "close_site", [plant.acting], NOW)
    for number in (1, 2):
        doors.act(case, Call("nothing", small.one("county", number).actor, {"grounds": "已核实"}), now=NOW)
    house.do(house.local, small.site, "close_site", since="2026-11-25")
    small.site.refresh_from_db()
    assert small.site.closed_on == NOW.date()
    assert not unanswered(NOW, [small.site.pk])


def test_a_unit_is_graded_when_it_changes(house: House) -> None:
    small = house.small
    unit = house.do(house.local, small.site, "add_unit", code="U1", name_zh="液氨罐区", name_en="Ammonia tanks", kind="storage",
                    exposed="120").subject  # fmt: skip
    assert unit.grade is None
    done = house.do(house.local, unit, "add_substance", name_zh="氨", name_en="Ammonia", named="1", symbol="", tonnes="200")
    unit.refresh_from_db()
    assert unit.grade == 2 and unit.s == 20.0 and "grade 2" in done.said  # R = 2.0 × 2 × 20 = 80
    assert Change.objects.unscoped("test").filter(kind="grade", subject_id=unit.pk, after__grade=2).exists()
    errors = house.refused(house.local, small.site, "add_point", tag="T1", name_zh="压力", name_en="P", quantity="pressure",
                           measure="MPa", range_low="0", range_high="2", high="1.8", high_high="1.6")  # fmt: skip
    assert "high_high" in errors


def test_call_lists_keep_their_order(house: House) -> None:
    county = house.small.county
    for number, name in enumerate(("甲", "乙", "丙"), 1):
        house.do(house.local, county, "add_contact", name=name, phone=f"0472-555010{number}", order=str(number))
    third = county.contacts.get(name="丙")
    house.do(house.local, third, "edit_contact", name="丙", phone="0472-5550103", order="1")
    assert list(county.contacts.values_list("name", "order")) == [("丙", 1), ("甲", 2), ("乙", 3)]
    house.do(house.local, county.contacts.get(name="甲"), "remove_contact")
    assert list(county.contacts.values_list("name", "order")) == [("丙", 1), ("乙", 2)]
    assert "phone" in house.refused(house.local, county, "add_contact", name="丁", phone="<script>", order="1")


def test_the_record_stays(house: House) -> None:
    house.do(house.admin, house.small.county, "edit_office", duties=["hazchem", "mines", "duty", "fire"], phone="0472-5550100")
    for sql in ("UPDATE region_change SET grounds = 'x'", "DELETE FROM region_change"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert live_check.lacks(NOW) is not None


def test_the_first_administrator_of_a_new_region(db: None) -> None:
    import io

    from fengsui.ledger import mechanisms
    from fengsui.region import founding, geography

    mechanisms.store(NOW)
    out = io.StringIO()
    assert founding.main(("厅", "Department"), "张三", "zhang.san", NOW, out) == 1 and "no places" in out.getvalue()
    assert geography.write_places() == 1149 and geography.write_places() == 0
    out = io.StringIO()
    assert founding.main(("厅", "Department"), "张三", "zhang.san", NOW, out) == 0
    secret = re.search(r"One-time password: (\S+)", out.getvalue())
    account = Account.objects.get(username="zhang.san")
    assert secret and account.check_password(secret[1]) and account.one_time_until == NOW + timedelta(days=7)
    top = Office.objects.get()
    assert subjects.ready("office", top.pk, "add_office", actings(account, NOW), NOW)
    out = io.StringIO()
    assert founding.main(("厅", "Department"), "李四", "li.si", NOW, out) == 1 and "zhang.san" in out.getvalue()
    assert Change.objects.unscoped("test").filter(kind="begin_holding").count() == 1


def test_only_people_of_the_own_office_are_put_into_posts_or_made_deputies(house: House) -> None:
    small = house.small
    plant = _somebody(small.plant, "plantadm1", ("administration", "safety"), NOW)
    vacant = Post.objects.create(office=small.plant, title_zh="顾问", title_en="Adviser", duties=[])
    stranger, nobody = small.one("other").person, 999_999_999
    said = [house.refused(plant, vacant, "begin_holding", person=str(one), since="2026-11-25") for one in (stranger.pk, nobody)]
    assert said[0] == said[1] and "person" in said[0], "one cannot tell whether somebody of that id exists"
    _, form = house.form(plant, vacant, "begin_holding", person=str(stranger.pk))
    assert stranger.name not in str(form["person"])
    values = {"which": "all", "since": "2026-11-25", "last_day": "2026-12-01"}
    said = [house.refused(plant, plant.post, "delegate", deputy=str(one), **values) for one in (stranger.pk, nobody)]
    assert said[0] == said[1] and "deputy" in said[0]
    _, form = house.form(plant, plant.post, "delegate", deputy=str(stranger.pk), **values)
    assert stranger.name not in str(form["deputy"])
    house.do(plant, plant.post, "delegate", deputy=str(small.one("plant").person.pk), **values)
    house.do(plant, vacant, "begin_holding", person=str(small.one("plant").person.pk), since="2026-11-25")
    house.do(house.admin, vacant, "begin_holding", person=str(stranger.pk), since="2026-11-25")


def test_neither_holder_nor_deputy_changes_the_charges_or_terms_of_the_own_post(house: House) -> None:
    own = {"title_zh": "管", "title_en": "Adm", "duties": ["administration"]}
    assert "charges" in house.refused(house.local, house.local.post, "edit_post", charges=["hazchem"], **own)
    deputy = house.small.one("county")
    lent = replace(deputy, post=house.local.post)
    acting = replace(lent.acting, principal_id=house.local.person.pk)
    for subject, name, values, field in (
        (house.local.post, "edit_post", {**own, "charges": ["mines"]}, "charges"),
        (
            house.small.one("county", 1).post,
            "begin_holding",
            {"person": str(house.local.person.pk), "since": "2026-11-25"},
            "person",
        ),
        (Holding.objects.get(person=house.local.person), "end_holding", {}, "__all__"),
    ):
        ready = subjects.ready(type(subject).__name__.lower(), subject.pk, name, [acting], NOW)
        form = ready.operation.form({"grounds": "x", **values}, subject=ready.subject, acting=ready.acting, now=NOW)
        assert form.is_valid() and run(ready, form, NOW) is None and field in form.errors, name


def test_an_office_is_given_nothing_that_its_giver_has_not(house: House) -> None:
    small = house.small
    new = {"name_zh": "新办", "name_en": "New", "place": "150207"}
    assert "kind" in house.refused(house.local, small.county, "add_office", kind="government", **new)
    assert "kind" in house.refused(house.local, small.county, "add_office", kind="commission", **new)
    assert "duties" in house.refused(house.local, small.county, "add_office", kind="division", duties=["dispatch"], **new)
    assert "duties" in house.refused(house.local, small.county, "edit_office", duties=[*small.county.duties, "fire"])
    house.do(house.local, small.county, "add_office", kind="division", duties=["hazchem"], **new)
    house.do(house.admin, small.county, "edit_office", duties=[*small.county.duties, "commission"])
    house.do(house.local, small.county, "add_office", kind="commission", duties=["commission"], **new)


def test_a_site_with_matters_that_its_administrator_does_not_see_is_not_closed(house: House) -> None:
    about = About(kind="site", id=str(house.small.site.pk), duty="hazchem", title="线索")
    signal = Actor(kind="clock", name="any", office=house.small.league.pk)
    case = Case.objects.get(pk=doors.open("accountability_lead", "lead", {}, signal, about, key="", now=NOW).case)
    assert case.confidential and house.small.county.pk not in case.readers
    said = house.refused(house.local, house.small.site, "close_site", since="2026-11-25")
    assert said == {"__all__": ["There are open matters at this site: it is closed once they have ended."]}


def test_a_term_of_long_ago_makes_nobody_ones_own_person(house: House) -> None:
    small, far = house.small, house.small.one("other")
    Holding.objects.create(
        post=small.one("county", 1).post, person=far.person, since=NOW - timedelta(days=900), until=NOW - timedelta(days=400)
    )
    assert within_reach(house.local.acting, far.person.pk, NOW) is None
    assert within_reach(house.admin.acting, far.person.pk, NOW) == far.person
    Holding.objects.filter(person=far.person, until__isnull=True).update(until=NOW - timedelta(days=1))
    assert within_reach(house.local.acting, far.person.pk, NOW) == far.person  # who left it all may come again


def test_a_deputy_is_no_clerk_of_an_authority_below(house: House) -> None:
    top, county = house.small.top, house.small.one("county")
    assert colleague(house.small.one("top").post, county.person.pk, NOW) is None
    room = Office.objects.create(
        name_zh="县局科室", name_en="Room", kind="division", parent=house.small.county, place=house.small.county.place,
        path=f"{house.small.county.path}9901/",
    )  # fmt: skip
    assert top.path in room.path
    post = Post.objects.create(office=room, title_zh="科员", title_en="Clerk")
    Holding.objects.create(post=post, person=county.person, since=NOW - timedelta(days=9))
    Holding.objects.filter(person=county.person).exclude(post=post).delete()
    assert colleague(house.small.one("top").post, county.person.pk, NOW) is None
    assert colleague(house.small.one("county", 1).post, county.person.pk, NOW) == county.person
