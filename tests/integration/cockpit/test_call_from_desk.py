"""A call recorded from the desk carries a key, as from the case's page: pressed twice it is recorded once."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

from django.template.loader import render_to_string


def test_the_form_carries_a_key_that_the_next_call_does_not_share() -> None:
    call = SimpleNamespace(
        line=SimpleNamespace(pk=3, name="值班室", phone="0472"), records=[], mine=True, results=["reached", "busy"]
    )
    shown = {"case": SimpleNamespace(pk=uuid.uuid4()), "post": 7, "key": "nonce", "back": "/desk/", "call": call}
    page = render_to_string("ledger/parts/call.html", shown)
    assert '<input type="hidden" name="key" value="nonce-3-0">' in page and 'value="busy"' in page
