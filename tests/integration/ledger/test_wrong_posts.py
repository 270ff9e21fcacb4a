"""Who may act, through the doors: the wrong post of the right office, and offices and persons that may not be named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui.ledger import doors, mechanisms, reading, sentences
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Entry, Notice
from fengsui.region.acting import Acting
from fengsui.region.models import Account, Certificate, Delegation, Holding, Office, Person, Post
from fengsui.region.roles import functions
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import first_criterion
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db


def hazard(small: Small, act: str, who: Somebody, **values: Any) -> str:
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨罐根部阀关闭")
    return doors.open("hazard", act, {"finding": "根部阀关闭", **values}, who.actor, about, key="", now=NOW).case


def do(case: str, act: str, who: Somebody, **values: Any) -> doors.Receipt:
    return doors.act(case, Call(act, who.actor, values), now=NOW)


def refused(case: str, act: str, who: Somebody, **values: Any) -> tuple[int, set[str]]:
    """The status and codes of a refusal that wrote nothing."""
    before = (Entry.objects.count(), Notice.objects.count(), Case.objects.get(pk=case).seq)
    with pytest.raises(Refused) as caught:
        do(case, act, who, **values)
    assert (Entry.objects.count(), Notice.objects.count(), Case.objects.get(pk=case).seq) == before
    return caught.value.status, {reason.code for reason in caught.value.refusals}


def newcomer(office: Office, *work: str) -> Somebody:
    """Somebody more in the office, in a post with this work."""
    account = Account.objects.create(username=f"new{Account.objects.count()}")
    person = Person.objects.create(name="新人", account=account)
    post = Post.objects.create(office=office, title_zh="岗", title_en="Post", duties=list(work))
    Holding.objects.create(post=post, person=person, since=NOW - timedelta(days=1))
    return Somebody(person, post, account)


# ------------------------------------------------------- assigned down, to whom


def test_a_hazard_is_assigned_down_to_no_plant(small: Small) -> None:
    case = hazard(small, "found_above", small.one("league"))
    assert refused(case, "assign_down", small.one("league"), answering=small.plant.pk)[0] in (409, 422)
    do(case, "assign_down", small.one("league"), answering=small.county.pk)
    status, codes = refused(case, "pass_down", small.one("county"), answering=small.plant.pk)
    assert (status, codes) == (422, {"too_few_people", "guard"})
    # even a plant that lists the work and has the people supervises nobody, itself least of all
    small.plant.duties = ["hazchem"]
    small.plant.save()
    for one in small.people["plant"]:
        one.post.duties = ["enforcement", "safety"]
        one.post.save()
    assert refused(case, "pass_down", small.one("county"), answering=small.plant.pk) == (422, {"too_few_people", "guard"})


def test_a_hazard_is_assigned_down_to_no_other_county(small: Small) -> None:
    case = hazard(small, "found_above", small.one("league"))
    assert refused(case, "assign_down", small.one("league"), answering=small.other.pk) == (409, {"guard"})


def test_a_hazard_is_assigned_down_to_no_township_nor_to_an_office_of_other_work(small: Small) -> None:
    township = Office.objects.create(
        name_zh="苏木", name_en="Township", kind="township", place=small.place, parent=small.county, duties=["hazchem"]
    )
    relief = Office.objects.create(
        name_zh="救灾局", name_en="Relief", kind="bureau", place=small.place, parent=small.league, duties=["relief"]
    )
    for office in (township, relief):
        for _ in range(2):
            newcomer(office, "leading")
    case = hazard(small, "found_above", small.one("league"))
    for office in (township, relief):
        assert refused(case, "assign_down", small.one("league"), answering=office.pk) == (409, {"guard"})


def test_an_office_of_one_person_gets_no_hazard(small: Small) -> None:
    Holding.objects.filter(post__office=small.county).exclude(person=small.one("county").person).update(until=NOW)
    case = hazard(small, "found_above", small.one("league"))
    assert refused(case, "assign_down", small.one("league"), answering=small.county.pk) == (422, {"too_few_people"})


def test_the_region_assigns_down_two_levels_and_no_third(small: Small) -> None:
    case = hazard(small, "listed_above", small.one("top"))
    assert refused(case, "assign_down", small.one("top"), answering=small.county.pk) == (409, {"guard"})  # a level left out
    do(case, "assign_down", small.one("top"), answering=small.league.pk)
    do(case, "pass_down", small.one("league"), answering=small.county.pk)
    status, codes = refused(case, "pass_down", small.one("county"), answering=small.league.pk)
    assert status == 409
    assert "spent" in codes
    do(case, "sign", small.one("county"))
    assert Case.objects.get(pk=case).owner_id == small.county.pk


def test_the_picker_shows_only_offices_that_the_door_takes(small: Small, client: Client) -> None:
    case = hazard(small, "found_above", small.one("league"))
    client.force_login(small.one("league").account)
    asked = {"mechanism": "hazard", "act": "assign_down", "field": "answering", "case": case}
    found = client.get("/cases/pick/office/", {**asked, "q": ""}).json()["found"]
    assert [one["id"] for one in found] == [small.county.pk]
    assert client.get("/cases/pick/office/", {**asked, "q": "乙旗"}).json()["found"] == []
    assert len(client.get("/cases/pick/office/", {"q": "乙旗"}).json()["found"]) == 1, "a picker of no act is not narrowed"
    assert client.get("/cases/pick/office/", {**asked, "act": "sign"}).status_code == 404


# ---------------------------------------------------------------- named persons


def test_the_person_who_answers_for_the_rectification_is_the_plant_s_own(small: Small) -> None:
    case = hazard(small, "found_here", small.one("county"))
    for number in range(2):
        do(case, "list", small.one("county", number), criterion=first_criterion())
    five = {"measures": "换阀", "funds": 100, "deadline": "2026-12-10", "contingency": "预案"}
    status, codes = refused(case, "settle", small.one("plant"), responsibility=small.one("other").person.pk, **five)
    assert (status, codes) == (422, {"not_of_role"})
    do(case, "settle", small.one("plant"), responsibility=small.one("plant", 1).person.pk, **five)


def test_a_leader_is_somebody_of_the_leaders_and_the_picker_shows_them_alone(small: Small, client: Client) -> None:
    clerk = small.one("top")
    about = About("paper", "x", "150000")
    case = doors.open("instruction", "register", {"paper": "来文"}, clerk.actor, about, key="", now=NOW).case
    worker = newcomer(small.plant, "operation")
    for somebody in (worker, small.one("county")):  # a county's head does not instruct the region
        status, codes = refused(case, "propose", clerk, proposal="拟办", leader=somebody.person.pk)
        assert (status, codes) == (422, {"not_of_role"})
    client.force_login(clerk.account)
    asked = {"mechanism": "instruction", "act": "propose", "field": "leader", "case": case, "q": ""}
    found = {one["id"] for one in client.get("/cases/pick/person/", asked).json()["found"]}
    assert found == {one.person.pk for one in small.people["top"]}
    do(case, "propose", clerk, proposal="拟办", leader=small.one("top", 1).person.pk)


# ------------------------------------------------- the wrong post, right office


def test_accountants_of_the_answering_bureau_list_and_shut_nothing(small: Small) -> None:
    accountants = [newcomer(small.county, "finance") for _ in range(2)]
    for one in accountants:
        Certificate.objects.create(
            person=one.person, kind="enforcement", number=f"A{one.person.pk}", fields=[], issued=NOW.date(),
            expires=NOW.date() + timedelta(days=9),
        )  # fmt: skip
    case = hazard(small, "found_here", small.one("county"))
    for one in accountants:
        assert refused(case, "list", one, criterion=first_criterion()) == (403, {"not_yours"})
    for number in range(2):
        do(case, "list", small.one("county", number), criterion=first_criterion())
    assert refused(case, "shut_site", accountants[0], grounds="关")[0] == 403


def test_a_work_operator_acknowledges_no_warning(small: Small) -> None:
    operator = newcomer(small.plant, "operation")
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨")
    values = {"hazard_kind": "pressure", "colour": "red"}
    case = doors.open("warning", "by_person", values, small.one("county").actor, about, key="", now=NOW).case
    assert refused(case, "acknowledge", operator) == (403, {"not_yours"})
    do(case, "acknowledge", small.one("plant"))


def test_the_page_says_which_posts_of_the_office_act(small: Small, client: Client) -> None:
    case = hazard(small, "found_here", small.one("county"))
    one = newcomer(small.county, "finance")
    acting = Acting(one.person.pk, one.post.pk, small.county.pk)
    found = Case.objects.get(pk=case)
    _, cannot = reading.may(found, acting, NOW)
    why = {line.act.name: sentences.all_of(mechanisms.version(found.version_id), line.reasons) for line in cannot}
    assert "执法" in why["list"][0]
    assert functions()["enforcement"]["zh"] in why["list"][0]


# ----------------------------------------------- an opening repeated, a name shared


def deputy_of(principal: Somebody, deputy: Somebody, *acts: str) -> Somebody:
    """``deputy`` acting for ``principal`` in these acts."""
    Delegation.objects.create(
        principal=principal.person, deputy=deputy.person, post=principal.post, acts=list(acts),
        since=NOW - timedelta(days=1), until=NOW + timedelta(days=1),
    )  # fmt: skip
    return deputy


def in_the_name_of(principal: Somebody, deputy: Somebody) -> Actor:
    return replace(principal.actor, person=deputy.person.pk, principal=principal.person.pk)


def raised(small: Small, actor: Actor, key: str = "") -> doors.Receipt:
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨气超标")
    return doors.open("warning", "by_person", {"hazard_kind": "toxic_gas", "colour": "red"}, actor, about, key=key, now=NOW)


def test_an_opening_that_another_case_has_the_key_of_tells_strangers_nothing(small: Small) -> None:
    known = raised(small, small.one("county").actor)
    assert raised(small, small.one("county", 1).actor).act == "again", "the duty room may say so, whoever is in it"
    entries, case = Entry.objects.count(), Case.objects.get()
    stranger = small.one("other")
    with pytest.raises(Refused) as caught:
        raised(small, stranger.actor)
    with pytest.raises(Refused) as unopened:  # the very same about a matter that nobody has opened
        about = About("site", str(small.site.pk), "150207", "hazchem", "氨气超标")
        values = {"hazard_kind": "fire", "colour": "red"}
        doors.open("warning", "by_person", values, stranger.actor, about, key="", now=NOW)
    assert caught.value.refusals == unopened.value.refusals
    told = str(caught.value) + repr(caught.value.refusals)
    assert known.case not in told and (case.number or "-") not in told
    assert Entry.objects.count() == entries


def test_a_deputy_repeats_an_opening_only_with_both_acts_lent(small: Small) -> None:
    principal, helper = small.one("county"), small.one("county", 2)
    raised(small, principal.actor)
    deputy_of(principal, helper, "warning.by_person", "hazard.again", "again")
    with pytest.raises(Refused) as caught:
        raised(small, in_the_name_of(principal, helper))
    assert (caught.value.status, caught.value.refusals[0].about) == (403, "delegation")
    Delegation.objects.update(acts=["warning.by_person", "warning.again"])
    assert raised(small, in_the_name_of(principal, helper)).act == "again"


def test_a_bare_name_lends_no_mechanisms_act_but_the_ledgers_own(small: Small) -> None:
    principal, helper = small.one("county"), small.one("county", 2)
    case = hazard(small, "found_here", principal)
    deputy_of(principal, helper, "order_interim", "correct")
    actor = in_the_name_of(principal, helper)
    with pytest.raises(Refused) as caught:
        doors.act(case, Call("order_interim", actor, {"interim_control": "停用"}), now=NOW)
    assert (caught.value.status, caught.value.refusals[0].about) == (403, "delegation")
    doors.correct(case, doors.Correction(1, "finding", "根部阀未关闭", "笔误"), actor, now=NOW)
    Delegation.objects.update(acts=["hazard.order_interim"])
    doors.act(case, Call("order_interim", actor, {"interim_control": "停用"}), now=NOW)
    acting = Acting(helper.person.pk, principal.post.pk, small.county.pk, principal.person.pk, ("approve", "look", "a.give"))
    assert not acting.may_do("hazard", "approve") and not acting.may_do("hazard", "approve", own=False)
    assert acting.may_do("hazard", "look", own=True) and not acting.may_do("hazard", "look")
    assert acting.may_do("a", "give") and not acting.may_do("b", "give")


def test_no_mechanism_declares_an_own_act_of_the_ledger_that_persons_do() -> None:
    """Else what was lent as ``mechanism.act`` would hold the ledger's own act too."""
    own = {"call", "correct", "erase", "look", "merge", "message", "share"}
    assert own < doors.LEDGER_ACTS
    for mechanism in mechanisms.on_disk().values():
        states = [act.name for state in mechanism.states.values() for act in state.actions]
        assert not {*mechanism.opening, *mechanism.always, *states} & own, mechanism.name
