"""The map as it was: open warnings and their levels at a moment of the last day, from the entries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fengsui import moment
from fengsui.cockpit import situation
from fengsui.ledger import doors, mechanisms
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Entry
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


def warned(small: Small, kind: str, colour: str, at: datetime) -> str:
    about = About("site", str(small.site.pk), small.place.pk, "hazchem", kind)
    values = {"hazard_kind": kind, "colour": colour}
    return doors.open("warning", "by_person", values, small.one("county").actor, about, key="", now=at).case


def test_of_too_many_marks_the_mildest_are_left_out_and_counted(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old red one is not lost for many that are newer."""
    now = moment.now()
    kinds = [one for one in mechanisms.current("warning").fields["hazard_kind"].of if one != "other"][:3]
    red = warned(small, "other", "red", now - 5 * HOUR)
    for kind in kinds:
        warned(small, kind, "yellow", now - 4 * HOUR)
    monkeypatch.setattr(situation, "MARKS", 2)
    found = seen(of(small.one("county")), now - HOUR / 3)
    assert [one["level"] for one in found["marks"]] == ["yellow", "red"]
    assert found["marks"][-1]["id"] == red
    assert found["counts"] == {"red": 1, "orange": 0, "yellow": 3, "blue": 0} and found["unmarked"] == 2
    assert found["counties"] == {"150207": {"level": "red", "open": 4}}
    assert "due" not in found["marks"][0]  # today's, not that moment's


def test_who_had_a_level_then_counts_though_it_has_none_now(small: Small) -> None:
    now = moment.now()
    case = raised(small, now)
    with connection.cursor() as cursor:  # no mechanism takes a level away today; the guards let nothing else do it
        cursor.execute("SET session_replication_role = replica")
        Case.objects.filter(pk=case).update(level="general")
        cursor.execute("SET session_replication_role = origin")
    found = seen(of(small.one("county")), now - 2 * HOUR)
    assert [(one["id"], one["level"]) for one in found["marks"]] == [(case, "yellow")] and found["counts"]["yellow"] == 1


def test_only_entries_that_speak_of_the_level_are_read(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    now = moment.now()
    raised(small, now)
    read: list[str] = []
    content = Entry.content
    monkeypatch.setattr(Entry, "content", lambda entry: read.append(entry.act) or content(entry))
    client = of(small.one("county"))
    assert seen(client, now - HOUR / 3)["counts"]["red"] == 1 and read == []  # moved since, its level was not touched
    assert seen(client, now - 2 * HOUR)["counts"]["yellow"] == 1 and read == ["by_person"]


def test_a_moment_of_the_slider_is_kept_a_short_time(small: Small) -> None:
    now = moment.now()
    raised(small, now - HOUR)
    at = datetime.fromtimestamp((now - 2 * HOUR).timestamp() // 900 * 900, now.tzinfo)
    client = of(small.one("county"))
    first = seen(client, at)
    with CaptureQueriesContext(connection) as asked:
        assert seen(client, at) == first
    assert not [one for one in asked.captured_queries if "ledger_" in one["sql"]]
    assert seen(of(small.one("other")), at)["marks"] == []  # each reader their own


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
