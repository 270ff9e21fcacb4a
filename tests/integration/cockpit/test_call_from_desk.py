"""A call recorded from the desk carries a key, as from the case's page: pressed twice it is recorded once."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

from django.template.loader import render_to_string


def test_the_form_carries_a_key_that_the_next_call_does_not_share() -> None:
    line = SimpleNamespace(case=SimpleNamespace(pk=uuid.uuid4()), acting=SimpleNamespace(post_id=7), key="nonce")
    call = SimpleNamespace(line=SimpleNamespace(pk=3, name="值班室", phone="0472"), records=[])
    page = render_to_string("cockpit/parts/call.html", {"line": line, "call": call})
    assert '<input type="hidden" name="key" value="nonce-3-0">' in page
