"""Roles, supervision and scope on a small real region in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory
from django.utils import translation

from fengsui.region import roles, supervision
from fengsui.region.acting import acting_of, actings, scope
from fengsui.region.models import Account, Contact, Delegation, Holding, Office, Person, Place, Post, Site
from fengsui.region.roles import About
from fengsui.region.scoping import NOTHING, Unscoped

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def fill(office: Office, *works: str, people: int = 2) -> list[Person]:
    """People in one post each, with these functions."""
    found = []
    for number in range(people):
        name = f"{office.name_zh}{number}"
        account = Account.objects.create(username=f"{office.pk}.{number}.{Person.objects.unscoped('test').count()}")
        person = Person.objects.create(name=name, account=account)
        post = Post.objects.create(office=office, title_zh="岗", title_en="Post", duties=list(works))
        Holding.objects.create(post=post, person=person, since=NOW - timedelta(days=9))
        found.append(person)
    return found


@pytest.fixture
def small() -> SimpleNamespace:
    """A region with one league of two counties, a bureau each, a site in the first county."""
    region = Place.objects.create(code="150000", name_zh="区", name_en="Region", level="region")
    league = Place.objects.create(code="150200", name_zh="盟", name_en="League", level="league", parent=region)
    one = Place.objects.create(code="150207", name_zh="甲", name_en="One", level="county", parent=league)
    two = Place.objects.create(code="150203", name_zh="乙", name_en="Two", level="county", parent=league)
    works = ["hazchem", "mines", "duty"]
    above = [*works, "supervision", "leading"]
    top = Office.objects.create(name_zh="厅", name_en="Dept", kind="department", place=region, duties=above)
    upper = Office.objects.create(name_zh="盟局", name_en="LB", kind="bureau", place=league, parent=top, duties=works)
    first = Office.objects.create(name_zh="甲局", name_en="B1", kind="bureau", place=one, parent=upper, duties=works)
    second = Office.objects.create(name_zh="乙局", name_en="B2", kind="bureau", place=two, parent=upper, duties=works)
    plant = Office.objects.create(name_zh="厂", name_en="Plant", kind="enterprise", place=one, parent=first)
    for office in (top, upper, first, second):
        fill(office, "enforcement", "duty", "leading", "supervision")
    fill(plant, "control_room", people=1)
    site = Site.objects.create(
        code="HC-1",
        name_zh="厂",
        name_en="Plant",
        place=one,
        office=plant,
        industry="hazchem",
        duties=["hazchem"],
        lon=110,
        lat=40,
    )
    return SimpleNamespace(**locals())


def test_every_role_resolves_for_a_site(small: SimpleNamespace) -> None:
    about = About(place_code="150207", duty="hazchem", site_id=small.site.pk, opener=small.first.pk, owner=small.first.pk)
    found = roles.resolve_all(roles.roles(), about, NOW)
    assert None not in found.values()
    assert found["site_supervisor"] == small.first.pk
    assert found["upper_supervisor"] == small.upper.pk
    assert found["control_room"] == found["control_room"] == small.plant.pk
    assert found["up"] == small.upper.pk
    assert found["top"] == small.top.pk


def test_every_role_resolves_when_nothing_is_known(small: SimpleNamespace) -> None:
    assert None not in roles.resolve_all(roles.roles(), About(), NOW).values()


def test_an_unknown_role_is_named(small: SimpleNamespace) -> None:
    with pytest.raises(roles.UnknownRole, match="emperor"):
        roles.resolve("emperor", About(), NOW)


def test_a_vacant_office_gives_way_upward(small: SimpleNamespace) -> None:
    about = About(place_code="150207", duty="hazchem", site_id=small.site.pk)
    Holding.objects.filter(post__office=small.first).update(until=NOW)
    assert roles.resolve("site_supervisor", about, NOW) == small.upper.pk
    assert roles.resolve("site_supervisor", about, NOW - timedelta(seconds=1)) == small.first.pk
    gaps = [(gap.site_id, gap.why) for gap in supervision.unanswered(NOW)]
    assert gaps == [(small.site.pk, "vacant")]


def test_a_merged_office_gives_way_to_its_successor(small: SimpleNamespace) -> None:
    about = About(place_code="150207", duty="hazchem", site_id=small.site.pk)
    small.first.successor, small.first.dissolved_on = small.second, (NOW - timedelta(days=1)).date()
    small.first.save()
    assert roles.resolve("site_supervisor", about, NOW) == small.second.pk
    assert supervision.supervisor(small.site, "hazchem", "county", NOW) == small.second


def test_an_office_without_successor_leaves_the_site_unanswered(small: SimpleNamespace) -> None:
    small.first.dissolved_on = NOW.date()
    small.first.save()
    assert [gap.why for gap in supervision.unanswered(NOW)] == ["no_office"]
    with pytest.raises(supervision.NoSupervisor, match="150207"):
        supervision.supervisor(small.site, "hazchem", "county", NOW)
    assert roles.resolve("site_supervisor", About(site_id=small.site.pk), NOW) == small.upper.pk


def test_one_up_climbs_to_the_top_and_stays(small: SimpleNamespace) -> None:
    path, office = [], small.plant.pk
    for _ in range(5):
        office = roles.one_up(office, "hazchem", NOW)
        path.append(office)
    assert path == [small.first.pk, small.upper.pk, small.top.pk, small.top.pk, small.top.pk]


def test_holds_needs_the_post_the_function_and_the_term(small: SimpleNamespace) -> None:
    holding = Holding.objects.filter(post__office=small.first).first()
    args = (holding.person_id, holding.post_id)
    assert roles.holds(*args, "site_supervisor", small.first.pk, NOW)
    assert not roles.holds(*args, "site_supervisor", small.second.pk, NOW)
    assert not roles.holds(*args, "finance", small.first.pk, NOW)
    assert not roles.holds(*args, "site_supervisor", small.first.pk, NOW - timedelta(days=10))
    assert not roles.holds(*args, "public", small.first.pk, NOW)


def test_a_deputy_holds_for_the_dated_term_only(small: SimpleNamespace) -> None:
    holding = Holding.objects.filter(post__office=small.first).first()
    deputy = Person.objects.create(name="代")
    account = Account.objects.create(username="dai")
    deputy.account = account
    deputy.save()
    side = Post.objects.create(office=small.second, title_zh="岗", title_en="Post", duties=["registry"])
    own = Holding.objects.create(post=side, person=deputy, since=NOW - timedelta(days=9))
    Delegation.objects.create(
        principal=holding.person, deputy=deputy, post=holding.post, acts=["hazard.list"], since=NOW, until=NOW + timedelta(days=1)
    )
    assert roles.holds(deputy.pk, holding.post_id, "site_supervisor", small.first.pk, NOW)
    assert not roles.holds(deputy.pk, holding.post_id, "site_supervisor", small.first.pk, NOW + timedelta(days=1))
    _own, one = actings(account, NOW)
    assert one.principal_id == holding.person_id
    assert one.may_do("hazard", "list") and not one.may_do("hazard", "nothing")
    assert [lent.post_id for lent in actings(account, NOW + timedelta(days=1))] == [side.pk]
    own.until = NOW
    own.save()
    assert actings(account, NOW) == [] and not roles.holds(deputy.pk, holding.post_id, "site_supervisor", small.first.pk, NOW)


def test_scope_keeps_the_neighbour_out(small: SimpleNamespace) -> None:
    def sees(office: Office) -> bool:
        post = office.posts.first()
        account = Account.objects.create(username=f"u{office.pk}")
        person = post.holdings.first().person
        person.account = account
        person.save()
        (one,) = actings(account, NOW)
        return Site.objects.scoped(scope(one)).filter(pk=small.site.pk).exists()

    assert sees(small.first) and sees(small.upper) and sees(small.top) and sees(small.plant)
    assert not sees(small.second)
    assert not Site.objects.scoped(NOTHING).exists()


def test_a_query_without_scope_is_an_error(small: SimpleNamespace) -> None:
    for wrong in (
        lambda: list(Site.objects.all()),
        lambda: Site.objects.count(),
        lambda: Site.objects.get(pk=small.site.pk),
        lambda: Site.objects.filter(pk=1).exists(),
        lambda: Site.objects.values_list("id").first(),
        lambda: Contact.objects.update(name="x"),
        lambda: Person.objects.all().delete(),
    ):
        with pytest.raises(Unscoped):
            wrong()
    with pytest.raises(Unscoped):
        Site.objects.unscoped(" ")
    assert list(small.site.points.all()) == []
    assert Site.objects.unscoped("test").count() == 1


@translation.override("en")
def test_the_acting_post_comes_from_the_request(small: SimpleNamespace) -> None:
    person = Person.objects.unscoped("test").filter(holdings__post__office=small.first).first()
    person.account = Account.objects.create(username="wang")
    person.save()
    extra = Post.objects.create(office=small.second, title_zh="兼", title_en="Also", duties=["duty"])
    Holding.objects.create(post=extra, person=person, since=NOW)
    factory = RequestFactory()
    seen = factory.get("/")
    seen.user = Account.objects.get(username="wang")
    assert acting_of(seen, NOW).office_id == small.first.pk
    change = factory.post("/")
    change.user = seen.user
    with pytest.raises(PermissionDenied, match="Say in which post"):
        acting_of(change, NOW)
    named = factory.post("/", {"post": extra.pk})
    named.user = seen.user
    assert acting_of(named, NOW).office_id == small.second.pk
    foreign = factory.get("/", {"post": 999999})
    foreign.user = seen.user
    with pytest.raises(PermissionDenied, match="do not hold"):
        acting_of(foreign, NOW)
    nobody = factory.get("/")
    nobody.user = Account.objects.create(username="none")
    with pytest.raises(PermissionDenied, match="no post"):
        acting_of(nobody, NOW)


def test_moving_an_office_moves_its_subtree(small: SimpleNamespace) -> None:
    small.first.parent = small.second
    small.first.save()
    small.plant.refresh_from_db()
    assert small.plant.path == f"{small.second.path}{small.first.pk}/{small.plant.pk}/"
