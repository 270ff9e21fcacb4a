"""The properties found by walking the graph: ends, cycles, the raiser, reachability, children, signals of clocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.kernel.step import Core
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.form import every_act, needs_fact
from fengsui.ledger.proof.graph import Explored, backward, components
from fengsui.ledger.proof.space import Move, Space, gates, kind_of, leaves_running

Way = tuple[str, ...]


class ClockSight(NamedTuple):
    """Where a clock runs and where not: node → the way that shows it."""

    on: dict[int, Way]
    off: dict[int, Way]


class Life:
    """One mechanism's space with what several properties need of it."""

    def __init__(self, space: Space, names: Names) -> None:
        self.space = space
        self.names = names
        self.mechanism: Mechanism = space.mechanism
        self.graph: Explored[Core, Move] = space.graph
        self._clocks: dict[str, ClockSight] = {}

    def way(self, node: int, *more: str) -> Way:
        """The acts from an opening to the node."""
        return (*(move.name for move in self.graph.way(node)), *more)

    def finding(self, number: int, says: str, node: int, act: str = "", *more: str) -> Finding:
        """A finding at a node."""
        return Finding(number, self.mechanism.name, says, self.graph.nodes[node].state, act, self.way(node, *more))

    def clock(self, name: str) -> ClockSight:
        """Where the clock may run, and where it may not, along every path, quiet acts too."""
        if name in self._clocks:
            return self._clocks[name]
        shared = self.mechanism.clocks[name].per_holder

        def change(act: Act, flag: object, before: str, after: str) -> tuple[bool, ...]:
            if leaves_running(act, name):
                return (True,)
            if name in act.stops:
                return (False, True) if shared and act.to is None and flag else (False,)
            return (bool(flag),)

        found = self.space.flagged(
            lambda move: (leaves_running(move.act, name),),
            change,
            lambda act: name in act.starts or name in act.stops or name in act.restarts,
        )
        sight = ClockSight({}, {})
        for at, (node, flag) in enumerate(found.nodes):
            side = sight.on if flag else sight.off
            if node not in side:
                side[node] = tuple(move.name for move in found.way(at))
        self._clocks[name] = sight
        return sight

    def in_state(self, state: str) -> list[int]:
        """The nodes of a state, nearest first."""
        return [at for at, core in enumerate(self.graph.nodes) if core.state == state]


def clocks_run(life: Life) -> Iterator[Finding]:
    """Property 1 on the graph: a state's clock or child runs whenever the case is there."""
    for state in life.mechanism.states.values():
        within = state.within
        if within.kind == "clock" and within.name in life.mechanism.clocks:
            off = life.clock(within.name).off
            if ways := [off[node] for node in life.in_state(state.name) if node in off]:
                says = f"clock {within.name} does not run here"
                yield Finding(1, life.mechanism.name, says, state.name, path=min(ways, key=len))
        elif within.kind == "child" and within.name in life.space.joined:
            for node in life.in_state(state.name):
                if within.name not in life.graph.nodes[node].open_kids:
                    yield life.finding(1, f"it waits for {within.name}, which is not open here", node)
                    break


def ends_reachable(life: Life) -> Iterator[Finding]:
    """Property 2."""
    graph = life.graph
    goals = [at for at, core in enumerate(graph.nodes) if core.state in life.mechanism.ends]
    size = len(graph.nodes)
    edges = [(at, target) for at in range(size) for move, target in graph.out[at] if move.kinds - {"recall", "parent"}]
    good = backward(size, edges, goals)
    lost = [at for at in range(size) if at not in good]
    if lost:
        yield life.finding(2, "no end is reachable from here", lost[0])
        return
    sure = [
        (at, target)
        for at in range(size)
        for move, target in graph.out[at]
        if move.kinds & {"person", "clock"} and not needs_fact(move.act, life.names)
    ]
    good = _sure(life, sure, goals)
    lost = [at for at in range(size) if at not in good]
    if lost:
        yield life.finding(2, "no end is reachable from here when every fact and event turns out badly", lost[0])


def _sure(life: Life, edges: list[tuple[int, int]], goals: list[int]) -> set[int]:
    """Backward without facts and events; a child may end as it likes, but it ends."""
    graph = life.graph
    good = backward(len(graph.nodes), edges, goals)
    waiting = [at for at, core in enumerate(graph.nodes) if core.open_kids and at not in good]
    changed = True
    while changed:
        changed = False
        for at in waiting:
            if at not in good and any(_child_helps(life, at, kind, good) for kind in graph.nodes[at].open_kids):
                good = backward(len(graph.nodes), edges, good | {at})
                changed = True
    return good


def _child_helps(life: Life, at: int, kind: str, good: set[int]) -> bool:
    ends = life.space.child_ends.get(kind, frozenset())
    return bool(ends) and all(
        any(f"{kind}.{end}" in move.child_ends and target in good for move, target in life.graph.out[at]) for end in ends
    )


def raiser_told(life: Life) -> Iterator[Finding]:
    """Property 6."""
    for at, out in enumerate(life.graph.out):
        for move, target in out:
            end = life.mechanism.ends.get(life.graph.nodes[target].state)
            if end is not None and "raiser" not in end.tells and "raiser" not in move.act.tells:
                says = f"whoever raised the case is not told at the end {end.name}"
                yield life.finding(6, says, at, move.name, move.name)


def nothing_unreachable(life: Life) -> Iterator[Finding]:
    """Property 8."""
    mechanism, name = life.mechanism, life.mechanism.name
    reached = {core.state for core in life.graph.nodes}
    for place in mechanism.states:
        if place not in reached:
            yield Finding(8, name, "the state cannot be reached", place)
    for end in mechanism.ends:
        if end not in reached:
            yield Finding(8, name, "the end cannot be reached", end)
    done = {(life.graph.nodes[at].state, move.name) for at, out in enumerate(life.graph.out) for move, _ in out}
    after = {move.name for out in life.graph.out for move, _ in out if move.spent_way}
    for state in mechanism.states.values():
        if state.name in reached:
            yield from _idle_acts(life, state.name, done)
    for act in {act.name: act for _, act in every_act(mechanism)}.values():
        if act.then is not None and act.name not in after:
            yield Finding(8, name, f"its bound is never used up, so it never leads to {act.then}", act=act.name)
        for by in act.by:
            parts = by.split(".")
            if kind_of(by) == "child" and parts[2] not in life.space.child_ends.get(parts[1], frozenset()):
                yield Finding(8, name, f"child {parts[1]} never ends with {parts[2]}", act=act.name)
    yield from _idle_names(mechanism)


def stops_happen(life: Life) -> Iterator[Finding]:
    """Property 8: each act that is to stop a clock can come while the clock runs."""
    for clock in life.mechanism.clocks.values():
        states = {life.graph.nodes[node].state for node in life.clock(clock.name).on}
        offered = {name for state in states if state in life.mechanism.states for name in life.mechanism.states[state].offers}
        for act in sorted(clock.stops - offered - {"end"}):
            yield Finding(
                8,
                life.mechanism.name,
                f"clock {clock.name} never runs when {act} is to stop it",
                act=act,
                place=f"clocks.{clock.name}",
            )


def _idle_acts(life: Life, state: str, done: set[tuple[str, str]]) -> Iterator[Finding]:
    mechanism = life.mechanism
    for act in mechanism.states[state].actions:
        everywhere = act.name in mechanism.always and len(act.within_states) == len(mechanism.states)
        places = mechanism.states if everywhere else (state,)
        if any((place, act.name) in done for place in places):
            continue
        if act.name in life.space.loud:
            yield Finding(8, mechanism.name, "the act can never be done here", state, act.name)
        elif gates(act) - {("count", act.name)}:
            graph = life.space.focused(act)
            if not any(
                graph.nodes[at].state == state and move.name == act.name for at, out in enumerate(graph.out) for move, _ in out
            ) and not _elsewhere(life, act, graph):
                yield Finding(8, mechanism.name, "the act can never be done here", state, act.name)


def _elsewhere(life: Life, act: Act, graph: Explored[Core, Move]) -> bool:
    """An act that is offered in every state needs to be possible in one of them only."""
    if act.name not in life.mechanism.always or len(act.within_states) != len(life.mechanism.states):
        return False
    return any(move.name == act.name for out in graph.out for move, _ in out)


def _idle_names(mechanism: Mechanism) -> Iterator[Finding]:
    acts = [act for _, act in every_act(mechanism)]
    opened = {kind for act in acts for kind in act.opens} | {kind for end in mechanism.ends.values() for kind in end.opens}
    opened |= {kind for rungs in mechanism.ladders.values() for rung in rungs for kind in rung.opens}
    for kind in mechanism.children:
        if kind not in opened:
            yield Finding(8, mechanism.name, f"nothing ever opens child {kind}", place=f"children.{kind}")
    given = {name for act in acts for name in (*act.sets, *act.may_set, *act.assigns)}
    for name in mechanism.fields:
        if name not in given:
            yield Finding(8, mechanism.name, f"no act ever sets field {name}", place=f"fields.{name}")


def children_answered(life: Life) -> Iterator[Finding]:
    """Property 10 on the graph: every end of a joined child is answered wherever it may come; no end with one open."""
    ends = life.mechanism.ends
    for at, core in enumerate(life.graph.nodes):
        kinds = core.open_kids & life.space.joined
        if core.state in ends:
            for kind in sorted(kinds):
                yield life.finding(10, f"the case ends while its child {kind} is open and not recalled", at, life.way(at)[-1])
            continue
        answered = {end for move, _ in life.graph.out[at] for end in move.child_ends}
        for kind in sorted(kinds):
            for end in sorted(life.space.child_ends.get(kind, frozenset())):
                if f"{kind}.{end}" not in answered:
                    yield life.finding(10, f"child {kind} may end with {end} here, and nothing answers", at)


def clock_signals(life: Life) -> Iterator[Finding]:
    """Property 12 for clocks: where a clock with an act of its own may run, its firing is answered or ignored."""
    heard = {by for where, act in every_act(life.mechanism) if where for by in act.by if kind_of(by) == "clock"}
    for signal in sorted(heard):
        name = signal.split(".")[1]
        if name not in life.mechanism.clocks:
            continue
        for node, way in life.clock(name).on.items():
            state = life.mechanism.states.get(life.graph.nodes[node].state)
            if state is None or signal in state.ignores:
                continue
            answers = [act for act in state.actions if signal in act.by]
            if not answers:
                yield Finding(12, life.mechanism.name, f"{signal} is neither answered nor ignored", state.name, path=way)
            elif all(needs_fact(act, life.names) for act in answers):
                says = f"{signal} is answered only if the facts allow it"
                yield Finding(12, life.mechanism.name, says, state.name, answers[0].name, way)


def cycle_way(life: Life, group: list[int], through: tuple[int, Move, int]) -> Way:
    """The way to a cycle and once around it, by way of one edge."""
    start, move, target = through
    inside = set(group)
    came: dict[int, tuple[int, str] | None] = {target: None}
    queue = deque([target])
    while queue:
        at = queue.popleft()
        if at == start:
            break
        for step, after in life.graph.out[at]:
            if after in inside and after not in came and not step.spends:
                came[after] = (at, step.name)
                queue.append(after)
    back: list[str] = []
    step_back = came.get(start)
    while step_back is not None:
        back.append(step_back[1])
        step_back = came[step_back[0]]
    return (*life.way(start), move.name, *reversed(back))


def cycles(life: Life) -> Iterator[Finding]:
    """Property 5 on the graph."""
    graph = life.graph
    free = [(at, move, to) for at, out in enumerate(graph.out) for move, to in out if not move.spends]
    for group in components(len(graph.nodes), [(at, to) for at, _, to in free]):
        inside = set(group)
        edges = [edge for edge in free if edge[0] in inside and edge[2] in inside]
        if not _under_own_clock(life, edges) and not _under_case_clock(life, group, edges):
            says = "this cycle spends no bound and runs under no clock that it cannot restart"
            moving = [edge for edge in edges if edge[1].act.to is not None] or edges
            yield min((_about(life, edge, says, group) for edge in moving), key=lambda found: len(found.path))
        for edge in edges:
            if edge[1].act.extends:
                yield _about(life, edge, "this cycle moves a due later as often as one likes", group)
            if edge[1].act.opens:
                yield _about(life, edge, f"this cycle opens {', '.join(edge[1].act.opens)} as often as one likes", group)
    yield from _work_returned(life)
    for where, act in every_act(life.mechanism):
        if where and act.opens and act.at_most is None and act.name not in life.space.loud:
            says = f"it opens {', '.join(act.opens)} as often as one likes"
            yield Finding(5, life.mechanism.name, says, where, act.name)


def _about(life: Life, edge: tuple[int, Move, int], says: str, group: list[int]) -> Finding:
    state = life.graph.nodes[edge[0]].state
    return Finding(5, life.mechanism.name, says, state, edge[1].name, cycle_way(life, group, edge))


def _under_own_clock(life: Life, edges: list[tuple[int, Move, int]]) -> bool:
    """Acts that stay never enter the state again, so an amount in `within` goes on running."""
    states = {life.graph.nodes[at].state for at, _, _ in edges}
    if len(states) != 1 or any(move.act.to is not None or move.spent_way for _, move, _ in edges):
        return False
    state = life.mechanism.states[next(iter(states))]
    if state.within.kind != "clock":
        return True
    return not any(_restarts(life, move.act, state.within.name) for _, move, _ in edges)


def _restarts(life: Life, act: Act, clock: str) -> bool:
    starts = clock in act.starts and life.mechanism.clocks[clock].again == "each"
    return clock in act.restarts or starts or clock in act.extends


def _under_case_clock(life: Life, group: list[int], edges: list[tuple[int, Move, int]]) -> bool:
    states = {life.graph.nodes[at].state for at in group}
    acts = [move.act for _, move, _ in edges] + [act for state in states for act in life.space.quiet(state)]
    for name in life.mechanism.clocks:
        if any(_restarts(life, act, name) for act in acts):
            continue
        if not life.clock(name).off.keys() & set(group):
            return True
    return False


def _work_returned(life: Life) -> Iterator[Finding]:
    """Work that persons send back again and again, no fact needed, has to spend a bound even under a clock."""
    graph = life.graph
    free = [
        (at, move, to)
        for at, out in enumerate(graph.out)
        for move, to in out
        if not move.spends and "person" in move.kinds and not needs_fact(move.act, life.names)
    ]
    for group in components(len(graph.nodes), [(at, to) for at, _, to in free]):
        inside = set(group)
        for edge in free:
            if edge[0] in inside and edge[2] in inside and edge[1].act.does:
                yield _about(life, edge, "this work can be sent back as often as one likes", group)


def once_again(life: Life) -> Iterator[Finding]:
    """Property 5: a state that runs under a once-only law number is entered once."""
    graph = life.graph
    for state in life.mechanism.states.values():
        line = life.names.law.get(state.within.name.removeprefix("law.")) if state.within.kind == "amount" else None
        if line is None or line.kind != "once" or not _enterable_again(life, state.name):
            continue

        def entered(act: Act, flag: object, before: str, after: str, place: str = state.name) -> tuple[int, ...]:
            enters = after == place and (before != place or act.to == place)
            return (min(2, int(str(flag)) + enters),)

        found = life.space.flagged(
            lambda move, place=state.name: (int(move.act.to == place),),  # type: ignore[misc]
            entered,
            lambda act: False,
        )
        for at, (_, times) in enumerate(found.nodes):
            came = found.came[at]
            if times == 2 and came is not None:
                says = f"entering {state.name} again restarts {line.name}, which runs once in a case's life"
                where = graph.nodes[found.nodes[came[0]][0]].state
                way = tuple(move.name for move in found.way(at))
                yield Finding(5, life.mechanism.name, says, where, way[-1], way)
                break


def _enterable_again(life: Life, place: str) -> bool:
    """Whether the state can be entered after it was entered: quick, where the search for the way is not."""
    graph = life.graph
    seen = set(life.in_state(place))
    stack = list(seen)
    while stack:
        at = stack.pop()
        for move, to in graph.out[at]:
            if graph.nodes[to].state == place and (graph.nodes[at].state != place or move.act.to == place):
                return True
            if to not in seen:
                seen.add(to)
                stack.append(to)
    return False
