"""The status table of a running platform: live on a terminal, plain lines elsewhere.

In: the supervisor's children and events. Out: text. It changes nothing.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import AbstractContextManager, suppress
from datetime import datetime

import click
import psutil
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fengsui import moment
from fengsui.services.supervisor import Child, Event, State, Supervisor, exit_words

_COLOURS = {State.READY: "green", State.STARTING: "yellow", State.WAITING: "dim", State.PAUSING: "red", State.STOPPED: "dim"}


def _clock() -> str:
    local: datetime = moment.now().astimezone()
    return local.strftime("%H:%M:%S")


def _unread() -> AbstractContextManager[None]:
    """Around what is shown: a terminal that was closed or a full disk under the output must not end the platform."""
    return suppress(OSError)


def _memory(pid: int | None) -> str:
    """Resident memory of a process and its children, in MiB."""
    if pid is None:
        return ""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return f"{sum(process.memory_info().rss for process in family) // 2**20} MiB"
    except psutil.Error:
        return ""


def _since(child: Child) -> str:
    if child.process is None:
        return ""
    seconds = int(time.monotonic() - child.started)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def table(supervisor: Supervisor, title: str) -> Table:
    """One row per part: name, state, process, running for, restarts, memory, where it listens."""
    made = Table(title=title, title_justify="left", expand=False)
    for name, justify in (
        ("part", "left"),
        ("state", "left"),
        ("pid", "right"),
        ("up", "right"),
        ("restarts", "right"),
        ("memory", "right"),
        ("listens on", "left"),
    ):
        made.add_column(name, justify=justify)  # type: ignore[arg-type]
    for child in supervisor.children.values():
        restarts = str(child.restarts) + (f" ({exit_words(child.last_exit)})" if child.restarts else "")
        state = Text(child.state.value, style=_COLOURS[child.state])
        if child.stuck:
            state = Text(f"not well: {child.stuck}", style="red")
        made.add_row(
            child.part.name, state, str(child.pid or ""), _since(child), restarts, _memory(child.pid), child.part.address
        )
    return made


class Plain:
    """One line per event, for logs and pipes."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def told(self, event: Event) -> None:
        """Print one event."""
        with _unread():
            click.echo(f"{_clock()} {event.name}: {event.words}")

    def show(self, supervisor: Supervisor, notes: list[str]) -> None:
        """Print the whole table once."""
        with _unread():
            Console(file=sys.stdout, width=120).print(table(supervisor, self._title))
            for note in notes:
                click.echo(note)

    def tick(self, supervisor: Supervisor) -> None:
        """Nothing: a log is not repainted."""


class Terminal:
    """A table that repaints each second, with the latest events under it."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._notes: list[str] = []
        self._painted = 0.0
        self._live = Live(console=Console(), auto_refresh=False, transient=False)

    def __enter__(self) -> Terminal:
        self._live.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        with _unread():
            self._live.__exit__(None, None, None)

    def told(self, event: Event) -> None:
        """Events are read from the supervisor when the table is painted."""

    def show(self, supervisor: Supervisor, notes: list[str]) -> None:
        """Keep ``notes`` under the table from now on."""
        self._notes = notes
        self._painted = 0.0
        self.tick(supervisor)

    def tick(self, supervisor: Supervisor) -> None:
        """Repaint, at most once a second."""
        if time.monotonic() - self._painted < 1.0:
            return
        self._painted = time.monotonic()
        events = [
            Text(f"{event.name}: {event.words}", style="red" if event.bad else "dim") for event in list(supervisor.recent)[-4:]
        ]
        notes = [Text(note) for note in self._notes]
        shown = Group(table(supervisor, self._title), *notes, *events, Text("Ctrl-C stops everything.", style="dim"))
        with _unread():
            self._live.update(shown, refresh=True)


def display(title: str, *, plain: bool) -> Plain | Terminal:
    """The terminal's table, or plain lines when asked, piped, or on a dumb terminal."""
    if plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return Plain(title)
    return Terminal(title)
