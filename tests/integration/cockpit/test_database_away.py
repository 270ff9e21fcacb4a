"""A page asked for while the database is away or its disk is full says so, and comes back by itself."""

from __future__ import annotations

import errno
from typing import Any

import psycopg
import pytest
from django.db import InternalError, OperationalError, connection
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


def test_what_follows_from_a_full_disk_is_told_as_that() -> None:
    """An act whose transaction was broken off by it ends with another error; a file here too."""

    def aborted(*_: Any) -> Any:
        try:
            raise OperationalError("could not extend file") from psycopg.errors.DiskFull("could not extend file")
        except OperationalError:
            raise InternalError("current transaction is aborted")  # noqa: B904 - as Django's own handling leaves it

    def no_room(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "0" * 32
    for failing in (aborted, no_room):
        with connection.execute_wrapper(failing):
            assert client.get("/desk/").status_code == 507
            answer = Client().get("/api/cases", headers={"Authorization": "Bearer " + "0" * 43, "Accept-Language": "en"})
        assert answer.status_code == 507 and "disk is full" in answer.json()["detail"]
        assert answer["Retry-After"] == "60"


def test_the_web_server_is_asked_whether_it_lives_without_the_database() -> None:
    """Else a hung database would look like a hung web server, which a new start does not mend."""
    from fengsui.services.parts import _ALIVE

    def failing(*_: Any) -> Any:
        raise AssertionError("the database was asked")

    with connection.execute_wrapper(failing):
        assert Client().get(_ALIVE).status_code == 200
