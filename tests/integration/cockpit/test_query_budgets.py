"""How many statements each page costs: at most so many, and no more with thirty rows than with three.

A page that asks once more for each row it shows is slow on a real desk and nowhere else; these numbers catch it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fengsui.cockpit import frame
from fengsui.ledger import doors, mechanisms
from fengsui.moment import now as present
from fengsui.region.models import Site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db

MANY = 30
PAGES = {
    "/cases/": 15,
    "/cases/?open=all&q=氨罐": 17,
    "/cases/?mechanism=warning&level=red,orange&order=-moved": 15,
    "/cases/?part=rows": 11,
    "/find/?q=氨罐": 14,
    "/desk/": 26,
    "/desk/?part=lines": 20,
    "/api/cases?limit=50": 9,
    "/api/desk": 10,
    "/notices/": 11,
    "/map/": 16,
    "/map/now.json": 13,
    "/alarms/": 14,
    "/sites/HC-1/": 22,
}
"""Address → statements of a warm process, for a county's duty officer; session, account and posts included."""


@pytest.fixture
def small() -> Small:
    return build(present())


def fill(small: Small, first: int, last: int) -> None:
    """Warnings and hazards at the plant, with their clocks, call lists, notices and parties."""
    now, actor = present(), small.one("county").actor
    about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="氨罐压力高高报")
    kinds = mechanisms.current("warning").fields["hazard_kind"].of
    sites = [small.site, *(_beside(small.site, f"HC-{number}") for number in range(2, 2 + last // len(kinds)))]
    for number in range(first, last):
        at = now - timedelta(minutes=number)
        colour = ("red", "orange", "yellow")[number % 3]
        given = {"hazard_kind": kinds[number % len(kinds)], "colour": colour}
        where = replace(about, id=str(sites[number // len(kinds)].pk))  # one warning per site and kind of hazard
        doors.open("warning", "by_person", given, actor, where, key=f"w{number}", now=at)
        doors.open("hazard", "found_here", {"finding": f"氨罐根部阀关闭 {number}"}, actor, about, key=f"h{number}", now=at)


def _beside(site: Site, code: str) -> Site:
    """One more site of the same enterprise."""
    found = Site.objects.unscoped("made here").filter(code=code).first()
    if found is None:
        found = Site.objects.unscoped("copied here").get(pk=site.pk)
        found.pk, found.code = None, code
        found.save()
    return found


def spent(client: Client, path: str) -> tuple[int, list[str]]:
    """Statements of the second request, for every page the same start: nothing kept from the page before."""
    headers = {"HX-Request": "true"} if "part=" in path else {}
    client.get(path, headers=headers)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.status_code, answer.content[:300])
    # the book of law numbers asks at most once a second whether it changed: neither here nor there
    said = [one["sql"] for one in asked if "law_lawedit" not in one["sql"]]
    return len(said), said


class _Kept(dict[str, object]):
    """A cache that keeps for ever what the shell looks at every five seconds."""

    def set(self, key: str, value: object, _seconds: int) -> None:
        self[key] = value


def test_pages_cost_few_statements_and_no_more_for_more_rows(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "cache", _Kept())
    who = small.one("county")
    client = Client(headers={"X-Acting-Post": str(who.post.pk)})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    fill(small, 0, 3)
    few = {path: spent(client, path) for path in PAGES}
    fill(small, 3, MANY)
    many = {path: spent(client, path) for path in PAGES}
    grown = {path: (few[path][0], many[path][0]) for path in PAGES if many[path][0] > few[path][0]}
    assert not grown, (grown, {path: sorted(set(many[path][1]) - set(few[path][1]))[:5] for path in grown})
    # with few rows the desk looks for warnings of every colour
    over = "; ".join(f"{path} {few[path][0]}, not {budget}" for path, budget in PAGES.items() if few[path][0] > budget)
    assert not over, over
