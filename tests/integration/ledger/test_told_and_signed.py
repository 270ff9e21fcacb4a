"""Who hears of the end, who signs enforcement papers, who a circular reaches, one warning per site and hazard."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fengsui.ledger import clockwork, doors, effects, mechanisms, sentences
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.doors.held import read
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Notice, Outbox
from fengsui.region.models import Certificate, Point
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import first_criterion, photo, settle
from tests.integration.ledger.test_wrong_posts import do, hazard, newcomer, refused
from tests.small_region import Small

pytestmark = pytest.mark.django_db


def warning(small: Small, kind: str = "pressure") -> str:
    about = About("site", str(small.site.pk), "150207", "hazchem", "压力高高报")
    signal = Actor("event", name="warning.level")
    return doors.open("warning", "by_alarm", {"hazard_kind": kind, "colour": "red"}, signal, about, key="", now=NOW).case


def told_of_the_end(case: str) -> set[int]:
    return set(Notice.objects.filter(case_id=case, kind="end").exclude(office_id=None).values_list("office_id", flat=True))


# ------------------------------------------------------------------ the parties


def test_everybody_who_was_climbed_to_or_acted_hears_of_a_warning_s_end(small: Small) -> None:
    case = warning(small)
    clockwork.tick(NOW + timedelta(minutes=40))  # nobody acknowledges: the county, the league and the region hear of it
    later = NOW + timedelta(minutes=45)
    assert {small.county.pk, small.league.pk, small.top.pk} <= set(_overseers(case))
    for office in ("league", "plant"):
        doors.act(case, Call("acknowledge", small.one(office).actor, {}), now=later)
    for number in range(2):
        doors.act(case, Call("unfounded", small.one("county", number).actor, {"grounds": "误报"}), now=later)
    assert Case.objects.get(pk=case).ended
    assert told_of_the_end(case) == {small.plant.pk, small.county.pk, small.league.pk, small.top.pk}


def _overseers(case: str) -> list[int]:
    return list(read([case], lock=False)[case].case.overseers)


def test_the_other_county_that_took_no_part_hears_nothing_and_the_raiser_once(small: Small) -> None:
    case = hazard(small, "found_above", small.one("league"))
    do(case, "assign_down", small.one("league"), answering=small.county.pk)
    do(case, "sign", small.one("county"))
    for number in range(2):
        do(case, "nothing", small.one("county", number), grounds="不构成")
    assert told_of_the_end(case) == {small.league.pk, small.county.pk}
    assert Notice.objects.filter(case_id=case, kind="end", office_id=small.league.pk, person_id=None).count() <= 1


# --------------------------------------------------------------- certified ones


def test_papers_of_enforcement_need_certified_officers(small: Small) -> None:
    case = hazard(small, "found_here", small.one("county"))
    Certificate.objects.unscoped("test").filter(person=small.one("county").person).delete()
    for act, values in (
        ("list", {"criterion": first_criterion()}),
        ("order_stop", {"interim_control": "停"}),
        ("order_evacuation", {"interim_control": "撤"}),
    ):
        assert refused(case, act, small.one("county"), **values) == (409, {"guard"})
    do(case, "order_interim", small.one("county"), interim_control="降液位")


def test_one_certified_officer_stops_at_once_and_two_sign_the_decision_within_a_day(small: Small) -> None:
    case = hazard(small, "found_here", small.one("county"))
    do(case, "order_stop", small.one("county"), interim_control="停用 V-102")
    row = next(row for row in _rows(case) if row.name == "countersign")
    assert row.holder == small.county.pk
    assert timedelta(hours=24) <= row.due - NOW <= timedelta(hours=48)
    assert refused(case, "nothing", small.one("county", 1), grounds="g") == (409, {"guard"})
    assert refused(case, "countersign", newcomer(small.county, "finance"), decision="1号")[0] == 403
    do(case, "countersign", small.one("county"), decision="1号")
    assert refused(case, "countersign", small.one("county"), decision="1号") == (409, {"already_signed"})
    do(case, "countersign", small.one("county", 1), decision="1号")
    assert all(row.stopped for row in _rows(case) if row.name == "countersign")
    do(case, "nothing", small.one("county", 1), grounds="g")


def _rows(case: str):  # type: ignore[no-untyped-def]
    return read([case], lock=False)[case].case.clocks


# ------------------------------------------------------------ a circular's way


def test_a_circular_reaches_the_offices_that_it_is_addressed_to(small: Small) -> None:
    for work in ("drafting", "reviewing"):
        small.top.duties = [*small.top.duties, work]
    small.top.save()
    clerks = [newcomer(small.top, "drafting", "reviewing", "leading", "registry") for _ in range(3)]
    about = About("none", "", "150000", title="通报")
    case = doors.open("circular", "draft", {"heading": "通报"}, clerks[0].actor, about, key="", now=NOW).case
    with pytest.raises(Refused) as caught:  # a name typed is nobody's address
        do(case, "submit", clerks[0], body="正文", recipients=["各盟市应急管理局"])
    assert caught.value.status == 422
    do(case, "submit", clerks[0], body="正文", recipients=[small.league.pk, small.county.pk])
    do(case, "agree", clerks[1])
    do(case, "sign", clerks[2])
    do(case, "issue", clerks[0], receipt="已印发")
    effects.carry_out(Outbox.objects.get(case_id=case, topic="publish").pk, NOW)
    told = Notice.objects.filter(case_id=case, kind="published").values_list("office_id", flat=True)
    assert set(told) == {small.league.pk, small.county.pk}


# ------------------------------------------------- one warning, site and hazard


def test_a_typed_kind_is_one_of_the_points_and_comes_to_the_open_warning(small: Small) -> None:
    case, duty = warning(small), small.one("county")
    about = About("site", str(small.site.pk), "150207", "hazchem", "压力")
    with pytest.raises(Refused) as caught:
        doors.open("warning", "by_person", {"hazard_kind": "压力", "colour": "red"}, duty.actor, about, key="", now=NOW)
    assert caught.value.status == 422
    again = doors.open("warning", "by_person", {"hazard_kind": "pressure", "colour": "red"}, duty.actor, about, key="", now=NOW)
    assert (again.case, again.act) == (case, "again")
    assert Case.objects.filter(mechanism="warning").count() == 1


def test_every_quantity_of_a_point_is_a_kind_of_hazard_with_words_in_both_languages() -> None:
    field = mechanisms.current("warning").fields["hazard_kind"]
    assert {*Point.Quantity.values, "offline", "quality"} <= set(field.of)
    assert set(field.labels) == set(field.of)
    assert all({"zh", "en"} == set(words) for words in field.labels.values())


# ------------------------------------------------------- the raiser, at each step


def told(case: str, act: str) -> set[tuple[str, int | None]]:
    """(as what, which office) each was told of an act."""
    return set(Notice.objects.filter(case_id=case, args__act=act).values_list("role", "office_id"))


def test_who_found_a_hazard_hears_of_every_step_down_and_up(small: Small) -> None:
    case, league, county = hazard(small, "found_above", small.one("league")), small.one("league"), small.one("county")
    raiser = ("raiser", small.league.pk)
    do(case, "assign_down", league, answering=small.county.pk)
    do(case, "send_back", county, reason="不在本旗")
    do(case, "assign_down", league, answering=small.county.pk)
    do(case, "sign", county)
    do(case, "order_interim", county, interim_control="降液位")
    for act in ("assign_down", "send_back", "sign", "order_interim"):
        assert raiser in told(case, act), act
    assert ("enterprise", small.plant.pk) in told(case, "order_interim")


def test_an_order_to_stop_and_settle_anew_reaches_the_enterprise_and_the_raiser(small: Small) -> None:
    case, county, plant = hazard(small, "self_reported", small.one("plant")), small.one("county"), small.one("plant")
    do(case, "accept", county)
    settle(small, case)
    evidence = photo(None)
    for _ in range(4):
        do(case, "submit", plant, evidence=[evidence])
        do(case, "return", county, reason="未整改到位")
    assert Case.objects.get(pk=case).state == "stopped"
    for number in range(2):
        do(case, "resettle", small.one("county", number), reason="复核四次不合格", interim_control="全厂停产整顿")
    assert {("raiser", small.plant.pk), ("enterprise", small.plant.pk)} <= told(case, "resettle")
    do(case, "ask_to_resume", plant, resumption="已整顿完毕")  # what was stopped may be asked to go on
    due = next(row.due for row in _rows(case) if row.name == "resumption" and row.stopped is None)
    with pytest.raises(Refused) as caught:
        doors.act(case, Call("ask_to_resume", plant.actor, {"resumption": "再次申请"}), now=NOW + timedelta(days=12))
    assert sentences.all_of(mechanisms.current("hazard"), caught.value.refusals) == ["已有“恢复生产申请”。"]
    assert [row.due for row in _rows(case) if row.name == "resumption" and row.stopped is None] == [due]
