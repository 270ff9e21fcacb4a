"""The configurations of a mechanism: what of a case matters to where it can go next.

A configuration keeps the state, which bounds are spent, which clocks run, which children are open, and which
fields are set, but only where some act that moves the case depends on it. Acts that stay and touch nothing of
that are *quiet*: they are no edges, and searches that care about them add them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from fengsui.ledger.kernel.shapes import Act, Guard, Mechanism
from fengsui.ledger.kernel.step import Core, choices, exact, opened, step
from fengsui.ledger.proof.graph import Explored, explore

Variable = tuple[str, str]  # ("field" | "clock" | "kid" | "done" | "count", name)
NONE: frozenset[str] = frozenset()


class Move(NamedTuple):
    """One way to do an act. ``kinds``: who can (person, event, clock, child, parent, recall)."""

    act: Act
    kinds: frozenset[str]
    child_ends: frozenset[str] = NONE  # "KIND.END" that this move answers
    spends: bool = False  # it uses some of the act's bound
    spent_way: bool = False  # it goes where the spent bound sends it

    @property
    def name(self) -> str:
        """The act's name."""
        return self.act.name


def kind_of(by: str) -> str:
    """``event.gas`` → event, ``clock.due`` → clock, ``child.task.done`` → child, ``parent.recall`` → recall, a role → person."""
    head, dot, _ = by.partition(".")
    if not dot or head not in ("event", "clock", "child", "parent"):
        return "person"
    return "recall" if by == "parent.recall" else head


def flat(guards: Iterable[Guard]) -> Iterator[Guard]:
    """Every guard, those inside ``any`` too."""
    for guard in guards:
        if guard.name == "any":
            yield from flat(guard.any_of)
        else:
            yield guard


_READS = {"set": "field", "unset": "field", "clock_running": "clock", "ended": "kid", "none_open": "kid"}


def gates(act: Act) -> set[Variable]:
    """The variables that decide whether the act may be done."""
    found: set[Variable] = {
        (_READS[guard.name], guard.about) for guard in flat(act.needs) if not guard.registered and guard.name in _READS
    }
    found |= {("done", guard.about) for guard in flat(act.needs) if guard.name == "ended" and not guard.registered}
    for by in act.by:
        kind = kind_of(by)
        if kind == "clock":
            found.add(("clock", by.split(".")[1]))
        elif kind == "child":
            found.add(("kid", by.split(".")[1]))
    if act.at_most is not None:
        found.add(("count", act.name))
    return found


def writes(act: Act) -> set[Variable]:
    """The variables that doing the act may change."""
    found: set[Variable] = {("field", name) for name in (*act.sets, *act.may_set, *act.assigns, *act.clears)}
    found |= {("clock", name) for name in (*act.starts, *act.stops, *act.restarts)}
    found |= {("kid", name) for name in (*act.opens, *act.recalls)}
    found |= {("kid", by.split(".")[1]) for by in act.by if kind_of(by) == "child"}
    return found


class Space:
    """A mechanism, what its children can end with, and its explored configurations."""

    def __init__(self, mechanism: Mechanism, child_ends: Mapping[str, frozenset[str]], budget: int) -> None:
        self.mechanism = mechanism
        self.child_ends = child_ends
        self.budget = budget
        self.joined = {kind for kind, child in mechanism.children.items() if child.joined}
        self._after_state: dict[str, set[str]] = {}
        self._focused: dict[str, Explored[Core, Move]] = {}
        self.tracked, self.loud = self._relevance(set())

    @cached_property
    def graph(self) -> Explored[Core, Move]:
        """The reachable configurations. Raises ``BudgetSpent``."""
        return self.explored(self.tracked, self.loud)

    def focused(self, act: Act) -> Explored[Core, Move]:
        """The same with one quiet act and all that it depends on made visible."""
        if act.name not in self._focused:
            look = self.look(act)
            self._focused[act.name] = self.explored(look.tracked, look.loud)
        return self._focused[act.name]

    def look(self, act: Act | None = None) -> Look:
        """How the graph looks at configurations; with a quiet act, how the one focused on it does."""
        if act is None:
            return Look(self, self.tracked, self.loud)
        tracked, loud = self._relevance(gates(act))
        return Look(self, tracked, loud | {act.name})

    def acts(self) -> Iterator[Act]:
        """Every act offered in some state, once per state and act."""
        for state in self.mechanism.states.values():
            yield from state.actions

    def quiet(self, state: str) -> list[Act]:
        """The acts of a state that are no edges."""
        found = self.mechanism.states.get(state)
        return [] if found is None else [act for act in found.actions if act.name not in self.loud]

    def alive(self, place: str) -> set[Variable]:
        """What some act can still depend on from this state on; joined children always count."""
        found: set[Variable] = {("kid", kind) for kind in self.joined}
        for later in self._later(place):
            for act in self.mechanism.states[later].actions:
                found |= gates(act)
        return found

    def _later(self, place: str) -> set[str]:
        if place not in self._after_state:
            seen: set[str] = set()
            stack = [place]
            while stack:
                at = stack.pop()
                state = self.mechanism.states.get(at)
                if state is None or at in seen:
                    continue
                seen.add(at)
                stack.extend(to for act in state.actions for to in (act.to, act.then) if to is not None)
            self._after_state[place] = seen
        return self._after_state[place]

    def _relevance(self, extra: set[Variable]) -> tuple[frozenset[Variable], frozenset[str]]:
        tracked: set[Variable] = {("kid", kind) for kind in self.joined} | extra
        loud: set[str] = set()
        changed = True
        while changed:
            changed = False
            for act in self.acts():
                moves = act.to is not None or act.then is not None
                if act.name not in loud and (moves or writes(act) & tracked):
                    loud.add(act.name)
                    tracked |= gates(act)
                    changed = True
        return frozenset(tracked), frozenset(loud)

    def explored(self, tracked: frozenset[Variable], loud: frozenset[str]) -> Explored[Core, Move]:
        """Breadth first over the configurations of the tracked variables."""
        look = Look(self, tracked, loud)
        return explore(look.openings(), look.after, self.budget)

    def openings(self) -> list[tuple[Move, Core]]:
        """Every opening act with the configuration that it leads to."""
        return self.look().openings()

    def projected(self, core: Core) -> Core:
        """The configuration that a core stands for."""
        return self.look().project(core)

    def full(self, kind: str, core: Core) -> bool:
        """Whether another child of the kind has to wait for the open one."""
        child = self.mechanism.children.get(kind)
        return child is not None and child.joined and child.at_once == 1 and kind in core.open_kids

    def who(self, act: Act, core: Core) -> tuple[frozenset[str], frozenset[str]]:
        """The kinds of actor that can do it here, and the children's ends among them."""
        kinds: set[str] = set()
        ends: set[str] = set()
        for by in act.by:
            kind = kind_of(by)
            if kind == "clock":
                name = by.split(".")[1]
                if name not in core.running or self._paused(name, core):
                    continue
            elif kind == "child":
                _, child, end = by.split(".", 2)
                if child in self.joined and child not in core.open_kids:
                    continue
                if end not in self.child_ends.get(child, NONE):
                    continue
                ends.add(f"{child}.{end}")
            kinds.add(kind)
        return frozenset(kinds), frozenset(ends)

    def _paused(self, clock: str, core: Core) -> bool:
        children = self.mechanism.children
        return any(clock in children[kind].pauses for kind in core.open_kids)

    def flagged(
        self,
        start: Callable[[Move], Iterable[Hashable]],
        change: Callable[[Act, Hashable, str, str], Iterable[Hashable]],
        quiet: Callable[[Act], bool],
    ) -> Explored[tuple[int, Hashable], Move]:
        """The graph times one flag: ``change(act, flag, state before, state after)`` gives the flags after.

        Quiet acts for which ``quiet`` is true change the flag where they are offered.
        """
        graph = self.graph
        openings: list[tuple[Move, tuple[int, Hashable]]] = []
        for move, core in self.openings():
            at = graph.index[core]
            openings.extend((move, (at, flag)) for flag in start(move))
        still = {name: [whole_move(act) for act in self.quiet(name) if quiet(act)] for name in self.mechanism.states}

        def after(node: tuple[int, Hashable]) -> Iterator[tuple[Move, tuple[int, Hashable]]]:
            at, flag = node
            before = graph.nodes[at].state
            for move, target in graph.out[at]:
                for changed in change(move.act, flag, before, graph.nodes[target].state):
                    yield move, (target, changed)
            for move in still.get(before, ()):
                if all(holds(guard, graph.nodes[at], self.tracked) for guard in move.act.needs):
                    for changed in change(move.act, flag, before, before):
                        if changed != flag:
                            yield move, (at, changed)

        return explore(openings, after, self.budget * 8)


class Look:
    """One way of looking: which variables are kept, which acts are edges."""

    def __init__(self, space: Space, tracked: frozenset[Variable], loud: frozenset[str]) -> None:
        self.space = space
        self.mechanism = space.mechanism
        self.tracked = tracked
        self.loud = loud
        places = (*self.mechanism.states, *self.mechanism.ends)
        self.keep = {place: _by_kind(space.alive(place) & tracked) for place in places}
        self.bounds = {
            act.name: act.at_most for act in space.acts() if act.at_most is not None and ("count", act.name) in tracked
        }

    def openings(self) -> list[tuple[Move, Core]]:
        """Every opening act with the configuration that it leads to."""
        return [(whole_move(act), self.project(opened(self.mechanism, act))) for act in self.mechanism.opening.values()]

    def project(self, core: Core) -> Core:
        """Forget what is not tracked or can matter no more; a bound is either below (absent) or spent."""
        keep = self.keep[core.state]
        return Core(
            state=core.state,
            fields=core.fields & keep["field"],
            counts=frozenset(
                (name, times) for name, times in core.counts if self.bounds.get(name) == times and name in keep["count"]
            ),
            running=core.running & keep["clock"],
            open_kids=core.open_kids & keep["kid"],
            done_kids=core.done_kids & keep["done"],
        )

    def after(self, core: Core) -> Iterator[tuple[Move, Core]]:
        """Every move from here."""
        state = self.mechanism.states.get(core.state)
        for act in state.actions if state else ():
            if act.name in self.loud:
                yield from self._moves(act, core)

    def _moves(self, act: Act, core: Core) -> Iterator[tuple[Move, Core]]:
        kinds, ends = self.space.who(act, core)
        if not kinds or not all(holds(guard, core, self.tracked) for guard in act.needs):
            return
        if any(self.space.full(kind, core) for kind in act.opens):
            return
        bound = self.bounds.get(act.name)
        is_spent = bound is not None and (act.name, bound) in core.counts
        if is_spent and act.then is None:
            return
        move = Move(act, kinds, ends, spends=act.at_most is not None and not is_spent, spent_way=is_spent)
        befores = [core]
        if bound is not None and bound > 1 and not is_spent:
            befores.append(replace(core, counts=core.counts | {(act.name, bound - 1)}))
        seen: set[Core] = set()
        for before in befores:
            for choice in choices(self.mechanism, before, act):
                target = self.project(step(self.mechanism, before, act, choice))
                if target not in seen:
                    seen.add(target)
                    yield move, target


def _by_kind(variables: set[Variable]) -> dict[str, frozenset[str]]:
    return {
        kind: frozenset(name for variable, name in variables if variable == kind)
        for kind in ("field", "clock", "kid", "done", "count")
    }


def leaves_running(act: Act, clock: str) -> bool:
    """Whether the clock runs after the act because of it; one that it both starts and stops was only measured."""
    return clock in (*act.starts, *act.restarts) and not (clock in act.starts and clock in act.stops)


def whole_move(act: Act) -> Move:
    """The move of an act that anybody named in ``by`` does."""
    return Move(act, frozenset(map(kind_of, act.by)))


def holds(guard: Guard, core: Core, tracked: frozenset[Variable]) -> bool:
    """Whether a guard may hold here: exact ones about tracked variables must, others may."""
    if guard.name == "any":
        return any(holds(inner, core, tracked) for inner in guard.any_of)
    if guard.registered or (_READS[guard.name], guard.about) not in tracked:
        return True
    return exact(core, guard) is True
