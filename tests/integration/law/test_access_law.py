"""Who may open the law's pages and endpoints: everybody signed in, it is no secret."""

from __future__ import annotations

from threading import Event

import pytest
from django.test import Client

from fengsui import moment
from fengsui.asgi import application, served
from fengsui.law import readers
from tests.integration.access import AccessTests, Address
from tests.small_region import build

pytestmark = pytest.mark.django_db

ADDRESSES = [
    Address("law/", "/law/", queries=36, without_post=(200,)),
    Address("law/<str:name>/", "/law/hazard.sign/", queries=40, without_post=(200,)),
    Address("api/law", "/api/law?under=hazard.", queries=14),
    Address("api/law/<name>", "/api/law/warning.lift", queries=14),
]


class TestLawAccess(AccessTests):
    addresses = ADDRESSES


@pytest.mark.parametrize(("language", "nothing"), [("zh-hans", "尚无机制或程序使用"), ("en", "Nothing reads it yet")])
def test_a_number_says_who_reads_it_or_that_nothing_does(language: str, nothing: str) -> None:
    client = Client(headers={"Accept-Language": language})
    client.force_login(build(moment.now()).one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    page = {
        name: client.get(f"/law/{name}/").content.decode() for name in ("hazard.longest", "alarm.shelve_longest", "weekly.due")
    }
    assert 'href="/mechanisms/hazard/"' in page["hazard.longest"] and nothing not in page["hazard.longest"]
    assert "watch/handling.py" in page["alarm.shelve_longest"] and nothing in page["weekly.due"]
    listed = {used: client.get(f"/law/?used={used}").content.decode() for used in ("yes", "no")}
    assert "hazard.longest" in listed["yes"] and "weekly.due" not in listed["yes"]
    assert "weekly.due" in listed["no"] and "/law/hazard.longest/" not in listed["no"]
    told = {one["name"]: one["used_by"] for one in client.get("/api/law").json()}
    assert told["weekly.due"] == []
    assert {"kind": "mechanism", "name": "hazard", "file": "data/mechanisms/hazard.yaml"} in told["hazard.longest"]


@pytest.mark.parametrize(("language", "says"), [("zh-hans", "正在汇集"), ("en", "being gathered")])
def test_pages_of_a_web_process_that_just_started_wait_for_no_gathering(
    monkeypatch: pytest.MonkeyPatch, language: str, says: str
) -> None:
    client = Client(headers={"Accept-Language": language})
    client.force_login(build(moment.now()).one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    go_on = Event()
    known = readers.read()
    monkeypatch.setattr(readers, "_all", lambda: go_on.wait(60) and known)
    monkeypatch.setattr(readers, "_gathering", None)
    assert served() is application
    try:
        for page in ("/law/hazard.longest/", "/law/", "/law/?used=no"):
            assert says in client.get(page).content.decode()
    finally:
        go_on.set()
    assert readers.of("hazard.longest"), "whoever needs them waits for the end"
    assert says not in client.get("/law/hazard.longest/").content.decode()
