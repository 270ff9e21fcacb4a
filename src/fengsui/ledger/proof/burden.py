"""What still lies before a case: the least work, verifications, signatures and debts on any way to each end.

Asked where a case that entered mid-life is moved to another version under another state's name: it may not be put past what
the mechanism asks for. Pure: two wordings in, numbers out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

from fengsui.ledger.kernel.shapes import Act, Mechanism, State
from fengsui.ledger.proof.form import every_act

Weigh = Callable[[Act], int]


def weight(act: Act) -> int:
    """One for a work, one for each work that it verifies, one for each signature beyond the first."""
    return int(act.does) + len(act.verifies) + act.signatures - 1


def least(mechanism: Mechanism, state: str, weigh: Weigh = weight) -> dict[str, int]:
    """End → the least weight of the acts, and of what is owed in the states, on any way there; ends without a way are left out.

    Conditions of acts are left aside, so that a way counts that might be shut: the number is never too high.
    """
    found: dict[str, int] = {}
    waiting = [(0, state)]
    while waiting:
        so_far, at = heapq.heappop(waiting)
        if at in found:
            continue
        found[at] = so_far
        place = mechanism.states.get(at)
        if place is not None:
            for target, more in _onward(place, weigh):
                heapq.heappush(waiting, (so_far + more, target))
    return {name: weight for name, weight in found.items() if name in mechanism.ends}


def _onward(place: State, weigh: Weigh) -> list[tuple[str, int]]:
    """The places that an act of this state leads to, each with what the way there weighs."""
    return [
        (target, weigh(act) + len(place.owes))
        for act in place.actions
        for target in (act.to, act.then)
        if target is not None and target != place.name
    ]


def skipped(old: Mechanism, left: str, new: Mechanism, entered: str) -> bool:
    """Whether going from a state of the old wording to one of the new puts less before some end than lay there.

    An act of both wordings weighs what the new one asks of it: what a new version gives up skips nothing. One that the new
    version no longer has weighs what it did: nobody can tell whether it was given up or goes by another name. An end that
    could not be reached, or was not there, is held against the nearest one that could.
    """
    now: Mapping[str, int] = {act.name: weight(act) for _, act in every_act(new)}
    before = least(old, left, lambda act: now.get(act.name, weight(act)))
    after = least(new, entered)
    nearest = min(before.values(), default=0)
    return any(more < before.get(end, nearest) for end, more in after.items())
