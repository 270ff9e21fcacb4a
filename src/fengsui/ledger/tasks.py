"""The room's background jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from fengsui import moment

log = logging.getLogger(__name__)

_NIGHT = "30 18 * * *"  # UTC: half past two in Asia/Shanghai
_DAYBREAK = "1 16 * * *"  # UTC: a minute past midnight there


@app.periodic(cron=_NIGHT)
@app.task(queueing_lock="ledger.live_check", name="ledger.live_check")
def hold_the_proof_against_the_offices(timestamp: int) -> None:
    """Open a case for each office that lacks people, end those that were filled."""
    from fengsui.ledger import live_check

    lacking, filled = live_check.nightly(moment.now())
    log.info("live check: %s offices lack people, %s were filled", lacking, filled)


@app.periodic(cron=_DAYBREAK)
@app.task(queueing_lock="ledger.day", name="ledger.day")
def begin_the_day(timestamp: int) -> None:
    """Let new names of offices count from their day, what merged offices had in hand go on, and certificates run out."""
    from fengsui.ledger import live_check, succession
    from fengsui.region import changing, officenames

    now = moment.now()
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("offices renamed", lambda: officenames.take_effect(changing.today(now))),
        ("cases that followed their offices", lambda: succession.nightly(now)),
        ("by certificates that ran out or began today: offices that lack people, and that were filled",
         lambda: live_check.daybreak(now)),
    )  # fmt: skip
    for said, step in steps:
        try:
            log.info("day begun: %s: %s", said, step())
        except Exception:  # the day's other work does not wait for it
            log.exception("day begun: failed: %s", said)


@app.task(queue="ledger", name="ledger.follow_staff")
def follow_staff(offices: list[int]) -> None:
    """After other people may act in these offices: their vacancies open or end, their cases pass on or come back."""
    from fengsui.ledger import succession

    log.info("%s cases followed who may act in %s", succession.of_staff(offices, moment.now()), offices)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="ledger.coming", name="ledger.coming")
def let_take_effect(timestamp: int) -> None:
    """Carry out what administrators dated ahead and whose day has come; every minute, so that a stop is caught up at once."""
    from fengsui.region import coming

    if done := coming.take_effect(moment.now()):
        log.info("%s changes dated ahead took effect", done)


@app.task(queue="ledger", name="ledger.carry_out", retry=RetryStrategy(max_attempts=12, exponential_wait=4))
def carry_out(outbox: int) -> None:
    """Carry out one outer effect; what fails is tried again, and never undoes its act."""
    from fengsui.ledger import effects

    effects.carry_out(outbox, moment.now())


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="ledger.deliver", name="ledger.deliver")
def deliver(timestamp: int) -> None:
    """Send notices by mail and gateways to those who asked for it."""
    from fengsui.ledger import notices

    notices.deliver(moment.now())


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="ledger.pulse", name="ledger.pulse")
def tell_outside(timestamp: int) -> None:
    """Let a dead man's switch outside know that everything keeps up, if there is one."""
    from django.conf import settings

    from fengsui.ledger import health

    if settings.DEADMAN_URL:
        health.tell_outside(settings.DEADMAN_URL, moment.now())


@app.periodic(cron=_NIGHT)
@app.task(queueing_lock="ledger.tidy", name="ledger.tidy")
def tidy(timestamp: int) -> None:
    """Drop what was published long ago."""
    from fengsui.ledger import publisher

    log.info("tidied %s outbox rows", publisher.tidy(moment.now()))
