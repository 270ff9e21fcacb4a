"""Merging a double: two cases of one mechanism about the same thing, of which one goes on.

In: the double, the case that goes on, grounds. Out: an entry ``merge`` in each; the double ends as ``merged``, an end of the
ledger's own, unverified for the reason that its matter goes on elsewhere. Its raiser is told so at once, and from then on
whatever the raiser of the surviving case is told. Nothing that was done may be lost by it, and no deadline run away from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from fengsui.ledger.doors import persons_acts, sight
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.doubles import MERGED, followers
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.persons_acts import Asked
from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.doors.single import append_in, missing
from fengsui.ledger.doors.work import Written
from fengsui.ledger.kernel.shapes import Actor, Case
from fengsui.region.tree import tree

ACT = "merge"
GOES_ON = gettext_noop("Merged with a double; the matter goes on there")
TAKEN_IN = gettext_noop("A double was merged into this matter")


def merge(
    case_id: str, into: str, actor: Actor, *, grounds: str, now: datetime, expects: int | None = None, key: str = ""
) -> Receipt:
    """End ``case_id`` as merged into the case ``into``.

    Raises ``Refused`` 404 one of both unknown to the actor · 412 · 403 where the actor's post does not answer for the double
    or is an enterprise's · 409 where the two are not doubles, something done would be lost, or a deadline escaped · 422
    without grounds.
    """
    said = persons_acts.demand_grounds(grounds)

    def doing(passage: Passage, held: Held) -> Written:
        other = passage.held.get(into)
        if other is None:
            raise missing()
        sight.demand(other, actor)
        _demand_person(held, actor, now)
        for refusal in against(held, other, now):
            raise refused(409, *refusal)
        return _write(passage, held, other, actor, said)

    asked = Asked(ACT, case_id, actor, {"into": into, "grounds": said}, expects, key)
    return persons_acts.carry_out(asked, doing, now, into)


def _demand_person(held: Held, actor: Actor, now: datetime) -> None:
    if held.case.ended:
        raise refused(409, "ended", held.case.state)
    # an enterprise that must rectify answers for its case, yet may not end it
    if persons_acts.is_enterprise(actor.office) or not persons_acts.answers(held, actor, now):
        raise refused(403, "not_yours", ACT, "owner")


def against(held: Held, other: Held, now: datetime) -> Iterator[tuple[str, str, str]]:
    """Every reason why the one is no double that could be merged into the other: (code, about, needs)."""
    case, into = held.case, other.case
    number = other.row["number"] or into.id
    if case.id == into.id:
        yield "merge", number, gettext_noop("A case cannot be merged into itself")
        return
    if into.ended:
        yield "merge", number, gettext_noop("The case that goes on has ended; answer this one by its own acts")
    if case.mechanism != into.mechanism or held.row["exercise"] != other.row["exercise"]:
        yield "merge", number, gettext_noop("Only two cases of the same mechanism are doubles")
    if held.row["confidential"] or other.row["confidential"]:
        yield "merge", number, gettext_noop("Confidential matters are not merged: their readers would learn of each other")
    if not same_thing(held, other):
        yield (
            "merge",
            number,
            gettext_noop("The two are about different things: neither one site nor one place within the other"),
        )
    if case.unverified:
        yield "unverified", sorted(case.unverified)[0], ""
    if _signed(held) - _signed(other):
        yield (
            "merge",
            number,
            gettext_noop("Several persons signed in this one, not in the other: merge the other into it"),
        )
    if any(kid.state == "open" for kid in case.kids):
        yield "child_open", next(kid.kind for kid in case.kids if kid.state == "open"), ""
    if case.parent and _awaited(case):
        yield "merge", number, gettext_noop("The case that opened this one waits for its end; end it by its own acts")
    if case.overseers or any(row.stopped is None and row.due < now for row in case.clocks):
        yield "merge", number, gettext_noop("It is overdue or has climbed: whoever watches over it must get an answer first")


def _signed(held: Held) -> set[str]:
    """The acts that need several persons' signatures and got them: one person alone does not end what they decided."""
    mechanism = held.mechanism
    acts = (*mechanism.always.values(), *(act for state in mechanism.states.values() for act in state.actions))
    several = {act.name for act in acts if act.signatures > 1}
    return {act for act in several if held.case.counts.get(act)}


def same_thing(held: Held, other: Held) -> bool:
    """About the same site, point or paper; or one about a place, the other within that place."""
    one, two = held.row, other.row
    if (one["about_kind"], one["about_id"]) == (two["about_kind"], two["about_id"]) and one["about_id"]:
        return True
    if "place" not in (one["about_kind"], two["about_kind"]):
        return False
    paths = one["place_path"], two["place_path"]
    return all(paths) and (paths[0].startswith(paths[1]) or paths[1].startswith(paths[0]))


def _awaited(case: Case) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM ledger_case p, jsonb_array_elements(p.core->'kids') kid "
            "WHERE p.id = %s AND NOT p.ended AND kid->>'id' = %s AND kid->>'state' = 'open'",
            [case.parent, case.id],
        )
        return cursor.fetchone() is not None


def _write(passage: Passage, held: Held, other: Held, actor: Actor, grounds: str) -> Written:
    now = passage.now
    clocks = tuple(row if row.stopped else replace(row, stopped=now, answered=actor.person) for row in held.case.clocks)
    after = replace(held.case, state=MERGED, ended=True, clocks=clocks, signed={}, pending={})
    columns: dict[str, Any] = {"owner_id": None, "holder_id": None, "ended_at": now}
    into = {"case": other.case.id, "number": other.row["number"] or ""}
    gone = append_in(
        passage, held, ACT, actor, after, values={"grounds": grounds}, besides={"into": into}, columns=columns
    )  # fmt: skip
    counts = {**other.case.counts, ACT: other.case.counts.get(ACT, 0) + 1}
    came = {"case": held.case.id, "number": held.row["number"] or ""}
    kept = append_in(
        passage, other, ACT, actor, replace(other.case, counts=counts, signed={}, pending={}), values={"grounds": grounds},
        besides={"from": came},
    )  # fmt: skip
    passage.work.links[(held.case.id, other.case.id, MERGED)] = now
    _tell(passage, held, other, gone, kept, actor)
    return gone


def _tell(passage: Passage, held: Held, other: Held, gone: Written, kept: Written, actor: Actor) -> None:
    raiser, theirs = persons_acts.raiser_of(held), persons_acts.raiser_of(other)
    theirs_too = [("raiser", office, person) for office, person in followers(held.case)]
    told = [one for one in (raiser, *theirs_too) if one is not None]
    persons_acts.tell(passage.work, gone, GOES_ON, *told, kind="end")
    for _role, office, _person in told:
        if office is not None and office in tree().offices and not persons_acts.is_enterprise(office):
            passage.work.parties.setdefault((other.case.id, office), "told")
    owner = ("owner", other.row["owner_id"], None) if other.row["owner_id"] != actor.office else None
    persons_acts.tell(passage.work, kept, TAKEN_IN, *(one for one in (theirs, owner) if one is not None))
