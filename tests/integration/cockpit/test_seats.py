"""Seats of the demo: each prefix has a session of its own; outside the demo the prefix is nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from fengsui.cockpit.oneclick import demo_roles
from fengsui.moment import now as present
from fengsui.region.models import Account
from tests.small_region import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> dict[str, Account]:
    """The demo's accounts for two of its roles, each with a post."""
    small = build(present())
    found = {}
    for key, office in (("county", "county"), ("league", "league")):
        account = small.one(office).account
        account.username = f"demo.{key}"
        account.save()
        found[key] = account
    return found


@pytest.mark.parametrize("path", ["/as/county/desk/", "/as/county/", "/as/deputy/api/", "/as/county/live/", "/as/nobody/desk/"])
def test_outside_the_demo_the_prefix_is_no_address(cast: dict[str, Account], path: str) -> None:
    client = Client()
    assert client.get(path).status_code == 404
    assert set(client.cookies) <= {"csrftoken"}
    client.force_login(cast["county"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(path).status_code == 404


def test_a_name_that_is_no_role_is_no_seat(cast: dict[str, Account], settings: Any) -> None:
    settings.DEMO = True
    Account.objects.create_user("demo.root", password="a long enough one")
    for name in ("root", "demo.county", "auditor", ".."):
        assert Client().get(f"/as/{name}/desk/").status_code == 404


def test_each_seat_keeps_its_own_session(cast: dict[str, Account], settings: Any) -> None:
    settings.DEMO = True
    client = Client()
    client.force_login(cast["league"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/as/county/desk/")
    assert answer.status_code == 200 and answer.context["user"] == cast["county"]
    cookie = answer.cookies["as_county_sessionid"]
    assert cookie["path"] == "/as/county/" and cookie["httponly"] and cookie["samesite"] == "Lax"
    assert "sessionid" not in answer.cookies
    assert client.get("/desk/").context["user"] == cast["league"]
    assert client.get("/as/league/desk/").context["user"] == cast["league"]
    assert client.get("/as/county/desk/").context["user"] == cast["county"]


def test_links_stay_below_the_prefix(cast: dict[str, Account], settings: Any) -> None:
    settings.DEMO = True
    answer = Client().get("/as/county/")
    assert answer.status_code == 302 and answer["Location"] == "/as/county/desk/"
    page = Client().get("/as/county/desk/").content.decode()
    assert 'href="/as/county/map/"' in page and 'href="/map/"' not in page
    assert Client().get("/desk/")["Location"].startswith("/sign-in/")


def test_only_a_seat_may_be_framed_and_only_by_us(cast: dict[str, Account], settings: Any) -> None:
    settings.DEMO = True
    seat, page = Client().get("/as/county/desk/"), Client().get("/sign-in/")
    assert "frame-ancestors 'self'" in seat["Content-Security-Policy"] and seat["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"] and page["X-Frame-Options"] == "DENY"


def test_a_form_without_the_seats_token_is_refused(cast: dict[str, Account], settings: Any) -> None:
    settings.DEMO = True
    client = Client(enforce_csrf_checks=True)
    client.get("/as/county/desk/")
    assert client.post("/as/county/cases/new/", {}).status_code == 403
    client.get("/sign-in/")
    other = client.cookies["csrftoken"].value
    assert client.post("/as/county/cases/new/", {"csrfmiddlewaretoken": other}).status_code == 403


def test_a_request_that_changes_signs_nobody_in(cast: dict[str, Account], settings: Any) -> None:
    settings.DEMO = True
    answer = Client().post("/as/county/exercise/wish/", {"wish": "nothing"})
    assert answer.status_code == 400 and not answer.cookies.get("as_county_sessionid")
    answer = Client().post("/as/county/desk/", {})
    assert answer.status_code == 405 and not answer.cookies.get("as_county_sessionid")


def test_every_role_names_a_frame_that_it_stands_in_for(settings: Any) -> None:
    settings.DEMO = True
    keys = {role.key for role in demo_roles()}
    assert all(not role.stands_in or role.stands_in in keys for role in demo_roles())


def test_the_splitscreen_asks_for_known_roles_only(settings: Any) -> None:
    settings.DEMO = True
    page = Client().get("/demo/four/?as=duty,duty,nobody,safety")
    assert page.context["shown"] == ["duty", "safety", "control", "county"]
    assert Client().get("/demo/four/live/?as=nobody").status_code == 404
