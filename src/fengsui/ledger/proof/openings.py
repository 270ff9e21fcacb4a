"""Property 10 between mechanisms: who opens whom, without a person or with one; who can be recalled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush

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
                yield Finding(
                    10,
                    mechanism.name,
                    f"ladder {name} opens {kind}, which has no opening act by clock.any",
                    place=f"ladders.{name}",
                )


def _takes(child: Mechanism, by: str) -> bool:
    return any(by in act.by for act in child.opening.values())


def _recallable(mechanism: Mechanism, child: Mechanism, where: str, act: str) -> Iterator[Finding]:
    for state in child.states.values():
        heard = any("parent.recall" in offered.by and offered.to in child.ends for offered in state.actions)
        if not heard:
            yield Finding(10, mechanism.name, f"it recalls {child.name}, which does not hear it in {state.name}", where, act)


def opened_unasked(life: Life) -> dict[str, tuple[str, ...]]:
    """Kind → the shortest way in which this mechanism opens it although no person has acted since it was opened itself."""
    mechanism, graph = life.mechanism, life.graph
    found: dict[str, tuple[str, ...]] = {}

    def opens(kinds: Iterable[str], way: tuple[str, ...]) -> None:
        for kind in kinds:
            if kind not in found or len(way) < len(found[kind]):
                found[kind] = way

    ways: dict[int, tuple[str, ...]] = {}
    for move, core in life.space.openings():
        if move.kinds & {"parent", "clock"}:  # opened by another case or a ladder, as in a circle of openings
            ways.setdefault(graph.index[core], (move.name,))
            opens(move.act.opens, (move.name,))
    queue = list(ways)
    for at in queue:
        state = mechanism.states.get(graph.nodes[at].state)
        end = mechanism.ends.get(graph.nodes[at].state)
        opens(end.opens if end else (), ways[at])
        if state is None:
            continue
        for act in life.space.quiet(state.name):
            if {by.partition(".")[0] for by in act.by} & {"event", "clock"}:
                opens(act.opens, (*ways[at], act.name))
        for move, target in graph.out[at]:
            if not move.kinds & _SIGNALS:
                continue
            opens(move.act.opens, (*ways[at], move.name))
            if target not in ways:
                ways[target] = (*ways[at], move.name)
                queue.append(target)
    for name in ladders_in_use(mechanism):
        for rung in mechanism.ladders.get(name, ()):
            for kind in rung.opens:
                found.setdefault(kind, (f"ladder {name}",))
    return found


def joined_cycle(mechanisms: Mapping[str, Mechanism]) -> Iterator[Finding]:
    """Joined children wait for each other in no circle."""
    order = list(mechanisms)
    waits = {
        name: {child.kind: 1 for child in mechanism.children.values() if child.joined and child.kind in mechanisms}
        for name, mechanism in mechanisms.items()
    }
    edges = [(order.index(name), order.index(kind)) for name, kinds in waits.items() for kind in kinds]
    for group in components(len(order), edges):
        circle = shortest_circle({order[member]: waits[order[member]] for member in group})
        path, place = (*circle, circle[0]), f"children.{(*circle, circle[0])[1]}"
        yield Finding(10, circle[0], "joined children wait for each other in a circle", path=path, place=place)


def unasked_cycles(unasked: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Iterator[Finding]:
    """No cycle of openings without a person's act."""
    order = list(unasked)
    edges = [(order.index(name), order.index(kind)) for name, opens in unasked.items() for kind in opens if kind in unasked]
    for group in components(len(order), edges):
        inside = {order[member] for member in group}
        circle = shortest_circle({name: {kind: len(way) for kind, way in unasked[name].items()} for name in inside})
        path = tuple(
            f"{name}: {' → '.join(unasked[name][kind])} opens {kind}"
            for name, kind in zip(circle, (*circle[1:], circle[0]), strict=True)
        )
        yield Finding(10, circle[0], "these openings go round without any person's act", path=path)


def shortest_circle(lengths: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """The circle of the smallest sum, its first name the first in the alphabet (Dijkstra 1959 from each member)."""
    best: tuple[int, tuple[str, ...]] | None = None
    for start in sorted(lengths):
        heap: list[tuple[int, tuple[str, ...]]] = [(0, (start,))]
        done: set[str] = set()
        while heap:
            length, way = heappop(heap)
            if way[-1] == start and len(way) > 1:
                if best is None or length < best[0]:
                    best = (length, way[:-1])
                break
            if way[-1] in done:
                continue
            if len(way) > 1:
                done.add(way[-1])
            for kind, more in lengths[way[-1]].items():
                if kind in lengths and (kind == start or kind not in done):
                    heappush(heap, (length + more, (*way, kind)))
    return best[1] if best else ()
