"""Property 10 between mechanisms: who opens whom, without a person or with one; who can be recalled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.form import every_act, ladders_in_use
from fengsui.ledger.proof.graph import components
from fengsui.ledger.proof.life import Life

_SIGNALS = frozenset({"event", "clock", "child", "parent", "recall"})


def openings_meet(mechanism: Mechanism, mechanisms: Mapping[str, Mechanism]) -> Iterator[Finding]:
    """Every opening finds an opening act in the child that takes this parent, and a recall is heard everywhere."""
    for where, act in every_act(mechanism):
        for kind in act.opens:
            if (child := mechanisms.get(kind)) and not _takes(child, f"parent.{mechanism.name}"):
                yield Finding(10, mechanism.name, f"{kind} has no opening act by parent.{mechanism.name}", where, act.name)
        for kind in act.recalls:
            if child := mechanisms.get(kind):
                yield from _recallable(mechanism, child, where, act.name)
    for end in mechanism.ends.values():
        for kind in end.opens:
            if (child := mechanisms.get(kind)) and not _takes(child, f"parent.{mechanism.name}"):
                yield Finding(10, mechanism.name, f"{kind} has no opening act by parent.{mechanism.name}", end.name)
    for name in ladders_in_use(mechanism):
        rungs = mechanism.ladders.get(name, ())
        for kind in {kind for rung in rungs for kind in rung.opens}:
            child = mechanisms.get(kind)
            if child and not _takes(child, "clock.any") and not _takes(child, f"parent.{mechanism.name}"):
                yield Finding(10, mechanism.name, f"ladder {name} opens {kind}, which has no opening act by clock.any")


def _takes(child: Mechanism, by: str) -> bool:
    return any(by in act.by for act in child.opening.values())


def _recallable(mechanism: Mechanism, child: Mechanism, where: str, act: str) -> Iterator[Finding]:
    for state in child.states.values():
        heard = any("parent.recall" in offered.by and offered.to in child.ends for offered in state.actions)
        if not heard:
            yield Finding(10, mechanism.name, f"it recalls {child.name}, which does not hear it in {state.name}", where, act)


def opened_unasked(life: Life) -> dict[str, tuple[str, ...]]:
    """Kind → the way in which this mechanism opens it although no person has acted since it was opened itself."""
    mechanism, graph = life.mechanism, life.graph
    found: dict[str, tuple[str, ...]] = {}
    starts = [at for at, came in enumerate(graph.came) if came is None]
    ways: dict[int, tuple[str, ...]] = {at: (graph.first[at].name,) for at in starts}
    for at in starts:
        for kind in graph.first[at].act.opens:
            found.setdefault(kind, ways[at])
    queue = list(starts)
    for at in queue:
        state = mechanism.states.get(graph.nodes[at].state)
        end = mechanism.ends.get(graph.nodes[at].state)
        for kind in end.opens if end else ():
            found.setdefault(kind, ways[at])
        if state is None:
            continue
        for act in life.space.quiet(state.name):
            if {by.partition(".")[0] for by in act.by} & {"event", "clock"}:
                for kind in act.opens:
                    found.setdefault(kind, (*ways[at], act.name))
        for move, target in graph.out[at]:
            if not move.kinds & _SIGNALS:
                continue
            for kind in move.act.opens:
                found.setdefault(kind, (*ways[at], move.name))
            if target not in ways:
                ways[target] = (*ways[at], move.name)
                queue.append(target)
    for name in ladders_in_use(mechanism):
        rungs = mechanism.ladders.get(name, ())
        for kind in {kind for rung in rungs for kind in rung.opens}:
            found.setdefault(kind, (f"ladder {name}",))
    return found


def unasked_cycles(unasked: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Iterator[Finding]:
    """No cycle of openings without a person's act."""
    order = list(unasked)
    edges = [(order.index(name), order.index(kind)) for name, opens in unasked.items() for kind in opens if kind in unasked]
    for group in components(len(order), edges):
        members = sorted(order[member] for member in group)
        first = members[0]
        path: list[str] = []
        for name in members:
            nexts = [kind for kind in unasked[name] if kind in members]
            path.append(f"{name}: {' → '.join(unasked[name][nexts[0]])} opens {nexts[0]}")
        yield Finding(10, first, "these openings go round without any person's act", path=tuple(path))
