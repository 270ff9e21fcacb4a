"""Where a finding is: its line in the YAML, and the shortest way there where its check needed no search.

A fault in a ladder shows once the ladder runs, one in a clock once it starts, one in a pause once the child is open.
What no life meets (a field that nothing sets, a place that nothing leads to) has a line alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.form import every_act
from fengsui.ledger.proof.life import Life, Way
from fengsui.ledger.proof.space import holds

_NOT_DONE = frozenset({8, 12})
"""Properties whose act is what cannot be done, or what does not answer: the way leads to the state that offers it."""


def shown(finding: Finding, mechanism: Mechanism, names: Names, life: Life | None) -> Finding:
    """The finding with its place, its line, and a shortest way where there is one."""
    place = finding.place or place_of(finding, mechanism)
    way = finding.path or (_way(life, finding, place) if life is not None else ())
    return replace(finding, place=place, line=line_of(place, mechanism, names), path=way)


def place_of(finding: Finding, mechanism: Mechanism) -> str:
    """The path in the YAML of the finding's act, else of its state or end."""
    state = mechanism.states.get(finding.state)
    if finding.act in mechanism.always:
        return f"always.{finding.act}"
    if state is not None and finding.act in state.offers:
        return f"states.{finding.state}.actions.{finding.act}"
    if finding.act in mechanism.opening and state is None:
        return f"open.{finding.act}"
    if state is not None:
        return f"states.{finding.state}"
    if finding.state in mechanism.ends:
        return f"ends.{finding.state}"
    offering = (one.name for one in mechanism.states.values() if finding.act in one.offers)
    return next((f"states.{name}.actions.{finding.act}" for name in offering), "mechanism")


def line_of(place: str, mechanism: Mechanism, names: Names) -> str:
    """``hazard.yaml:12`` of a path, or of the nearest one around it; empty where the file is not known."""
    while place and place not in mechanism.lines:
        if place in names.lines and place.count(".") == 1:
            return names.lines[place]
        place = place.rpartition(".")[0]
    return f"{mechanism.file}:{mechanism.lines[place]}" if place else ""


def _way(life: Life, finding: Finding, place: str) -> Way:
    kind, _, name = place.partition(".")
    if kind == "ladders":
        return _shortest(_climbing(life, name))
    if kind == "clocks" and name in life.mechanism.clocks:
        return _shortest(life.clock(name).on.values())
    if kind == "children":
        return _opening_child(life, name)
    if kind == "number":
        return (life.graph.first[0].name,)
    if finding.act:
        return _to_act(life, finding)
    return _to_place(life, finding.state)


def _shortest(ways: Iterable[Way]) -> Way:
    return min(ways, key=len, default=())


def _to_place(life: Life, place: str) -> Way:
    nodes = life.in_state(place)
    return life.way(nodes[0]) if nodes else ()


def _to_act(life: Life, finding: Finding) -> Way:
    """To where the act can be done, and the act; a recall only where there is a child to recall."""
    mechanism = life.mechanism
    if finding.state not in mechanism.states and finding.act in mechanism.opening:
        return (finding.act,)
    if finding.property in _NOT_DONE:
        offering = [finding.state] if finding.state else [s.name for s in mechanism.states.values() if finding.act in s.offers]
        return _shortest(way for way in (_to_place(life, state) for state in offering) if way)
    found: list[Way] = []
    for where, act in every_act(mechanism):
        if act.name != finding.act or where != finding.state:
            continue
        graph = life.graph if act.name in life.space.loud else life.space.focused(act)
        for at, core in enumerate(graph.nodes):
            if core.state != where or not any(move.name == act.name for move, _ in graph.out[at]):
                continue
            if not act.recalls or core.open_kids & set(act.recalls):
                found.append((*(move.name for move in graph.way(at)), act.name))
    return _shortest(found)


def _opening_child(life: Life, kind: str) -> Way:
    """To the first act that opens the child."""
    found: list[Way] = []
    found += [(act.name,) for act in life.mechanism.opening.values() if kind in act.opens]
    for at, core in enumerate(life.graph.nodes):
        state = life.mechanism.states.get(core.state)
        end = life.mechanism.ends.get(core.state)
        if end is not None and kind in end.opens:
            found.append(life.way(at))
        for act in state.actions if state else ():
            if kind in act.opens and all(holds(guard, core, life.space.tracked) for guard in act.needs):
                found.append(life.way(at, act.name))
    return _shortest(found)


def _climbing(life: Life, ladder: str) -> Iterator[Way]:
    """Ways to where the ladder runs: under a clock, in a state, with a report that is owed."""
    mechanism = life.mechanism

    def climbs(name: str | None) -> bool:
        by = mechanism.chosen.get(name or "")
        return ladder in by.rows.values() if by else name == ladder

    for clock in mechanism.clocks.values():
        if climbs(clock.ladder or mechanism.ladder):
            yield from life.clock(clock.name).on.values()
    for state in mechanism.states.values():
        own = state.within.kind == "amount" and climbs(state.ladder or mechanism.ladder)
        used = own or any(climbs(owes.ladder or mechanism.ladder) for owes in state.owes)
        if used and (way := _to_place(life, state.name)):
            yield way
