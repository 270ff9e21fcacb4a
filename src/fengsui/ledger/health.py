"""The pulse of the processes: who beats, how far each lags, and what a monitor reads.

In: ``beat`` from each process. Out: ``status`` for pages and the supervisor, ``metrics`` as OpenMetrics,
``tell_outside`` for a dead man's switch.
A process that is silent or behind for ``LAGGING`` makes the whole not well; pages then say so.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from fengsui.ledger.models import Beat

log = logging.getLogger(__name__)

_DISK_FULL = "53100"
LAGGING = timedelta(seconds=30)
WATCHED = ("clock", "engine", "relay", "sealer")
"""The processes whose lag every page shows."""
ONCE_SEEN = ("engine",)
"""Watched like them once they have beaten: an installation may have no devices."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """One process as seen at ``now``; ``at`` is None where it never beat.

    ``silent`` and ``lag`` are seconds. A clock that was set back behind the last seal is the sealer's lag.
    """

    process: str
    at: datetime | None
    silent: float | None
    lag: float
    well: bool
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """All processes; ``well`` is whether the watched ones keep up."""

    well: bool
    pulses: tuple[Pulse, ...]

    @property
    def behind(self) -> tuple[Pulse, ...]:
        """The watched processes that do not keep up."""
        return tuple(pulse for pulse in self.pulses if not pulse.well)


def beat(process: str, now: datetime, lag_seconds: float | None = None, detail: Mapping[str, Any] | None = None) -> None:
    """Write one process's sign of life; cheap enough for every second."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_beat (process, at, lag_seconds, detail) VALUES (%s, %s, %s, %s::jsonb) "
            "ON CONFLICT (process) DO UPDATE SET at = excluded.at, lag_seconds = excluded.lag_seconds, detail = excluded.detail",
            [process, now, lag_seconds, _json(detail or {})],
        )


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, default=str).decode()


def status(now: datetime) -> Status:
    """How every process is doing; a watched one that never beat is not well."""
    known = {row.process: row for row in Beat.objects.all()}
    pulses = []
    for process in [*WATCHED, *sorted(set(known) - set(WATCHED))]:
        row = known.get(process)
        if row is None:
            pulses.append(Pulse(process, None, None, 0.0, False, {}))
            continue
        silent = abs((now - row.at).total_seconds())  # a sign of life to come was given before the clock was set back
        lag = row.lag_seconds or 0.0
        well = process not in (*WATCHED, *ONCE_SEEN) or max(silent, lag) < LAGGING.total_seconds()
        pulses.append(Pulse(process, row.at, silent, lag, well, row.detail))
    return Status(all(pulse.well for pulse in pulses), tuple(pulses))


def tell_outside(url: str, now: datetime) -> bool:
    """Ask ``url``, a dead man's switch outside, while all watched processes keep up; whether it answered.

    Silence is the alarm: who waits there in vain knows that something here, or all of it, stands still.
    """
    import httpx

    if not status(now).well:
        return False
    try:
        return httpx.get(url, timeout=10, follow_redirects=True).is_success
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("the dead man's switch outside does not answer: %s", type(error).__name__)  # its address is a secret
        return False


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
