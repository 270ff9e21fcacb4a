"""The server says that it took a form to the browser that keeps what was typed, and says it of nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui import moment
from fengsui.ledger.models import Case
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db

TOKEN = "0123456789abcdef" * 2


@pytest.fixture
def small(db: Any) -> Small:
    return build(moment.now() - timedelta(days=1))


def posted(small: Small, client: Client, **more: str) -> Any:
    sent = {"key": str(uuid.uuid4()), "title": "铅封缺失", "site": str(small.site.pk), "finding": "已超期", "fs-sent": TOKEN}
    return client.post("/cases/new/hazard/found_here/", sent | more)


def signed_in(small: Small, name: str = "county") -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(small.one(name).account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def kept(answer: Any) -> list[str]:
    return [name for name in answer.cookies if name.startswith("fs-kept-")]


def test_an_accepted_form_is_named_by_its_token_for_the_script_to_read(small: Small) -> None:
    answer = posted(small, signed_in(small))
    assert answer.status_code == 302 and kept(answer) == [f"fs-kept-{TOKEN}"]
    cookie = answer.cookies[f"fs-kept-{TOKEN}"]
    assert not cookie["httponly"] and 0 < cookie["max-age"] <= 3600 and cookie["path"] == "/"


def test_the_same_text_under_the_same_key_leads_to_the_same_case(small: Small) -> None:
    client, key = signed_in(small), str(uuid.uuid4())
    first, again = posted(small, client, key=key), posted(small, client, key=key)
    assert first.status_code == again.status_code == 302 and first["Location"] == again["Location"] and kept(again)
    assert Case.objects.filter(mechanism="hazard").count() == 1


def test_a_refusal_and_a_lost_session_are_no_acceptance(small: Small) -> None:
    refused, away = posted(small, signed_in(small), finding=""), posted(small, Client())
    assert refused.status_code == 422 and not kept(refused) and b"data-filled" in refused.content
    assert away.status_code == 302 and "/sign-in/" in away["Location"] and not kept(away)


@pytest.mark.parametrize("token", ["", "x; Path=/", "0" * 31, "0" * 4000, "\r\nSet-Cookie: a=b", TOKEN.upper()])
def test_a_token_that_no_script_of_ours_made_sets_nothing(small: Small, token: str) -> None:
    answer = posted(small, signed_in(small), **{"fs-sent": token})
    assert answer.status_code == 302 and not kept(answer)
