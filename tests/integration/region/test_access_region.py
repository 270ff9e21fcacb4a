"""Who may open the region's pages and endpoints."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

ADDRESSES = [
    Address("sites/", "/sites/", queries=40),
    Address("sites.xlsx", "/sites.xlsx", queries=30),
    Address("unanswered/", "/unanswered/", queries=40),
    Address("offices/", "/offices/", queries=40),
    Address("offices/<int:pk>/", "/offices/{office}/", queries=40, other=(404,)),
    Address("contacts/", "/contacts/", queries=40),
    Address("geo/counties.geojson", "/geo/counties.geojson", queries=10, without_post=(200,)),
    Address("api/places", "/api/places?level=county", queries=14),
    Address("api/offices", "/api/offices", queries=16),
    Address("api/offices/<office_id>", "/api/offices/{office}", queries=20, other=(404,)),
    Address("api/sites", "/api/sites?place=150207&grade=1&q=x", queries=16),
    Address("api/sites/<code>", "/api/sites/HC-1", queries=24, other=(404,)),
    Address("api/unanswered", "/api/unanswered", queries=20),
]


class TestRegionAccess(AccessTests):
    addresses = ADDRESSES
