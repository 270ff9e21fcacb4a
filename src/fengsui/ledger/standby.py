"""A worker of which one works while the others stand by, and which outlives a lost database.

In: an advisory lock's number, what to do while it is held. Out: nothing; the session's end gives the lock back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event

from django.db import Error, connection
from procrastinate.exceptions import ConnectorException

log = logging.getLogger(__name__)

AGAIN = 2.0
"""Seconds between two tries for the lock."""


def run(
    stop: Event, lock: int, work: Callable[[Event], None], name: str, *, standing_by: Callable[[], object] | None = None
) -> None:
    """``work(stop)`` whenever the lock is ours, until told to stop; ``standing_by`` while it is another's."""
    while not stop.is_set():
        try:
            if _mine(lock):
                work(stop)
                continue
            if standing_by is not None:
                standing_by()
            stop.wait(AGAIN)
        except (Error, ConnectorException) as error:
            log.warning("the database went away from the %s: %s", name, error)
            connection.close()
            stop.wait(1)
    connection.close()


def _mine(lock: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])
