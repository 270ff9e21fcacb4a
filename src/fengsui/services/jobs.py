"""The worker of background jobs (mail, documents, exchange): procrastinate on the same PostgreSQL.

In: jobs that rooms deferred in their own transactions. Out: their effects. Deadlines are never jobs: they
are rows of the ledger's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any

logger = logging.getLogger(__name__)

_REAP_EVERY = 60.0  # seconds
_SILENT_AFTER = 90.0  # seconds without a worker's heartbeat
_PULSE = 5.0  # seconds between two signs of life, which pages miss after half a minute


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set; a job in hand is finished first. Reconnects by itself while PostgreSQL is away."""
    asyncio.run(_run(stop))


async def _run(stop: threading.Event) -> None:
    from procrastinate.contrib.django import app

    connector: Any = app.connector
    with app.replace_connector(connector.get_worker_connector()) as worker_app:
        async with worker_app.open_async():
            await _work(worker_app, stop)


async def _work(app: Any, stop: threading.Event) -> None:
    worker = asyncio.create_task(app.run_worker_async(install_signal_handlers=False, concurrency=4, wait=True, name="jobs"))
    beside = [asyncio.create_task(_reap(app)), asyncio.create_task(_pulse())]
    waiter = asyncio.create_task(asyncio.to_thread(stop.wait))
    try:
        await asyncio.wait({worker, waiter}, return_when=asyncio.FIRST_COMPLETED)
        if worker.done():
            worker.result()  # raises what ended it; the supervisor starts a new one
    finally:
        stop.set()
        for task in (*beside, worker):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _pulse() -> None:
    """Tell the pages that letters and effects are carried out; a worker that is gone, or hangs, tells nothing."""
    while True:
        try:
            await asyncio.to_thread(_beat)
        except Exception:  # the database may be away; the silence tells it
            logger.debug("no sign of life", exc_info=True)
        await asyncio.sleep(_PULSE)


def _beat() -> None:
    from django.db import connection

    from fengsui import moment
    from fengsui.ledger import health

    try:
        health.beat("jobs", moment.now(), 0.0)
    finally:
        connection.close()


async def _reap(app: Any) -> None:
    """Give back the jobs of workers that were killed midway."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_SILENT_AFTER):
                logger.warning("job %s (%s) was left by a dead worker; it is tried again", job.id, job.task_name)
                await app.job_manager.retry_job(job)
        except Exception:  # the database may be away; the next round finds them
            logger.warning("stalled jobs could not be looked up", exc_info=True)
        await asyncio.sleep(_REAP_EVERY)
