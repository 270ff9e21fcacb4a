"""Runs one of the platform's own processes until it is told to stop.

In: a room's ``run(stop)``. Out: an exit code. A process stops on SIGTERM and SIGINT, and, under a
supervisor (``FENGSUI_SUPERVISED``), when its standard input closes: so nothing outlives a killed supervisor.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

ROOMS: dict[str, str] = {
    "web": "fengsui.services.web",
    "engine": "fengsui.watch.engine_worker",
    "relay": "fengsui.watch.relay",
    "clock": "fengsui.ledger.clockwork",
    "sealer": "fengsui.ledger.sealer",
    "jobs": "fengsui.services.jobs",
    "simulator": "fengsui.watch.simulator",
    "exercise": "fengsui.services.exercise.player",
}
"""A process's name → the module whose ``run(stop: threading.Event)`` it is."""


def find_module(name: str) -> bool:
    """Whether this installation has the module ``name``."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def configure_logging() -> None:
    """Log to standard error: time, level, room, words."""
    level = os.environ.get("FENGSUI_LOG", "INFO").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for wordy in ("nats", "httpx", "httpcore"):  # httpx tells each address it asks: the dead man's switch's is a secret
        logging.getLogger(wordy).setLevel(logging.WARNING)


def watch_supervisor(told: Callable[[], None]) -> None:
    """Call ``told`` once standard input closes, when a supervisor started this process."""
    if os.environ.get("FENGSUI_SUPERVISED") != "1":
        return

    def wait() -> None:
        while os.read(0, 4096):
            pass
        told()

    threading.Thread(target=wait, name="supervisor", daemon=True).start()


def run(name: str) -> None:
    """Run the process ``name`` of `ROOMS` until it is told to stop. Errors pass through to the caller."""
    configure_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch_supervisor(stop.set)
    import django

    django.setup()
    room = import_module(ROOMS[name])
    if name == "simulator":
        from django.conf import settings

        room.run(stop, settings.DATA_DIR / "exercise" / "signals.json")  # the exercise's wishes
    else:
        room.run(stop)
