"""Each browser chooses which columns the list shows, and keeps its choice."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui.ledger import doors
from fengsui.ledger.doors import About
from fengsui.moment import now as present
from tests.small_region import Small

pytestmark = pytest.mark.django_db


def test_columns_left_out_stay_out_until_chosen_again(small: Small) -> None:
    who = small.one("county")
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="氨罐压力高")
    doors.open("warning", "by_person", {"hazard_kind": "pressure", "colour": "red"}, who.actor, about, key="w", now=present())
    client = Client()
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")

    def heads(address: str = "/cases/") -> int:
        return client.get(address).content.decode().count("<th")

    before = heads()
    given = {"column": ["level", "due", "nonsense"], "back": "/cases/?level=red"}
    answer = client.post("/cases/columns/", given)
    assert answer.status_code == 302 and answer.headers["Location"] == "/cases/?level=red"
    assert heads() == heads("/cases/?part=rows") == before - 4
    client.cookies["fs_left_out"] = "moved.no-such-column"
    assert heads() == before - 1
    assert client.post("/cases/columns/", {"back": "https://elsewhere.example/"}).headers["Location"] == "/cases/"
    assert heads() == before - 6
