"""The API's list, page by page: every case once, also those opened at the same moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from fengsui.ledger import doors, reading, views
from fengsui.ledger.models import Case
from fengsui.ledger.reading import scoped
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small

pytestmark = pytest.mark.django_db


def test_cases_of_one_moment_come_once_each(small: Small) -> None:
    about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="旧")
    fields = {"finding": "旧", "answering": small.county.pk}
    doors.adopt([doors.Adoption("hazard", "found", about, f"旧-{n}", fields, opened_at=NOW) for n in range(7)], NOW)
    who = small.one("county")
    client = Client(headers={"X-Acting-Post": str(who.post.pk)})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    seen, after = [], ""
    for _ in range(4):
        answer = client.get("/api/cases", {"limit": 2, "after": after}).json()
        seen += [case["id"] for case in answer["cases"]]
        after = answer["next"] or ""
    assert not after
    assert len(seen) == len(set(seen)) == 7
    assert client.get("/api/cases", {"after": "yesterday"}).status_code == 422


@pytest.mark.parametrize(("page", "first", "last"), [(1, 1, 50), (2, 51, 57), (9, 51, 57)])
def test_a_search_tells_how_many_on_every_page_and_shows_the_last_beyond_it(
    small: Small, page: int, first: int, last: int
) -> None:
    about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="围堰破损")
    fields = {"finding": "旧", "answering": small.county.pk}
    doors.adopt([doors.Adoption("hazard", "found", about, f"旧-{n}", fields, opened_at=NOW) for n in range(57)], NOW)
    who = small.one("county")
    client = Client(headers={"X-Acting-Post": str(who.post.pk)})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    context = client.get("/cases/", {"q": "围堰", "page": page}).context
    assert (context["count"], context["first"], context["last"], len(context["rows"])) == (57, first, last, last - first + 1)
    assert client.get("/cases/", {"q": "井喷", "page": page}).context["count"] == 0


@pytest.mark.parametrize("rare", [0, 2, 2_000])
def test_a_search_finds_the_same_however_many_cases_hold_the_words(
    small: Small, rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are looked up by themselves, many along the list's order: neither shows in what is found."""
    monkeypatch.setattr(scoped, "RARE", rare)
    about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="围堰破损")
    other = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="静电接地断开")
    fields = {"answering": small.county.pk}
    doors.adopt(
        [
            doors.Adoption(
                "hazard", "found", one, f"旧-{one.title}-{n}", fields | {"finding": one.title}, opened_at=NOW - timedelta(hours=n)
            )
            for n in range(4)
            for one in (about, other)
        ],
        NOW,
    )
    actings = [small.one("county").acting]
    latest = ("-opened_at", "-id")
    found = reading.searched(reading.cases(actings), latest, "围堰", 3)
    cases = [Case.objects.get(pk=one) for one in found]
    assert [one.opened_at for one in cases] == [NOW - timedelta(hours=n) for n in range(3)]
    assert all("围堰破损" in one.title for one in cases)
    assert reading.count(reading.search(reading.cases(actings), "围堰")) == (4, False)
    assert reading.searched(reading.cases(actings), latest, "井喷", 3) == []
    assert len(reading.searched(reading.cases(actings), latest, "", 5)) == 5
    assert reading.searched(reading.cases([]), latest, "围堰", 3) == []


def test_a_search_of_many_hits_stops_counting_and_goes_on_page_by_page(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "SEARCHED", 55)
    about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="围堰破损")
    fields = {"finding": "旧", "answering": small.county.pk}
    doors.adopt([doors.Adoption("hazard", "found", about, f"旧-{n}", fields, opened_at=NOW) for n in range(107)], NOW)
    who = small.one("county")
    client = Client(headers={"X-Acting-Post": str(who.post.pk)})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    told = [client.get("/cases/", {"q": "围堰", "page": page}).context for page in (1, 2, 3)]
    assert [(one["counted"], one["has_next"], len(one["rows"])) for one in told] == [
        ("100+", True, 50),
        ("107", True, 50),
        ("107", False, 7),
    ]
