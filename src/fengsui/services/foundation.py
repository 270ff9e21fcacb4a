"""What the platform stands on, for a command that needs it for a while: PostgreSQL and NATS of a folder.

In: a data folder, running or not. Out: the environment of its owner while the block lasts. Where nothing runs
they are started, and stopped again at the end; a running platform is used as it is and left alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fengsui.mailserver import WrongMailServer, mail_server
from fengsui.services import folder as folders
from fengsui.services import parts, postgres, reach
from fengsui.services.failure import Failure
from fengsui.services.folder import Folder, Lock
from fengsui.services.supervisor import Part, Supervisor

START_PATIENCE = 60.0  # seconds; PostgreSQL may have to recover first


def ours(folder: Folder, *, stream: bool = True) -> list[Part]:
    """PostgreSQL and NATS as far as they are ours, made ready to start."""
    made = []
    if not folders.external_database():
        postgres.initialise(folder.path / "pg", postgres.password(folder.path))
        made.append(parts.database(folder))
    if stream and not folders.external_stream():
        parts.write_stream_configuration(folder)
        made.append(parts.stream(folder))
    return made


def stop_left_overs(folder: Folder) -> None:
    """End servers that a killed supervisor left behind; their data is complete, only their keeper is gone."""
    postgres.stop_left_over(folder.path / "pg")
    reach.stop_left_over_stream(folder.path)


def check_settings() -> None:
    """The settings that can be judged before anything starts. Raises `Failure` setting."""
    try:
        mail_server(os.environ.get("FENGSUI_MAIL_URL", ""))
    except WrongMailServer as error:
        raise Failure("setting", str(error)) from error


def check_before(folder: Folder, *, web: bool = True) -> None:
    """Everything that can be refused before anything is started. Raises `Failure`."""
    folders.check_room(folder.path)
    check_settings()
    config = folder.config
    if url := folders.external_database():
        folders.check_socket_path(url)
        reach.database(url)
    if url := folders.external_stream():
        reach.stream(url)
    wanted = {"web": (config.web, config.bind)} if web else {}
    if not folders.external_database():
        wanted["database"] = (config.database, "127.0.0.1")
    if not folders.external_stream():
        wanted |= {name: (getattr(config, name), "127.0.0.1") for name in ("stream", "mqtt", "monitor")}
    for name, (port, bind) in wanted.items():
        if not folders.port_free(port, bind):
            raise Failure(
                "port",
                f"Port {port} ({name}) is taken by another program.",
                f"Stop that program, or change [ports] {name} in {folder.path / 'config.toml'}.",
            )


@contextmanager
def standing(folder: Folder, *, stream: bool = True) -> Iterator[dict[str, str]]:
    """The owner's environment while PostgreSQL (and NATS with ``stream``) stand. Raises `Failure`."""
    if folders.running(folder):
        yield folder.environment(owner=True)
        return
    with Lock(folder):
        stop_left_overs(folder)
        check_before(folder, web=False)
        supervisor = Supervisor(ours(folder, stream=stream))
        stop = threading.Event()
        try:
            supervisor.wait_ready(list(supervisor.children), START_PATIENCE, stop)
            environment = folder.environment(owner=True)
            if not folders.external_database():
                postgres.make_database(environment["DATABASE_URL"])
            keeper = threading.Thread(target=supervisor.run, args=(stop,), name="keeper", daemon=True)
            keeper.start()
            yield environment
            stop.set()
            keeper.join()
        finally:
            stop.set()
            supervisor.stop()
