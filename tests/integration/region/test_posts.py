"""Posts: nobody gives a function beyond the own authority, nor widens a post they act in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fengsui.region.models import Delegation, Post
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
