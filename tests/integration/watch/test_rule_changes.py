"""Alarm rules change by the plant's own hand, within the law's and the design's limits, on record, and reach the engine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from fengsui.region import changing
from fengsui.region.models import Point
from fengsui.watch import rulechanges, rules
from fengsui.watch.configuration import SiteConfiguration
from fengsui.watch.engine import Level
from fengsui.watch.housekeeping import Teller
from fengsui.watch.models import AlarmEvent, Rule, RuleChange
from fengsui.watch.rulechanges import Unfit, Wanted
from tests.integration.watch.test_relay import NOW, NS, Plant

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant(db: None) -> Plant:
    return Plant()


def wanted(**limits: float | None) -> dict[str, Wanted]:
    levels = {"HH": 1.8, "H": 1.6} | limits
    return {level: Wanted(limit, 0.05, 3.0, 10.0) for level, limit in levels.items()}


def safety(plant: Plant) -> object:
    return plant.small.one("plant").acting


def test_a_change_ends_one_rule_and_begins_another_with_author_and_grounds(plant: Plant) -> None:
    old = plant.rule("HH")
    later = NOW + timedelta(minutes=1)
    (line,) = rulechanges.change(plant.points[0], {"HH": Wanted(1.7, old.deadband, 3.0, 10.0)}, "HAZOP 14", safety(plant), later)
    old.refresh_from_db()
    assert old.until == later and line.old == old and line.new.limit == 1.7 and line.new.since == later
    assert (line.before["limit"], line.after["limit"], line.grounds) == (1.8, 1.7, "HAZOP 14")
    assert line.person_id == plant.small.one("plant").person.pk
    assert rulechanges.change(plant.points[0], {"HH": Wanted(1.7, old.deadband, 3.0, 10.0)}, "x", safety(plant), later) == []


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"HH": 1.9}, "HH_limit"),  # looser than the design
        ({"H": None}, "H_limit"),  # the design wants one
        ({"HH": 1.5}, "HH_limit"),  # below H
        ({"L": 5.0}, "L_limit"),  # outside the measuring range
        ({"H": -1.0}, "H_limit"),
        ({"HH": float("nan")}, "HH_limit"),  # passes every bound and never alarms
    ],
)
def test_what_is_looser_or_crossed_is_refused(plant: Plant, limits: dict[str, float | None], field: str) -> None:
    with pytest.raises(Unfit) as caught:
        rulechanges.change(plant.points[0], wanted(**limits), "why", safety(plant), NOW + timedelta(minutes=1))
    assert caught.value.field == field
    assert not RuleChange.objects.unscoped("test").exists()


def test_a_deadband_without_a_range_is_bound_by_the_limit(plant: Plant) -> None:
    point = plant.points[0]
    point.range_low = point.range_high = None
    with pytest.raises(rulechanges.Unfit) as wrong:
        rulechanges.check(point, {"HH": Wanted(1.6, 0.9), "H": Wanted(1.5, 0.1)}, NOW.date())
    assert wrong.value.field == "HH_deadband"
    rulechanges.check(point, {"HH": Wanted(1.6, 0.8), "H": Wanted(1.5, 0.1)}, NOW.date())


def test_the_law_bounds_gas(plant: Plant) -> None:
    gas = Point.objects.create(
        site=plant.site, tag="GT-1", name_zh="氨", name_en="NH3", quantity="toxic_gas", measure="mg/m³", substance="NH3",
        range_low=0, range_high=100,
    )  # fmt: skip
    later = NOW + timedelta(minutes=1)
    with pytest.raises(Unfit, match=r"40.+GB/T 50493"):
        rulechanges.change(gas, {"HH": Wanted(60.0)}, "why", safety(plant), later)
    made = rulechanges.change(gas, {"H": Wanted(15.0), "HH": Wanted(30.0)}, "why", safety(plant), later)
    assert [(line.level, line.new.limit) for line in made] == [("H", 15.0), ("HH", 30.0)]


@pytest.mark.parametrize(
    ("place", "level", "limit"), [("room_intake", "H", 0.6), ("room_intake", "HH", 0.6), ("total_return", "H", 0.8)]
)
def test_the_law_bounds_methane_in_every_place_that_it_names(plant: Plant, place: str, level: str, limit: float) -> None:
    methane = Point.objects.create(
        site=plant.site, tag="CH-1", name_zh="甲烷", name_en="CH4", quantity="methane", measure="%", substance=place,
        range_low=0, range_high=4,
    )  # fmt: skip
    with pytest.raises(Unfit, match="AQ 1029"):
        rulechanges.change(methane, {level: Wanted(limit)}, "why", safety(plant), NOW + timedelta(minutes=1))


def test_only_the_plant_s_safety_management_may(plant: Plant) -> None:
    small = plant.small
    assert rulechanges.may_change(small.one("plant").acting, plant.site)
    assert not any(rulechanges.may_change(small.one(name).acting, plant.site) for name in ("top", "league", "county", "other"))


def test_the_engine_is_told_and_says_when_it_took_it_over(plant: Plant) -> None:
    teller = Teller()
    for site, message in teller.due(NOW):
        teller.told(site, message)
    assert teller.due(NOW) == []
    later = NOW + timedelta(minutes=1)
    (line,) = rulechanges.change(plant.points[0], {"HH": Wanted(1.7, 0.06, 3.0, 10.0)}, "why", safety(plant), later)
    ((code, message),) = teller.due(later + timedelta(seconds=1))
    config = SiteConfiguration.decode(message)
    assert code == plant.site.code and any(rule[0] == line.new.pk and rule[3] == 1.7 for rule in config.rules)
    assert line.new.taken_at is None
    event = {
        "kind": "CONFIGURED", "site": code, "rules": [rule[0] for rule in config.rules], "at": NS + 90 * 10**9, "seq": 9,
        "index": 0, "stored": NS, "id": "e-1-9-0",
    }  # fmt: skip
    plant.say(event)
    line.new.refresh_from_db()
    assert line.new.taken_at == NOW + timedelta(seconds=90)
    plant.say(event | {"at": NS + 95 * 10**9, "id": "e-1-10-0", "seq": 10})
    line.new.refresh_from_db()
    assert line.new.taken_at == NOW + timedelta(seconds=90), "the first time counts"
    closer = {"HH": Wanted(1.65, 0.06, 3.0, 10.0)}
    (again,) = rulechanges.change(plant.points[0], closer, "x", safety(plant), NOW + timedelta(minutes=3))
    assert again.new.taken_at is None, "the engine has not taken the next one over"


def test_points_that_are_added_and_taken_away_reach_the_engine(plant: Plant) -> None:
    acting, later = plant.small.one("top").acting, NOW + timedelta(minutes=1)

    def add(at: changing.Changing) -> Point:
        point = Point.objects.create(
            site=plant.site, tag="NEW", name_zh="新", name_en="New", quantity="pressure", measure="MPa", high=1.0, range_high=2.0
        )
        at.note("add_point", plant.site.office_id, point)
        return point

    point = changing.change(acting, later, "why", add)
    (config,) = rules.configurations(later, [plant.site.pk])
    assert "NEW" in config.tags and {rule[2] for rule in config.rules if rule[1] == point.pk} == {
        Level.H,
        Level.SILENT,
        Level.BAD,
    }
    end = later + timedelta(minutes=1)
    for one in (point, *plant.points):
        changing.change(
            acting, end, "why", lambda at, one=one: at.edit("close_point", plant.site.office_id, one, {"closed_on": at.today})
        )
    (config,) = rules.configurations(end, [plant.site.pk])
    assert config.tags == {} and config.rules == (), "the engine is told that nothing is left"


def test_a_site_that_is_opened_again_is_watched_as_before(plant: Plant) -> None:
    acting, site = plant.small.one("top").acting, plant.site
    (before,) = rules.configurations(NOW + timedelta(seconds=1), [site.pk])
    for minute, name, day in ((1, "close_site", NOW.date()), (2, "reopen_site", None)):
        at = NOW + timedelta(minutes=minute)
        changing.change(acting, at, "why", lambda it, name=name, day=day: it.edit(name, site.office_id, site, {"closed_on": day}))
    (after,) = rules.configurations(NOW + timedelta(minutes=3), [site.pk])
    assert after.tags == before.tags and sorted(one[1:] for one in after.rules) == sorted(one[1:] for one in before.rules)


def test_a_closer_design_limit_draws_the_rule_closer(plant: Plant) -> None:
    point, later = plant.points[0], NOW + timedelta(minutes=1)
    changing.change(
        plant.small.one("plant").acting, later, "new vessel",
        lambda at: at.edit("edit_point", plant.site.office_id, point, {"high_high": 1.7}),
    )  # fmt: skip
    assert rulechanges.running(point, later + timedelta(seconds=1))["HH"].limit == 1.7
    assert RuleChange.objects.unscoped("test").get().grounds == "new vessel"


def test_the_record_stays(plant: Plant) -> None:
    rulechanges.change(plant.points[0], wanted(HH=1.75), "why", safety(plant), NOW + timedelta(minutes=1))
    for sql in ("UPDATE watch_rulechange SET grounds = 'x'", "DELETE FROM watch_rulechange"):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_the_page_keeps_what_was_typed_and_names_the_bound(plant: Plant, client: Client) -> None:
    client.force_login(plant.small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/rules/{plant.site.code}/{plant.points[0].pk}/"
    shown = client.get(address).content.decode()
    assert 'value="1.8"' in shown and "≤ 1.8" in shown
    filled = {"HH_limit": "2.4", "HH_deadband": "0.06", "HH_on": "3", "HH_off": "10", "H_limit": "1.6", "H_deadband": "0.06",
              "H_on": "3", "H_off": "10", "SILENT_on": "60", "BAD_on": "30", "grounds": "工艺变更单 7"}  # fmt: skip
    answer = client.post(address, filled)
    assert answer.status_code == 422
    assert 'value="2.4"' in answer.content.decode() and "工艺变更单 7" in answer.content.decode()
    assert client.post(address, filled | {"HH_limit": "1.7"}).status_code == 302
    listed = client.get(f"/rules/{plant.site.code}/").content.decode()
    assert "工艺变更单 7" in listed and "1.7" in listed
    assert Rule.objects.unscoped("test").filter(point=plant.points[0], level="HH", until__isnull=True).get().limit == 1.7


def test_grounds_stand_whole_in_the_alarms_record_or_are_refused(plant: Plant, client: Client) -> None:
    client.force_login(plant.small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    headers = {"X-Acting-Post": str(plant.small.one("plant").post.pk), "Accept-Language": "en"}
    address = f"/api/sites/{plant.site.code}/rules/{plant.points[0].pk}"
    plant.say(plant.event("RAISED"))

    def send(grounds: str, limit: float) -> Any:
        body = json.dumps({"grounds": grounds, "levels": {"HH": {"limit": limit}}})
        return client.post(address, body, content_type="application/json", headers=headers)

    refused = send("工" * 1001, 1.75)
    assert refused.status_code == 422 and "grounds: at most 1000 characters" in refused.content.decode()
    assert not RuleChange.objects.unscoped("test").exists()
    assert send("工" * 1000, 1.75).status_code == 200
    assert AlarmEvent.objects.get(kind="rule_changed").text.endswith("· " + "工" * 1000)


def test_a_program_changes_one_level(plant: Plant, client: Client) -> None:
    client.force_login(plant.small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    headers = {"X-Acting-Post": str(plant.small.one("plant").post.pk)}
    address = f"/api/sites/{plant.site.code}/rules/{plant.points[0].pk}"

    def send(**levels: object) -> object:
        body = json.dumps({"grounds": "工艺变更单 8", "levels": levels})
        return client.post(address, body, content_type="application/json", headers=headers)

    assert send(HH={"limit": 9.0}).status_code == 422
    assert send(XX={"limit": 1.0}).status_code == 422
    answer = send(HH={"limit": 1.75, "on_delay_s": 2})
    assert answer.status_code == 200, answer.content
    assert [(one["level"], one["limit"]) for one in answer.json()] == [("HH", 1.75)]
    assert (
        len([one for one in client.get(f"/api/sites/{plant.site.code}/rules").json() if one["point"] == plant.points[0].pk]) == 4
    )
