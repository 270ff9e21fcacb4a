"""What time does to a case: acts that fall due, rungs of ladders, reports missed. For the clockwork.

Nothing here waits or looks at a clock: ``now`` comes in, what is due by then comes out. Everything is
level-triggered, so that after an outage the missed rungs come out in order, each once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from fengsui.law.amounts import parse_amount
from fengsui.ledger.kernel.rows import Rows, ladder_of, paused_for
from fengsui.ledger.kernel.shapes import Actor, Call, Case, ClockRow, Decision, Facts, Frozen, Kid, Mechanism, Open, Rung
from fengsui.ledger.kernel.step import blocks, core_of
from fengsui.ledger.kernel.times import in_hours, later

RUNG = "rung"
"""The act name of an entry that a climbing rung writes."""
PERIOD = "period"
"""The act name of an entry that says that a report's period passed without one."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A rung that is due: its index counts on through repeats; ``at`` is when it fell due."""

    index: int
    rung: Rung
    at: datetime

    @property
    def entry(self) -> bool:
        """Whether it changes the case and so needs an entry; the others are notices only."""
        return bool(self.rung.climbs or self.rung.opens)


def due_acts(mechanism: Mechanism, case: Case, facts: Facts, now: datetime) -> list[Call]:
    """The acts that clocks must do now, in file order; do the first, then ask again."""
    if case.ended or case.state not in mechanism.states:
        return []
    over = {
        row.name
        for row in case.clocks
        if row.stopped is None
        and row.name in mechanism.clocks
        and row.due + paused_for(mechanism, row, now, facts, case.fields) <= now
    }
    if not over:
        return []
    core = core_of(mechanism, case)
    found: list[Call] = []
    for act in mechanism.states[case.state].actions:
        for by in act.by:
            name = by.removeprefix("clock.")
            if by.startswith("clock.") and name in over and not blocks(mechanism, core, act):
                found.append(Call(act.name, Actor("clock", name=name)))
                break
    return found


def rung_at(mechanism: Mechanism, row: ClockRow, index: int, fields: Frozen) -> Fired | None:
    """The rung of this index for a row that is not paused; the last repeats without end where it says so."""
    rungs = mechanism.ladders[ladder_of(mechanism, row, fields)]
    if index < len(rungs):
        return Fired(index, rungs[index], in_hours(later(row.due, rungs[index].offset), rungs[index].hour))
    last = rungs[-1]
    if last.repeats is None:
        return None
    at = later(row.due, last.offset)
    every = parse_amount(last.repeats)
    times = index - len(rungs) + 1
    if every.workdays is None:
        return Fired(index, last, in_hours(at + times * (later(at, every) - at), last.hour))
    for _ in range(times):
        at = later(at, every)
    return Fired(index, last, in_hours(at, last.hour))


AT_A_TIME = 20
"""How many due rungs are looked ahead; a repeating rung after a long outage has no end."""


def rungs(mechanism: Mechanism, row: ClockRow, now: datetime, fields: Frozen, facts: Facts | None = None) -> list[Fired]:
    """The next rungs (at most ``AT_A_TIME``) of a running row that are due and have not fired, in order.

    ``facts`` are needed for a paused row only: its due moves on while the pause lasts.
    """
    if row.stopped is not None:
        return []
    if row.paused_at is not None:
        if facts is None:
            return []
        row = replace(row, due=row.due + paused_for(mechanism, row, now, facts, fields))
    found: list[Fired] = []
    while len(found) < AT_A_TIME:
        fired = rung_at(mechanism, row, row.rung + len(found), fields)
        if fired is None or fired.at > now:
            break
        found.append(fired)
    return found


def next_rung(mechanism: Mechanism, row: ClockRow, fields: Frozen) -> datetime | None:
    """When the next rung of a running row fires, if no pause moves it; ``None`` where none is left."""
    if row.stopped is not None:
        return None
    fired = rung_at(mechanism, row, row.rung, fields)
    return fired.at if fired else None


def fire(mechanism: Mechanism, case: Case, row: ClockRow, fired: Fired, facts: Facts, now: datetime) -> Decision:
    """Climb one rung: the overseer is added (with a row of its own where the clock is per holder), children open.

    ``facts.roles`` gives the office that ``rung.climbs`` stands for, relative to the last overseer. The case's
    ``seq`` grows where the rung needs an entry; else only the row's ``rung`` moves. A child of a kind opens
    the first time only, not with each repeat. Raises ``ValueError`` where the row is not this case's or has
    fired this rung already.
    """
    if row not in case.clocks or row.rung != fired.index or row.stopped is not None:
        raise ValueError(f"rung {fired.index} of {row.name} is not the next one of a running row of this case")
    rung = fired.rung
    office = facts.roles.get(rung.climbs) if rung.climbs else None
    overseers = case.overseers
    clocks = [replace(one, rung=fired.index + 1) if one is row else one for one in case.clocks]
    if office is not None and office not in overseers and office != row.holder:
        overseers = (*overseers, office)
    clock = mechanism.clocks.get(row.name)
    if clock and clock.per_holder and office is not None and not any(r.name == row.name and r.holder == office for r in clocks):
        rows = Rows(mechanism, case, case.fields, facts, Actor("clock", name=row.name), now, clocks)
        rows.fresh(row.name, rows.due_of(clock, now), (office, None), start=now, again=clock.again == "each")
        clocks = rows.rows
    opens = _opens(mechanism, case, fired, facts)
    kids = (*case.kids, *(Kid(one.mechanism, one.id, "open") for one in opens))
    after = replace(case, seq=case.seq + (1 if fired.entry else 0), clocks=tuple(clocks), overseers=overseers, kids=kids)
    return Decision(
        case=after,
        act=RUNG,
        state_before=case.state,
        facts_seen={"clock": row.name, "rung": fired.index, "at": fired.at.isoformat(), "climbs": office},
        opens=opens,
        effects=rung.effects,
        tells=rung.tells,
    )


def _opens(mechanism: Mechanism, case: Case, fired: Fired, facts: Facts) -> tuple[Open, ...]:
    found: list[Open] = []
    for kind in fired.rung.opens:
        if any(kid.kind == kind for kid in case.kids):
            continue
        child = mechanism.children[kind]
        values = {
            name: case.fields.get(source.removeprefix("field.")) if str(source).startswith("field.") else source
            for name, source in child.gives.items()
        }
        values = {name: value for name, value in values.items() if value is not None}
        i = len(found)
        id = facts.new_ids[i] if i < len(facts.new_ids) else f"{case.id}/{case.seq + 1}.{i + 1}"
        found.append(Open(kind, child.joined, id, values, frozenset(values)))
    return tuple(found)


def missed(mechanism: Mechanism, case: Case, facts: Facts, now: datetime) -> Decision | None:
    """A report's period is over without one: the next period's row begins. ``None`` where none is over.

    The overdue row goes on climbing its own ladder; one late report closes both.
    """
    if case.ended or case.state not in mechanism.states:
        return None
    state = mechanism.states[case.state]
    for owes in state.owes:
        name = f"owes:{owes.act}"
        running = [row for row in case.clocks if row.name == name and row.stopped is None]
        if not running:
            continue
        last = max(running, key=lambda row: row.due)
        if last.due <= now:
            rows = Rows(mechanism, case, case.fields, facts, Actor("system"), now, list(case.clocks))
            rows.follow(owes, last, state.owner)
            after = replace(case, seq=case.seq + 1, clocks=tuple(rows.rows))
            return Decision(after, PERIOD, case.state, {"owes": owes.act, "due": last.due.isoformat()})
    return None
