"""Every page and endpoint has its permission test."""

from __future__ import annotations

import pytest

from fengsui.api.assembly import api
from tests.integration.access import listed, uncovered


def test_every_address_is_covered() -> None:
    missing = uncovered()
    if missing:
        pytest.fail("list these in a room's test_access.py: " + ", ".join(missing))


def test_every_method_of_the_api_is_covered() -> None:
    known = {(one.method, one.route.replace("<", "{").replace(">", "}")) for one in listed()}
    paths = api.get_openapi_schema()["paths"]
    asked = {(method.upper(), path.lstrip("/")) for path, methods in paths.items() for method in methods}
    assert not asked - known
