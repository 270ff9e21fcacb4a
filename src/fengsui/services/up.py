"""`fengsui up`: everything that one platform needs, from a data folder to its page.

In: a data folder's path. Out: running processes until Ctrl-C or SIGTERM, then a clean stop.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from fengsui.services import folder as folders
from fengsui.services import foundation, parts, postgres, status
from fengsui.services.failure import Failure
from fengsui.services.folder import Folder, Lock
from fengsui.services.supervisor import Supervisor, last_words

Beside = Callable[[list[str], str], bool]
"""Runs a command as the database's owner and says meanwhile what it does; whether it came to its end."""
After = Callable[[Folder, Beside], list[str]]
"""What to do once the database is migrated and before the processes start; it gives notes to show."""
_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""A closed terminal (SIGHUP) stops the platform as Ctrl-C does; under ``nohup`` it goes on."""


def run(
    path: Path,
    *,
    plain: bool = False,
    bind: str = "127.0.0.1",
    title: str = "Fengsui 烽燧",
    after: After | None = None,
    extra: Sequence[str] = (),
) -> None:
    """Start all parts on the data folder at ``path`` and keep them until a signal comes.

    ``extra`` names more processes of `worker.ROOMS`. Raises `Failure` with nothing left running.
    """
    folder = folders.make(path, bind=bind)
    stop = threading.Event()
    with Lock(folder):
        foundation.stop_left_overs(folder)
        foundation.check_before(folder)
        nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        heard = [number for number in _ENDS if number != signal.SIGHUP or not nohup]
        previous = {number: signal.signal(number, lambda *_: stop.set()) for number in heard}
        try:
            with status.display(title, plain=plain) as display:
                _supervise(folder, display, stop, after, extra)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _supervise(
    folder: Folder, display: status.Plain | status.Terminal, stop: threading.Event, after: After | None, extra: Sequence[str]
) -> None:
    supervisor = Supervisor(foundation.ours(folder), told=display.told)
    supervisor.each_tick.append(lambda: display.tick(supervisor))
    try:
        supervisor.wait_ready(list(supervisor.children), foundation.START_PATIENCE, stop)
        if stop.is_set():
            return
        notes = _fill(folder, supervisor, stop, after)
        for name in (*parts.processes(folder), *extra):
            supervisor.add(parts.process(folder, name))
        supervisor.wait_ready(list(supervisor.children), 90, stop)
        if not stop.is_set():
            display.show(supervisor, [f"Open {folder.address}", *notes])
        supervisor.run(stop)
    finally:
        supervisor.stop()


def _fill(folder: Folder, supervisor: Supervisor, stop: threading.Event, after: After | None) -> list[str]:
    """Make and migrate the database as its owner, then ``after``; the foundation is looked after meanwhile."""
    environment = folder.environment(owner=True)
    if not folders.external_database():
        postgres.make_database(environment["DATABASE_URL"])

    def beside(command: list[str], words: str) -> bool:
        supervisor.say("database", words)
        return run_beside(supervisor, command, environment, folder, stop)

    beside([sys.executable, "-m", "fengsui.services.prepare"], "preparing tables and mechanisms")
    if (child := supervisor.children.get(parts.STREAM)) is not None:
        supervisor.each_tick.append(parts.SiteTokens(folder, lambda: child.pid, supervisor.say))
    return after(folder, beside) if after and not stop.is_set() else []


def run_beside(
    supervisor: Supervisor, command: list[str], environment: dict[str, str], folder: Folder, stop: threading.Event
) -> bool:
    """Run ``command`` to its end while the supervisor ticks; False where ``stop`` came first.

    Raises `Failure` database with its last words.
    """
    log = folder.log("prepare")
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    while process.poll() is None:
        if stop.wait(0.05):
            process.terminate()
            process.wait()
            return False
        supervisor.tick()
    if process.returncode != 0:
        raise Failure("database", f"The database could not be prepared: {last_words(log)}", f"The whole message is in {log}.")
    return True
