"""Who gets what from the shell's pages."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

OPEN = "the frame itself holds no data"
ADDRESSES = [
    Address("", "/", 12, own=(302,), other=(302,), without_post=(302,)),
    Address("desk/", "/desk/", 70),
    Address("find/", "/find/?q=xx", 20, without_post=(200,)),
    Address("live/health/", "/live/health/", 20, without_post=(200,)),
    Address("live/alarm/", "/live/alarm/", 30, without_post=(200,)),
    Address("manifest.webmanifest", "/manifest.webmanifest", 4, why_open=OPEN),
    Address("worker.js", "/worker.js", 4, why_open=OPEN),
    Address("offline/", "/offline/", 40, why_open=OPEN),
    Address("sign-in/", "/sign-in/", 40, why_open="the sign-in", own=(200, 302), other=(200, 302)),
]


class TestShellPages(AccessTests):
    addresses = ADDRESSES
