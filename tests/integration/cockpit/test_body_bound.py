"""Who may send a large body: a session or a token that stands, not one that is merely sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from fengsui import asgi, moment
from fengsui.ledger import tokens
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def small() -> Small:
    return build(moment.now())


def cookie(client: Client, name: str = "sessionid") -> dict[bytes, bytes]:
    return {b"cookie": f"a=1; {name}={client.cookies['sessionid'].value}".encode()}


def test_a_session_that_stands_and_one_that_does_not(small: Small) -> None:
    client, account = Client(), small.one("county").account
    client.force_login(account)
    assert asgi._known(cookie(client))
    assert asgi._known(cookie(client, "as_county_sessionid")), "a seat of the demo"
    for sent in (b"sessionid=x", b"sessionid=", b"sessionid=" + b"a" * 5000, b"\xff\xfe", b"sessionid=a\x00b", b""):
        assert not asgi._known({b"cookie": sent}), sent
    account.is_active = False
    account.save()
    assert not asgi._known(cookie(client))


def test_a_token_that_stands_and_one_that_does_not(small: Small) -> None:
    now = moment.now()
    token, secret = tokens.issue("books", small.one("county").acting, now=now, expires=now + timedelta(days=1))
    assert asgi._known({b"authorization": f"Bearer {secret}".encode()})
    for sent in ("Bearer x", "Bearer", secret, f"Basic {secret}", "Bearer \xff"):
        assert not asgi._known({b"authorization": sent.encode("latin-1")}), sent
    tokens.revoke(token, now)
    assert not asgi._known({b"authorization": f"Bearer {secret}".encode()})


def test_an_anonymous_session_is_nobodys(small: Small) -> None:
    client = Client()
    session = client.session
    session["seen"] = 1
    session.save()
    assert not asgi._known({b"cookie": f"sessionid={session.session_key}".encode()})
