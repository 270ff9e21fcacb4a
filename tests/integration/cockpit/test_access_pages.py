"""Who gets what from the shell's pages."""

from __future__ import annotations

import pytest

from tests.integration.access import AccessTests, Address

pytestmark = pytest.mark.django_db

OPEN = "the frame itself holds no data"
ADDRESSES = [
    Address("", "/", 5, own=(302,), other=(302,), without_post=(302,)),
    Address("desk/", "/desk/", 24),
    Address("find/", "/find/?q=xx", 14, without_post=(200,)),
    Address("live/health/", "/live/health/", 5, without_post=(200,)),
    Address("live/alarm/", "/live/alarm/", 12, without_post=(200,)),
    Address("manifest.webmanifest", "/manifest.webmanifest", 4, why_open=OPEN),
    Address("worker.js", "/worker.js", 3, why_open=OPEN),
    Address("offline/", "/offline/", 12, why_open=OPEN),
    Address("sign-in/", "/sign-in/", 5, why_open="the sign-in", own=(200, 302), other=(200, 302)),
]


class TestShellPages(AccessTests):
    addresses = ADDRESSES
