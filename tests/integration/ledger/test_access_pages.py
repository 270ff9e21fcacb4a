"""Who gets what from the ledger's pages."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

ADDRESSES = [
    Address("cases/", "/cases/", 18),
    Address("cases/export.xlsx", "/cases/export.xlsx", 13),
    Address("cases/views/", "/cases/views/", 12, method="POST", own=(302,), other=(302,)),
    Address("cases/columns/", "/cases/columns/", 8, method="POST", own=(302,), other=(302,)),
    Address("cases/bulk/", "/cases/bulk/?case={case}", 14, other=(302,)),
    Address("cases/pick/<slug:kind>/", "/cases/pick/office/", 9),
    Address("cases/new/", "/cases/new/", 12),
    Address("cases/new/<slug:mechanism>/<slug:act>/", "/cases/new/hazard/found_here/", 12),
    Address("cases/<uuid:case>/", "/cases/{case}/", 29, about_case=True),
    Address("cases/<uuid:case>/act/<slug:act>/", "/cases/{case}/act/order_interim/", 13, about_case=True),
    Address("cases/<uuid:case>/call/<int:line>/", "/cases/{case}/call/1/", 40, method="POST", about_case=True, own=(302, 404)),
    Address("cases/<uuid:case>/evidence/<slug:digest>/", "/cases/{case}/evidence/00/", 16, about_case=True, own=(404,)),
    Address("cases/<uuid:case>/receipt/<int:seq>/", "/cases/{case}/receipt/1/", 18, about_case=True),
    Address("cases/number/<str:number>/", "/cases/number/{case}/", 10, about_case=True, own=(302,)),
    Address("notices/", "/notices/", 14),
    Address("cases/<uuid:case>/correct/<int:seq>/", "/cases/{case}/correct/1/", 18, about_case=True),
    Address("cases/<uuid:case>/merge/", "/cases/{case}/merge/", 17, about_case=True),
    Address("cases/<uuid:case>/share/", "/cases/{case}/share/", 14, about_case=True),
    Address("cases/<uuid:case>/erase/", "/cases/{case}/erase/", 14, about_case=True, own=(404,)),
    Address("adopt/", "/adopt/", 20, own=(404,)),
    Address("adopt/<slug:name>.<slug:kind>", "/adopt/hazard.csv", 20, own=(404,)),
    Address("mechanisms/<slug:name>/move/", "/mechanisms/hazard/move/", 20, own=(404,)),
]


class TestLedgerPages(AccessTests):
    addresses = ADDRESSES
