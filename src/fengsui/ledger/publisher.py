"""The one publisher: gives committed outbox rows their position, and hands effects to the jobs.

A reader that asks for positions above its last one misses nothing, since a position is given after commit and in
one place. Runs inside the clock process; an advisory lock lets one work and the others stand by. It alone sends
NOTIFY: a door that did would hold PostgreSQL's one lock of all notifying transactions until its commit is on disk.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event

from django.db import connection, transaction

from fengsui import moment
from fengsui.ledger import registry, standby
from fengsui.ledger.models import Outbox

LOCK = 7_305_002
CHANNEL = "fengsui_ledger"
PLACED = "placed"
"""What the channel says when rows got their positions; doors say nothing."""
PAUSE = 0.05
"""Seconds between two looks for committed rows."""
BATCH = 1000
KEPT = timedelta(days=7)

_PLACE = """
WITH fresh AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM ledger_outbox WHERE position IS NULL ORDER BY id LIMIT %s),
     last AS (SELECT coalesce(max(position), 0) AS p FROM ledger_outbox)
UPDATE ledger_outbox o SET position = last.p + fresh.n, next_attempt_at = %s,
       done_at = CASE WHEN o.topic = ANY(%s) THEN NULL ELSE %s END
FROM fresh, last WHERE o.id = fresh.id RETURNING o.id, o.topic
"""


def place(now: datetime, limit: int = BATCH) -> int:
    """Give positions to committed rows in the order of their ids, and defer a job for each outer effect; how many."""
    from fengsui.ledger import tasks

    effects = sorted(name for name, known in registry.names().effects.items() if known.kind == "outer")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PLACE, [limit, now, effects, now])
        rows = sorted(cursor.fetchall())
        for row, topic in rows:
            if topic in effects:
                tasks.carry_out.defer(outbox=row)
        if rows:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, PLACED])
    return len(rows)


def reclaim() -> int:
    """Hand over again what nobody carried out, where a room has meanwhile brought the effect; how many."""
    from fengsui.ledger import tasks

    rows = Outbox.objects.filter(done_at__isnull=True, error=Outbox.UNCLAIMED)
    ready = [row for row, topic in rows.values_list("pk", "topic") if registry.has_effect(topic)]
    with transaction.atomic():
        Outbox.objects.filter(pk__in=ready).update(error="")
        for row in ready:
            tasks.carry_out.defer(outbox=row)
    return len(ready)


def tidy(now: datetime) -> int:
    """Drop rows that were carried out more than a week ago; readers keep positions of minutes, not weeks."""
    old = Outbox.objects.filter(done_at__lt=now - KEPT)
    newest = Outbox.objects.order_by("-position").values_list("position", flat=True).first() or 0
    return old.filter(position__lt=newest).delete()[0]  # the last position stays, so that it never goes back


def run(stop: Event) -> None:
    """Place rows within ``PAUSE`` of their commit, until told to stop. Survives a lost database."""
    standby.run(stop, LOCK, _watch, "publisher")


def _watch(stop: Event) -> None:
    reclaim()
    while not stop.is_set():
        if not _unplaced() or place(moment.now()) < BATCH:
            stop.wait(PAUSE)  # many acts at once get their positions together


def _unplaced() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM ledger_outbox WHERE position IS NULL)")
        return bool(cursor.fetchone()[0])
