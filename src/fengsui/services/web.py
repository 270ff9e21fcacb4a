"""The web server: granian before Django's ASGI application.

In: the data folder's address, port and number of workers (``FENGSUI_BIND``, ``FENGSUI_PORT``,
``FENGSUI_WORKERS``). It never touches the database itself.
"""

from __future__ import annotations

import os
import signal
import threading


def run(stop: threading.Event) -> None:
    """Serve until ``stop`` is set. Raises `OSError` when the port is taken."""
    from granian import Granian
    from granian.constants import Interfaces, Loops

    server = Granian(
        "fengsui.asgi:served",
        factory=True,
        address=os.environ.get("FENGSUI_BIND", "127.0.0.1"),
        port=int(os.environ.get("FENGSUI_PORT", "8000")),
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        workers=int(os.environ.get("FENGSUI_WORKERS", "1")),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=3,  # an open event stream must not hold the stop
        backpressure=2000,  # open event streams count; the default would refuse the 129th browser
    )

    def pass_on() -> None:
        stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    # Granian takes the signals itself, so the event can only come from a closed standard input.
    threading.Thread(target=pass_on, name="stop", daemon=True).start()
    server.serve()
