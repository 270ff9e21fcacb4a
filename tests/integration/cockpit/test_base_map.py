"""The licensed base map and the approval number: the operator's, on the page and in the security policy."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client, override_settings

from fengsui.moment import now as present
from tests.small_region import build

pytestmark = pytest.mark.django_db
TILES = ["https://tiles.example.org/{z}/{x}/{y}.png?tk=K"]


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(build(present()).one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    return signed_in


def base_of(page: str) -> dict[str, object]:
    """What the page tells its script about the base map."""
    found = re.search(r'<script id="map-base" type="application/json">(.*?)</script>', page)
    assert found
    return dict(json.loads(found[1]))


def test_without_one_nothing_is_fetched_from_elsewhere(client: Client) -> None:
    answer = client.get("/map/", headers={"Accept-Language": "en"})
    assert base_of(answer.content.decode()) == {"tiles": [], "credit": ""}
    assert "connect-src 'self';" in answer["Content-Security-Policy"]
    assert "审图号：待填" in client.get("/map/").content.decode()


@override_settings(MAP_TILES=TILES, MAP_CREDIT="© Survey", MAP_APPROVAL="审图号 GS(2026)1号")
def test_the_operators_map_is_drawn_credited_and_allowed(client: Client) -> None:
    answer = client.get("/map/")
    page = answer.content.decode()
    assert base_of(page) == {"tiles": TILES, "credit": "© Survey"}
    assert "审图号 GS(2026)1号" in page and "© Survey" in page and 'data-layer="base"' in page
    policy = answer["Content-Security-Policy"]
    assert "connect-src 'self' https://tiles.example.org;" in policy
    assert "img-src 'self' data: blob: https://tiles.example.org;" in policy
    assert "script-src 'self';" in policy
