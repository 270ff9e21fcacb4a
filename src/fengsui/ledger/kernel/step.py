"""The abstract transition that ``decide`` and the proof share.

A ``Core`` is a case without times, values and people: where it is, which bounds are used, which clocks
run, which children live, what is set, what still wants verifying. ``step(mechanism, core, act)`` is what
the act does to it; ``blocks`` is every exact reason why it cannot be done. Neither knows more than the
core: registered guards, fields and persons are for ``decide`` (with facts) and the proof (all of them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from fengsui.ledger.kernel.shapes import Act, Case, Guard, Mechanism, Refusal

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Core:
    """What the life of a case depends on. Hashable; ``state`` may be an end."""

    state: str
    fields: frozenset[str] = NOTHING  # set ones
    counts: frozenset[tuple[str, int]] = frozenset()  # bounded acts only, at most their bound
    running: frozenset[str] = NOTHING  # case clocks that run (or are paused)
    open_kids: frozenset[str] = NOTHING  # child kinds with an open case
    done_kids: frozenset[str] = NOTHING  # child kinds with an ended case
    unverified: frozenset[str] = NOTHING  # doing acts
    verified: frozenset[str] = NOTHING
    mine: frozenset[str] = NOTHING  # the doing acts (or "opened", "child.K") of the one person that the proof plays

    def count(self, act: str) -> int:
        """How often a bounded act was done, at most its bound."""
        for name, times in self.counts:
            if name == act:
                return times
        return 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a core does not determine about one doing of an act.

    ``last``: the child that ends was the last open one of its kind. ``keeps``: per-holder clocks that go
    on in other offices' rows. ``given``: optional fields that were given. ``played``: it was done by the
    person that the proof plays.
    """

    last: bool = True
    keeps: frozenset[str] = NOTHING
    given: frozenset[str] = NOTHING
    played: bool = False


PLAIN = Choice()


def opened(mechanism: Mechanism, act: Act, choice: Choice = PLAIN) -> Core:
    """The core right after an opening act."""
    core = Core(state="", mine=frozenset({"opened"}) if choice.played else NOTHING)
    return step(mechanism, core, act, choice)


def spent(act: Act, core: Core) -> bool:
    """Whether the act's bound is used up."""
    return act.at_most is not None and core.count(act.name) >= act.at_most


def target(act: Act, core: Core) -> str:
    """Where the act leads from here: ``then`` once its bound is spent, else ``to``, else nowhere."""
    if act.then is not None and spent(act, core):
        return act.then
    return act.to or core.state


def exact(core: Core, guard: Guard) -> bool | None:
    """The truth of an exact guard; ``None`` where it needs facts that a core does not have."""
    about = guard.about
    if guard.registered:
        return None
    if guard.name == "set":
        return about in core.fields
    if guard.name == "unset":
        return about not in core.fields
    if guard.name == "clock_running":
        return about in core.running
    if guard.name == "none_open":
        return about not in core.open_kids
    if guard.name == "ended":
        return about in core.done_kids and about not in core.open_kids
    inner = [exact(core, one) for one in guard.any_of]
    if True in inner:
        return True
    return None if None in inner else False


def child_end(by: str) -> tuple[str, str] | None:
    """``child.K.END`` → (K, END)."""
    if not by.startswith("child."):
        return None
    kind, _, end = by.removeprefix("child.").partition(".")
    return kind, end


def blocks(mechanism: Mechanism, core: Core, act: Act) -> tuple[Refusal, ...]:
    """Every exact reason why the act cannot be done now: bound, guards, children. ``()`` if none."""
    reasons: list[Refusal] = []
    if act.at_most is not None and act.then is None and spent(act, core):
        reasons.append(Refusal("spent", act.name, str(act.at_most)))
    for guard in act.needs:
        if exact(core, guard) is False:
            reasons.extend(unmet(one) for one in guard.any_of or (guard,))
    for kind in act.opens:
        child = mechanism.children[kind]
        if child.at_once == 1 and kind in core.open_kids:
            reasons.append(Refusal("at_once", kind, "1"))
    where = target(act, core)
    if where in mechanism.ends:
        reasons.extend(_end_blocks(mechanism, core, act, where))
    return tuple(reasons)


def unmet(guard: Guard) -> Refusal:
    """The refusal for an exact guard that does not hold; ``needs`` is the guard's own name."""
    codes = {"ended": "child_open", "none_open": "child_open", "clock_running": "clock_stopped"}
    return Refusal(codes.get(guard.name, "guard"), guard.about or guard.name, guard.name)


def _end_blocks(mechanism: Mechanism, core: Core, act: Act, where: str) -> Iterator[Refusal]:
    ending = {end[0] for by in act.by if (end := child_end(by))}
    for kind in sorted(core.open_kids):
        child = mechanism.children.get(kind)
        if child and child.joined and kind not in act.recalls and kind not in ending:
            yield Refusal("child_open", kind, "recall")
    if mechanism.ends[where].unverified is None:
        left = core.unverified.difference(act.verifies)
        if act.does:
            left |= {act.name}
        for name in sorted(left):
            yield Refusal("unverified", name, where)


def step(mechanism: Mechanism, core: Core, act: Act, choice: Choice = PLAIN) -> Core:
    """The core after the act. Whether it may be done is ``blocks``' business, not looked at here."""
    where = target(act, core)
    counts = core.counts
    if act.at_most is not None:
        times = core.count(act.name)
        if times < act.at_most:
            counts = (counts - {(act.name, times)}) | {(act.name, times + 1)}
    fields = core.fields
    if act.sets or act.assigns or act.clears or choice.given:
        fields = (fields | set(act.sets) | set(act.assigns) | choice.given) - set(act.clears)
    unverified, verified = core.unverified, core.verified
    if act.verifies:
        verified = verified | (unverified & set(act.verifies))
        unverified = unverified.difference(act.verifies)
    if act.does:
        unverified, verified = unverified | {act.name}, verified - {act.name}
    open_kids, done_kids, mine = _kids(core, act, choice)
    if choice.played and act.does:
        mine = mine | {act.name}
    ended = where in mechanism.ends
    kinds = act.opens + mechanism.ends[where].opens if ended else act.opens
    if kinds:
        after = replace(core, fields=fields, open_kids=open_kids, done_kids=done_kids)
        open_kids = open_kids.union(kind for kind in kinds if wanted(mechanism, after, kind))
    return Core(
        state=where,
        fields=fields,
        counts=counts,
        running=NOTHING if ended else _running(core, act, choice),
        open_kids=open_kids,
        done_kids=done_kids,
        unverified=unverified,
        verified=verified,
        mine=mine,
    )


def wanted(mechanism: Mechanism, after: Core, kind: str) -> bool:
    """Whether an act that opens ``kind`` opens it here: its ``when`` holds after the act."""
    return all(exact(after, guard) for guard in mechanism.children[kind].when)


def _running(core: Core, act: Act, choice: Choice) -> frozenset[str]:
    running = core.running
    if act.stops:
        running = running.difference(act.stops) | (running & choice.keeps)
    if act.starts or act.restarts:
        measured = set(act.starts).intersection(act.stops)  # started and stopped at once: only measured
        running = running.union(act.starts, act.restarts) - measured
    return running


def _kids(core: Core, act: Act, choice: Choice) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    open_kids, done_kids, mine = core.open_kids, core.done_kids, core.mine
    for by in act.by:
        if by.startswith("child."):
            kind = by.split(".", 2)[1]
            if kind in open_kids:
                done_kids = done_kids | {kind}
                open_kids = open_kids - {kind} if choice.last else open_kids
                mine = mine | {f"child.{kind}"} if choice.played else mine
    if act.recalls:
        done_kids = done_kids | (open_kids & set(act.recalls))
        open_kids = open_kids.difference(act.recalls)
    return open_kids, done_kids, mine


def choices(mechanism: Mechanism, core: Core, act: Act) -> Iterator[Choice]:
    """Every way in which the act may turn out, without the played person: what a proof has to try."""
    many = any((end := child_end(by)) and end[0] in core.open_kids and mechanism.children[end[0]].at_once != 1 for by in act.by)
    shared = frozenset(
        clock for clock in act.stops if clock in core.running and mechanism.clocks[clock].per_holder and act.to is None
    )
    options = frozenset(act.may_set) - core.fields
    for last, keeps, given in product(
        (True, False) if many else (True,),
        (NOTHING, shared) if shared else (NOTHING,),
        (NOTHING, options) if options else (NOTHING,),
    ):
        yield Choice(last, keeps, given)


def core_of(mechanism: Mechanism, case: Case) -> Core:
    """The core of a real case."""
    bounded = bounded_acts(mechanism)
    counts, fields, clocks, kids = case.counts, case.fields, mechanism.clocks, case.kids
    used = bounded.keys() & counts.keys()
    return Core(
        case.state,
        frozenset(fields) if None not in fields.values() else frozenset(n for n, v in fields.items() if v is not None),
        frozenset([(name, min(counts[name], bounded[name])) for name in used]),
        frozenset([row.name for row in case.clocks if row.stopped is None and row.name in clocks]),
        frozenset([kid.kind for kid in kids if kid.state == "open"]) if kids else NOTHING,
        frozenset([kid.kind for kid in kids if kid.state == "ended"]) if kids else NOTHING,
        case.unverified,
        case.verified,
    )


def bounded_acts(mechanism: Mechanism) -> dict[str, int]:
    """Act → its bound, for the acts that have one."""
    known = _BOUNDED.get(mechanism.digest)
    if known is None:
        acts = [*mechanism.opening.values(), *mechanism.always.values()]
        acts += [act for state in mechanism.states.values() for act in state.actions]
        known = {act.name: act.at_most for act in acts if act.at_most is not None}
        if mechanism.digest:
            _BOUNDED[mechanism.digest] = known
    return known


_BOUNDED: dict[str, dict[str, int]] = {}
