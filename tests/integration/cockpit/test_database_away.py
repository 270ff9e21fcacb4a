"""A page asked for while the database is away or its disk is full says so, and comes back by itself."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("cause", "status", "says"),
    [
        (psycopg.errors.AdminShutdown("terminating connection"), 503, "数据库暂时没有应答"),
        (psycopg.OperationalError("connection refused"), 503, "does not answer"),
        (psycopg.errors.DiskFull("could not extend file"), 507, "磁盘已满"),
    ],
)
def test_a_page_says_what_is_wrong(cause: psycopg.Error, status: int, says: str) -> None:
    def failing(*_: Any) -> Any:
        raise OperationalError(str(cause)) from cause

    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "0" * 32
    with connection.execute_wrapper(failing):
        page = client.get("/desk/")
        posted = client.post("/sign-in/", {"login": "a", "password": "b"})
    assert page.status_code == posted.status_code == status
    assert says in page.content.decode()
    assert page["Retry-After"] == page["Refresh"] == "5"
    assert "Refresh" not in posted, "what was sent is not sent again by itself"


def test_another_failure_stays_a_failure() -> None:
    def failing(*_: Any) -> Any:
        raise ValueError("something else")

    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "0" * 32
    with connection.execute_wrapper(failing):
        page = client.get("/desk/")
    assert page.status_code == 500 and "已记录" in page.content.decode()
