"""Who gets what from the map, the site page, the mechanisms, the exercise."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

PUBLIC = "public geography, the same for everybody"
NO_DEMO = "exists in the demonstration only; here it answers 404 to everybody"
NOTHING = (200,)  # a page that says that there is nothing without a post
ADDRESSES = [
    Address("map/", "/map/", 21, without_post=NOTHING),
    Address("map/now.json", "/map/now.json", 16, without_post=NOTHING),
    Address("map/sites.json", "/map/sites.json", 10, without_post=NOTHING),
    Address("map/base/<slug:name>.geojson", "/map/base/counties.geojson", 2, why_open=PUBLIC),
    Address("sites/<slug:code>/", "/sites/{code}/", 24, without_post=(404,), other=(404,)),
    Address("sites/<slug:code>/live/", "/sites/{code}/live/", 12, without_post=(404,), other=(404,)),
    Address("mechanisms/", "/mechanisms/", 15, without_post=NOTHING),
    Address("mechanisms/<slug:name>/", "/mechanisms/hazard/", 13, without_post=NOTHING),
    Address("exercise/", "/exercise/", 12, why_open=NO_DEMO, own=(404,), other=(404,)),
    Address("exercise/now.json", "/exercise/now.json", 12, why_open=NO_DEMO, own=(404,), other=(404,)),
    Address("exercise/wish/", "/exercise/wish/", 25, method="POST", why_open=NO_DEMO, own=(404,), other=(404,)),
    Address("demo/four/", "/demo/four/", 12, why_open=NO_DEMO, own=(404,), other=(404,)),
    Address("demo/four/live/", "/demo/four/live/?as=duty", 12, why_open=NO_DEMO, own=(404,), other=(404,)),
    Address(
        "demo/enter/", "/demo/enter/", 25, method="POST", own=(404,), other=(404,), anonymous=(302, 404), without_post=(404,)
    ),
]


class TestMapPages(AccessTests):
    addresses = ADDRESSES
