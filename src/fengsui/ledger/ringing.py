"""What time does to cases in hand: acts that fall due, rungs of ladders, reports missed, in the order of their times.

In: cases locked by the clockwork, ``now``. Out: entries, clock rows, notices and outbox rows in the passage's
work, and ``Bell``s for what is written after its flush. Nothing here commits or looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from fengsui.ledger import registry
from fengsui.ledger.doors import deadlines, facts, tables
from fengsui.ledger.doors.applying import Passage, office_of, open_child, perform
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.work import CHANGED, Written, new_id
from fengsui.ledger.kernel import ladder
from fengsui.ledger.kernel.ladder import Fired
from fengsui.ledger.kernel.rows import ladder_of
from fengsui.ledger.kernel.shapes import Actor, Call, ClockRow, Decision, Facts

MOST = 200
"""Things that time may do to one case in one go; a case that needs more goes on in the next."""

_LADDER_WORDS = frozenset({"holder", "owner", "raiser"})


@dataclass(slots=True)
class Bell:
    """A rung that fired: whom it tells, and what its effects need."""

    held: Held
    clock: int
    row: ClockRow
    fired: Fired
    seq: int
    climbed: int | None
    told: list[tuple[str, int | None, int | None]]
    outer: list[str]
    written: Written | None = None


@dataclass(slots=True)
class Struck:
    """What was done in one passage."""

    bells: list[Bell] = field(default_factory=list)
    acts: int = 0
    periods: int = 0
    opens: bool = True  # False: climb without what the rung opens, which was refused


def attend(passage: Passage, held: Held, struck: Struck) -> None:
    """Do to one case everything that is due by now, earliest first; a clock's own act comes before its rung."""
    for _ in range(MOST):
        gathered = facts.gather(held, (), Actor("clock"), {}, passage.now, new_ids=(new_id(), new_id()), judged=False)
        events = sorted(_events(passage, held, gathered.facts), key=lambda event: event[:2])
        if not events or not _carry_out(passage, held, gathered, events[0][2], struck):
            return


def _events(passage: Passage, held: Held, known: Facts) -> Iterator[tuple[datetime, int, Any]]:
    """What is due by now, as (when, what comes first at one time, the thing)."""
    case, mechanism, now = held.case, held.mechanism, passage.now
    for call in ladder.due_acts(mechanism, case, known, now)[:1]:
        due = min(row.due for row in case.clocks if row.name == call.actor.name and row.stopped is None)
        yield due, 0, call
    decision = ladder.missed(mechanism, case, known, now)
    if decision is not None:
        yield datetime.fromisoformat(str(decision.facts_seen["due"])), 1, decision
    for place, row in enumerate(case.clocks):
        if row.stopped is None and held.lines[place].id is not None:
            due_rungs = ladder.rungs(mechanism, row, now, case.fields, known)
            if due_rungs:
                first = due_rungs[0]
                last = len(mechanism.ladders[ladder_of(mechanism, row, case.fields)]) - 1
                repeats = [one for one in due_rungs if one.index >= last]
                if repeats and repeats[0] is first:
                    first = repeats[-1]  # repeats missed in an outage come as one
                yield first.at, 2, (place, first)


def _carry_out(passage: Passage, held: Held, gathered: facts.Gathered, event: Any, struck: Struck) -> bool:
    """Do one event; False where the rest must wait for rows that are not there before the flush."""
    if isinstance(event, Call):
        perform(passage, held, event)
        struck.acts += 1
        return not held.case.ended
    if isinstance(event, Decision):
        lines = deadlines.lines(held, event.case, gathered.facts, gathered.law)
        passage.work.write(held, event.case, dict(held.row), lines, act=event.act, actor=Actor("system"), seen=event.facts_seen)
        struck.periods += 1
        return True
    place, fired = event
    if not struck.opens:
        fired = replace(fired, rung=replace(fired.rung, opens=()))
    struck.bells.append(_ring(passage, held, gathered, place, fired))
    return True


def _ring(passage: Passage, held: Held, gathered: facts.Gathered, place: int, fired: Fired) -> Bell:
    """Fire one rung: the row moves on; a climb or an opening writes its entry."""
    row, line = held.case.clocks[place], held.lines[place]
    roles = {**gathered.facts.roles, **_ladder_roles(held, fired, passage.now)}
    skipped = fired.index - row.rung
    if skipped:
        row = replace(row, rung=fired.index)
        clocks = list(held.case.clocks)
        clocks[place] = row
        held_case = replace(held.case, clocks=tuple(clocks))
    else:
        held_case = held.case
    known = replace(gathered.facts, roles=roles)
    decision = ladder.fire(held.mechanism, held_case, row, fired, known, passage.now)
    climbed = decision.facts_seen.get("climbs")
    inner, outer = _effects(decision)
    bell = Bell(held, line.id or 0, row, fired, decision.case.seq, climbed, [], outer)
    if fired.entry:
        bell.written = _entry(passage, held, gathered, decision, row.name, skipped)
    else:
        _move_row(passage, held, decision, place, gathered.facts)
    bell.told = list(_told(held, row, fired, climbed, roles, passage.now))
    for name in inner:
        actor = Actor("clock", name=row.name)
        registry.effect(name).run(registry.EffectCall(held.case, held.row, ladder.RUNG, actor, _values(bell), passage.now))
    return bell


def _entry(passage: Passage, held: Held, gathered: facts.Gathered, decision: Decision, clock: str, skipped: int) -> Written:
    for office in decision.case.overseers:
        if office not in held.case.overseers and not (held.row["confidential"] and office not in held.row["readers"]):
            passage.work.parties.setdefault((held.case.id, office), "overseer")
    besides: dict[str, Any] = {"tells": list(decision.tells), "effects": list(decision.effects)}
    besides |= {"opens": [{"mechanism": one.mechanism, "case": one.id} for one in decision.opens]}
    if skipped:
        besides["skipped"] = skipped
    actor = Actor("clock", name=clock)
    written = passage.work.write(
        held,
        decision.case,
        dict(held.row),
        deadlines.lines(held, decision.case, gathered.facts, gathered.law),
        act=decision.act,
        actor=actor,
        seen=decision.facts_seen,
        besides={name: value for name, value in besides.items() if value},
    )
    for one in decision.opens:
        open_child(passage, held, one, actor)
    return written


def _move_row(passage: Passage, held: Held, decision: Decision, place: int, known: Facts) -> None:
    """A reminder changes no more than how many rungs have fired: the row moves on without an entry."""
    work, line, old = passage.work, held.lines[place], held.case.clocks[place]
    if line.id is not None:
        work.stored.setdefault(line.id, old)
    held.case = decision.case
    line.next_rung_at = deadlines.next_rung(held.mechanism, held.case.clocks[place], known, held.case.fields)
    work.clocks[held.case.id] = held


def _effects(decision: Decision) -> tuple[list[str], list[str]]:
    known = registry.names().effects
    inner = [name for name in decision.effects if known[name].kind == "inner"]
    return inner, [name for name in decision.effects if name not in inner]


def _ladder_roles(held: Held, fired: Fired, now: datetime) -> dict[str, int | None]:
    """The offices that the rung's words mean, relative to the last overseer."""
    words = {word for word in (*fired.rung.tells, fired.rung.climbs) if word} - _LADDER_WORDS
    plain = {word for word in words if not word.startswith("field.")}
    if not plain:
        return {}
    return facts.resolve(sorted(plain), facts.whereabouts(held, None), now)


def _told(
    held: Held, row: ClockRow, fired: Fired, climbed: int | None, roles: Mapping[str, Any], now: datetime
) -> Iterator[tuple[str, int | None, int | None]]:
    """Whom a rung tells: (role, office, person), each once."""
    seen: set[tuple[int | None, int | None]] = set()
    words: list[tuple[str, int | None, int | None]] = []
    for word in fired.rung.tells:
        if word == "holder":
            words.append((word, row.holder, row.person))
        elif word == "owner":
            words.append((word, held.row["owner_id"], None))
        elif word == "raiser":
            words.append((word, held.case.raiser.get("office"), held.case.raiser.get("person")))
        else:
            words.append((word, office_of(word, held.mechanism, held.case, roles, now), None))
    if climbed is not None:
        words.append((fired.rung.climbs or "", climbed, None))
    for role, office, person in words:
        if (office is not None or person is not None) and (office, person) not in seen:
            seen.add((office, person))
            yield role, office, person


def _values(bell: Bell) -> dict[str, Any]:
    """What an effect of a rung is told."""
    return {
        "clock": bell.row.name,
        "clock_id": bell.clock,
        "rung": bell.fired.index,
        "office": bell.climbed or bell.row.holder,
        "due": bell.row.due.isoformat(),
    }


def _kind(bell: Bell) -> tuple[str, str]:
    """The notice's kind and text."""
    if bell.climbed is not None:
        return "climb", "A matter is overdue and has come up to you"
    if bell.fired.at < bell.row.due:
        return "reminder", "A deadline comes near"
    return "overdue", "A deadline has passed"


_RUNG = ("clock_id", "rung", "at", "fired_at", "climbed_to", "seq")
_NOTICE = (
    *("case_id", "entry_id", "clock_id", "rung", "due", "role", "office_id", "person_id"),
    *("kind", "text", "args", "at", "exercise"),
)
_OUTBOX = ("entry_id", "case_id", "topic", "payload", "at", "attempts", "error")


def after_flush(struck: Struck, now: datetime) -> None:
    """Write what refers to rows of the flush: fired rungs, their notices, their outer effects."""
    rungs, notices, outbox = [], [], []
    for bell in struck.bells:
        entry = bell.written.id if bell.written else None
        case, exercise, at = bell.held.case.id, bell.held.row["exercise"], bell.fired.at
        rungs.append((bell.clock, bell.fired.index, at, now, bell.climbed, bell.seq))
        kind, text = _kind(bell)
        args = _json({"clock": bell.row.name, "due": bell.row.due.isoformat(), "mechanism": bell.held.case.mechanism})
        for role, office, person in bell.told:
            whom = (role, office, person)
            notices.append((case, entry, bell.clock, bell.fired.index, at, *whom, kind, text, args, now, exercise))
        for name in bell.outer:
            outbox.append((entry, case, name, _json({"act": ladder.RUNG, "values": _values(bell)}), now, 0, ""))
        if bell.written is None:
            outbox.append((None, case, CHANGED, "{}", now, 0, ""))
    tables.insert("ledger_rung", _RUNG, rungs)
    tables.insert("ledger_notice", _NOTICE, notices)
    tables.insert("ledger_outbox", _OUTBOX, outbox)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
