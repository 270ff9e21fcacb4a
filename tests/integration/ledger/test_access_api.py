"""Who gets what from the ledger's endpoints."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "k1"}
HAZARD = {
    "mechanism": "hazard",
    "act": "found_here",
    "values": {"finding": "又一处"},
    "about": {"kind": "site", "id": "{site}", "duty": "hazchem", "title": "又一处"},
}
ADDRESSES = [
    Address("api/mechanisms", "/api/mechanisms", 8),
    Address("api/mechanisms/<name>", "/api/mechanisms/hazard", 8),
    Address("api/cases", "/api/cases", 9),
    Address("api/cases", "/api/cases", 34, method="POST", own=(201,), other=(403,), body=HAZARD, headers=KEY),
    Address("api/cases/<case_id>", "/api/cases/{case}", 12, about_case=True),
    Address("api/cases/<case_id>/entries", "/api/cases/{case}/entries", 13, about_case=True),
    Address("api/cases/<case_id>/acts", "/api/cases/{case}/acts", 14, about_case=True),
    Address(
        "api/cases/<case_id>/acts",
        "/api/cases/{case}/acts",
        34,
        method="POST",
        about_case=True,
        body={"act": "order_interim", "values": {"interim_control": "停用"}},
        headers={**KEY, "If-Match": '"1"'},
    ),
    Address("api/evidence", "/api/evidence", 12, method="POST", own=(422,), other=(422,)),
    Address("api/desk", "/api/desk", 10),
    Address("api/openapi.json", "/api/openapi.json", 2, why_open="the API's description holds no data"),
]


class TestLedgerApi(AccessTests):
    addresses = ADDRESSES
