"""Who gets what from the public's pages: everybody the same, and nobody a case."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

OPEN = "the public reports, follows and verifies without a sign-in"
ADDRESSES = [
    Address("report/", "/report/", 25, why_open=OPEN),
    Address("report/receipt/", "/report/receipt/", 12, own=(404,), why_open="shows only what a sealed ticket names"),
    Address("report/receipt/done/", "/report/receipt/done/", 8, method="POST", own=(302,), why_open=OPEN),
    Address("report/townships/", "/report/townships/?county=150207", 8, why_open="names of places"),
    Address("report/sites/", "/report/sites/?county=150207", 8, why_open="names at the gate"),
    Address("report/county/", "/report/county/?lon=110&lat=40", 8, why_open="names of places"),
    Address("follow/", "/follow/", 12, why_open=OPEN),
    Address("follow/report/", "/follow/report/", 8, own=(302,), why_open="shows only what a sealed ticket names"),
    Address("follow/report/receipt/", "/follow/report/receipt/", 8, own=(302,), why_open="shows only what a sealed ticket names"),
    Address("follow/leave/", "/follow/leave/", 8, method="POST", own=(302,), why_open=OPEN),
    Address("verify/", "/verify/", 20, why_open=OPEN),
    Address("verify/kept/", "/verify/kept/", 12, method="POST", own=(422,), why_open=OPEN),
    Address("verify/receipt/<str:code>/", "/verify/receipt/0000/", 8, own=(404,), why_open="whoever holds the code"),
    Address("verify/heads/<int:size>.json", "/verify/heads/1.json", 25, own=(404,), why_open="heads are for witnesses"),
    Address("cases/<uuid:case>/payee/", "/cases/{case}/payee/", 24, about_case=True, own=(404,)),
    Address("cases/reports/", "/cases/reports/", 20),
    Address("cases/<uuid:case>/reporter/", "/cases/{case}/reporter/", 20, about_case=True, own=(404,)),
]


class TestPublicPages(AccessTests):
    addresses = ADDRESSES
