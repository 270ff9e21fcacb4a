"""Beside each number of an alarm rule stands where it comes from, on pages and for programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from fengsui.region.models import Point
from fengsui.watch import origins, rulechanges, rules
from fengsui.watch.models import Rule
from fengsui.watch.rulechanges import Wanted
from tests.integration.watch.test_relay import NOW, Plant

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant(db: None) -> Plant:
    made = Plant()
    gas = Point.objects.create(
        site=made.site, tag="GT-1", name_zh="氨", name_en="NH3", quantity="toxic_gas", measure="mg/m³", substance="NH3",
        high=20.0, high_high=30.0, range_low=0, range_high=100,
    )  # fmt: skip
    Rule.objects.bulk_create(rules.derive([gas], NOW))
    made.points.append(gas)
    return made


def kinds(point: Point, level: str) -> dict[str, tuple[str, bool]]:
    rule = rulechanges.running(point, NOW + timedelta(minutes=2))[level]
    return {name: (one.kind, one.proposed) for name, one in origins.of_rule(rule, point, NOW).items()}


def test_a_derived_rule_has_the_design_s_limit_and_proposed_defaults(plant: Plant) -> None:
    default = ("default", True)
    assert kinds(plant.points[0], "HH") == {
        "limit": ("design", False), "deadband": default, "on_delay": default, "off_delay": default,
    }  # fmt: skip
    assert kinds(plant.points[0], "SILENT") == {"on_delay": default}


def test_a_limit_of_the_law_names_its_clause_and_one_of_the_plant_s_own_is_called_so(plant: Plant) -> None:
    gas = plant.points[-1]
    assert kinds(gas, "H")["limit"] == ("law", False) and kinds(gas, "HH")["limit"] == ("design", False)
    rule = rulechanges.running(gas, NOW)["H"]
    found = origins.of_rule(rule, gas, NOW)["limit"]
    assert "GB/T 50493" in found.said and found.number == "monitoring.toxic"
    acting = plant.small.one("plant").acting
    rulechanges.change(gas, {"H": Wanted(15.0, 3.0, 5.0, 1.0)}, "HAZOP", acting, NOW + timedelta(minutes=1))
    plants = ("plant", False)
    assert kinds(gas, "H") == {"limit": plants, "deadband": plants, "on_delay": plants, "off_delay": plants}


@pytest.mark.parametrize(
    ("language", "proposed", "design"),
    [("en", "proposed default", "design limit"), ("zh-hans", "建议默认值（无法规依据）", "设计限值")],
)
def test_pages_say_it_in_both_languages(plant: Plant, client: Client, language: str, proposed: str, design: str) -> None:
    client.force_login(plant.small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    code = plant.site.code
    for address in (f"/rules/{code}/", f"/sites/{code}/"):
        page = client.get(address).content.decode()
        assert proposed in page and design in page and "GB/T 50493" in page, address
        assert "/law/alarm.deadband/" in page and "/law/monitoring.toxic/" in page
    form = client.get(f"/rules/{code}/{plant.points[0].pk}/").content.decode()
    assert f"{proposed}: 0.06" in form and f"{proposed}: 3" in form, "a share of the range; seconds"


def test_the_site_page_draws_the_limits_that_are_judged_by(plant: Plant, client: Client) -> None:
    client.force_login(plant.small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    acting = plant.small.one("plant").acting
    rulechanges.change(plant.points[0], {"HH": Wanted(1.73, 0.05, 3.0, 10.0)}, "HAZOP", acting, NOW + timedelta(minutes=1))
    assert "HH 1.73" in client.get(f"/sites/{plant.site.code}/").content.decode()


def test_programs_read_it_too(plant: Plant, client: Client) -> None:
    client.force_login(plant.small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    rows = client.get(f"/api/sites/{plant.site.code}/rules").json()
    high = next(row for row in rows if row["point"] == plant.points[-1].pk and row["level"] == "H")
    assert (high["origin"]["limit"]["kind"], high["origin"]["limit"]["number"]) == ("law", "monitoring.toxic")
    assert high["origin"]["deadband"] == {
        "kind": "default", "said": high["origin"]["deadband"]["said"], "number": "alarm.deadband", "proposed": True,
    }  # fmt: skip
    points = client.get(f"/api/sites/{plant.site.code}/points").json()
    limit = next(row for row in points if row["tag"] == "PT-0")["limits"][0]
    assert (limit["level"], limit["origin"]["limit"]["kind"]) == ("HH", "design")
