"""Does a case lie inside what the proof has covered? Asked before a case is moved to another version."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.kernel.step import Core
from fengsui.ledger.proof.check import BUDGET
from fengsui.ledger.proof.form import every_act
from fengsui.ledger.proof.graph import Explored, backward, explore
from fengsui.ledger.proof.space import Move, Space, kind_of, leaves_running


class _Cover:
    """What of a mechanism was covered: its configurations, and each single fact about a case in each of them."""

    def __init__(self, mechanism: Mechanism) -> None:
        ends: dict[str, set[str]] = {}
        for _, act in every_act(mechanism):
            for by in act.by:
                if kind_of(by) == "child":
                    ends.setdefault(by.split(".")[1], set()).add(by.split(".")[2])
        self.mechanism = mechanism
        self.space = Space(mechanism, {kind: frozenset(names) for kind, names in ends.items()}, BUDGET)
        self._pairs: dict[tuple[str, str], frozenset[tuple[int, bool]]] = {}

    def pairs(self, kind: str, name: str) -> frozenset[tuple[int, bool]]:
        """(configuration, whether): where the clock runs, the field is set, the work is unverified."""
        key = (kind, name)
        if key not in self._pairs:
            on, off = _SWITCHES[kind]

            def change(act: Act, flag: object, before: str, after: str) -> tuple[bool, ...]:
                if on(act, name):
                    return (True,) if kind != "field" or name not in act.may_set else (True, bool(flag))
                return (False,) if off(act, name) else (bool(flag),)

            found = self.space.flagged(
                lambda move: (True, False) if name in move.act.may_set else (on(move.act, name),),
                change,
                lambda act: on(act, name) or off(act, name),
            )
            self._pairs[key] = frozenset((node, bool(flag)) for node, flag in found.nodes)
        return self._pairs[key]

    def contains(self, core: Core) -> bool:
        """Whether the core could have come about under this mechanism, each fact about it taken by itself."""
        at = self.space.graph.index.get(self.space.projected(core))
        if at is None:
            return False
        works = {act.name for _, act in every_act(self.mechanism) if act.does}
        facts = (
            [] if core.state in self.mechanism.ends else [("clock", name, name in core.running) for name in self.mechanism.clocks]
        )
        facts += [("field", name, name in core.fields) for name in self.mechanism.fields]
        facts += [("work", name, name in core.unverified) for name in works]
        return all((at, holds) in self.pairs(kind, name) for kind, name, holds in facts)


_Switch = Callable[[Act, str], bool]
_SWITCHES: dict[str, tuple[_Switch, _Switch]] = {
    "clock": (leaves_running, lambda act, name: name in act.stops),
    "field": (
        lambda act, name: name in act.sets or name in act.assigns or name in act.may_set,
        lambda act, name: name in act.clears,
    ),
    "work": (lambda act, name: act.name == name, lambda act, name: name in act.verifies),
}


@lru_cache(maxsize=64)
def _cover(key: _Key) -> _Cover:
    return _Cover(key.mechanism)


class _Key:
    """A mechanism by its digest, so that the cache finds it."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.mechanism = mechanism

    def __hash__(self) -> int:
        return hash(self.mechanism.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.mechanism.digest == self.mechanism.digest


def leads_out(mechanism: Mechanism, core: Core) -> bool:
    """Whether this version gives such a case what the proof gives those that it covers: time runs in its state, and from
    wherever it may get an end is reachable. For cases that entered mid-life and so lie outside every proof.

    Raises ``BudgetSpent``.
    """
    state, space = mechanism.states.get(core.state), _cover(_Key(mechanism)).space
    if state is None or (state.within.kind == "clock" and state.within.name not in core.running):
        return False
    if state.within.kind == "child" and state.within.name not in core.open_kids:
        return False
    look = space.look()
    graph: Explored[Core, object] = explore([("moved", look.project(core))], look.after, BUDGET)
    size = len(graph.nodes)
    goals = [at for at, node in enumerate(graph.nodes) if node.state in mechanism.ends]
    edges = [
        (at, target)
        for at in range(size)
        for move, target in graph.out[at]
        if isinstance(move, Move) and move.kinds - {"recall", "parent"}
    ]
    return len(backward(size, edges, goals)) == size


def contains(mechanism: Mechanism, core: Core) -> bool:
    """Whether the core lies inside the proof of this version. Raises ``BudgetSpent`` where there is no proof."""
    return _cover(_Key(mechanism)).contains(core)
