"""A map with more open matters than it bears marks for: the worst are drawn, how many are not is said, nearer by others are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from fengsui import moment
from fengsui.cockpit import situation
from fengsui.ledger import mechanisms
from fengsui.ledger.models import Case
from fengsui.region.models import Place
from tests.integration.cockpit.test_replay import HOUR, of, warned
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "109.0,40.0,111.0,41.5", "118.0,48.0,120.0,50.0"


@pytest.fixture
def small(db: Any, monkeypatch: pytest.MonkeyPatch) -> Small:
    """Two marks at most; a red warning older than three yellow ones, of which the oldest is overdue."""
    small, now = build(moment.now() - timedelta(days=1)), moment.now()
    kinds = [one for one in mechanisms.current("warning").fields["hazard_kind"].of if one != "other"][:3]
    warned(small, "other", "red", now - 5 * HOUR)
    ids = [warned(small, kind, "yellow", now - (4 - number) * HOUR) for number, kind in enumerate(kinds)]
    _due(ids, now + HOUR)
    _due(ids[:1], now - HOUR)
    monkeypatch.setattr(situation, "MARKS", 2)
    small.late = ids[0]  # type: ignore[attr-defined]
    return small


def _due(ids: list[str], due: datetime) -> None:
    with connection.cursor() as cursor:  # the guards let only the doors set it
        cursor.execute("SET session_replication_role = replica")
        Case.objects.filter(pk__in=ids).update(next_due=due)
        cursor.execute("SET session_replication_role = origin")


def layer(client: Client, **query: str) -> Any:
    answer = client.get("/map/now.json", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_worst_are_drawn_and_the_others_counted(small: Small) -> None:
    found = layer(of(small.one("county")))
    assert [one["level"] for one in found["marks"]] == ["yellow", "red"]  # the worst last: on top
    assert found["marks"][0]["id"] == small.late  # type: ignore[attr-defined]
    assert found["unmarked"] == 2 and found["counties"]["150207"]["open"] == 4


@pytest.mark.parametrize(
    ("language", "words"), [("en", "2 of 4 shown, the worst"), ("zh-hans", "已标 2 / 共 4 件，级别高的优先")]
)
def test_the_page_says_so_in_the_readers_language(small: Small, language: str, words: str) -> None:
    client = of(small.one("county"))
    assert words in client.get("/map/", headers={"Accept-Language": language}).content.decode()


def test_nothing_is_said_where_all_are_drawn(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(situation, "MARKS", 400)
    page = of(small.one("county")).get("/map/").content.decode()
    assert "shown, the worst" not in page
    assert layer(of(small.one("county")))["unmarked"] == 0


def test_a_box_has_the_worst_of_its_own_places(small: Small) -> None:
    client = of(small.one("county"))
    assert len(layer(client, box=HERE)["marks"]) == 2 and layer(client, box=HERE)["unmarked"] == 2
    far = layer(client, box=ELSEWHERE)
    assert far["marks"] == [] and far["unmarked"] == 0 and far["counties"]["150207"]["open"] == 4
    assert layer(of(small.one("other")), box=HERE)["marks"] == []  # no more than one may see


@pytest.mark.parametrize("box", ["", "1,2,3", "a,b,c,d", "111,40,109,41", "nan,40,111,41", "1,2,3,4,5", "9" * 400 + ",1,2,3"])
def test_what_is_no_box_is_told(small: Small, box: str) -> None:
    answer = of(small.one("county")).get("/map/now.json", {"box": box})
    assert answer.status_code == 422 and answer.json()["detail"].startswith("box: give west,south,east,north")


def test_the_region_s_own_matters_are_in_every_box(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """A red matter of the whole region does not vanish because the map was moved."""
    monkeypatch.setattr(situation, "MARKS", 400)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        region = Place.objects.get(code="150000")
        own = {"place_code": region.code, "place_path": region.path, "about_kind": "place", "about_id": region.code}
        Case.objects.filter(level="red").update(**own)
        cursor.execute("SET session_replication_role = origin")
        Place.objects.filter(code="150000").update(lon=113.0, lat=44.0)
    client = of(small.one("top"))
    for box in (HERE, "119.0,48.0,121.0,50.0"):
        assert "red" in [one["level"] for one in layer(client, box=box)["marks"]], box


def test_what_has_no_position_is_not_promised_nearer_by(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """A matter without a position has no mark at any scale: no zooming in shows it."""
    monkeypatch.setattr(situation, "MARKS", 4)
    monkeypatch.setattr(situation, "_where", lambda cases, sites, places: {})
    client = of(small.one("county"))
    assert layer(client)["marks"] == [] and layer(client)["unmarked"] == 0
    assert "shown, the worst" not in client.get("/map/", headers={"Accept-Language": "en"}).content.decode()


def test_one_county_alone_is_as_near_as_it_gets(small: Small) -> None:
    client = of(small.one("county"))
    assert layer(client, box="70,20,140,70")["near"] is False
    assert layer(client, box="109.79,40.63,109.80,40.64")["near"] is True
