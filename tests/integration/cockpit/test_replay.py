"""The map as it was: open warnings and their levels at a moment of the last day, from the entries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui import moment
from fengsui.ledger import doors
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor, Call
from tests.small_region import Small, Somebody, build

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def small(db: Any) -> Small:
    return build(moment.now() - timedelta(days=1))


def of(who: Somebody) -> Client:
    client = Client(headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": "en"})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def seen(client: Client, at: datetime) -> Any:
    answer = client.get("/map/now.json", {"at": at.isoformat()})
    assert answer.status_code == 200, answer.content
    return answer.json()


def raised(small: Small, now: datetime) -> str:
    """A yellow warning three hours ago, red an hour ago, lifted ten minutes ago."""
    about = About("site", str(small.site.pk), small.place.pk, "hazchem", "大风")
    who = small.one("county").actor
    case = doors.open(
        "warning", "by_person", {"hazard_kind": "other", "colour": "yellow"}, who, about, key="", now=now - 3 * HOUR
    ).case
    level = Actor(kind="event", name="warning.level")
    doors.act(case, Call("upgrade", level, {"colour": "red"}), now=now - HOUR)
    doors.act(case, Call("feed_back", small.one("plant").actor, {"feedback": "已加固"}), now=now - HOUR / 2)
    doors.act(case, Call("lift", small.one("county").actor, {"grounds": "风停"}), now=now - HOUR / 6)
    return case


def test_the_map_shows_what_was_open_and_how_bad_it_was_then(small: Small) -> None:
    now = moment.now()
    case = raised(small, now)
    client = of(small.one("county"))
    for back, level in ((4 * HOUR, None), (2 * HOUR, "yellow"), (HOUR / 3, "red"), (HOUR / 12, None)):
        found = seen(client, now - back)
        expected = {} if level is None else {"150207": {"level": level, "open": 1}}
        assert found["counties"] == expected, back
        assert [(one["id"], one["level"]) for one in found["marks"]] == ([] if level is None else [(case, level)])
        assert sum(found["counts"].values()) == len(expected) and (level is None or found["counts"][level] == 1)


def test_another_county_sees_nothing_of_it(small: Small) -> None:
    now = moment.now()
    raised(small, now)
    assert seen(of(small.one("other")), now - 2 * HOUR)["marks"] == []


@pytest.mark.parametrize(
    "asked", ["", "yesterday", "2026-13-45T99:00Z", "2026-11-30T14:15", "1999-01-01T00:00Z", "2999-01-01T00:00Z", "9" * 5000]
)
def test_a_moment_that_is_none_is_told(small: Small, asked: str) -> None:
    answer = of(small.one("county")).get("/map/now.json", {"at": asked})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("at: give a moment of the last 24 hours")
