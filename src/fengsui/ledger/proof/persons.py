"""Property 4: work is verified, and by somebody else.

Two searches. The first follows each piece of work (a ``does`` act) and asks whether a verified end can be reached
before an act verified it. The second plays one natural person who holds every post, deputises for everybody,
opened the case (or its parent), does all the work and drives the children too: that person must not reach a
verified end. The kernel refuses an act that verifies the actor's own work and asks for as many persons as an act
has signatures; facts, events and clocks turn out as that person likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.form import every_act
from fengsui.ledger.proof.graph import Explored, explore
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.space import Move, flat, kind_of

Alone = tuple[int, frozenset[str]]
OPENED = "opened"


def verified_ends(mechanism: Mechanism) -> set[str]:
    """The ends that claim to be verified."""
    return {end.name for end in mechanism.ends.values() if end.unverified is None}


def work_verified(life: Life) -> Iterator[Finding]:
    """No ``does`` act is unverified at a verified end."""
    mechanism = life.mechanism
    ends = verified_ends(mechanism)
    for work in sorted({act.name for _, act in every_act(mechanism) if act.does}):

        def change(act: Act, flag: object, before: str, after: str, work: str = work) -> tuple[bool, ...]:
            if act.name == work:
                return (True,)
            return (bool(flag) and work not in act.verifies,)

        found = life.space.flagged(
            lambda move, work=work: (move.name == work,),  # type: ignore[misc]
            change,
            lambda act, work=work: act.name == work or work in act.verifies,  # type: ignore[misc]
        )
        for at, (node, flag) in enumerate(found.nodes):
            if flag and life.graph.nodes[node].state in ends:
                way = tuple(move.name for move in found.way(at))
                says = f"the work of {work} is unverified at the verified end {life.graph.nodes[node].state}"
                yield Finding(4, mechanism.name, says, life.graph.nodes[node].state, way[-1], way)


class Solo:
    """What one natural person can do alone with a mechanism, given what that person can do with its children."""

    def __init__(self, life: Life, child_alone: Mapping[str, frozenset[str]]) -> None:
        self.life = life
        self.child_alone = child_alone
        self.found: Explored[Alone, Move] = explore(self._openings(), self._after, life.space.budget * 4)

    def ends(self) -> frozenset[str]:
        """The ends that one person reaches alone."""
        ends = self.life.mechanism.ends
        return frozenset(
            self.life.graph.nodes[node].state for node, _ in self.found.nodes if self.life.graph.nodes[node].state in ends
        )

    def _openings(self) -> list[tuple[Move, Alone]]:
        found = []
        for move, core in self.life.space.openings():
            # A signal opens the case for nobody; everything else is this person's doing.
            mine = {OPENED} if move.kinds - {"event", "clock"} else set()
            mine |= {move.name} if move.act.does and mine else set()
            found.append((move, (self.life.graph.index[core], frozenset(mine))))
        return found

    def _after(self, node: Alone) -> Iterator[tuple[Move, Alone]]:
        at, mine = node
        for move, target in self.life.graph.out[at]:
            for after in self._ways(move, mine):
                yield move, (target, after)

    def _ways(self, move: Move, mine: frozenset[str]) -> Iterator[frozenset[str]]:
        act = move.act
        if move.kinds & {"event", "clock"}:
            yield mine
        if "child" in move.kinds and any(self._drives(end) for end in move.child_ends):
            yield mine
        if move.kinds & {"person", "parent", "recall"} and act.signatures == 1 and not mine & set(act.verifies):
            yield mine | {act.name} if act.does else mine

    def _drives(self, end: str) -> bool:
        kind, _, name = end.partition(".")
        return name in self.child_alone.get(kind, frozenset())


def nobody_alone(life: Life, child_alone: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """One natural person reaches no verified end."""
    solo = Solo(life, child_alone)
    ends = verified_ends(life.mechanism)
    told: set[str] = set()
    for at, (node, _) in enumerate(solo.found.nodes):
        state = life.graph.nodes[node].state
        if state in ends and state not in told:
            told.add(state)
            way = tuple(move.name for move in solo.found.way(at))
            says = f"one natural person can reach the verified end {state} alone"
            yield Finding(4, life.mechanism.name, says, state, way[-1], way)


def assent_verifies(life: Life) -> Iterator[Finding]:
    """A field that lets a verifying act through is set by the work itself or by somebody who verifies it too.

    Else whoever did the work could give the consent that its verification waits for.
    """
    mechanism = life.mechanism
    waits: dict[str, set[str]] = {}
    for _, act in every_act(mechanism):
        if act.verifies and act.to in verified_ends(mechanism):
            for guard in flat(act.needs):
                if guard.name == "set" and not guard.registered:
                    waits.setdefault(guard.about, set()).update(set(act.verifies) - {OPENED})
    for where, act in every_act(mechanism):
        for name in sorted(set(act.sets) & set(waits)):
            pending = {work for work in waits[name] if _may_wait(life, work, where)}
            if where and not act.does and not pending <= set(act.verifies) and all(kind_of(by) == "person" for by in act.by):
                says = f"it gives {name}, for which the verification of {min(pending)} waits, without verifying that work"
                yield Finding(4, mechanism.name, says, where, act.name)


def _may_wait(life: Life, work: str, state: str) -> bool:
    """Whether the work may stand unverified in the state."""
    return any(move.name == work and life.graph.nodes[target].state == state for out in life.graph.out for move, target in out)
