"""Who gets what from the ledger's endpoints."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

KEY = {"Idempotency-Key": "k1"}
SENT = {**KEY, "If-Match": '"1"'}
HAZARD = {
    "mechanism": "hazard",
    "act": "found_here",
    "values": {"finding": "又一处"},
    "about": {"kind": "site", "id": "{site}", "duty": "hazchem", "title": "又一处"},
}
ADDRESSES = [
    Address("api/mechanisms", "/api/mechanisms", 8),
    Address("api/mechanisms/<name>", "/api/mechanisms/hazard", 8),
    Address("api/shares", "/api/shares", 9),
    Address("api/cases", "/api/cases", 9),
    Address("api/cases", "/api/cases", 34, method="POST", own=(201,), other=(403,), body=HAZARD, headers=KEY),
    Address("api/cases/<case_id>", "/api/cases/{case}", 12, about_case=True),
    Address("api/cases/<case_id>/entries", "/api/cases/{case}/entries", 13, about_case=True),
    Address("api/cases/<case_id>/acts", "/api/cases/{case}/acts", 11, about_case=True),
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
    Address(
        "api/cases/<case_id>/corrections",
        "/api/cases/{case}/corrections",
        34,
        method="POST",
        about_case=True,
        headers=SENT,
        body={"entry": 1, "field": "finding", "value": "又一处漏气", "grounds": "笔误"},
    ),
    Address(
        "api/cases/<case_id>/merge",
        "/api/cases/{case}/merge",
        34,
        method="POST",
        about_case=True,
        own=(409,),
        headers=SENT,
        body={"into": "{case}", "grounds": "同一处"},
    ),
    Address("api/cases/<case_id>/shares", "/api/cases/{case}/shares", 11, about_case=True),
    Address(
        "api/cases/<case_id>/shares",
        "/api/cases/{case}/shares",
        34,
        method="POST",
        about_case=True,
        own=(422,),
        headers=SENT,
        body={"office": 99_999_999, "until": "2026-12-01T00:00:00+08:00", "grounds": "互检"},
    ),
    Address(
        "api/cases/<case_id>/shares/<office>/end",
        "/api/cases/{case}/shares/1/end",
        34,
        method="POST",
        about_case=True,
        own=(409,),
        headers=SENT,
        body={"grounds": "已毕"},
    ),
    Address(
        "api/cases/<case_id>/erasures",
        "/api/cases/{case}/erasures",
        34,
        method="POST",
        about_case=True,
        own=(403,),
        headers=SENT,
        body={"fields": ["finding"], "grounds": "依法", "clause": "个人信息保护法第四十七条"},
    ),
    Address("api/mechanisms/<name>/moves", "/api/mechanisms/hazard/moves", 12, method="POST", own=(403,), body={}),
    Address("api/adoptions", "/api/adoptions", 12, method="POST", own=(422,), other=(422,)),
    Address("api/reports", "/api/reports", 16),
    Address("api/desk", "/api/desk", 10),
    Address("api/openapi.json", "/api/openapi.json", 2, why_open="the API's description holds no data"),
]


class TestLedgerApi(AccessTests):
    addresses = ADDRESSES
