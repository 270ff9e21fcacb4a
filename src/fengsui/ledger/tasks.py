"""The room's background jobs."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from fengsui import moment

log = logging.getLogger(__name__)

_NIGHT = "30 18 * * *"  # UTC: half past two in Asia/Shanghai


@app.periodic(cron=_NIGHT)
@app.task(queueing_lock="ledger.live_check", name="ledger.live_check")
def hold_the_proof_against_the_offices(timestamp: int) -> None:
    """Open a case for each office that lacks people, end those that were filled."""
    from fengsui.ledger import live_check

    lacking, filled = live_check.nightly(moment.now())
    log.info("live check: %s offices lack people, %s were filled", lacking, filled)
