"""Where nobody who can sign in may act, the office above sees the matter on its desk at once and can act for it."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from fengsui import moment
from fengsui.ledger import doors, live_check, reading, rebuild, succession, tasks
from fengsui.ledger.doors import About, facts
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Clock
from fengsui.region import change_api, roles
from fengsui.region.models import Account, Certificate, Delegation, Holding, Person
from fengsui.region.roles import About as Where
from fengsui.services import doctor
from tests import deferred
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small, Somebody, _somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(tmp_path: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"
    monkeypatch.setattr(moment, "now", lambda: NOW)
    monkeypatch.setattr(change_api, "present", lambda: NOW)


@pytest.fixture
def admin(small: Small) -> Somebody:
    return _somebody(small.top, "admin1", ("administration",), NOW)


def change(admin: Somebody, kind: str, number: int, name: str, /, **values: Any) -> None:
    """One change of a register by the door of programs, and what it leaves to the jobs."""
    ask(admin, kind, number, name, **values)
    deferred.carry_out("ledger.follow_staff")


def ask(admin: Somebody, kind: str, number: int, name: str, /, **values: Any) -> None:
    """The change alone."""
    client = Client(headers={"X-Acting-Post": str(admin.post.pk), "Accept-Language": "en"})
    client.force_login(admin.account, backend="django.contrib.auth.backends.ModelBackend")
    body = {"values": {"grounds": "任免", **values}}
    answer = client.post(f"/api/changes/{kind}/{number}/{name}", body, content_type="application/json")
    assert answer.status_code == 200, answer.content


def fail_for(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """A fact of this case raises whenever it is gathered."""
    real = facts.gather

    def gather(held: Any, *given: Any, **named: Any) -> Any:
        if held.case.id == case:
            raise RuntimeError("a fact that fails")
        return real(held, *given, **named)

    monkeypatch.setattr(facts, "gather", gather)


def hazard(small: Small) -> str:
    about = About("site", str(small.site.pk), small.place.code, "hazchem", "氨罐根部阀关闭")
    return doors.open("hazard", "found_here", {"finding": "x"}, small.one("county").actor, about, key="", now=NOW).case


def hazard_above(small: Small) -> str:
    about = About("site", str(small.site.pk), small.place.code, "hazchem", "氨罐根部阀关闭")
    return doors.open("hazard", "found_above", {"finding": "x"}, small.one("league").actor, about, key="", now=NOW).case


def warning(small: Small, key: str = "w") -> str:
    about = About("site", str(small.site.pk), small.place.code, "hazchem", "氨罐压力高")
    given = {"hazard_kind": "pressure", "colour": "red"}
    return doors.open("warning", "by_alarm", given, Actor("event", name="warning.level"), about, key=key, now=NOW).case


def on_desk(who: Somebody, case: str) -> bool:
    return any(str(line.case.pk) == case for line in reading.desk([who.acting], NOW))


def acts(who: Somebody, case: str) -> set[str]:
    """What the page offers them."""
    return {one.act.name for one in reading.may(Case.objects.get(pk=case), who.acting, NOW)[0]}


def do(case: str, act: str, who: Somebody, **values: Any) -> None:
    doors.act(case, Call(act, who.actor, values), now=NOW)


# ------------------------------------------------------------- the picture of the region


def test_only_who_can_sign_in_answers(small: Small) -> None:
    first, second, third = (one.person.pk for one in small.people["county"])
    where = Where(site_id=small.site.pk, duty="hazchem")

    def able() -> set[int]:
        return set(roles.people_in(["site_supervisor"], small.county.pk, NOW))

    assert able() == {first, second, third}
    Account.objects.filter(person=first).update(is_active=False)
    assert able() == {second, third}
    Person.objects.unscoped("test").filter(pk=second).update(account=None)
    assert able() == {third} and roles.shut_out(small.county.pk, NOW) == 2
    holding = Holding.objects.get(person=third)
    holding.until = NOW
    holding.save()
    assert able() == set() and roles.resolve("site_supervisor", where, NOW) == small.league.pk
    lent = Delegation.objects.create(
        principal_id=first, deputy=small.one("league").person, post=small.one("county").post, acts=["*"], since=NOW,
        until=NOW + timedelta(days=1),
    )  # fmt: skip
    assert able() == {first}, "a deputy who can sign in acts for them"
    assert roles.people_in(["site_supervisor"], small.county.pk, lent.until) == frozenset()


def test_a_paper_never_rests_with_somebody_who_cannot_sign_in(small: Small) -> None:
    clerk, leader = small.one("top"), small.one("top", 1)
    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="国办督查通知")
    case = doors.open("instruction", "register", {"paper": "通知"}, clerk.actor, about, key="", now=NOW).case
    do(case, "propose", clerk, proposal="阅", leader=leader.person.pk)
    assert [on_desk(one, case) for one in small.people["top"]] == [False, True, False]
    Account.objects.filter(person=leader.person).update(is_active=False)
    assert on_desk(clerk, case) and on_desk(small.one("top", 2), case)


# --------------------------------------------------------------------- hazards


@pytest.mark.django_db(transaction=True)
def test_a_hazard_whose_answering_office_falls_vacant_is_the_upper_office_s_at_once(small: Small, admin: Somebody) -> None:
    case, league = hazard(small), small.one("league")
    assert not on_desk(league, case)
    for one in small.people["county"]:
        change(admin, "holding", Holding.objects.get(person=one.person).pk, "end_holding")
    found = Case.objects.get(pk=case)
    assert found.owner_id == small.league.pk and found.fields["answering"] == small.league.pk
    assert on_desk(league, case)
    assert not Clock.objects.filter(case=case, holder_id=small.county.pk, stopped__isnull=True).exists()
    assert {"nothing", "order_interim", "order_stop"} <= acts(league, case)
    do(case, "order_interim", league, interim_control="停用")
    vacancy = Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk), ended=False)
    assert vacancy.owner_id != small.county.pk
    assert rebuild.check().ok


def test_a_hazard_goes_up_when_the_last_who_can_sign_in_is_locked(small: Small, admin: Somebody) -> None:
    case = hazard(small)
    people = small.people["county"]
    for number, one in enumerate(people):
        assert Case.objects.get(pk=case).owner_id == small.county.pk
        change(admin, "person", one.person.pk, "lock")
        assert live_check.lacks(NOW, frozenset({small.county.pk})) if number else True
    assert Case.objects.get(pk=case).owner_id == small.league.pk and on_desk(small.one("league"), case)
    vacancy = Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk), ended=False)
    assert "3 in post cannot sign in" in vacancy.fields["lacks"]
    for one in people:
        change(admin, "person", one.person.pk, "unlock")
    found = Case.objects.get(pk=case)
    assert found.owner_id == small.county.pk == found.fields["answering"], "it comes back with them"
    assert set(Clock.objects.filter(case=case, stopped__isnull=True).values_list("holder_id", flat=True)) == {small.county.pk}
    assert not on_desk(small.one("league"), case)
    assert not Case.objects.filter(mechanism="vacancy", about_id=str(small.county.pk), ended=False).exists()


def test_what_the_upper_office_decided_meanwhile_stands(small: Small, admin: Somebody) -> None:
    """Given back is what passed on by itself, never what a person named."""
    case = hazard_above(small)
    do(case, "assign_down", small.one("league"), answering=small.county.pk)
    do(case, "send_back", small.one("county"), reason="不属本级")
    for one in small.people["county"]:
        change(admin, "person", one.person.pk, "lock")
    for one in small.people["county"]:
        change(admin, "person", one.person.pk, "unlock")
    assert Case.objects.get(pk=case).owner_id == small.league.pk


@pytest.mark.django_db(transaction=True)
def test_what_passed_on_twice_comes_back_to_the_first_who_can_act_again(small: Small, admin: Somebody) -> None:
    case = hazard(small)
    for office in ("county", "league"):
        for one in small.people[office]:
            change(admin, "person", one.person.pk, "lock")
    assert Case.objects.get(pk=case).owner_id == small.top.pk and on_desk(small.one("top"), case)
    change(admin, "person", small.one("county").person.pk, "unlock")
    assert Case.objects.get(pk=case).owner_id == small.county.pk
    assert rebuild.check().ok


def test_what_lies_with_a_vacant_office_from_before_goes_up_over_night(small: Small) -> None:
    case = hazard(small)
    Account.objects.filter(person__in=[one.person for one in small.people["county"]]).update(is_active=False)
    assert Case.objects.get(pk=case).owner_id == small.county.pk
    succession.nightly(NOW)
    assert Case.objects.get(pk=case).owner_id == small.league.pk


def test_an_account_is_locked_whatever_its_office_s_cases_answer(
    small: Small, admin: Somebody, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = hazard(small), hazard(small)
    fail_for(monkeypatch, broken)
    for one in small.people["county"]:
        ask(admin, "person", one.person.pk, "lock")
        assert not Account.objects.get(person=one.person).is_active
    assert Case.objects.get(pk=whole).owner_id == small.county.pk, "no case waits in the administrator's request"
    assert deferred.carry_out("ledger.follow_staff") == 3
    assert Case.objects.get(pk=broken).owner_id == small.county.pk and broken in caplog.text
    assert Case.objects.get(pk=whole).owner_id == small.league.pk, "one that fails keeps no other"
    assert Case.objects.filter(mechanism="vacancy", about_id=str(small.county.pk), ended=False).exists()


def test_an_account_is_locked_when_the_vacancy_is_refused(
    small: Small, admin: Somebody, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*given: Any, **named: Any) -> None:
        raise doors.Refused(409, [])

    monkeypatch.setattr(live_check.doors, "open", refuse)
    for one in small.people["county"]:
        change(admin, "person", one.person.pk, "lock")
        assert not Account.objects.get(person=one.person).is_active
    assert f"vacancy of office {small.county.pk}" in caplog.text


def test_one_case_that_fails_holds_up_neither_the_night_nor_the_day(
    small: Small, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = hazard(small), hazard(small)
    Account.objects.filter(person__in=[one.person for one in small.people["county"]]).update(is_active=False)
    fail_for(monkeypatch, broken)
    begun = list[Any]()
    monkeypatch.setattr(live_check, "daybreak", begun.append)
    tasks.begin_the_day(0)
    assert Case.objects.get(pk=whole).owner_id == small.league.pk and broken in caplog.text
    monkeypatch.setattr(succession, "nightly", lambda now: 1 / 0)
    tasks.begin_the_day(0)
    assert begun == [NOW, NOW]


def test_an_office_with_people_keeps_its_cases_when_it_lacks_some(small: Small) -> None:
    for row in Certificate.objects.unscoped("test").filter(person__in=[one.person for one in small.people["county"]]):
        row.delete()
    assert small.county.pk in live_check.lacks(NOW)
    assert small.county.pk not in succession.vacant(NOW)


def test_a_delegation_entered_ahead_brings_back_on_its_day_what_passed_on(small: Small, admin: Somebody) -> None:
    case, day = hazard(small), timedelta(days=1)
    for one in small.people["county"]:
        change(admin, "person", one.person.pk, "lock")
    assert Case.objects.get(pk=case).owner_id == small.league.pk
    first = small.one("county")
    Delegation.objects.create(
        principal=first.person,
        deputy=small.one("other").person,
        post=first.post,
        acts=["*"],
        since=NOW + day,
        until=NOW + 9 * day,
    )
    succession.nightly(NOW)
    assert Case.objects.get(pk=case).owner_id == small.league.pk
    succession.nightly(NOW + day)
    assert Case.objects.get(pk=case).owner_id == small.county.pk


def test_a_vacancy_that_lacks_again_what_it_lacked_before_says_so(small: Small) -> None:
    second, third = (one.account for one in small.people["county"][1:])

    def said(*locked: Account) -> str:
        Account.objects.filter(pk__in=[second.pk, third.pk]).update(is_active=True)
        Account.objects.filter(pk__in=[one.pk for one in locked]).update(is_active=False)
        live_check.check_offices([small.county.pk], NOW)
        return str(Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk), ended=False).fields["lacks"])

    Account.objects.filter(pk=small.one("county").account.pk).update(is_active=False)
    one = said(second)
    two = said(second, third)
    assert one != two and said(second) == one
    seq = Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk)).seq
    assert said(second) == one and Case.objects.get(mechanism="vacancy", about_id=str(small.county.pk)).seq == seq


def lend(small: Small, principal: Somebody, deputy: Somebody, *acts: str) -> None:
    Delegation.objects.create(
        principal=principal.person, deputy=deputy.person, post=principal.post, acts=list(acts), since=NOW,
        until=NOW + timedelta(days=9),
    )  # fmt: skip


def lock(*people: Somebody) -> None:
    Account.objects.filter(person__in=[one.person for one in people]).update(is_active=False)


def lacking(small: Small, *, certified: bool = False) -> dict[str, int]:
    found = live_check.lacks(NOW).get(small.county.pk, ())
    return {lack.role: lack.has for lack in found if lack.certified is certified}


def test_a_deputy_is_one_signer_however_many_posts_they_sign_for(small: Small) -> None:
    first, second, third = small.people["county"]
    lock(first)
    assert "site_supervisor" not in lacking(small), "two of three sign"
    lend(small, first, second, "*")
    lock(third)
    assert lacking(small)["site_supervisor"] == 1, "a deputy and the locked principal are one"
    lock(second)
    Delegation.objects.all().delete()
    for one in (first, second, third):
        lend(small, one, small.one("other"), "*")
    assert lacking(small)["site_supervisor"] == 1, "one deputy of three principals"
    lend(small, first, small.one("other", 1), "*")
    assert "site_supervisor" not in lacking(small), "two deputies are two"
    assert roles.staffed(small.county.pk, NOW)


def test_a_deputy_for_one_act_fills_no_office(small: Small) -> None:
    case = hazard(small)
    lock(*small.people["county"])
    lend(small, small.one("county"), small.one("other"), "hazard.nothing")
    assert not roles.staffed(small.county.pk, NOW) and lacking(small)["site_supervisor"] == 0
    succession.nightly(NOW)
    assert Case.objects.get(pk=case).owner_id == small.league.pk


def test_who_signs_for_another_needs_the_certificate(small: Small) -> None:
    first, _, third = small.people["county"]
    lock(first, third)
    lend(small, first, small.one("other"), "*")
    assert not lacking(small) and not lacking(small, certified=True)
    Certificate.objects.unscoped("test").filter(person=small.one("other").person).delete()
    assert not lacking(small) and lacking(small, certified=True) == {"site_supervisor": 1}


def test_a_one_time_password_that_ran_out_signs_nobody_in(small: Small) -> None:
    last = NOW + timedelta(days=3)
    for one in small.people["county"]:
        Account.objects.filter(person=one.person).update(one_time_until=last)
    assert roles.staffed(small.county.pk, last) and not roles.staffed(small.county.pk, last + timedelta(seconds=1))
    lend(small, small.one("top"), small.one("county"), "*")
    Account.objects.filter(person=small.one("county").person).update(one_time_until=None)
    assert roles.staffed(small.county.pk, last + timedelta(seconds=1)), "an own password was chosen"


def test_where_nobody_has_an_account_yet_nothing_moves_and_the_doctor_says_so(small: Small) -> None:
    case = hazard(small)
    people = [one.person.pk for name in ("county", "plant") for one in small.people[name]]
    Person.objects.unscoped("test").filter(pk__in=people).update(account=None)
    succession.nightly(NOW)
    live_check.nightly(NOW)
    assert Case.objects.get(pk=case).owner_id == small.county.pk
    assert not Case.objects.filter(mechanism="vacancy", about_id__in=[str(small.county.pk), str(small.plant.pk)]).exists()
    out = io.StringIO()
    assert live_check.main(NOW, out) == 1 and "2 offices where nobody has an account yet" in out.getvalue()
    with connection.cursor() as cursor:
        [finding] = doctor._not_set_up(cursor)
    assert finding.grade == "warn" and finding.says.startswith("2 offices")
    Person.objects.unscoped("test").filter(pk=people[0]).update(account=small.one("county").account)
    lock(small.one("county"))
    succession.nightly(NOW)
    assert Case.objects.get(pk=case).owner_id == small.league.pk, "once somebody was invited the office counts as any other"


# -------------------------------------------------------------------- warnings


@pytest.mark.django_db(transaction=True)
def test_a_warning_of_a_plant_that_falls_vacant_is_its_supervisor_s(small: Small, admin: Somebody) -> None:
    case, county = warning(small), small.one("county")
    running = Clock.objects.filter(case=case, name="acknowledge", current=True, stopped__isnull=True)
    assert set(running.values_list("holder_id", flat=True)) == {small.plant.pk}
    for one in small.people["plant"]:
        change(admin, "holding", Holding.objects.get(person=one.person).pk, "end_holding")
    assert Case.objects.get(pk=case).owner_id == small.county.pk and on_desk(county, case)
    assert list(running.values_list("holder_id", flat=True)) == [small.county.pk], "the plant's own clock goes along"
    assert {"acknowledge", "feed_back"} <= acts(county, case)
    do(case, "acknowledge", county)
    assert not running.exists()
    do(case, "feed_back", county, feedback="已派人到场")
    assert rebuild.check().ok


def test_who_has_acknowledged_already_does_not_owe_it_twice(small: Small, admin: Somebody) -> None:
    case = warning(small)
    first = Clock.objects.get(case=case, name="acknowledge", current=True)
    due = first.due
    doors_clock(due + timedelta(hours=1))
    held = Clock.objects.filter(case=case, name="acknowledge", current=True, stopped__isnull=True)
    assert {small.plant.pk, small.county.pk} <= set(held.values_list("holder_id", flat=True))
    for one in small.people["plant"]:
        change(admin, "holding", Holding.objects.get(person=one.person).pk, "end_holding")
    owed = list(held.values_list("holder_id", flat=True))
    assert small.plant.pk not in owed and len(owed) == len(set(owed))


def doors_clock(at: Any) -> None:
    """Let the rungs fire that are due by then."""
    from fengsui.ledger import clockwork

    for _ in range(5):
        clockwork.tick(at)


def test_a_warning_of_a_plant_without_accounts_opens_with_its_supervisor(small: Small) -> None:
    Account.objects.filter(person__in=[one.person for one in small.people["plant"]]).update(is_active=False)
    case = warning(small)
    assert Case.objects.get(pk=case).owner_id == small.county.pk
    assert "feed_back" in acts(small.one("county"), case)
    assert "feed_back" not in acts(small.one("other"), case)
    accountant = _somebody(small.county, "fin1", ("finance",), NOW)
    assert "feed_back" not in acts(accountant, case), "not through a post of other work"


def test_a_supervisor_acts_for_no_plant_that_has_somebody(small: Small) -> None:
    case = warning(small)
    with pytest.raises(doors.Refused):
        do(case, "feed_back", small.one("county"), feedback="x")
    assert "self_reported" not in {one.act.name for one in reading.openings([small.one("county").acting], NOW)}
