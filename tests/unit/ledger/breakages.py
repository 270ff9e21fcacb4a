"""Ways of breaking a mechanism on purpose, one small change of its file each.

Every breakage takes away something that one of the twelve properties, or an obligation of the law, demands.
A breakage is *equivalent* (nothing was broken) by criteria that do not ask the checker:

``same life``   the unsliced graph of the mutant, with exact counts and every variable that ``kernel.step`` keeps,
                has the same cores and the same labelled edges as the original's (compared in lockstep);
``unread``      what a dropped ``clears`` leaves is read by no guard, clock, owner or actor of the file;
``also told``   the raiser is told twice, once by the act and once by its end;
``reread``      a dropped ``clears`` leaves a field that each act reading it sets itself;
``never there`` a dropped ``clears`` is of a field that every act into its state clears too, and none there sets;
``ends anyway`` the kernel stops every clock at an end, so that ``end`` in ``stops`` only says so;
``other ways``  a removed act (or ``then``) answers no signal, is no work and verifies nothing, what it set or opened
                others do too, another act leads to each place it led to, and people can still leave its state;
``done later``  a removed act is offered word for word in a state that people lead to from its own, where it answers no
                signal: the report that is no hazard is found to be none one act later, with the same two signatures;
``once entered`` the state that runs under a once-only number has one way in, which can be gone once;
``heard by another`` the signal is still answered by another act wherever the removed one was offered.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.rungs import plain_ladder
from fengsui.ledger.kernel.shapes import Act, Mechanism, Rung
from fengsui.ledger.kernel.step import Core, blocks, choices, opened, step

Data = dict[str, Any]


@dataclass(frozen=True)
class Breakage:
    """One mutant. ``names`` is given where the breakage is in the registry's ladders."""

    kind: str
    mechanism: str
    where: str
    data: Data
    names: Names | None = None
    equivalent: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.mechanism}.{self.where}"


def acts_of(data: Data) -> Iterator[tuple[tuple[str, ...], Data]]:
    """Every act with its path: openings, states' acts, always."""
    for name, act in data.get("open", {}).items():
        yield ("open", name), act
    for state, body in data["states"].items():
        for name, act in body.get("actions", {}).items():
            yield ("states", state, "actions", name), act
    for name, act in data.get("always", {}).items():
        yield ("always", name), act


def _copy(data: Data) -> Data:
    made: Data = pickle.loads(pickle.dumps(data))  # many times as quick as copy.deepcopy
    return made


def _without(data: Data, path: tuple[str, ...], item: Any = None) -> Data:
    """A copy without the key at ``path``, or without one item of the list there."""
    changed = _copy(data)
    at = changed
    for key in path[:-1]:
        at = at[key]
    if item is None:
        del at[path[-1]]
    else:
        left = [one for one in at[path[-1]] if one != item]
        if left:
            at[path[-1]] = left
        else:
            del at[path[-1]]
    return changed


def _with(data: Data, path: tuple[str, ...], value: Any) -> Data:
    changed = _copy(data)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def breakages(mechanism: Mechanism, names: Names) -> Iterator[Breakage]:
    """Every breakage of one mechanism's file."""
    data: Data = _copy(dict(mechanism.source))
    made = (
        *_of_fields(data),
        *_of_states(data),
        *_of_clocks(data, names),
        *_of_acts(data, mechanism),
        *_of_ends(data),
        *_of_children(data),
    )
    for kind, where, changed in made:
        if changed != data:
            yield Breakage(kind, mechanism.name, where, changed)
    yield from _of_ladders(mechanism, data, names)


def _of_fields(data: Data) -> Iterator[tuple[str, str, Data]]:
    used = {by for _, act in acts_of(data) for by in act.get("by", ())} | {body["owner"] for body in data["states"].values()}
    used |= {clock["holder"] for clock in data.get("clocks", {}).values()}
    for name, field in data.get("fields", {}).items():
        if "acts_as" in field and (f"field.{name}" in used or field["kind"] in ("person", "people")):
            yield "acts_as removed", name, _without(data, ("fields", name, "acts_as"))
        for role in field.get("acts_as", ()):
            if any(act.get("assigns", {}).get(name) == role for _, act in acts_of(data)):
                yield "acts_as narrowed", f"{name}.{role}", _without(data, ("fields", name, "acts_as"), role)


def _of_states(data: Data) -> Iterator[tuple[str, str, Data]]:
    once = "law.hazard.longest"
    for state, body in data["states"].items():
        yield "within removed", state, _without(data, ("states", state, "within"))
        yield "owner removed", state, _without(data, ("states", state, "owner"))
        if str(body["within"]).startswith("clock."):
            yield "owner exchanged", state, _with(data, ("states", state, "owner"), "appraiser")
        for signal in body.get("ignores", ()):
            yield "ignores removed", f"{state}.{signal}", _without(data, ("states", state, "ignores"), signal)
        for act, inner in body.get("actions", {}).items():
            yield "act removed", f"{state}.{act}", _without(data, ("states", state, "actions", act))
            if inner.get("to") in data["states"] and _goes_back(data, state, str(inner["to"])):
                target = str(inner["to"])
                yield "once-only number re-entered", f"{target} by {act}", _with(data, ("states", target, "within"), once)
    for reader in data.get("readers", ()):
        yield "reader removed", reader, _without(data, ("readers",), reader)


def _goes_back(data: Data, start: str, target: str) -> bool:
    seen, stack = set(), [target]
    while stack:
        at = stack.pop()
        if at == start:
            return True
        if at in seen or at not in data["states"]:
            continue
        seen.add(at)
        for act in data["states"][at].get("actions", {}).values():
            stack.extend(str(act[key]) for key in ("to", "then") if key in act)
    return False


def _of_clocks(data: Data, names: Names) -> Iterator[tuple[str, str, Data]]:
    groups = data.get("groups", {})
    for name, clock in data.get("clocks", {}).items():
        yield "clock removed", name, _without(data, ("clocks", name))
        yield "holder exchanged", name, _with(data, ("clocks", name, "holder"), "appraiser")
        for key in ("starts", "stops"):
            written = [one for word in clock[key] for one in groups.get(word, [word])]
            for word in written:
                left = [one for one in written if one != word]
                yield f"clock {key} removed", f"{name}.{word}", _with(data, ("clocks", name, key), left)
        line = names.law.get(str(clock["amount"]).removeprefix("law."))
        if line is not None and line.kind == "once":
            yield "once-only clock starts afresh", name, _with(data, ("clocks", name, "again"), "each")
            for path, act in acts_of(data):
                if path[0] == "states" and name not in act.get("restarts", ()):
                    changed = _with(data, (*path, "restarts"), [*act.get("restarts", ()), name])
                    yield "once-only number restarted", f"{name} by {path[-1]}", changed


def _of_acts(data: Data, mechanism: Mechanism) -> Iterator[tuple[str, str, Data]]:
    verified = [name for name, end in data["ends"].items() if "unverified" not in end]
    for path, act in acts_of(data):
        where = ".".join(path[1:]).replace("actions.", "")
        for key in ("at_most", "then", "does", "restarts", "recalls"):
            if key in act:
                changed = _without(data, (*path, key))
                if key == "at_most" and "then" in act:
                    changed = _without(changed, (*path, "then"))
                yield f"{key} removed", where, changed
        for work in act.get("verifies", ()):
            yield "verifies removed", f"{where}.{work}", _without(data, (*path, "verifies"), work)
        for field in act.get("clears", ()):
            yield "clears removed", f"{where}.{field}", _without(data, (*path, "clears"), field)
        if act.get("signatures", 1) > 1:
            yield "signatures removed", where, _without(data, (*path, "signatures"))
            if act["signatures"] > 2:
                yield "signature fewer", where, _with(data, (*path, "signatures"), act["signatures"] - 1)
        for guard in ("certified", "one_level_below"):
            if guard in act.get("needs", ()):
                yield "people's guard removed", f"{where}.{guard}", _without(data, (*path, "needs"), guard)
        for by in act.get("by", ()):
            if by.startswith(("child.", "event.", "clock.")) and len(act["by"]) > 1:
                yield "signal unanswered", f"{where}.{by}", _without(data, (*path, "by"), by)
        if path[0] == "open":
            continue
        if "raiser" in act.get("tells", ()) and act.get("to") in data["ends"]:
            yield "raiser untold", where, _without(data, (*path, "tells"), "raiser")
        if path[0] == "states" and "to" in act and act["to"] != path[1]:
            yield "goes nowhere", where, _with(data, (*path, "to"), path[1])
        for end in verified:
            if act.get("does") or (act.get("to") in data["states"] and not act.get("verifies")):
                yield "short cut", f"{where} to {end}", _with(data, (*path, "to"), end)


def _of_ends(data: Data) -> Iterator[tuple[str, str, Data]]:
    for name, end in data["ends"].items():
        if "raiser" in end.get("tells", ()):
            yield "raiser untold", name, _without(data, ("ends", name, "tells"), "raiser")
        if "unverified" not in end and any("verifies" in act and act.get("to") == name for _, act in acts_of(data)):
            yield "end needs no verification", name, _with(data, ("ends", name, "unverified"), "stated")
        if data.get("readers"):
            changed = _with(data, ("ends", name, "tells"), [*end.get("tells", ()), "enterprise"])
            yield "stranger told", name, changed


def _of_children(data: Data) -> Iterator[tuple[str, str, Data]]:
    for kind, child in data.get("children", {}).items():
        if "pause_at_most" in child:
            yield "pause maximum removed", kind, _without(data, ("children", kind, "pause_at_most"))
        if child.get("joined"):
            waits = any(kind in str(body["within"]) for body in data["states"].values())
            if waits or child.get("pauses"):
                yield "child not joined", kind, _with(data, ("children", kind, "joined"), False)
        yield "child never opened", kind, _unopened(data, kind)


def _unopened(data: Data, kind: str) -> Data:
    changed = _copy(data)
    for _, act in acts_of(changed):
        if kind in act.get("opens", ()):
            act["opens"] = [one for one in act["opens"] if one != kind]
    for end in changed["ends"].values():
        if kind in end.get("opens", ()):
            end["opens"] = [one for one in end["opens"] if one != kind]
    return changed


def _of_ladders(mechanism: Mechanism, data: Data, names: Names) -> Iterator[Breakage]:
    for name, rungs in mechanism.ladders.items():
        for number, rung in enumerate(rungs):
            for kind, left in _rungs(rungs, number, rung):
                changed = _with(data, ("ladders", name), plain_ladder(left))
                yield Breakage(kind, mechanism.name, f"{name}[{rung.at}]", changed, None)
    for name, by in mechanism.chosen.items():
        for choice, ladder in by.rows.items():
            aside = _with(data, ("ladders", "aside"), plain_ladder(mechanism.ladders[ladder][:-1]))
            changed = _with(aside, ("ladders", name, choice), "aside")
            yield Breakage("branch of a ladder cut", mechanism.name, f"{name}.{choice}", changed, None)


def _rungs(rungs: tuple[Rung, ...], number: int, rung: Rung) -> Iterator[tuple[str, tuple[Rung, ...]]]:
    yield "rung removed", (*rungs[:number], *rungs[number + 1 :])
    if rung.repeats:
        yield "rung does not repeat", (*rungs[:number], replace(rung, repeats=None), *rungs[number + 1 :])
    if rung.climbs:
        yield "rung does not climb", (*rungs[:number], replace(rung, climbs=None), *rungs[number + 1 :])


# ------------------------------------------------------------ is it equivalent?


def equivalent(breakage: Breakage, old: Mechanism, new: Mechanism, budget: int = 6000) -> str:
    """Why the mutant is no breakage, or nothing."""
    if breakage.kind == "raiser untold":
        return _also_told(breakage, old, new)
    if breakage.kind == "clears removed":
        field = breakage.where.rpartition(".")[2]
        if not _reads(old, field):
            return "unread"
        if all(field in act.sets for act in _readers(old, field)) and not _named(old, field):
            return "reread"
        if _never_there(old, breakage.where.split(".")[0], field):
            return "never there"
    if breakage.kind == "clock stops removed" and breakage.where.endswith(".end"):
        return "ends anyway"
    if breakage.kind in ("act removed", "then removed") and _other_ways(old, new, breakage):
        return "other ways"
    if breakage.kind == "act removed" and _done_later(old, new, breakage):
        return "done later"
    if breakage.kind == "once-only number re-entered" and _entered_once(old, breakage.where.split(" by ")[0]):
        return "once entered"
    if breakage.kind == "signal unanswered" and _heard_by_another(new, breakage):
        return "heard by another"
    if breakage.kind in _SEEN_IN_LIFE and same_life(old, new, budget):
        return "same life"
    return ""


def _never_there(mechanism: Mechanism, place: str, field: str) -> bool:
    state = mechanism.states.get(place)
    if state is None or any(field in (*act.sets, *act.assigns, *act.may_set) for act in state.actions):
        return False
    into = [act for act in _every(mechanism) if place in (act.to, act.then)]
    return bool(into) and all(field in act.clears for act in into)


def _other_ways(old: Mechanism, new: Mechanism, breakage: Breakage) -> bool:
    where, name = breakage.where.split(".")[0], breakage.where.split(".")[-1]
    state = old.states.get(where)
    act = state.offers.get(name) if state else None
    left = new.states.get(where)
    if act is None or left is None or not all(by.partition(".")[0] not in ("event", "clock", "child") for by in act.by):
        return False
    rest = [other for other in _every(new) if other.name != name or breakage.kind == "then removed"]
    targets = {act.then} if breakage.kind == "then removed" else {act.to, act.then}
    reached = all(any(to in (other.to, other.then) for other in rest) for to in targets - {None})
    leaves = any(
        other.to not in (None, where) and any("." not in by or by.startswith("field.") for by in other.by)
        for other in left.actions
        if other.name != name
    )
    given = {field for other in rest for field in (*other.sets, *other.assigns, *other.may_set)}
    opens = {kind for other in rest for kind in other.opens} | {kind for end in new.ends.values() for kind in end.opens}
    gone = set() if breakage.kind == "then removed" else {*act.sets} - given | {*act.opens} - opens
    return reached and leaves and not act.does and not act.verifies and not gone and not (act.starts or act.stops)


def _done_later(old: Mechanism, new: Mechanism, breakage: Breakage) -> bool:
    where, _, name = breakage.where.partition(".")
    act = old.states[where].offers[name]
    if any(by.partition(".")[0] in ("event", "clock", "child", "parent") for by in act.by):
        return False
    return any(
        one.to != where
        and one.to in new.states
        and all("." not in by or by.startswith("field.") for by in one.by)
        and _same_act(new.states[one.to].offers.get(name), act)
        for one in new.states[where].actions
    )


def _same_act(one: Act | None, other: Act) -> bool:
    return one is not None and replace(one, within_states=()) == replace(other, within_states=())


def _entered_once(mechanism: Mechanism, place: str) -> bool:
    into = [act for act in _every(mechanism) if place in (act.to, act.then)]
    return len(into) == 1 and into[0].at_most == 1 and into[0].then != place


def _heard_by_another(new: Mechanism, breakage: Breakage) -> bool:
    name, _, signal = breakage.where.partition(".")
    if "." in signal and signal.partition(".")[0] not in ("event", "clock", "child"):
        name, _, signal = signal.partition(".")
    return all(
        any(signal in act.by for act in state.actions)
        for state in new.states.values()
        if name in state.offers and signal not in state.ignores
    )


_SEEN_IN_LIFE = frozenset(
    {
        "at_most removed",
        "then removed",
        "clock starts removed",
        "clock stops removed",
        "clears removed",
        "recalls removed",
        "goes nowhere",
        "signal unanswered",
        "ignores removed",
    }
)
"""Kinds whose whole effect is on cores and edges; signatures, verifications and tells are not."""


def _also_told(breakage: Breakage, old: Mechanism, new: Mechanism) -> str:
    acts = [act for state in new.states.values() for act in state.actions]
    for act in acts:
        for to in (act.to, act.then):
            if to in new.ends and "raiser" not in act.tells and "raiser" not in new.ends[to].tells:
                return ""
    return "also told"


def _every(mechanism: Mechanism) -> list[Act]:
    return [*mechanism.opening.values(), *(act for state in mechanism.states.values() for act in state.actions)]


def _readers(mechanism: Mechanism, field: str) -> list[Act]:
    found = []
    for act in _every(mechanism):
        guards = [*act.needs, *(inner for guard in act.needs for inner in guard.any_of)]
        exact = any(guard.about == field and guard.name in ("set", "unset") for guard in guards)
        if exact or any(field in mechanism.guards.get(guard.name, {}).get("fields", ()) for guard in guards):
            found.append(act)
    return found


def _named(mechanism: Mechanism, field: str) -> bool:
    words = {state.owner for state in mechanism.states.values()} | {by for act in _every(mechanism) for by in act.by}
    for clock in mechanism.clocks.values():
        words |= {clock.holder, str(clock.since), f"field.{clock.amount.name}" if clock.amount.kind == "field" else ""}
    return f"field.{field}" in words


def _reads(mechanism: Mechanism, field: str) -> bool:
    return bool(_readers(mechanism, field)) or _named(mechanism, field)


def _edges(mechanism: Mechanism, core: Core) -> set[tuple[Any, ...]]:
    """What may happen next, exactly as the kernel's own step and blocks have it."""
    state = mechanism.states.get(core.state)
    found: set[tuple[Any, ...]] = set()
    for act in state.actions if state else ():
        by = frozenset(one for one in act.by if _possible(one, core))
        if by and not blocks(mechanism, core, act):
            for choice in choices(mechanism, core, act):
                found.add((act.name, by, step(mechanism, core, act, choice)))
    signals = state.ignores if state else frozenset()
    return found | {("ignores", signal) for signal in signals}


def _possible(by: str, core: Core) -> bool:
    if by.startswith("clock."):
        return by.split(".")[1] in core.running
    if by.startswith("child."):
        return by.split(".")[1] in core.open_kids
    return True


def same_life(old: Mechanism, new: Mechanism, budget: int) -> bool:
    """Whether both have the same graph; undecided within the budget counts as different."""
    starts = {name: opened(old, act) for name, act in old.opening.items()}
    if starts != {name: opened(new, act) for name, act in new.opening.items()}:
        return False
    seen: set[tuple[Core, Core]] = set()
    queue = deque((core, opened(new, new.opening[name])) for name, core in starts.items())
    while queue:
        before, mirror = queue.popleft()
        left, right = _edges(old, before), _edges(new, mirror)
        if {_bare_edge(edge) for edge in left} != {_bare_edge(edge) for edge in right}:
            return False
        pairs = {_bare_edge(edge): edge for edge in right}
        for edge in left:
            if edge[0] == "ignores":
                continue
            after, other = edge[2], pairs[_bare_edge(edge)][2]
            key = (after, other)
            if key not in seen:
                if len(seen) > budget:
                    return False
                seen.add(key)
                queue.append((after, other))
    return True


def _bare(core: Core) -> Core:
    return replace(core, counts=frozenset())


def _bare_edge(edge: tuple[Any, ...]) -> tuple[Any, ...]:
    return edge if edge[0] == "ignores" else (edge[0], edge[1], _bare(edge[2]))
