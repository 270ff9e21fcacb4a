"""A refused call of the API says what to send instead, in the sentence itself and in the reader's language."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui import moment
from fengsui.api.problems import remedy
from tests.small_region import build

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "asked", "says"),
    [
        ("en", "on=tomorrow", "“on” is not of the kind that this call takes. Send a day as 2026-01-31."),
        ("zh-hans", "on=tomorrow", "“on”的内容不符合本接口的要求。请按 2026-01-31 的格式填写日期。"),
        ("en", f"under={'x' * 61}", "“under” is not of the kind that this call takes. Send at most 60 characters."),
        ("zh-hans", f"under={'x' * 61}", "“under”的内容不符合本接口的要求。最多 60 个字符。"),
    ],
)
def test_the_sentence_names_field_and_remedy(language: str, asked: str, says: str) -> None:
    client = Client(headers={"Accept-Language": language})
    client.force_login(build(moment.now()).one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/api/law?{asked}")
    told = answer.json()
    assert (answer.status_code, told["detail"], told["errors"][0]["sentence"]) == (422, says, says)


def test_an_error_that_has_no_words_of_ours_keeps_its_own() -> None:
    assert "Url scheme should be http" in remedy({"type": "url_scheme", "msg": "Url scheme should be http"})
    assert "odd" in remedy({"type": "greater_than", "msg": "odd", "ctx": {}}), "bounds that are not told"
