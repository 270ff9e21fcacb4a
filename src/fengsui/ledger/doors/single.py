"""One act, one transaction: ``open``, ``act``, ``append``, ``move``."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypeVar

import orjson
from django.db import IntegrityError, OperationalError, connection, transaction

from fengsui.ledger import mechanisms
from fengsui.ledger.doors import answered, deadlines, facts, opening, sight, wellformed
from fengsui.ledger.doors.applying import Passage, columns_after, perform
from fengsui.ledger.doors.held import Held, as_uuid, lines_of, read
from fengsui.ledger.doors.shapes import About, Receipt, Refused, refused
from fengsui.ledger.doors.work import Work, Written, new_id
from fengsui.ledger.kernel.rows import ladder_of
from fengsui.ledger.kernel.shapes import LEDGER_ACTS, Actor, Call, Case, Facts, Mechanism
from fengsui.ledger.kernel.step import core_of
from fengsui.ledger.models import Clock
from fengsui.region.acting import covers
from fengsui.region.tree import steady

T = TypeVar("T")

_TRIES = 4
_AGAIN = ("40001", "40P01")  # serialisation failure, deadlock
_RACED = ("idempotency_once", "case_one_open_per_key")


def in_transaction(doing: Callable[[], T]) -> T:
    """Run ``doing`` in one transaction; a deadlock or a lost race is tried again from the start."""
    if connection.in_atomic_block:  # the caller's transaction: it alone can start again
        with steady():
            return doing()
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic(), steady():
                return doing()
        except (OperationalError, IntegrityError) as error:
            cause = error.__cause__
            raced = getattr(cause, "sqlstate", "") in _AGAIN or any(name in str(error) for name in _RACED)
            if not raced or not left:
                raise
    raise AssertionError("unreachable")


def act(case_id: str, call: Call, *, now: datetime) -> Receipt:
    """Do ``call`` on a case; a repeated idempotency key gives the first receipt again.

    Raises ``Refused``: 404 no such case for this actor · 412 the case moved since ``call.expects`` · 403 not yours ·
    409 the case does not allow it · 422 a field is missing or wrong. Nothing is changed then.
    """
    wellformed.demand(act=call.act, values=call.values, key=call.key, version=call.expects)
    body = answered.body_hash(case=str(case_id), act=call.act, actor=asdict(call.actor), values=call.values, expects=call.expects)

    def doing() -> Receipt:
        passage = Passage(Work(now))
        held = lock_line(passage, str(case_id))
        sight.demand(held, call.actor)
        if (known := answered.receipt(call.actor, call.key, body)) is not None:
            return known
        demand_delegation(held.mechanism.name, call, now)
        written = perform(passage, held, call)
        return _finish(passage, written, call.actor, call.key, body)

    return in_transaction(doing)


def open(
    mechanism: str,
    act: str,
    values: Mapping[str, Any],
    actor: Actor,
    about: About,
    *,
    key: str,
    now: datetime,
    parent: str | None = None,
) -> Receipt:
    """Open a case. Where the mechanism's key is taken by an open case, that one gets the act ``again`` instead.

    Raises ``Refused`` as ``act`` does, 422 for an unknown mechanism, place or opening act.
    """
    wellformed.demand(mechanism=mechanism, act=act, values=values, key=key, **asdict(about))
    try:
        wording = mechanisms.current(mechanism, exercise=about.exercise)
    except mechanisms.UnknownMechanism as error:
        raise refused(422, "unknown", "mechanism", str(error)) from error
    # an empty English title stays unsaid, as in calls that were answered before there was one
    subject = {name: value for name, value in asdict(about).items() if value or name != "title_en"}
    body = answered.body_hash(mechanism=mechanism, act=act, values=values, actor=asdict(actor), about=subject)

    def doing() -> Receipt:
        if (known := answered.receipt(actor, key, body)) is not None:
            return known
        passage = Passage(Work(now))
        written = open_in(passage, wording, Call(act, actor, values, key=key), about, parent)
        return _finish(passage, written, actor, key, body)

    return in_transaction(doing)


def open_in(passage: Passage, wording: Mechanism, call: Call, about: About, parent: str | None = None) -> Written:
    """``open`` inside a transaction at hand."""
    unique = opening.unique_key(wording, about, call.values)
    if unique is not None and (taken := _open_case_of(wording.name, unique)):
        return _again(passage, taken, wording, call, about)
    demand_delegation(wording.name, call, passage.now)
    held = opening.blank(wording, about, call.actor, passage.now)
    held.row["unique_key"] = unique
    if parent is not None:
        above = lock_line(passage, parent)
        held.row["root_id"] = above.row["root_id"] or above.case.id
        held.case = replace(held.case, parent=above.case.id, parent_mechanism=above.case.mechanism)
        passage.work.links[(above.case.id, held.case.id, "follow_up")] = passage.now
    passage.held[held.case.id] = held
    return perform(passage, held, call)


def _open_case_of(mechanism: str, unique: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_case WHERE mechanism = %s AND unique_key = %s AND NOT ended", [mechanism, unique])
        found = cursor.fetchone()
    return str(found[0]) if found else None


def _again(passage: Passage, case_id: str, wording: Mechanism, call: Call, about: About) -> Written:
    """The act ``again`` on the case that has the key, by somebody who may know of it and do that act; asked as any act is.

    Whoever may not know of it is told nothing of it: they get what refuses the opening itself, else that it is not possible at
    present. One who may otherwise open it can tell from that last answer that there is such a case: no answer that is true and
    opens nothing could hide it.
    """
    held = lock_line(passage, case_id)
    demand_delegation(wording.name, call, passage.now)
    if call.actor.kind == "public" or (call.actor.kind == "person" and not sight.sees(held, call.actor)):
        perform(Passage(Work(passage.now)), opening.blank(wording, about, call.actor, passage.now), call)
        raise refused(409, "not_offered", call.act, "It cannot be opened about this matter at present")
    demand_delegation(wording.name, replace(call, act="again"), passage.now)
    state = held.mechanism.states[held.case.state]
    offered = state.offers.get("again")
    if offered is None:
        raise refused(409, "key_taken", held.row["number"] or case_id, "A case about the same matter is open; act on that one")
    may = {*offered.sets, *offered.may_set}
    values = {name: value for name, value in call.values.items() if name in may}
    for name in offered.sets:
        if name not in values and held.mechanism.fields[name].kind == "text":
            values[name] = about.title or call.act
    return perform(passage, held, Call("again", call.actor, values, key=call.key))


def lock_line(passage: Passage, case_id: str) -> Held:
    """Lock the case after its ancestors, so that nobody waits for each other. Refuses an unknown id with 404."""
    if as_uuid(case_id) is None:
        raise missing()
    passage.held.update(read([case_id], rootless=True))  # most cases have no parent: one statement for them
    if case_id in passage.held:
        return passage.held[case_id]
    lock_lines(passage, case_id)
    if case_id not in passage.held:
        raise missing()
    return passage.held[case_id]


def lock_lines(passage: Passage, *case_ids: str) -> None:
    """Lock several cases with all their ancestors in the one order (``lines_of``); ids that are no case are left out."""
    passage.lock(*lines_of(case_ids))


def missing() -> Refused:
    """As if there were no such case: also for those who may not know of it."""
    return refused(404, "no_such_case", "case", "There is no such matter among those you may see")


def demand_delegation(mechanism: str, call: Call, now: datetime, *, own: bool = False) -> None:
    """A deputy may only do what was given; ``own``: the act is one of ``LEDGER_ACTS``, not the mechanism's."""
    actor = call.actor
    if actor.kind != "person" or actor.principal is None or actor.principal == actor.person:
        return
    from fengsui.region.models import Delegation

    given = Delegation.in_force(now).filter(deputy_id=actor.person, principal_id=actor.principal)
    given = given.filter(post_id=actor.post) if actor.post is not None else given.none()
    if not any(covers(one.acts, mechanism, call.act, own=own) for one in given):
        raise refused(403, "not_yours", "delegation", "No running delegation covers this act; ask the principal for one")


def _finish(passage: Passage, written: Written, actor: Actor, key: str, body: bytes) -> Receipt:
    passage.work.flush()
    given = written.receipt(list(passage.opened), passage.now)
    answered.keep(actor, key, body, given.plain(), passage.now)
    return given


# ------------------------------------------------------ the ledger's own acts


def append(
    case_id: str,
    act: str,
    actor: Actor,
    *,
    now: datetime,
    change: Callable[[Case], Case] = lambda case: case,
    values: Mapping[str, Any] | None = None,
    besides: Mapping[str, Any] | None = None,
    key: str = "",
    columns: Mapping[str, Any] | None = None,
) -> Receipt:
    """Write one of ``LEDGER_ACTS`` on a case, ended or not: no mechanism decides about it.

    ``change`` gives the case after (its seq is counted here); ``columns`` are other columns that change.
    Raises ``Refused`` 404 for no such case, 403 for a deputy whom the act was not lent to, ``ValueError`` for another
    act's name.
    """
    if act not in LEDGER_ACTS:
        raise ValueError(f"{act!r} is none of the ledger's own acts: {', '.join(sorted(LEDGER_ACTS))}")

    def doing() -> Receipt:
        passage = Passage(Work(now))
        held = lock_line(passage, str(case_id))
        demand_delegation(held.mechanism.name, Call(act, actor), now, own=True)
        written = append_in(
            passage, held, act, actor, change(held.case), values=values, besides=besides, key=key, columns=columns
        )
        passage.work.flush()
        return written.receipt(at=now)

    return in_transaction(doing)


def append_in(
    passage: Passage,
    held: Held,
    act: str,
    actor: Actor,
    after: Case,
    *,
    values: Mapping[str, Any] | None = None,
    besides: Mapping[str, Any] | None = None,
    key: str = "",
    columns: Mapping[str, Any] | None = None,
) -> Written:
    """``append`` inside a transaction at hand, on a case already locked."""
    moved = replace(after, seq=held.case.seq + 1)
    lengths, law = facts.law_of(held.mechanism, passage.now)
    row = {**held.row, **(columns or {})}
    for office in moved.overseers:
        if office not in held.case.overseers:
            passage.work.parties.setdefault((moved.id, office), "overseer")
    lines = deadlines.lines(held, moved, Facts({}, frozenset(), {}, lengths), law)
    return passage.work.write(held, moved, row, lines, act=act, actor=actor, values=values, besides=besides, key=key)


def move(
    case_id: str, digest: str, states: Mapping[str, str], actor: Actor, *, now: datetime, expects: int | None = None
) -> Receipt:
    """Move an open case to another stored version of its mechanism along a state map (same names map to themselves).

    Raises ``Refused`` 404, 412, 409 for an ended case, 422 where the mapped case lies outside the new version's proof.
    """
    wording = mechanisms.version(digest)

    def doing() -> Receipt:
        passage = Passage(Work(now))
        held = lock_line(passage, str(case_id))
        if expects is not None and held.case.seq != expects:
            raise refused(412, "version", "case", "The case stands at %(seq)s; read it again", seq=held.case.seq)
        if held.case.ended:
            raise refused(409, "ended", held.case.state, "An ended case keeps the version it ended under")
        after = moved_to(held, wording, states)
        gathered = facts.gather(replace_mechanism(held, wording), (), actor, {}, now)
        row = columns_after(replace_mechanism(held, wording), after, gathered, now)
        columns = {name: row[name] for name in ("owner_id", "holder_id", "readers")}
        ladders = _other_ladders(held, wording, after)
        told = {"from": held.case.version, "to": digest, "states": dict(states), **({"clocks": ladders} if ladders else {})}
        old = held.mechanism
        held.mechanism = wording
        try:
            written = append_in(passage, held, "move", actor, after, besides=told, columns=columns)
        except Exception:
            held.mechanism = old
            raise
        passage.work.flush()
        _set_rungs(held, gathered.facts, ladders.keys())
        return written.receipt(at=now)

    return in_transaction(doing)


def _other_ladders(held: Held, wording: Mechanism, after: Case) -> dict[str, Any]:
    """The lines of running clocks that climb another ladder under the new version, by their places; changed in hand."""
    told = {}
    for place, (row, line) in enumerate(zip(after.clocks, held.lines, strict=True)):
        if row.stopped is None and (ladder := ladder_of(wording, row, after.fields)) != line.ladder:
            line.ladder = ladder
            told[str(place)] = line.plain()
    return told


def _set_rungs(held: Held, known: Facts, other_ladders: Container[str]) -> None:
    """The ladders and next rungs by the new version, of the clocks that went on as they were."""
    for place, (line, row) in enumerate(zip(held.lines, held.case.clocks, strict=True)):
        rung = deadlines.next_rung(held.mechanism, row, known, held.case.fields)
        if line.id is not None and (rung != line.next_rung_at or str(place) in other_ladders):
            Clock.objects.filter(pk=line.id).update(next_rung_at=rung, ladder=line.ladder)


def replace_mechanism(held: Held, wording: Mechanism) -> Held:
    """The same case seen under another wording."""
    return replace(held, mechanism=wording)


_SKIPS = "%(state)s would skip works, verifications or signatures that still lie before the case; map it to an earlier place"


def moved_to(held: Held, wording: Mechanism, states: Mapping[str, str]) -> Case:
    """The case as it would stand under another wording. Raises ``Refused`` 422 where it may not go there."""
    if wording.name != held.mechanism.name:
        raise refused(422, "bad_value", "version", "That version belongs to another mechanism")
    state = states.get(held.case.state, held.case.state)
    if state not in wording.states:
        raise refused(422, "bad_value", "states", "The new version has no state %(state)s; map it to one of its own", state=state)
    if bool(wording.readers) != held.row["confidential"]:
        raise refused(422, "bad_value", "version", "A version cannot change whether a matter is confidential")
    after = replace(held.case, version=wording.digest, state=state, clocks=_renamed(held, states), signed={}, pending={})
    lost = sorted(set(after.fields) - set(wording.fields))
    if lost:
        raise refused(422, "bad_value", "version", "The new version lacks fields that this case has set: %(fields)s", fields=lost)
    from fengsui.ledger.proof import burden, reachable

    core = core_of(wording, after)
    if not reachable.contains(wording, core):
        if not (_entered_mid_life(held, wording, state) and reachable.leads_out(wording, core)):
            raise refused(
                422, "outside_proof", state, "The mapped case lies outside what the new version's proof covers; map it elsewhere"
            )
        if state != held.case.state and burden.skipped(held.mechanism, held.case.state, wording, state):
            raise refused(422, "bad_value", "states", _SKIPS, state=state)
    return after


def _entered_mid_life(held: Held, wording: Mechanism, state: str) -> bool:
    """Whether an adopted case lies outside its own version's proof already and stays where it is, by its name or a new one."""
    from fengsui.ledger.proof import reachable

    stays = state == held.case.state or held.case.state not in wording.states
    return held.row["adopted"] and stays and not reachable.contains(held.mechanism, core_of(held.mechanism, held.case))


def _renamed(held: Held, states: Mapping[str, str]) -> tuple[Any, ...]:
    """A state's own clock goes on under the new state's name, with its due."""

    def name(old: str) -> str:
        kind, _, state = old.partition(":")
        return f"within:{states.get(state, state)}" if kind == "within" else old

    return tuple(replace(row, name=name(row.name)) for row in held.case.clocks)


def as_json(given: Receipt) -> bytes:
    """A receipt as it goes out."""
    return orjson.dumps(given.plain())


__all__ = ["LEDGER_ACTS", "act", "append", "append_in", "as_json", "in_transaction", "move", "new_id", "open", "open_in"]
