"""The sealer: gives committed entries their place in the tree and signs its head each minute.

Any number may run; an advisory lock lets one work and the others stand by.
"""

from __future__ import annotations

import logging
from datetime import datetime
from threading import Event

from django.db import Error, connection, transaction

from fengsui import moment
from fengsui.ledger import health, sealing
from fengsui.ledger.seals.heads import SignedHead

log = logging.getLogger(__name__)

LOCK = 7_305_001  # pg_advisory_lock: any fixed number that no other process uses
PAUSE = 0.5  # seconds between looks for new entries


def run(stop: Event) -> None:
    """Seal until told to stop; then sign once more so that nothing waits. Survives a lost database."""
    while not stop.is_set():
        try:
            if _mine():
                _seal(stop)
            else:
                health.beat("sealer-standby", moment.now(), 0.0)
                stop.wait(2)
        except Error as error:
            log.warning("the database went away while sealing: %s", error)
            connection.close()
            stop.wait(1)
    connection.close()


def _mine() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _seal(stop: Event) -> None:
    grower = sealing.Grower.load()
    while not stop.is_set():
        now = moment.now()
        round_(grower, now)
        health.beat("sealer", now, max(0.0, grower.overdue(now)), {"size": grower.tree.size})
        stop.wait(PAUSE)
    round_(grower, moment.now(), at_once=True)


def round_(grower: sealing.Grower, now: datetime, *, at_once: bool = False) -> SignedHead | None:
    """Append whatever is committed; sign where a minute has passed since the last head, or ``at_once``."""
    while grower.append() == sealing.BATCH:
        pass
    waiting = grower.tree.size > (grower.head.size if grower.head else 0)
    if waiting and (at_once or grower.head is None or grower.overdue(now) >= 0):
        with transaction.atomic():
            return grower.sign(sealing.signer(now), now)
    return None
