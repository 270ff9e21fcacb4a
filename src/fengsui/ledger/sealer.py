"""The sealer: gives committed entries their place in the tree and signs its head each minute.

Any number may run; an advisory lock lets one work and the others stand by.
"""

from __future__ import annotations

from datetime import datetime
from threading import Event

from django.db import transaction

from fengsui import moment
from fengsui.ledger import health, sealing, standby
from fengsui.ledger.seals.heads import SignedHead

LOCK = 7_305_001  # pg_advisory_lock: any fixed number that no other process uses
PAUSE = 0.5  # seconds between looks for new entries


def run(stop: Event) -> None:
    """Seal until told to stop; then sign once more so that nothing waits. Survives a lost database."""
    standby.run(stop, LOCK, _seal, "sealer", standing_by=lambda: health.beat("sealer-standby", moment.now(), 0.0))


def _seal(stop: Event) -> None:
    grower = sealing.Grower.load()
    while not stop.is_set():
        now = moment.now()
        round_(grower, now)
        beat(grower, now)
        stop.wait(PAUSE)
    round_(grower, moment.now(), at_once=True)


def beat(grower: sealing.Grower, now: datetime) -> None:
    """The sealer's sign of life. A clock that was set back shows as a lag: sealing goes on, yet no moment is to be trusted."""
    back = grower.set_back(now)
    detail = {"size": grower.tree.size, **({"clock_set_back": round(back, 1)} if back else {})}
    health.beat("sealer", now, max(0.0, grower.overdue(now), back), detail)


def round_(grower: sealing.Grower, now: datetime, *, at_once: bool = False) -> SignedHead | None:
    """Append whatever is committed; sign where a minute has passed since the last head, or ``at_once``."""
    while grower.append() == sealing.BATCH:
        pass
    waiting = grower.tree.size > (grower.head.size if grower.head else 0)
    if waiting and (at_once or grower.head is None or grower.overdue(now) >= 0):
        with transaction.atomic():
            return grower.sign(sealing.signer(now), now)
    return None
