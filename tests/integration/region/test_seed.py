"""The demonstration's region: complete, the same from the same seed, everybody's post filled."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from django.db import connection

from fengsui.region import geography, roles, supervision
from fengsui.region.acting import actings, scope
from fengsui.region.models import Account, Certificate, Contact, HazardUnit, Office, Point, Site
from fengsui.region.roles import About
from fengsui.region.tree import steady
from fengsui.services.demo import seed

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TWO_SIGN = {"site_supervisor", "upper_supervisor", "county_office", "duty_room", "commission", "accident_office"}


@pytest.fixture(scope="module")
def whole(django_db_setup: None, django_db_blocker: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """The whole seeded region, rolled back at the end of the module."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        made = seed.run(lambda words: None, NOW, passwords=True)
        yield made
        transaction.set_rollback(True)


pytestmark = pytest.mark.django_db


def test_it_is_all_there(whole) -> None:  # type: ignore[no-untyped-def]
    made = whole
    assert made.counts["places"] == 1149
    assert Site.objects.unscoped("t").filter(industry="hazchem").count() == 308
    assert Site.objects.unscoped("t").filter(industry="mines").count() == 288
    assert 15 <= made.counts["points"] / made.counts["sites"] <= 25
    assert set(made.passwords) >= {"demo.deputy", "demo.duty", "demo.county", "demo.inspector", "demo.second", "demo.control"}


def test_names_are_marked_as_made_up(whole) -> None:  # type: ignore[no-untyped-def]
    assert not Office.objects.exclude(name_zh__endswith="（演练）").exists()
    assert not Contact.objects.unscoped("t").exclude(phone__regex=r"^0\d{3}-555-01\d\d$").exists()


def test_every_site_lies_in_its_county(whole) -> None:  # type: ignore[no-untyped-def]
    shapes = geography.county_shapes()
    wrong = [site.code for site in Site.objects.unscoped("t") if not shapes[site.place_id].holds(site.lon, site.lat)]
    assert wrong == []


def test_the_plant_of_the_exercise(whole) -> None:  # type: ignore[no-untyped-def]
    site = Site.objects.unscoped("t").get(code="HC-150207-01")
    unit = HazardUnit.objects.unscoped("t").get(site=site, code="U-01")
    assert (unit.s, unit.r, unit.grade) == (26.0, 104.0, 1)
    point = Point.objects.unscoped("t").get(site=site, tag="PT-1021")
    assert (point.high, point.high_high, point.measure) == (1.5, 1.6, "MPa")
    gas = Point.objects.unscoped("t").get(site=site, tag="GT-1101")
    assert (gas.high, gas.high_high) == (20, 40)
    assert site.office.contacts.first().title_zh == "中控操作员"


def test_every_role_has_people_for_every_site(whole) -> None:  # type: ignore[no-untyped-def]
    thin: set[tuple[str, int]] = set()
    with steady():
        for site in Site.objects.unscoped("t"):
            about = About(place_code=site.place_id, duty=site.duties[0], site_id=site.pk)
            county = roles.resolve("county_office", about, NOW)
            about = dataclasses.replace(about, opener=county, owner=county, parent_owner=county)
            for role, office in roles.resolve_all(roles.roles(), about, NOW).items():
                assert office is not None
                if roles.role_of(role).kind == "person":
                    continue
                people = len(roles._eligible(roles.tree(), roles.role_of(role), office, NOW)) if office else 0
                if people < (2 if role in TWO_SIGN else 1):
                    thin.add((role, office))
    assert thin == set()


def test_only_the_stated_county_leaves_sites_unanswered(whole) -> None:  # type: ignore[no-untyped-def]
    gaps = supervision.unanswered(NOW)
    places = {Site.objects.unscoped("t").get(pk=gap.site_id).place_id for gap in gaps}
    assert places <= {"152202"} and {gap.why for gap in gaps} <= {"no_office"}


def test_inspectors_are_certified(whole) -> None:  # type: ignore[no-untyped-def]
    for name in ("demo.inspector", "demo.second"):
        person = Account.objects.get(username=name).person
        assert Certificate.objects.unscoped("t").filter(person=person, expires__gte=NOW.date()).exists()


def test_what_each_role_sees(whole) -> None:  # type: ignore[no-untyped-def]
    def sees(name: str) -> int:
        (first, *_) = actings(Account.objects.get(username=name), NOW)
        return Site.objects.scoped(scope(first)).count()

    whole_region = Site.objects.unscoped("t").count()
    assert sees("demo.deputy") == sees("demo.duty") == whole_region
    assert sees("demo.control") == 1
    assert 1 < sees("demo.county") < sees("demo.league") < whole_region
    assert len(actings(Account.objects.get(username="demo.duty"), NOW)) == 2


def test_a_second_seed_into_the_same_database_is_refused(whole) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(seed.NotEmpty, match="fresh"):
        seed.run(lambda words: None, NOW)


def test_resolving_is_cheap(whole, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    site = Site.objects.unscoped("t").get(code="HC-150207-01")
    about = About(site_id=site.pk)
    roles.resolve("up", about, NOW)
    with django_assert_num_queries(1):
        roles.resolve_all(roles.roles(), about, NOW)
    assert connection.vendor == "postgresql"
