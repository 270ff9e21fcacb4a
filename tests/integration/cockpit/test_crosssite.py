"""A form whose secret does not hold: our own page in both languages, the way back, what was written; programs get a problem."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui import moment
from fengsui.ledger.models import Case
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db
FORM, TOKEN = "/cases/new/hazard/found_here/", "0123456789abcdef" * 2
WORDS = {
    "zh-hans": ("未受理：浏览器没有送来本站的 Cookie", "未受理：表单已过期", "未受理：表单来自其他网址的页面", "打开表单"),
    "en": ("sent no cookie of this site", "this form was too old", "came from a page of another address", "Open the form"),
}


@pytest.fixture
def small(db: Any) -> Small:
    return build(moment.now() - timedelta(days=1))


def visitor(small: Small, language: str = "en") -> Client:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
    client.force_login(small.one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sent(small: Small, client: Client, headers: dict[str, str] | None = None, **more: str) -> Any:
    values = {"title": "铅封缺失待核", "site": str(small.site.pk), "finding": "校验标签已超期<b>", "password": "never shown"}
    return client.post(FORM, values | more, headers={"Referer": f"http://testserver{FORM}"} | (headers or {}))


@pytest.mark.parametrize("language", WORDS)
def test_each_cause_is_named_in_a_page_of_ours_with_its_remedy(small: Small, language: str) -> None:
    cookie, old, foreign, button = WORDS[language]
    without, stale = visitor(small, language), visitor(small, language)
    stale.get(FORM)
    answers = {
        cookie: sent(small, without),
        old: sent(small, stale, csrfmiddlewaretoken="x" * 64),
        foreign: sent(small, stale, {"Origin": "https://elsewhere.example"}),
    }
    for words, answer in answers.items():
        page = answer.content.decode()
        assert answer.status_code == 403 and answer["X-Csrf-Refused"] == "1" and "no-store" in answer["Cache-Control"]
        assert words in page and "fs-bar" in page and f'href="http://testserver{FORM}"' in page and button in page
    assert not Case.objects.filter(mechanism="hazard").exists()


def test_what_was_written_is_shown_again_but_no_secret_and_nothing_of_a_foreign_page(small: Small) -> None:
    page = sent(small, visitor(small), **{"fs-sent": TOKEN}).content.decode()
    assert "校验标签已超期&lt;b&gt;" in page and "never shown" not in page and TOKEN not in page
    assert "kept on this device" in page and not [name for name in visitor(small).cookies if name.startswith("fs-kept")]
    foreign = sent(small, visitor(small), {"Origin": "https://elsewhere.example"}, **{"fs-sent": TOKEN}).content.decode()
    assert "校验标签" not in foreign and "https://elsewhere.example is missing in FENGSUI_ORIGINS" in foreign
    assert "kept on this device" not in foreign


def test_somebody_without_a_sign_in_gets_the_page_too(small: Small) -> None:
    answer = Client(enforce_csrf_checks=True).post("/report/", {"finding": "冷库后门一直有氨味"})
    assert answer.status_code == 403 and "冷库后门一直有氨味" in answer.content.decode()


def test_the_way_back_never_leads_elsewhere(small: Small) -> None:
    page = sent(small, visitor(small), {"Referer": "https://elsewhere.example/form"}).content.decode()
    assert 'href="https://elsewhere.example' not in page


@pytest.mark.parametrize("language", WORDS)
def test_a_program_gets_problem_details_that_name_the_header(small: Small, language: str) -> None:
    answer = visitor(small, language).post("/api/alarms/acknowledge", {}, content_type="application/json")
    assert answer.status_code == 403 and answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 403 and problem["detail"].startswith("X-CSRFToken") and "csrftoken" in problem["detail"]
    assert ("Nothing was changed" if language == "en" else "数据未改动") in problem["detail"]
