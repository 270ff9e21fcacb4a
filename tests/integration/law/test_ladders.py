"""The steps of what is overdue stand on the law's page with their confidence and what changes them."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui import moment
from fengsui.law import ladders
from fengsui.ledger import registry
from tests.small_region import build

pytestmark = pytest.mark.django_db


def test_the_steps_are_those_that_mechanisms_climb() -> None:
    found = {one.name: one for one in ladders.shipped_ladders()}
    climbed = registry.names().ladders
    assert {name: [step.at for step in one.steps] for name, one in found.items()} == {
        name: [rung.at for rung in rungs] for name, rungs in climbed.items()
    }
    assert [step.at for step in found["standard"].steps] == ["-3d", "0", "7d", "15d", "30d"]
    assert [step.at for step in found["minutes"].steps] == ["0", "5min", "10min", "20min"]
    assert "hazard" in found["standard"].used_by and {"warning", "accident"} <= set(found["minutes"].used_by)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-hans", ("逾期升级步骤", "到期前3 日：告知承办人", "升级至自治区主管机构", "法规参数修订不涉及")),
        ("en", ("Steps when something is overdue", "3 days before: told: who holds the deadline", "no amendment reaches them")),
    ],
)
def test_the_law_s_page_shows_them(language: str, words: tuple[str, ...]) -> None:
    client = Client(headers={"Accept-Language": language})
    client.force_login(build(moment.now()).one("county").account, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/law/").content.decode()
    for one in words:
        assert one in page, one
    assert words[0] not in client.get("/law/?used=no").content.decode()
