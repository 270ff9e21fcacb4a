"""Guessing at the sign-in: wrong passwords under one name however it is written, and codes of a second factor.

``another_process`` is what a web process knows that was started just now, or that answered nothing so far: what is in the
database, and nothing else. The counts have to hold across it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from psycopg import conninfo

from fengsui import moment
from fengsui.cockpit import oldpassword, secondfactor, signin
from fengsui.cockpit.signin import name_of
from fengsui.ledger.models.evidence import PublicUse
from fengsui.ledger.public import limits
from fengsui.region.models import Account
from fengsui.services import doctor

pytestmark = pytest.mark.django_db
RIGHT = "right-password-2026"
SECRET = "JBSWY3DPEHPK3PXP"
THEN = 1_795_000_000
"""The second, of Unix time, in which all codes of these tests are shown."""
CODES = "/account/2fa/authenticate/"
LIMITED = ("Too many", "过多", "太多", "频繁", "Be patient")


@pytest.fixture
def account(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: THEN))
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a hundred sign-ins below
    cache.clear()
    return Account.objects.create_user("controlroom", password=RIGHT)


def another_process() -> None:
    """The next request is answered by a process that remembers nothing."""
    cache.clear()


def tried(client: Client, name: str, password: str, address: str = "10.0.0.7") -> int:
    another_process()
    answer = client.post("/sign-in/", {"login": name, "password": password}, REMOTE_ADDR=address)
    return answer.status_code


def at_the_second_step(account: Account) -> Client:
    client = Client()
    assert tried(client, "controlroom", RIGHT) == 302
    return client


def code_now(ahead: int = 0) -> str:
    return format_hotp_value(hotp_value(SECRET, THEN // 30 + ahead))


def wrong_codes(number: int) -> list[str]:
    near = {code_now(ahead) for ahead in range(-4, 5)}
    return [code for code in (f"{n:06}" for n in range(number + 9)) if code not in near][:number]


def says_too_many(client: Client, code: str, address: str = CODES) -> bool:
    another_process()
    answer = client.post(address, {"code": code})
    return answer.status_code == 200 and any(word in answer.content.decode() for word in LIMITED)


@pytest.mark.parametrize(
    "names",
    [
        ["controlroom", "ControlRoom", "CONTROLROOM", " controlroom", "controlRoom", "cOntrolroom"],
        ["ｃontrolroom", "cｏntrolroom", "coｎtrolroom", "conｔrolroom", "contｒolroom", "contrｏlroom"],
        ["controlroom ", "\u3000controlroom", "\tcontrolroom", "controlroom\u00a0", "controlroom\n", "controlroom"],
    ],
)
def test_another_spelling_of_the_name_gives_no_more_tries(account: Account, names: list[str]) -> None:
    answers = [tried(Client(), name, "wrong") for name in names]
    assert 429 in answers
    assert tried(Client(), "coNtrolroom", RIGHT) == 429, "shut for this address, whatever is typed"
    assert tried(Client(), "controlroom", RIGHT, "10.0.0.8") == 302, "a stranger elsewhere shuts nobody out"


def test_letters_with_one_capital_give_no_more_tries(account: Account) -> None:
    Account.objects.create_user("dispatcher", password=RIGHT)
    answers = [tried(Client(), name, "wrong") for name in ("dıspatcher", "diſpatcher", "dıſpatcher", "DISPATCHER", "Dıspatcher")]
    assert 429 in answers
    assert tried(Client(), "dispatcher", RIGHT) == 429


def test_whatever_the_database_takes_for_one_letter_is_counted_as_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(chr(n)) FROM generate_series(33, 131071) n WHERE n NOT BETWEEN 55296 AND 57343 "
            "GROUP BY upper(chr(n)) HAVING count(*) > 1"
        )
        alike = [letters for (letters,) in cursor.fetchall()]
    assert any("ı" in letters or "i" in letters for letters in alike)
    apart = [letters for letters in alike if len({name_of(RequestFactory().get("/"), {"login": one}) for one in letters}) > 1]
    assert not apart


def test_one_subscribers_many_addresses_give_no_more_tries(account: Account) -> None:
    answers = [tried(Client(), "controlroom", "wrong", f"2001:db8:1:2::{n:x}") for n in range(1, 7)]
    assert 429 in answers
    assert tried(Client(), "controlroom", RIGHT, "2001:db8:1:2:ffff::9") == 429
    assert tried(Client(), "controlroom", RIGHT, "2001:db8:1:3::1") == 302, "the neighbour"


def test_behind_a_proxy_the_visitor_is_counted_not_the_proxy(account: Account, settings: Any) -> None:
    settings.PROXIES = 1

    def from_far(visitor: str, password: str) -> int:
        another_process()
        sent = {"login": "controlroom", "password": password}
        return Client(headers={"X-Forwarded-For": visitor}).post("/sign-in/", sent, REMOTE_ADDR="127.0.0.1").status_code

    answers = [from_far(f"9.9.9.{n}, 203.0.113.5", "wrong") for n in range(6)]
    assert 429 in answers, "what the visitor wrote before the proxy's own word is not believed"
    assert from_far("203.0.113.6", RIGHT) == 302


@pytest.mark.parametrize(
    ("seen", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("fe80::1%eth0", "fe80::"),
        ("unknown", "127.0.0.1"),
        ("'; drop table", "127.0.0.1"),
    ],
)
def test_an_address_as_it_is_counted(rf: Any, settings: Any, seen: str, counted: str) -> None:
    settings.PROXIES = 1
    assert limits.address_of(rf.get("/", headers={"X-Forwarded-For": seen})) == counted


def test_codes_of_a_second_factor_are_not_to_be_guessed(account: Account) -> None:
    TOTP.activate(account, SECRET)
    client = at_the_second_step(account)
    answers = [says_too_many(client, code) for code in wrong_codes(12)]
    assert answers == [False] * 10 + [True] * 2, "counted by all processes together"
    assert says_too_many(client, code_now()), "also the right one, or guessing would go on"
    assert "_auth_user_id" not in client.session
    again = at_the_second_step(account)
    assert says_too_many(again, code_now()), "signing in anew gives no more tries"


def test_after_a_while_one_may_try_again_but_not_all_day(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    TOTP.activate(account, SECRET)
    monkeypatch.setattr(secondfactor, "LONG", limits.Limit("second-factor-day", 15, timedelta(days=1)))
    begin, passed = moment.now(), timedelta()
    monkeypatch.setattr(moment, "now", lambda: begin + passed)
    refused = []
    for _ in range(3):
        client = at_the_second_step(account)
        refused.append([says_too_many(client, code) for code in wrong_codes(11)].index(True))
        passed += timedelta(minutes=16)
    assert refused == [10, 5, 0], "ten, then a quarter of an hour; fifteen a day"
    passed += timedelta(days=1)
    client = at_the_second_step(account)
    assert client.post(CODES, {"code": code_now()}).status_code == 302


def test_a_right_code_begins_the_quarter_hours_count_anew(account: Account) -> None:
    TOTP.activate(account, SECRET)
    known = RecoveryCodes.activate(account).get_unused_codes()
    for right in (code_now(), known[0]):
        client = at_the_second_step(account)
        assert not any(says_too_many(client, code) for code in wrong_codes(9))
        assert client.post(CODES, {"code": right}).status_code == 302


def test_right_codes_make_the_days_guesses_neither_more_nor_fewer(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    TOTP.activate(account, SECRET)
    known = RecoveryCodes.activate(account).get_unused_codes()
    monkeypatch.setattr(secondfactor, "LONG", limits.Limit("second-factor-day", 12, timedelta(days=1)))
    assert not any(says_too_many(at_the_second_step(account), code) for code in wrong_codes(6))
    for right in known[:3]:
        assert at_the_second_step(account).post(CODES, {"code": right}).status_code == 302
    answers = [says_too_many(at_the_second_step(account), code) for code in wrong_codes(7)]
    assert answers == [False] * 6 + [True]


def test_a_code_opens_once_whichever_process_is_asked(account: Account) -> None:
    TOTP.activate(account, SECRET)
    code = code_now()
    assert at_the_second_step(account).post(CODES, {"code": code}).status_code == 302
    second = at_the_second_step(account)
    for written in (code, f" {code[:3]}-{code[3:]}"):
        another_process()
        assert second.post(CODES, {"code": written}).status_code == 200
    assert "_auth_user_id" not in second.session


def test_recovery_codes_share_the_count_and_still_open(account: Account) -> None:
    TOTP.activate(account, SECRET)
    known = RecoveryCodes.activate(account).get_unused_codes()
    client = at_the_second_step(account)
    assert not any(says_too_many(client, code) for code in wrong_codes(9))
    assert client.post(CODES, {"code": known[0]}).status_code == 302
    assert Authenticator.objects.filter(user=account).count() == 2


def test_an_old_password_is_not_to_be_guessed_in_an_open_session(account: Account) -> None:
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")

    def changed(old: str) -> int:
        another_process()
        new = {"password1": "Neues-Wort-2027!", "password2": "Neues-Wort-2027!"}
        return client.post("/account/password/change/", {"oldpassword": old, **new}).status_code

    assert [changed(f"wrong-{n}") for n in range(10)] == [200] * 10
    assert changed(RIGHT) == 200, "also the right one, or guessing would go on"
    assert Account.objects.get(pk=account.pk).check_password(RIGHT)
    limits.forget(oldpassword.TRIES, str(account.pk))
    assert changed(RIGHT) == 302


def test_a_password_asked_for_again_is_not_to_be_guessed_in_an_open_session(account: Account) -> None:
    """Both forms that ask for it share one count, from wherever they are asked."""
    client = Client()
    assert tried(client, "controlroom", RIGHT) == 302

    def again(password: str, address: str = "10.0.0.7") -> int:
        another_process()
        return client.post("/account/reauthenticate/", {"password": password}, REMOTE_ADDR=address).status_code

    assert again(RIGHT) == 302
    assert [again(f"wrong-{n}", f"10.0.1.{n}") for n in range(10)] == [200] * 10
    assert again(RIGHT) == 200, "also the right one, or guessing would go on"
    new = {"password1": "Neues-Wort-2027!", "password2": "Neues-Wort-2027!"}
    assert client.post("/account/password/change/", {"oldpassword": RIGHT, **new}).status_code == 200
    limits.forget(oldpassword.TRIES, str(account.pk))
    assert again(RIGHT) == 302


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Lets time pass."""
    at = [moment.now()]
    monkeypatch.setattr(moment, "now", lambda: at[0])

    def passes(more: timedelta) -> None:
        at[0] += more

    return passes


def test_beyond_its_tries_an_address_gets_one_of_each_name_counted_by_all_processes(
    account: Account, later: Callable[[timedelta], None]
) -> None:
    assert [tried(Client(), f"name-{n}", "wrong") for n in range(31)] == [200] * 31
    assert [tried(Client(), f"name-{n}", "wrong") for n in (30, 3)] == [429, 429], "each of these failed from here lately"
    assert tried(Client(), "ＮＡＭＥ-3", "wrong") == 429, "however it is written"
    assert tried(Client(), "name-3", "wrong", "10.0.0.8") == 200, "another address is free"
    later(timedelta(minutes=1, seconds=1))
    assert tried(Client(), "name-3", "wrong") == 200


def test_a_script_keeps_nobody_out_who_shares_its_address(account: Account) -> None:
    for n in range(40):
        tried(Client(), f"name-{n}", "wrong")
    assert tried(Client(), "controlroom", RIGHT) == 302


def test_one_password_is_not_to_be_tried_with_every_name(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name once, never the same again: the address itself is at its end then, until its time is over."""
    monkeypatch.setattr(signin, "MANY", limits.Limit("sign-in-many", 45, timedelta(minutes=10)))
    answers = [tried(Client(), f"name-{n}", "wrong") for n in range(50)]
    assert answers == [200] * 45 + [429] * 5
    assert tried(Client(), "controlroom", RIGHT, "10.9.9.9") == 302, "from elsewhere as ever"
    now = moment.now() + timedelta(minutes=11)
    monkeypatch.setattr(moment, "now", lambda: now)
    assert tried(Client(), "controlroom", RIGHT) == 302


def test_a_script_that_guesses_at_one_name_among_many_gets_no_more_than_five_tries(
    account: Account, later: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signin, "TRIES", limits.Limit("sign-in", 2, timedelta(minutes=1)))
    answers = []
    for minute in range(14):
        for n in range(3):
            tried(Client(), f"name-{minute}-{n}", "wrong")
        answers.append(tried(Client(), "controlroom", "wrong"))
        later(timedelta(minutes=1))
    assert answers.count(200) <= 4, "the fifth wrong one shuts the name"


def test_a_shift_that_signs_in_behind_one_address_uses_up_no_tries(account: Account) -> None:
    assert [tried(Client(), "controlroom", RIGHT) for _ in range(35)] == [302] * 35
    assert limits.left(signin.TRIES, "10.0.0.7", moment.now()) == signin.TRIES.most


def test_a_proxy_that_is_not_believed_is_told_of_once(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    for visitor in ("203.0.113.5", "203.0.113.6"):
        another_process()
        sent = {"login": "controlroom", "password": RIGHT}
        Client(headers={"X-Forwarded-For": visitor}).post("/sign-in/", sent, REMOTE_ADDR="10.0.0.7")
    assert caplog.text.count("Set FENGSUI_PROXIES to the number") == 1
    assert list(PublicUse.objects.filter(key=limits.UNBELIEVED).values_list("count", flat=True)) == [2]


def test_nothing_is_said_of_a_proxy_where_none_is_or_it_is_believed(account: Account, settings: Any) -> None:
    assert tried(Client(), "controlroom", RIGHT) == 302
    settings.PROXIES = 1
    sent = {"login": "controlroom", "password": RIGHT}
    Client(headers={"X-Forwarded-For": "203.0.113.5"}).post("/sign-in/", sent, REMOTE_ADDR="10.0.0.7")
    assert not PublicUse.objects.filter(key=limits.UNBELIEVED).exists()


@pytest.mark.django_db(transaction=True)
def test_the_doctor_tells_of_a_proxy_that_is_not_believed(rf: Any) -> None:
    held = connection.settings_dict
    url = conninfo.make_conninfo(
        dbname=held["NAME"], user=held["USER"], password=held["PASSWORD"], host=held["HOST"], port=held["PORT"] or None
    )
    assert list(doctor.proxies(url)) == []
    limits.note_unbelieved(rf.post("/sign-in/", headers={"X-Forwarded-For": "203.0.113.5"}), moment.now())
    (found,) = doctor.proxies(url)
    assert found.grade == "warn" and "FENGSUI_PROXIES" in found.remedy
