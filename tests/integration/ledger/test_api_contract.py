"""The API against its own description: whatever is sent, it never breaks, and every error is a problem (RFC 9457)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from fengsui.ledger import tokens
from fengsui.moment import now as present
from tests.small_region import Small, build

# the WSGI handler closes its connection, as in earnest
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EXAMPLES = 3
"""For each operation and way of generating; a wider search is `schemathesis run` against a platform."""


@pytest.fixture
def headers() -> dict[str, str]:
    now = present()
    small: Small = build(now)
    _, secret = tokens.issue("contract", small.one("county").acting, now=now, expires=now + timedelta(days=1))
    return {"Authorization": f"Bearer {secret}", "Accept-Language": "en"}


def test_every_operation_keeps_to_its_description(headers: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())
    broken: dict[str, str] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _explore(operation, mode, headers)
            except (AssertionError, ExceptionGroup) as error:
                broken[f"{operation.label} {mode.value}"] = str(error)[:800]
    assert not broken, "\n\n".join(f"{name}: {why}" for name, why in broken.items())


def _explore(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def explore(case: Any) -> None:
        given_headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        case.headers = given_headers | headers
        answer = case.call()
        assert answer.status_code < 500, f"{answer.status_code} for {case.as_curl_command()}: {answer.text[:300]}"
        if answer.status_code >= 400:
            _is_problem(answer)
        else:
            case.validate_response(answer, checks=[schemathesis.checks.response_schema_conformance])

    explore()


def _is_problem(answer: Any) -> None:
    kind = answer.headers["content-type"]
    assert [str(one).partition(";")[0] for one in (kind if isinstance(kind, list) else [kind])] == ["application/problem+json"], (
        kind
    )
    body = answer.json()
    assert body["status"] == answer.status_code and body["title"] and body["detail"], body
    for error in body.get("errors", ()):
        assert error["code"] and error["sentence"], body
