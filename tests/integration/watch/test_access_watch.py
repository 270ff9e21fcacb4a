"""Who gets what from the watch's pages and endpoints."""

from __future__ import annotations

import pytest
from django.conf import settings

from fengsui.watch import line
from tests.integration.access import AccessTests, Address
from tests.integration.watch.test_relay import Plant, alarms
from tests.small_region import Small

pytestmark = pytest.mark.django_db

DEVICES = "devices come with their site's token, not with a sign-in; without one it is 401"
SPAN = "begin=2026-11-24T00:00:00Z&end=2026-11-24T01:00:00Z"
ADDRESSES = [
    Address("alarms/", "/alarms/", 17),
    Address("alarms/export.csv", "/alarms/export.csv", 11),
    Address("alarms/<int:alarm>/", "/alarms/{alarm}/", 14, other=(404,)),
    Address(
        "^alarms/do/(?P<what>acknowledge|reset|shelve|out_of_service|bring_back)/$", "/alarms/do/acknowledge/", 30,
        method="POST", own=(302, 403, 404), other=(302, 403, 404), without_post=(302, 403, 404),
    ),
    Address(
        "metrics", "/metrics", 10, headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"},
        why_open="with the monitor's token: figures of processes, nobody's data",
    ),
    Address("rules/<slug:code>/", "/rules/{code}/", 16, other=(404,)),
    Address("rules/<slug:code>/<int:point>/", "/rules/{code}/{point}/", 14, own=(403,), other=(404,)),
    Address("api/sites/<code>/rules", "/api/sites/{code}/rules", 11, other=(404,)),
    Address(
        "api/sites/<code>/rules/<point>", "/api/sites/{code}/rules/{point}", 20, method="POST", own=(403,), other=(404,),
        body={"grounds": "x", "levels": {"HH": {"limit": 1.7}}},
    ),
    Address("rules/<slug:code>/<int:point>/hide/", "/rules/{code}/{point}/hide/", 20, other=(404,)),
    Address("api/alarms/hidden", "/api/alarms/hidden", 12),
    Address(
        "api/rules/<rule>/hidden", "/api/rules/0/hidden", 20, method="POST", own=(404,), other=(404,),
        body={"what": "shelve", "reason": "x", "minutes": 5, "key": "k"},
    ),
    Address("ingest/", "/ingest/", 16, without_post=(200, 403)),
    Address("api/alarms", "/api/alarms", 11),
    Address("api/alarms/acknowledge", "/api/alarms/acknowledge", 20, method="POST", body={"alarms": [0], "key": "k"}, own=(404,)),
    Address("api/ingest/<kind>", "/api/ingest/json", 20, method="POST", own=(401,), other=(401,), why_open=DEVICES),
    Address("api/points/<point>/history", "/api/points/{point}/history?" + SPAN, 20, other=(404,)),
    Address("api/sites/<code>/latest", "/api/sites/{code}/latest", 10, other=(404,)),
    Address("api/sites/<code>/points", "/api/sites/{code}/points", 14, other=(404,)),
]  # fmt: skip


class TestWatchPages(AccessTests):
    addresses = ADDRESSES

    @pytest.fixture(autouse=True)
    def no_stream(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The pages must stand without the stream server."""

        def away(self: object, work: object) -> None:
            work.close()  # type: ignore[attr-defined]
            raise line.Away("not here")

        monkeypatch.setattr(line.Line, "_do", away)

    @pytest.fixture
    def plant(self, db: None) -> Plant:
        made = Plant()
        made.say(made.event("RAISED"), made.event("RAISED", "H", 1))
        return made

    @pytest.fixture
    def small(self, plant: Plant) -> Small:
        return plant.small

    @pytest.fixture
    def words(self, plant: Plant, small: Small) -> dict[str, str]:
        return {"alarm": str(alarms().first().pk), "point": str(plant.points[0].pk), "code": small.site.code}
