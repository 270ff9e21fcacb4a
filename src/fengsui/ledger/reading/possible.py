"""What somebody may do, and why not the rest: the kernel's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fengsui.ledger import mechanisms
from fengsui.ledger.doors import facts, held
from fengsui.ledger.doors.opening import blank
from fengsui.ledger.doors.shapes import About
from fengsui.ledger.kernel.decide import may as kernel_may
from fengsui.ledger.kernel.people import for_people
from fengsui.ledger.kernel.shapes import Act, Actor, Mechanism, Refusal
from fengsui.ledger.models import Case
from fengsui.region import roles
from fengsui.region.acting import Acting


@dataclass(frozen=True, slots=True)
class May:
    """An act that this person may do now; ``signed`` signatures were given so far."""

    act: Act
    signed: int = 0


@dataclass(frozen=True, slots=True)
class Cannot:
    """An act of the state that this person may not do, with every reason."""

    act: Act
    reasons: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """A kind of case that may be opened in this post, as far as that is known without a subject."""

    mechanism: Mechanism
    act: Act
    acting: Acting


def actor_of(acting: Acting) -> Actor:
    """The kernel's actor of an acting person."""
    return Actor(
        kind="person", person=acting.person_id, principal=acting.principal_id, office=acting.office_id, post=acting.post_id
    )


def may(case: Case, acting: Acting, now: datetime) -> tuple[list[May], list[Cannot]]:
    """Every act of the case's state that persons do: those possible, and the others with all reasons."""
    return may_each([(case, acting)], now)[case.pk]


Answer = tuple[list[May], list[Cannot]]


def may_each(asked: Sequence[tuple[Case, Acting]], now: datetime) -> dict[Any, Answer]:
    """``may`` for many cases, by id: the cases and their parents are read together."""
    known = held.read([str(case.pk) for case, _ in asked], lock=False)
    parents = held.read(sorted({one.case.parent for one in known.values() if one.case.parent}), lock=False)
    answers: dict[Any, Answer] = {}
    for case, acting in asked:
        one = known.get(str(case.pk))
        if one is None or one.case.ended:
            answers[case.pk] = ([], [])
        else:
            answers[case.pk] = _answer(one, parents.get(one.case.parent or ""), acting, now)
    return answers


def _answer(found: held.Held, parent: held.Held | None, acting: Acting, now: datetime) -> Answer:
    state = found.mechanism.states[found.case.state]
    actor = actor_of(acting)
    offered = [act for act in state.actions if for_people(act)]
    gathered = facts.gather(found, offered, actor, {}, now, parent=parent)
    possible: list[May] = []
    others: list[Cannot] = []
    for one in kernel_may(found.mechanism, found.case, actor, gathered.facts, now):
        if one.refusals or not acting.may_do(found.mechanism.name, one.act.name):
            reasons = one.refusals or (Refusal("delegation", one.act.name),)
            others.append(Cannot(one.act, reasons))
        else:
            possible.append(May(one.act, one.signed))
    return possible, others


def openings(actings: Sequence[Acting], now: datetime) -> list[Opening]:
    """What may be opened, in each post; whether the subject lies in one's territory is asked at the door."""
    found: list[Opening] = []
    for mechanism in mechanisms.on_disk().values():
        for act in mechanism.opening.values():
            for acting in actings:
                if _may_open(act, acting, now) and acting.may_do(mechanism.name, act.name):
                    found.append(Opening(mechanism, act, acting))
    return found


def _may_open(act: Act, acting: Acting, now: datetime) -> bool:
    known = roles.roles()
    words = [word for word in act.by if word in known]
    who = (acting.person_id, acting.post_id)
    return any(roles.holds(*who, word, acting.office_id, now) and _fits(word, acting) for word in words)


def _fits(word: str, acting: Acting) -> bool:
    """Whether the office is of the sort that the role finds: an enterprise's own, or an organ with that duty."""
    from fengsui.region.tree import tree

    role, node = roles.roles()[word], tree().offices.get(acting.office_id)
    if node is None:
        return False
    if role.finds == "enterprise":
        return node.kind == "enterprise"
    if role.finds == "top":
        return node.id == tree().top
    if role.finds == "nearest" and role.duty:
        return role.duty in node.duties and node.kind != "enterprise"
    return node.kind != "enterprise"


def opening_refusals(name: str, act: str, about: About, acting: Acting, now: datetime) -> list[Refusal]:
    """Why this person may not open such a case about that subject; empty where nothing stands against it."""
    mechanism = mechanisms.current(name)
    actor = actor_of(acting)
    one = blank(mechanism, about, actor, now)
    gathered = facts.gather(one, [mechanism.opening[act]], actor, {}, now)
    for found in kernel_may(mechanism, one.case, actor, gathered.facts, now):
        if found.act.name == act:
            return list(found.refusals)
    return [Refusal("no_such_act", act)]
