"""The pulse of the processes: who beats, how far each lags, and what a monitor reads.

In: ``beat`` from each process. Out: ``status`` for pages and the supervisor, ``metrics`` as OpenMetrics,
``tell_outside`` for a dead man's switch.
A process that is silent or behind for ``LAGGING`` makes the whole not well; pages then say so. On a fresh start one that
has not beaten yet is starting, for ``STARTING`` after the first that did (where none did, after the start of whoever asks);
from then on it is missing.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from fengsui import moment
from fengsui.ledger.models import Beat

log = logging.getLogger(__name__)

_DISK_FULL = "53100"
LAGGING = timedelta(seconds=30)
WATCHED = ("clock", "engine", "relay", "sealer")
"""The processes whose lag every page shows."""
ONCE_SEEN = ("jobs",)
"""Watched like them once they have beaten: an installation may send its letters from elsewhere."""
STARTING = timedelta(minutes=2)
"""So long after the first process's first beat the others may still be on their way: an engine loads its kernel first."""
OUTSIDE = "outside"
"""The name under which lies how the dead man's switch outside answered."""
_FIRST = "first"
_BEGUN = moment.now()
"""When the process that asks began. The others start with it: where none ever beat, they are missing soon after."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """One process as seen at ``now``; ``at`` is None where it never beat.

    ``silent`` and ``lag`` are seconds. A clock that was set back behind the last seal is the sealer's lag.
    ``starting``: it never beat, and need not have yet.
    """

    process: str
    at: datetime | None
    silent: float | None
    lag: float
    well: bool
    detail: Mapping[str, Any]
    starting: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """All processes; ``well`` is whether the watched ones keep up, or start beside one that does."""

    well: bool
    pulses: tuple[Pulse, ...]

    @property
    def behind(self) -> tuple[Pulse, ...]:
        """The watched processes that do not keep up."""
        return tuple(pulse for pulse in self.pulses if not pulse.well and not pulse.starting)

    @property
    def starting(self) -> tuple[Pulse, ...]:
        """The watched processes that have not beaten yet and need not have."""
        return tuple(pulse for pulse in self.pulses if pulse.starting)


def beat(process: str, now: datetime, lag_seconds: float | None = None, detail: Mapping[str, Any] | None = None) -> None:
    """Write one process's sign of life; cheap enough for every second. When it first beat is kept beside ``detail``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_beat (process, at, lag_seconds, detail) VALUES (%s, %s, %s, %s::jsonb) "
            "ON CONFLICT (process) DO UPDATE SET at = excluded.at, lag_seconds = excluded.lag_seconds, detail = excluded.detail "
            "|| jsonb_build_object('first', coalesce(ledger_beat.detail -> 'first', to_jsonb(ledger_beat.at)))",
            [process, now, lag_seconds, _json({**(detail or {}), _FIRST: now})],
        )


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, default=str).decode()


def status(now: datetime) -> Status:
    """How every process is doing; a watched one that never beat is starting at first, then not well."""
    known = {row.process: row for row in Beat.objects.all()}
    firsts = [_first(known[process]) for process in WATCHED if process in known]
    young = now - min(firsts, default=_BEGUN) < STARTING
    pulses = []
    for process in [*WATCHED, *sorted(set(known) - set(WATCHED))]:
        row = known.get(process)
        if row is None:
            pulses.append(Pulse(process, None, None, 0.0, young and bool(firsts), {}, young))
            continue
        silent = abs((now - row.at).total_seconds())  # a sign of life to come was given before the clock was set back
        lag = row.lag_seconds or 0.0
        well = process not in (*WATCHED, *ONCE_SEEN) or max(silent, lag) < LAGGING.total_seconds()
        detail = {name: value for name, value in row.detail.items() if name != _FIRST}
        pulses.append(Pulse(process, row.at, silent, lag, well, detail))
    return Status(all(pulse.well for pulse in pulses), tuple(pulses))


def _first(row: Beat) -> datetime:
    """When the process first beat; its last beat where an older version kept no first one."""
    kept = row.detail.get(_FIRST)
    return datetime.fromisoformat(kept) if isinstance(kept, str) else row.at


def tell_outside(url: str, now: datetime) -> bool:
    """Ask ``url``, a dead man's switch outside, while all watched processes keep up; whether it answered well.

    Silence is the alarm: who waits there in vain knows that something here, or all of it, stands still. An answer that
    fails is logged and kept for the pages: whoever waits outside would otherwise call a platform dead that lives.
    """
    import httpx

    if not status(now).well:
        return False
    try:
        answer = httpx.get(url, timeout=10, follow_redirects=True)
        why = "" if answer.is_success else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = type(error).__name__  # no more: the address is a secret
    if why:
        log.warning("the dead man's switch outside does not answer well: %s", why)
    beat(OUTSIDE, now, 0.0, {"why": why})
    return not why


def disk_is_full(error: BaseException | None) -> bool:
    """Whether ``error``, or what led to it, is a full disk: the database's (SQLSTATE 53100) or this machine's."""
    return any(
        getattr(one, "sqlstate", None) == _DISK_FULL or (isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT))
        for one in _line(error)
    )


def database_is_away(error: BaseException | None) -> bool:
    """Whether ``error``, or what led to it, is a database that does not answer, or broke off what it did."""
    return any(isinstance(one, OperationalError | InterfaceError) for one in _line(error))


def _line(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it came from."""
    for _ in range(20):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def outside_fails(found: Status) -> str:
    """Why the dead man's switch outside did not answer well when it was last asked; empty where it did, or is not asked."""
    asked = next((pulse for pulse in found.pulses if pulse.process == OUTSIDE), None)
    return "" if asked is None or (asked.silent or 0.0) > _OLD else str(asked.detail.get("why", ""))


_OLD = 600.0
"""Seconds after which an answer from outside no longer counts: nobody asks there any more."""


_COUNTS = {
    "fengsui_cases_open": ("gauge", "Cases that have not ended", "SELECT count(*) FROM ledger_case WHERE NOT ended"),
    "fengsui_entries": ("gauge", "Entries of the ledger", "SELECT coalesce(max(id), 0) FROM ledger_entry"),
    "fengsui_leaves": ("gauge", "Entries in the sealed tree", "SELECT coalesce(max(position) + 1, 0) FROM ledger_leaf"),
    "fengsui_head_size": ("gauge", "Entries under the latest signed head", "SELECT coalesce(max(size), 0) FROM ledger_head"),
    "fengsui_outbox_waiting": ("gauge", "Effects to carry out", "SELECT count(*) FROM ledger_outbox WHERE done_at IS NULL"),
    "fengsui_outbox_unclaimed": (
        "gauge",
        "Effects that no room of this installation carries out",
        "SELECT count(*) FROM ledger_outbox WHERE done_at IS NULL AND error = 'unclaimed'",
    ),
    "fengsui_clocks_overdue": (
        "gauge",
        "Running clocks past their due time",
        "SELECT count(*) FROM ledger_clock WHERE current AND stopped IS NULL AND paused_at IS NULL AND due < %(now)s",
    ),
}


def metrics(now: datetime) -> str:
    """The state as OpenMetrics 1.0 text (media type ``application/openmetrics-text; version=1.0.0``)."""
    whole = status(now)
    lines = ["# TYPE fengsui_well gauge", "# HELP fengsui_well Whether clock, relay and sealer keep up"]
    lines.append(f"fengsui_well {int(whole.well)}")
    for name, unit_help in (("silent", "Seconds since the last beat"), ("lag", "Seconds behind its work")):
        metric = f"fengsui_process_{name}_seconds"
        lines += [f"# TYPE {metric} gauge", f"# UNIT {metric} seconds", f"# HELP {metric} {unit_help}"]
        lines += [
            f'{metric}{{process="{pulse.process}"}} {getattr(pulse, name)}' for pulse in whole.pulses if pulse.at is not None
        ]
    with connection.cursor() as cursor:
        for metric, (kind, text, query) in _COUNTS.items():
            cursor.execute(query, {"now": now})
            lines += [f"# TYPE {metric} {kind}", f"# HELP {metric} {text}", f"{metric} {cursor.fetchone()[0]}"]
    return "\n".join([*lines, "# EOF", ""])
