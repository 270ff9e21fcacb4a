"""The clock rows of a case through one act: stopped, started, resumed, paused, moved, handed on.

In: the rows before. Out: the rows after. A fresh start is a new row (``n`` + 1), so that each row's rungs
fire once; a ``once`` clock that starts again resumes its own row with its first due.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fengsui.law.amounts import Duration
from fengsui.ledger.kernel.shapes import Act, Actor, Case, Clock, ClockRow, Facts, Frozen, Kid, Mechanism, Owes, State
from fengsui.ledger.kernel.times import (
    due_at,
    first_period,
    in_hours,
    later,
    length_of,
    longest_due,
    moment_of,
    next_period,
    span,
)

Holder = tuple[int | None, int | None]  # office, person


@dataclass(slots=True)
class Rows:
    """The rows being rewritten, with all that rewriting them needs to know."""

    mechanism: Mechanism
    case: Case  # before the act
    fields: Frozen  # after it
    facts: Facts
    actor: Actor
    now: datetime
    rows: list[ClockRow] = field(default_factory=list)

    # ------------------------------------------------------------ whose

    def holder(self, role: str) -> Holder:
        """The office (and person, where a field names one) that a role stands for."""
        if role.startswith("field."):
            name = role.removeprefix("field.")
            value = self.fields.get(name)
            if self.mechanism.fields[name].kind in ("person", "people"):
                return self.facts.roles.get(role), value if isinstance(value, int) else None
            return (value if isinstance(value, int) else self.facts.roles.get(role)), None
        if role == "opener" and role not in self.facts.roles:
            return self.case.raiser.get("office"), None
        return self.facts.roles.get(role), None

    def hand_on(self, changed: set[str]) -> None:
        """Rows whose holder is named by a changed field follow it."""
        for i, row in enumerate(self.rows):
            if row.stopped is not None:
                continue
            role = holder_role(self.mechanism, row)
            if role.startswith("field.") and role.removeprefix("field.") in changed:
                office, person = self.holder(role)
                self.rows[i] = replace(row, holder=office, person=person)

    def change_ladders(self) -> None:
        """A running row whose ladder depends on a changed field goes on as a new row, on the new ladder from its foot.

        Start, due and pause stay; the rungs that are past on the new ladder fire at once, in order.
        """
        for i, row in enumerate(tuple(self.rows)):
            if row.stopped is None:
                before = ladder_of(self.mechanism, row, self.case.fields)
                if before != ladder_of(self.mechanism, row, self.fields):
                    self.rows[i] = replace(row, stopped=self.now, paused_at=None)
                    self.rows.append(replace(row, n=row.n + 1, rung=0))

    # ------------------------------------------------------------- stop

    def stop(self, name: str, *, office: int | None = None) -> None:
        """Stop the running rows of this name; of one office only, where given."""
        for i, row in enumerate(self.rows):
            if row.name == name and row.stopped is None and (office is None or row.holder == office):
                self.rows[i] = self._stopped(row)

    def stop_all(self) -> None:
        """The case ended."""
        self.rows = [row if row.stopped is not None else self._stopped(row) for row in self.rows]

    def _stopped(self, row: ClockRow) -> ClockRow:
        running = resumed(self.mechanism, row, self.now, self.facts, self.fields)
        return replace(running, stopped=self.now, answered=self.actor.person)

    # ------------------------------------------------------------ start

    def _current(self, name: str, holder: int | None) -> int | None:
        """The index of the latest row of this name and office."""
        for i in range(len(self.rows) - 1, -1, -1):
            if self.rows[i].name == name and self.rows[i].holder == holder:
                return i
        return None

    def _latest(self, name: str) -> int | None:
        for i in range(len(self.rows) - 1, -1, -1):
            if self.rows[i].name == name:
                return i
        return None

    def fresh(self, name: str, due: datetime, holder: Holder, *, start: datetime, again: bool) -> None:
        """Append a new row; any running one of the same name and office gives way."""
        at = self._current(name, holder[0])
        n = 1
        if at is not None:
            n = self.rows[at].n + 1
            if self.rows[at].stopped is None:
                self.rows[at] = self._stopped(self.rows[at])
        self.rows.append(
            ClockRow(
                name=name,
                holder=holder[0],
                person=holder[1],
                start=start,
                due=due,
                first=due,
                again="each" if again else "once",
                n=n,
            )
        )

    def due_of(self, clock: Clock, start: datetime) -> datetime:
        """When the clock, started then, is due: the field's day, or the law number's length."""
        if clock.amount.kind == "field":
            return moment_of(self.fields[clock.amount.name])
        return due_at(start, length_of(clock.amount.name, self.fields, self.facts))

    def _start_of(self, clock: Clock) -> datetime:
        value = self.fields.get(clock.since) if clock.since else None
        return self.now if value is None else moment_of(value)

    def begin(self, clock: Clock) -> None:
        """An act of the clock's ``starts`` was done."""
        at = self._latest(clock.name)
        if at is not None and clock.again == "once":
            if self.rows[at].stopped is not None:
                self.rows[at] = replace(self.rows[at], stopped=None, answered=None)
            return
        start = self._start_of(clock)
        due = self.due_of(clock, start)
        if at is not None and clock.amount.kind == "field" and self.rows[at].stopped is not None and self.rows[at].first == due:
            # the same day as before: the row goes on, with what was granted beyond that day and the start that a share is of
            self.rows[at] = replace(self.rows[at], stopped=None, answered=None)
            return
        self.fresh(clock.name, due, self.holder(clock.holder), start=start, again=clock.again == "each")

    def restart(self, clock: Clock) -> None:
        """``restarts``: a running row keeps its earlier due; a stopped one begins anew, or resumes if ``once``."""
        at = self._latest(clock.name)
        if at is None or clock.again == "once":
            self.begin(clock)
            return
        due = self.due_of(clock, self.now)
        if not clock.per_holder and self.rows[at].stopped is None:
            self.rows[at] = replace(self.rows[at], due=min(self.rows[at].due, due))
            return
        holders = {row.holder: row.person for row in self.rows if row.name == clock.name}
        if not clock.per_holder:
            holders = dict((self.holder(clock.holder),))
        for office, person in holders.items():
            i = self._current(clock.name, office)
            if i is not None and self.rows[i].stopped is None:
                self.rows[i] = replace(self.rows[i], due=min(self.rows[i].due, due))
            else:
                self.fresh(clock.name, due, (office, person), start=self.now, again=True)

    def rebase(self, clock: Clock) -> None:
        """``rebases``: recompute from the first start; never later than before."""
        for i, row in enumerate(self.rows):
            if row.name == clock.name and row.stopped is None:
                due = min(row.due, self.due_of(clock, row.start))
                self.rows[i] = replace(row, due=due, first=due)

    def extend(self, clock: str, limit: str, until: object) -> None:
        """``extends``: to the day asked for, at most by ``limit`` (a length, or a share of the first one), never earlier."""
        for i, row in enumerate(self.rows):
            if row.name == clock and row.stopped is None:
                longest = longest_due(row, limit, self.fields, self.facts)
                wished = moment_of(until) if until is not None else longest
                due = max(row.due, min(wished, longest))
                moved = replace(row, due=due)
                self.rows[i] = replace(moved, rung=past_rungs(self.mechanism, moved, self.now, self.fields))

    def move_along(self, clock: str, other: str) -> None:
        """``extends`` by a clock: as much later as this act has moved that one, so that neither overtakes the other."""
        before = {(row.name, row.holder, row.n): row.due for row in self.case.clocks}
        moved = [row.due - before.get((row.name, row.holder, row.n), row.due) for row in self.rows if row.name == other]
        by = max(moved, default=timedelta(0))
        for i, row in enumerate(self.rows):
            if row.name == clock and row.stopped is None and by > timedelta(0):
                later_row = replace(row, due=row.due + by)
                self.rows[i] = replace(later_row, rung=past_rungs(self.mechanism, later_row, self.now, self.fields))

    # ------------------------------------------------------------ states

    def leave(self, state: str) -> None:
        """The state's own row and the reports owed in it stop."""
        self.stop(f"within:{state}")
        for owes in self.mechanism.states[state].owes:
            self.stop(f"owes:{owes.act}")

    def enter(self, state: State, counts: Frozen) -> None:
        """An amount in ``within`` starts afresh; so do the reports owed."""
        holder = self.holder(state.owner)
        if state.within.kind == "amount":
            due = due_at(self.now, length_of(state.within.name, self.fields, self.facts))
            self.fresh(f"within:{state.name}", due, holder, start=self.now, again=True)
        for owes in state.owes:
            if not (owes.until and counts.get(owes.until)):
                start, due = first_period(self.now, owes.every, self._every(owes))
                self.fresh(f"owes:{owes.act}", due, holder, start=start, again=True)

    def _every(self, owes: Owes) -> Duration | None:
        return None if owes.every in ("day", "week") else length_of(owes.every, self.fields, self.facts)

    def report(self, state: State, act: Act) -> None:
        """A report closes every row whose period has begun; the next period's row follows."""
        for owes in state.owes:
            name = f"owes:{owes.act}"
            if owes.until == act.name:
                self.stop(name)
            if owes.act != act.name:
                continue
            begun = [r for r in self.rows if r.name == name and r.stopped is None and r.start <= self.now]
            if not begun:
                continue
            for i, row in enumerate(self.rows):
                if row in begun:
                    self.rows[i] = self._stopped(row)
            last = max(begun, key=lambda r: r.due)
            self.follow(owes, last, state.owner)

    def follow(self, owes: Owes, last: ClockRow, owner: str) -> None:
        """The row of the period after ``last``."""
        start, due = next_period(last.due, owes.every, self._every(owes))
        self.rows.append(
            replace(
                last,
                start=start,
                due=due,
                first=due,
                n=last.n + 1,
                rung=0,
                stopped=None,
                answered=None,
                holder=self.holder(owner)[0],
                person=self.holder(owner)[1],
            )
        )

    # ------------------------------------------------------------ pauses

    def pause(self, kids: tuple[Kid, ...]) -> None:
        """Clocks stand still while a joined child of a pausing kind is open."""
        pausing = {
            clock: child
            for child in self.mechanism.children.values()
            for clock in child.pauses
            if any(kid.kind == child.kind and kid.state == "open" for kid in kids)
        }
        for i, row in enumerate(self.rows):
            if row.stopped is not None:
                continue
            if row.name in pausing and row.paused_at is None:
                self.rows[i] = replace(row, paused_at=self.now)
            elif row.paused_at is not None and row.name not in pausing:
                self.rows[i] = resumed(self.mechanism, row, self.now, self.facts, self.fields)


def holder_role(mechanism: Mechanism, row: ClockRow) -> str:
    """The role that a row's holder was found by."""
    kind, _, name = row.name.partition(":")
    if kind == "within":
        return mechanism.states[name].owner
    if kind == "owes":
        return next(s.owner for s in mechanism.states.values() for o in s.owes if o.act == name)
    return mechanism.clocks[kind].holder


def longest_pause(mechanism: Mechanism, clock: str) -> str | None:
    """The law number that bounds the pauses of a clock, if anything pauses it."""
    for child in mechanism.children.values():
        if clock in child.pauses and child.pause_at_most:
            return child.pause_at_most
    return None


def paused_for(mechanism: Mechanism, row: ClockRow, now: datetime, facts: Facts, fields: Frozen) -> timedelta:
    """How long the present pause has moved the due so far, within its maximum."""
    if row.paused_at is None:
        return timedelta(0)
    elapsed = now - row.paused_at
    limit = longest_pause(mechanism, row.name)
    if limit is None:
        return elapsed
    whole = span(row.start, length_of(limit, fields, facts))
    return max(timedelta(0), min(elapsed, whole - timedelta(seconds=row.pause_used)))


def resumed(mechanism: Mechanism, row: ClockRow, now: datetime, facts: Facts, fields: Frozen) -> ClockRow:
    """The row with its pause ended: the due is later by it."""
    if row.paused_at is None:
        return row
    pause = paused_for(mechanism, row, now, facts, fields)
    moved = replace(row, due=row.due + pause, paused_at=None, pause_used=row.pause_used + int(pause.total_seconds()))
    return replace(moved, rung=past_rungs(mechanism, moved, now, fields))


def ladder_of(mechanism: Mechanism, row: ClockRow, fields: Frozen) -> str:
    """The name of the ladder that a row climbs, with these fields of the case."""
    name = _declared_ladder(mechanism, row)
    by = mechanism.chosen.get(name)
    if by is None:
        return name
    return by.rows.get(str(fields.get(by.field))) or next(iter(by.rows.values()))


def _declared_ladder(mechanism: Mechanism, row: ClockRow) -> str:
    kind, _, name = row.name.partition(":")
    if kind == "within":
        return mechanism.states[name].ladder or mechanism.ladder
    if kind == "owes":
        return next(o.ladder for s in mechanism.states.values() for o in s.owes if o.act == name)
    return mechanism.clocks[kind].ladder


def past_rungs(mechanism: Mechanism, row: ClockRow, now: datetime, fields: Frozen) -> int:
    """How many of the rungs that fired for an earlier due would have fired for the present one, too."""
    rungs = mechanism.ladders[ladder_of(mechanism, row, fields)]
    past = sum(1 for rung in rungs if in_hours(later(row.due, rung.offset), rung.hour) <= now)
    return min(row.rung, past)
