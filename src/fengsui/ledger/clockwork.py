"""The clock: fires due rungs, does the acts of clocks that ran out, begins the next period of a report owed.

Any number may run; each case is taken by one at a time, and everything that time does to it is one
transaction. What is due is read from the rows, so that nothing is lost by a crash or an outage.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import psycopg
from django.db import Error, connection

from fengsui import moment
from fengsui.law import calendar
from fengsui.ledger import health, mechanisms, publisher, recompute, ringing
from fengsui.ledger.database import conninfo
from fengsui.ledger.doors import Refused
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.held import lines_of
from fengsui.ledger.doors.single import in_transaction
from fengsui.ledger.doors.work import Work
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.models import Case

log = logging.getLogger(__name__)

BATCH = 100
LONGEST_WAIT = 5.0  # seconds between looks, if nobody calls
SHORTEST_WAIT = 0.2
"""Under a stream of acts the clock looks five times a second, not at each of them."""
REMEMBERED = timedelta(seconds=5)
"""How long it is remembered which states have clocks that act by themselves."""
FIRST_LOOK = timedelta(minutes=1)
"""A case that was looked at and could not be moved is left alone this long, unless it changes."""

_RUNGS = """
SELECT case_id, min(next_rung_at) FROM ledger_clock WHERE next_rung_at <= %(now)s GROUP BY case_id ORDER BY 2 LIMIT %(limit)s
"""
_OVER = """
SELECT k.case_id, min(k.due) FROM ledger_clock k JOIN ledger_case c ON c.id = k.case_id
WHERE k.current AND k.stopped IS NULL AND k.due <= %(now)s AND NOT c.ended AND k.name = ANY(%(names)s)
  AND (c.version_id, c.state, k.name) IN (SELECT * FROM unnest(%(versions)s::text[], %(states)s::text[], %(clocks)s::text[]))
  AND (k.name NOT LIKE 'owes:%%' OR NOT EXISTS (
    SELECT 1 FROM ledger_clock l WHERE l.case_id = k.case_id AND l.name = k.name AND l.current AND l.stopped IS NULL
      AND l.due > k.due))
GROUP BY k.case_id ORDER BY 2 LIMIT %(limit)s
"""
_CLAIM = "SELECT id FROM ledger_case WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"


@dataclass(slots=True)
class Ticked:
    """What one look did. ``lag`` is by how many seconds the oldest due thing was late."""

    rungs: int = 0
    acts: int = 0
    periods: int = 0
    failed: int = 0
    lag: float = 0.0


@dataclass(slots=True)
class Clockwork:
    """One worker's memory: cases that could not be moved, and until when they are left alone."""

    stuck: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    calendar: str = ""
    alive: Callable[[Ticked], None] = lambda told: None  # after each batch of a long tick
    _triggers: tuple[datetime, tuple[list[str], list[str], list[str]]] | None = None

    def tick(self, now: datetime) -> Ticked:
        """Do everything that is due by ``now``."""
        told = Ticked()
        if self.calendar != calendar.calendar_version():
            recompute.provisional(now)
            self.calendar = calendar.calendar_version()
        tried: set[str] = set()
        while wanted := [(case, due) for case, due in self._due(now) if case not in tried][:BATCH]:
            told.lag = max(told.lag, *((now - due).total_seconds() for _, due in wanted))
            ids = [case for case, _ in wanted]
            again = self._attend(ids, now, told)
            tried |= set(ids) - again
            self.alive(told)
        return told

    def _due(self, now: datetime) -> list[tuple[str, datetime]]:
        """Cases with something due, the longest due first."""
        limit = BATCH + len(self.stuck) + BATCH
        found: dict[str, datetime] = {}
        if self._triggers is None or not timedelta(0) <= now - self._triggers[0] < REMEMBERED:
            self._triggers = now, _triggers()
        versions, states, clocks = self._triggers[1]
        with connection.cursor() as cursor:
            cursor.execute(_RUNGS, {"now": now, "limit": limit})
            rows = cursor.fetchall()
            if clocks:
                names = sorted(set(clocks))
                where: dict[str, Any] = {"names": names, "versions": versions, "states": states, "clocks": clocks}
                cursor.execute(_OVER, {"now": now, "limit": limit, **where})
                rows += cursor.fetchall()
        for case, due in rows:
            if str(case) not in self.stuck or self.stuck[str(case)][1] <= now:
                found[str(case)] = min(due, found.get(str(case), due))
        return sorted(found.items(), key=lambda item: item[1])

    def _attend(self, ids: Sequence[str], now: datetime, told: Ticked, *, opens: bool = True) -> set[str]:
        """Attend to these cases in one transaction, or one by one where that fails; those that want more.

        A ladder climbs whatever happens: where the case that a rung opens is refused, it climbs without.
        """
        try:
            return self._together(ids, now, told, opens=opens)
        except Exception as error:  # whatever one case's fact, guard or effect raises must not stop the others' clocks
            if isinstance(error, Error | psycopg.Error) and not connection.is_usable():
                raise
            if len(ids) > 1:
                return set().union(*(self._attend([one], now, told) for one in ids))
            if isinstance(error, Refused) and opens:
                log.warning("case %s climbs without what its rung opens: %s", ids[0], error)
                return self._attend(ids, now, told, opens=False)
            log.exception("case %s cannot be attended to", ids[0])
            told.failed += 1
            self.stuck[ids[0]] = (-1, now + FIRST_LOOK)
            return set()

    def _together(self, ids: Sequence[str], now: datetime, told: Ticked, *, opens: bool) -> set[str]:
        def doing() -> tuple[ringing.Struck, set[str], set[str]]:
            passage, struck, moved = Passage(Work(now)), ringing.Struck(opens=opens), set[str]()
            claimed = _claim(passage, ids)
            for held in claimed:
                before = held.case.seq, len(struck.bells)
                ringing.attend(passage, held, struck)
                if (held.case.seq, len(struck.bells)) != before:
                    moved.add(held.case.id)
            passage.work.flush()
            ringing.after_flush(struck, now)
            return struck, moved, {held.case.id for held in claimed}

        struck, moved, looked_at = in_transaction(doing)
        told.rungs += len(struck.bells)
        told.acts += struck.acts
        told.periods += struck.periods
        for case in ids:
            self.stuck.pop(case, None)
            if case in looked_at - moved:  # one that somebody else holds just now is looked at again at the next tick
                self.stuck[case] = (0, now + FIRST_LOOK)
        return moved


def _claim(passage: Passage, ids: Sequence[str]) -> list[ringing.Held]:
    """The cases that nobody else holds, locked with all ancestors that their ends would reach.

    A case waits while any ancestor is due as well and in somebody else's hands: its end would not reach that ancestor, nor
    would the end of the parent that it brings about.
    """
    line, wanted = lines_of(ids), set(ids)
    passage.lock(*(one for one in line if one not in wanted))
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [list(ids)])
        claimed = {str(one) for (one,) in cursor.fetchall()}
    ours: set[str] = set()  # whose whole line is in our hands
    for one, parent in line.items():  # parents come first
        if (one in claimed or one in passage.held) and (parent is None or parent in ours):
            ours.add(one)
    return passage.lock(*(one for one in line if one in claimed and one in ours))


def _triggers() -> tuple[list[str], list[str], list[str]]:
    """(version, state, clock) of every living version where a clock's running out does something by itself."""
    versions, states, clocks = [], [], []
    for digest in Case.objects.filter(ended=False).order_by().values_list("version_id", flat=True).distinct():
        for state, clock in _of(digest):
            versions.append(digest)
            states.append(state)
            clocks.append(clock)
    return versions, states, clocks


@functools.lru_cache(maxsize=512)
def _of(digest: str) -> tuple[tuple[str, str], ...]:
    mechanism: Mechanism = mechanisms.version(digest)
    found = []
    for state in mechanism.states.values():
        names = {by.removeprefix("clock.") for act in state.actions for by in act.by if by.startswith("clock.")}
        found += [(state.name, name) for name in sorted(names)]
        found += [(state.name, f"owes:{owes.act}") for owes in state.owes]
    return tuple(found)


def tick(now: datetime) -> Ticked:
    """One look with a fresh memory, for tests and simulation."""
    return Clockwork().tick(now)


def next_wake(now: datetime) -> datetime | None:
    """When the next rung is due; None where none is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(next_rung_at) FROM ledger_clock WHERE next_rung_at > %s", [now])
        return cursor.fetchone()[0]


def run(stop: Event) -> None:
    """Tick until told to stop: when a rung is due, when the publisher tells of a change, at least every few seconds."""
    publishing = Thread(target=publisher.run, args=(stop,), name="publisher", daemon=True)
    publishing.start()
    worker = Clockwork()
    while not stop.is_set():
        demand_alive(publishing, stop)
        try:
            with psycopg.connect(conninfo(), autocommit=True) as ear:
                ear.execute("LISTEN fengsui_ledger")
                while not stop.is_set():
                    demand_alive(publishing, stop)
                    _beat(worker)
                    stop.wait(SHORTEST_WAIT)
                    _wait(ear, stop)
        except (Error, psycopg.Error) as error:
            log.warning("the database went away while the clock ran: %s", error)
            connection.close()
            stop.wait(1)
    connection.close()
    publishing.join(5)


def demand_alive(publishing: Thread, stop: Event) -> None:
    """End the process with its publisher, so that another begins: without one no page is renewed and no effect carried out.

    Raises ``RuntimeError``; the publisher's own words are in the log.
    """
    if not publishing.is_alive() and not stop.is_set():
        raise RuntimeError("the publisher ended; the clock ends too, to be started again")


def _beat(worker: Clockwork) -> None:
    """One tick with its sign of life, and one after each batch of a long one: after an outage there may be hours of work."""
    begun = moment.now()

    def say(told: Ticked) -> None:
        now = moment.now()
        counts = {
            "rungs": told.rungs,
            "acts": told.acts,
            "periods": told.periods,
            "failed": told.failed,
            "stuck": len(worker.stuck),
        }
        health.beat("clock", now, max(0.0, (now - begun).total_seconds()), counts)

    worker.alive = say
    say(worker.tick(begun))


def _wait(ear: psycopg.Connection[tuple[object, ...]], stop: Event) -> None:
    """Until something is due, somebody calls, or a few seconds have passed; half a second at a time."""
    begun = moment.now()
    wake = next_wake(begun)
    left = min(LONGEST_WAIT, max(0.05, (wake - begun).total_seconds())) if wake else LONGEST_WAIT
    while left > 0 and not stop.is_set():
        if any(True for _ in ear.notifies(timeout=min(0.5, left), stop_after=1)):
            return
        left -= 0.5
