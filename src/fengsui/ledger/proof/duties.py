"""The law's obligations held against a mechanism (properties 1, 4 and 5; rungs are checked with the ladders)."""

from __future__ import annotations

from collections.abc import Iterator

from fengsui.ledger.kernel.shapes import Act, Clock, State
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.form import every_act
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.obligations import Law, Obligation


def obligations_met(life: Life, law: Law) -> Iterator[Finding]:
    """What the law asks of this mechanism and the file does not give."""
    for line in law.of(life.mechanism.name):
        if line.act:
            yield from _act(life, line)
        elif line.end:
            yield from _end(life, line)
        elif line.runs:
            yield from _runs(life, line)


def _act(life: Life, line: Obligation) -> Iterator[Finding]:
    acts = {(where, act.name): act for where, act in every_act(life.mechanism) if act.name == line.act}
    name = life.mechanism.name
    if not acts:
        yield Finding(4, name, f"the law asks for an act {line.act}: {line.clause}", act=line.act)
    for (where, _), act in acts.items():
        if act.signatures < line.signatures:
            says = f"{act.signatures} of {line.signatures} signatures that the law asks for: {line.clause}"
            yield Finding(4, name, says, where, act.name)
        if missing := sorted(set(line.verifies) - set(act.verifies)):
            yield Finding(4, name, f"it does not verify {', '.join(missing)}: {line.clause}", where, act.name)
        asked = {guard.name for guard in act.needs if guard.registered}
        if lacking := sorted(set(line.needs) - asked):
            yield Finding(4, name, f"it does not need {', '.join(lacking)}: {line.clause}", where, act.name)
        if line.at_most is not None and (act.at_most is None or act.at_most > line.at_most):
            yield Finding(5, name, f"more than {line.at_most} times: {line.clause}", where, act.name)


def _end(life: Life, line: Obligation) -> Iterator[Finding]:
    mechanism = life.mechanism
    end = mechanism.ends.get(line.end)
    if end is None:
        yield Finding(4, mechanism.name, f"the law asks for an end {line.end}: {line.clause}", line.end)
        return
    if line.verified and end.unverified is not None:
        yield Finding(4, mechanism.name, f"the law wants this end verified: {line.clause}", line.end)
    for group in line.after:

        def change(act: Act, flag: object, before: str, after: str, group: tuple[str, ...] = group) -> tuple[bool, ...]:
            return (bool(flag) or act.name in group,)

        found = life.space.flagged(
            lambda move, group=group: (move.name in group,),  # type: ignore[misc]
            change,
            lambda act, group=group: act.name in group,  # type: ignore[misc]
        )
        for at, (node, done) in enumerate(found.nodes):
            if not done and life.graph.nodes[node].state == line.end:
                way = tuple(move.name for move in found.way(at))
                says = f"it is reached without {' or '.join(group)}: {line.clause}"
                yield Finding(4, mechanism.name, says, line.end, way[-1], way)
                break


def _runs(life: Life, line: Obligation) -> Iterator[Finding]:
    mechanism = life.mechanism
    number = f"law number {line.runs}"
    states = [state for state in mechanism.states.values() if _same(state.within.name, line.runs)]
    clocks = [clock for clock in mechanism.clocks.values() if _same(clock.amount.name, line.runs)]
    if not clocks and not states:
        yield Finding(1, mechanism.name, f"nothing runs {number}: {line.clause}")
        return
    for where, act in every_act(mechanism) if states and not clocks else ():
        if act.name in line.starts and act.to not in {state.name for state in states}:
            yield Finding(1, mechanism.name, f"{number} does not run after it: {line.clause}", where, act.name)
    held = [clock for clock in clocks if line.holder in ("", clock.holder)]
    if line.holder and not held and not any(state.owner == line.holder for state in states):
        roles = sorted({clock.holder for clock in clocks} | {state.owner for state in states})
        yield Finding(
            1,
            mechanism.name,
            f"{number} runs for {', '.join(roles)}, not for {line.holder}: {line.clause}",
            place=_place(clocks, states),
        )
    for clock in held[:1]:
        if missing := sorted(set(line.starts) - clock.starts):
            yield Finding(
                1, mechanism.name, f"{number} is not started by {', '.join(missing)}: {line.clause}", place=f"clocks.{clock.name}"
            )
        if missing := sorted(set(line.stops) - clock.stops):
            yield Finding(
                1, mechanism.name, f"{number} is not stopped by {', '.join(missing)}: {line.clause}", place=f"clocks.{clock.name}"
            )
        for state, way in _never_ran(life, clock.name, line.until):
            yield Finding(1, mechanism.name, f"{number} never ran on the way to {state}: {line.clause}", state, path=way)


def _place(clocks: list[Clock], states: list[State]) -> str:
    return f"clocks.{clocks[0].name}" if clocks else f"states.{states[0].name}"


def _same(written: str, number: str) -> bool:
    return written.removeprefix("law.") == number


def _never_ran(life: Life, clock: str, ends: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not ends:
        return

    def change(act: Act, flag: object, before: str, after: str) -> tuple[bool, ...]:
        return (bool(flag) or clock in act.starts,)

    found = life.space.flagged(lambda move: (clock in move.act.starts,), change, lambda act: clock in act.starts)
    for at, (node, ran) in enumerate(found.nodes):
        if not ran and life.graph.nodes[node].state in ends:
            yield life.graph.nodes[node].state, tuple(move.name for move in found.way(at))
