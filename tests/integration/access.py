"""The permission test that every page and endpoint inherits.

A room lists its addresses in ``tests/integration/ROOM/test_access.py``::

    ADDRESSES = [Address("ledger:case", "/cases/{case}/", queries=30, about_case=True)]

    class TestLedgerPages(AccessTests):
        addresses = ADDRESSES

Each address is asked by four visitors: nobody signed in, somebody without a post, another county's officer, and an
officer whose own it is. ``test_every_address_is_covered`` walks the real URL tree and fails for an address that no
room lists.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from fengsui.ledger import doors
from fengsui.ledger.doors import About
from fengsui.moment import now as present
from fengsui.region.models import Account
from tests.small_region import Small, build

TITLE = "只有甲旗局知道的事"
"""The title of the case that the other county must find nowhere."""


@dataclass(frozen=True)
class Address:
    """One address and method with what each visitor must get.

    ``path`` may hold ``{case}`` (a case of county A), ``{secret}`` (a confidential one), ``{site}``, ``{office}``.
    ``about_case`` says that the other county must get 404; else it gets ``own`` without the case in the answer.
    ``queries`` is the most that the owner's request may cost once caches are warm.
    """

    route: str  # the URL pattern's route, joined from the root, as the walk reports it
    path: str
    queries: int
    method: str = "GET"
    about_case: bool = False
    anonymous: tuple[int, ...] = (302, 401, 403)
    without_post: tuple[int, ...] = (403,)
    own: tuple[int, ...] = (200,)
    other: tuple[int, ...] = ()
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    why_open: str = ""  # why somebody without a sign-in may have it


def ask(address: Address, client: Client, words: dict[str, str], **headers: str) -> Any:
    """The answer to this address for this visitor."""
    send = {**address.headers, **headers}
    return client.generic(
        address.method,
        address.path.format(**words),
        data="" if address.body is None else _filled(address.body, words),
        content_type="application/json",
        headers=send,
    )


def _filled(body: Any, words: dict[str, str]) -> str:
    import orjson

    text = orjson.dumps(body).decode()
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


class AccessTests:
    """Inherit and set ``addresses``."""

    addresses: list[Address] = []

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "address" in metafunc.fixturenames:
            known = [pytest.param(one, id=f"{one.method} {one.route}") for one in self.addresses]
            metafunc.parametrize("address", known)

    @pytest.fixture
    def small(self, db: None) -> Small:
        return build(present())

    @pytest.fixture
    def words(self, small: Small) -> dict[str, str]:
        """A case of county A, a confidential one, a site, an office."""
        now = present()
        who = small.one("county").actor
        about = About(kind="site", id=str(small.site.pk), duty="hazchem", title=TITLE)
        case = doors.open("hazard", "found_here", {"finding": TITLE}, who, about, key="", now=now)
        return {
            "case": case.case,
            "number": case.number or "",
            "site": str(small.site.pk),
            "office": str(small.county.pk),
            "code": small.site.code,
        }

    def client_of(self, account: Account | None) -> Client:
        client = Client()
        if account is not None:
            client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def post_of(self, small: Small, office: str) -> dict[str, str]:
        return {"X-Acting-Post": str(small.one(office).post.pk)}

    def test_nobody_signed_in(self, address: Address, words: dict[str, str]) -> None:
        answer = ask(address, self.client_of(None), words)
        if address.why_open:
            assert answer.status_code in address.own
        else:
            assert answer.status_code in address.anonymous, answer.content[:300]
        assert TITLE not in answer.content.decode(errors="replace")

    def test_somebody_without_a_post(self, address: Address, words: dict[str, str]) -> None:
        account = Account.objects.create(username="without")
        answer = ask(address, self.client_of(account), words)
        assert answer.status_code in (address.own if address.why_open else address.without_post), answer.content[:300]
        assert TITLE not in answer.content.decode(errors="replace")

    def test_another_county(self, address: Address, words: dict[str, str], small: Small) -> None:
        client = self.client_of(small.one("other").account)
        answer = ask(address, client, words, **self.post_of(small, "other"))
        wanted = address.other or ((404,) if address.about_case else address.own)
        assert answer.status_code in wanted, answer.content[:300]
        assert TITLE not in answer.content.decode(errors="replace")

    def test_own_with_few_queries(self, address: Address, words: dict[str, str], small: Small) -> None:
        client = self.client_of(small.one("county", 1).account)
        post = self.post_of(small, "county") | {"X-Acting-Post": str(small.one("county", 1).post.pk)}
        if address.method == "GET":
            ask(address, client, words, **post)  # warms what is cached per process
        with CaptureQueriesContext(connection) as asked:
            answer = ask(address, client, words, **post)
        assert answer.status_code in address.own, answer.content[:500]
        # The book of law numbers asks at most once a second whether it changed: any page may be the one, none counts it.
        said = [one["sql"][:150] for one in asked if "law_lawedit" not in one["sql"]]
        assert len(said) <= address.queries, said


# -------------------------------------------------------------------- coverage

EXEMPT = {
    "account/": "allauth's own pages, tested there; the sign-in page of ours is listed",
    "language/": "Django's language switch: changes a cookie only",
    "live/": "the event stream never ends, so it is asked in tests/integration/cockpit/test_live.py",
    "static/": "files that anybody may have",
}
"""Routes that need no listing, by prefix, each with its reason."""

ROOTS = {"api/"}
"""django-ninja's empty root, which answers 404 to everybody."""


def routes() -> Iterator[str]:
    """Every route of the URL tree."""

    def walk(patterns: list[Any], above: str) -> Iterator[str]:
        for one in patterns:
            here = above + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, here)
            elif isinstance(one, URLPattern):
                yield here

    yield from walk(get_resolver().url_patterns, "")


def listed() -> list[Address]:
    """The addresses of all rooms."""
    import tests.integration as rooms

    found: list[Address] = []
    for info in pkgutil.walk_packages(rooms.__path__, "tests.integration."):
        if info.name.rpartition(".")[2].startswith("test_access"):
            found += getattr(importlib.import_module(info.name), "ADDRESSES", [])
    return found


def uncovered() -> list[str]:
    """Routes that nobody lists and no exemption names."""
    known = {one.route for one in listed()} | ROOTS
    return sorted({route for route in routes() if route not in known and not route.startswith(tuple(EXEMPT))})
