"""Guessing at the sign-in: wrong passwords under one name however it is written, and codes of a second factor."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client

from fengsui.region.models import Account

pytestmark = pytest.mark.django_db
RIGHT = "right-password-2026"


@pytest.fixture
def account(db: None) -> Account:
    cache.clear()
    return Account.objects.create_user("controlroom", password=RIGHT)


def tried(client: Client, name: str, password: str, address: str = "10.0.0.7") -> int:
    answer = client.post("/sign-in/", {"login": name, "password": password}, REMOTE_ADDR=address)
    return answer.status_code


def test_another_spelling_of_the_name_gives_no_more_tries(account: Account) -> None:
    names = ["controlroom", "ControlRoom", "CONTROLROOM", " controlroom", "controlRoom", "cOntrolroom"]
    answers = [tried(Client(), name, "wrong") for name in names]
    assert 429 in answers
    assert tried(Client(), "coNtrolroom", RIGHT) == 429, "shut for this address, whatever is typed"
    assert tried(Client(), "controlroom", RIGHT, "10.0.0.8") == 302, "a stranger elsewhere shuts nobody out"


def test_codes_of_a_second_factor_are_not_to_be_guessed(account: Account) -> None:
    TOTP.activate(account, "JBSWY3DPEHPK3PXP")
    client = Client()
    assert tried(client, "controlroom", RIGHT) == 302
    pages = [client.post("/account/2fa/authenticate/", {"code": f"{n:06}"}).content.decode() for n in range(14)]
    assert Authenticator.objects.filter(user=account).exists()
    assert pages[0] != pages[-1] and len(set(pages[-3:])) <= 3
    assert any("Too many" in page or "过多" in page or "太多" in page or "频繁" in page for page in pages[-2:]), pages[-1][-3000:]
