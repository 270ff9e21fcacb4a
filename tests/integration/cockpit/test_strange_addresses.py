"""Addresses with what no text may hold: refused as bad, never a broken page."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui.moment import now as present
from tests.small_region import build

PATHS = ["/cases/?q=%00", "/cases/?mechanism=%00", "/find/?q=%00", "/sites/?q=%00", "/alarms/?level=%00", "/cases/%00/", "/x%00/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_nul_in_an_address_is_a_bad_request(path: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(build(present()).one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(path).status_code in (400, 404)
