"""Who may open the law's pages and endpoints: everybody signed in, it is no secret."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

ADDRESSES = [
    Address("law/", "/law/", queries=36, without_post=(200,)),
    Address("law/<str:name>/", "/law/hazard.sign/", queries=40, without_post=(200,)),
    Address("api/law", "/api/law?under=hazard.", queries=14),
    Address("api/law/<name>", "/api/law/warning.lift", queries=14),
]


class TestLawAccess(AccessTests):
    addresses = ADDRESSES
