"""The API's list, page by page: every case once, also those opened at the same moment."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui.ledger import doors
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
