"""The publisher outlives a database that goes away at any statement, and never ends unseen."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, connections

from fengsui.ledger import clockwork, publisher, standby, tasks
from fengsui.ledger.models import Outbox
from tests.integration.ledger.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_session_ended_while_a_job_is_handed_over_is_only_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs' library wraps the database's error in one of its own; the publisher must know that one too."""
    Outbox.objects.create(topic="call_list", payload={}, at=NOW)
    defer, ended, stop = tasks.carry_out.defer, threading.Event(), threading.Event()

    def killed_first(**given: Any) -> int:
        if not ended.is_set():
            ended.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                mine = cursor.fetchone()[0]
            other = connections.create_connection("default")
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
            other.close()
        return defer(**given)

    monkeypatch.setattr(tasks.carry_out, "defer", killed_first)
    monkeypatch.setattr(standby, "AGAIN", 0.05)
    running = threading.Thread(target=publisher.run, args=(stop,))
    running.start()
    try:
        for _ in range(200):
            if Outbox.objects.filter(position__isnull=False).exists():
                break
            stop.wait(0.05)
        assert ended.is_set() and running.is_alive()
        assert Outbox.objects.get().position == 1
    finally:
        stop.set()
        running.join(10)


def test_the_clock_ends_with_its_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock without one would look well while no page is renewed; ended, it is started again by the supervisor."""
    monkeypatch.setattr(publisher, "run", lambda stop: None)
    with pytest.raises(RuntimeError, match="the publisher ended"):
        clockwork.run(threading.Event())
