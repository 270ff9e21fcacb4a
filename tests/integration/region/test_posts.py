"""Posts: nobody gives a function beyond the own authority, nor widens a post they act in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui import moment
from fengsui.region import change_api
from fengsui.region.models import Delegation, Holding, Post
from tests.integration.region.conftest import NOW, House

pytestmark = pytest.mark.django_db


def _post(duties: list[str]) -> dict[str, Any]:
    return {"title_zh": "岗", "title_en": "Post", "duties": duties}


def test_a_deputy_does_not_widen_the_post_they_sign_for(house: House) -> None:
    chief = house.small.one("county")
    Delegation.objects.create(
        principal=chief.person, deputy=house.local.person, post=chief.post, acts=["*"], since=NOW + timedelta(days=1),
        until=NOW + timedelta(days=9),
    )  # fmt: skip
    Post.objects.filter(pk=chief.post.pk).update(duties=["inspection"])
    assert "duties" in house.refused(house.local, chief.post, "edit_post", **_post(["inspection", "leading"]))
    assert "charges" in house.refused(house.local, chief.post, "edit_post", charges=["mines"], **_post(["inspection"]))
    house.do(house.admin, chief.post, "edit_post", **_post(["inspection", "leading"]))


def test_no_post_gets_a_function_that_its_giver_s_authority_lacks(house: House) -> None:
    county, officer = house.small.county, house.small.one("county")
    for function in ("audit", "commission", "human_resources"):
        assert "duties" in house.refused(house.local, county, "add_post", **_post([function])), function
        assert "duties" in house.refused(house.local, officer.post, "edit_post", **_post(["inspection", function])), function
    house.do(house.local, county, "add_post", **_post(["inspection", "leading", "administration"]))
    made = house.do(house.admin, county, "add_post", **_post(["audit"])).subject
    house.do(house.local, made, "edit_post", **_post(["audit", "inspection"]))  # what it has already stays


def test_a_plant_s_posts_have_a_plant_s_functions(house: House) -> None:
    plant = house.small.plant
    for who in (house.local, house.admin):
        assert "duties" in house.refused(who, plant, "add_post", **_post(["leading"]))
    house.do(house.local, plant, "add_post", **_post(["guardian", "administration"]))


def test_an_office_that_is_gone_takes_no_posts_people_or_numbers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was entered there would act for nobody."""
    monkeypatch.setattr(moment, "now", lambda: NOW)
    monkeypatch.setattr(change_api, "present", lambda: NOW)
    county = house.small.county
    post = house.small.one("county").post
    house.do(house.admin, county, "merge", into=str(house.small.league.pk), since="2026-11-25", along="on")
    client = Client(headers={"X-Acting-Post": str(house.admin.post.pk), "Accept-Language": "en"})
    client.force_login(house.admin.account, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/offices/{county.pk}/").content.decode()
    for address in (
        f"/change/office/{county.pk}/add_post/",
        f"/change/office/{county.pk}/add_contact/",
        f"/change/post/{post.pk}/edit_post/",
        f"/change/post/{post.pk}/begin_holding/",
    ):
        assert address not in page, address
        answer = client.post(
            f"/api{address.replace('/change/', '/changes/').rstrip('/')}", {"values": {"grounds": "x"}}, "application/json"
        )
        assert answer.status_code == 409, answer.content


def test_the_office_s_page_marks_who_cannot_sign_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: NOW)
    address = f"/offices/{house.small.county.pk}/"
    client = Client(headers={"X-Acting-Post": str(house.admin.post.pk), "Accept-Language": "en"})
    client.force_login(house.admin.account, backend="django.contrib.auth.backends.ModelBackend")
    assert "cannot sign in" not in client.get(address).content.decode()
    house.do(house.admin, house.small.one("county").person, "lock")
    assert client.get(address).content.decode().count("cannot sign in") == 1
    assert "无可用账号" in client.get(address, headers={"Accept-Language": "zh-hans"}).content.decode()


def test_a_term_shows_its_last_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: NOW)
    holding = Holding.objects.get(person=house.small.one("county").person)
    house.do(house.admin, holding, "end_holding", last_day="2026-12-05")
    client = Client(headers={"X-Acting-Post": str(house.admin.post.pk), "Accept-Language": "en"})
    client.force_login(house.admin.account, backend="django.contrib.auth.backends.ModelBackend")
    for address in (f"/offices/{house.small.county.pk}/", f"/people/{holding.person_id}/"):
        assert f"{holding.since:%Y-%m-%d} – 2026-12-05" in client.get(address).content.decode()
