"""The exhaustive check: twelve properties for every mechanism with its children."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.proof import duties, form, life, openings, persons, reads, ways
from fengsui.ledger.proof.findings import PROPERTIES, Certificate, Finding, Report, shortest_first
from fengsui.ledger.proof.graph import BudgetSpent
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.obligations import Law
from fengsui.ledger.proof.space import Space, kind_of

BUDGET = 100_000
"""Configurations per mechanism; the shipped ones need a few hundred."""


class Checker:
    """Proves a set of mechanisms. ``findings_of`` can be asked again with one mechanism exchanged."""

    def __init__(self, mechanisms: Mapping[str, Mechanism], names: Names, law: Law, budget: int = BUDGET) -> None:
        self.mechanisms = mechanisms
        self.names = names
        self.law = law
        self.budget = budget
        self.lives: dict[str, Life] = {}
        self.alone: dict[str, frozenset[str]] = {}
        self.spent: dict[str, str] = {}

    def order(self) -> list[str]:
        """Children before parents, so that their ends are known; a circle of joined children is cut anywhere."""
        done: dict[str, None] = {}

        def visit(name: str, above: frozenset[str]) -> None:
            if name in done or name in above or name not in self.mechanisms:
                return
            for kind in sorted(self.mechanisms[name].children):
                if self.mechanisms[name].children[kind].joined:
                    visit(kind, above | {name})
            done[name] = None

        for name in sorted(self.mechanisms):
            visit(name, frozenset())
        return list(done)

    def explore(self, name: str) -> Life | None:
        """The mechanism's life, or ``None`` where the budget was spent (noted in ``spent``)."""
        if name not in self.lives and name not in self.spent:
            mechanism = self.mechanisms[name]
            ends = {kind: answerable_ends(self.mechanisms[kind]) for kind in mechanism.children if kind in self.mechanisms}
            for kind in mechanism.children:
                if kind in self.lives:
                    ends[kind] = reached_ends(self.lives[kind])
            try:
                known = Life(Space(mechanism, ends, self.budget), self.names)
                self.alone[name] = persons.Solo(known, self.alone).ends()
                self.lives[name] = known
            except BudgetSpent as error:
                self.spent[name] = str(error)
        return self.lives.get(name)

    def findings_of(self, name: str) -> tuple[Finding, ...]:
        """Everything wrong with one mechanism, each with its line and the shortest way there."""
        return shortest_first(self.shown(one) for one in shortest_first(self.faults(name)))

    def shown(self, finding: Finding) -> Finding:
        """The finding with its line, and with its way where the check that found it needed no search.

        Where the budget was spent, or is spent by the way's own search, there is the line alone.
        """
        name = finding.mechanism
        mechanism, known = self.mechanisms[name], None if name in self.spent else self.lives.get(name)
        try:
            return ways.shown(finding, mechanism, self.names, known)
        except BudgetSpent as error:
            self.spent[name] = str(error)
            return ways.shown(finding, mechanism, self.names, None)

    def faults(self, name: str) -> Iterator[Finding]:
        """The same one by one, as they are found."""
        yield from self.written(name)
        try:
            known = self.explore(name)
            if known is not None:
                yield from self._searched(known)
        except BudgetSpent as error:
            self.spent[name] = str(error)
        if name in self.spent:
            yield Finding(0, name, f"the search budget is spent ({self.spent[name]}): nothing is proven")

    def written(self, name: str) -> Iterator[Finding]:
        """What is wrong in the text alone, before anything is searched."""
        mechanism = self.mechanisms[name]
        yield from form.owners(mechanism, self.names)
        yield from form.posts_fit(mechanism)
        yield from form.law_signatures(mechanism, self.names)
        yield from form.ladders(mechanism, self.law)
        yield from form.once_numbers(mechanism, self.names)
        yield from form.clock_acts(mechanism)
        yield from form.pointless(mechanism)
        yield from form.pauses(mechanism, self.mechanisms)
        yield from openings.openings_meet(mechanism, self.mechanisms)
        yield from form.confidential(mechanism, self.mechanisms)
        yield from form.signals(mechanism, self.names)

    def _searched(self, known: Life) -> Iterator[Finding]:
        """The dear ones last: whoever asks for one finding only has it the sooner."""
        yield from life.clocks_run(known)
        yield from life.raiser_told(known)
        yield from life.ends_reachable(known)
        yield from life.cycles(known)
        yield from life.once_again(known)
        yield from life.children_answered(known)
        yield from life.clock_signals(known)
        yield from persons.work_verified(known)
        yield from persons.nobody_alone(known, self.alone)
        yield from persons.assent_verifies(known)
        yield from duties.obligations_met(known, self.law)
        yield from life.stops_happen(known)
        yield from life.nothing_unreachable(known)
        yield from reads.fields_fresh(known)

    def between(self) -> Iterator[Finding]:
        """What only all mechanisms together show."""
        yield from openings.joined_cycle(self.mechanisms)
        yield from openings.unasked_cycles({name: openings.opened_unasked(known) for name, known in self.lives.items()})

    def certificate(self, name: str, seconds: float) -> Certificate:
        """The certificate of a mechanism without findings."""
        mechanism, graph = self.mechanisms[name], self.lives[name].graph
        return Certificate(
            mechanism=name,
            digest=mechanism.digest,
            configurations=len(graph.nodes),
            edges=graph.edges,
            properties=tuple(number for number in PROPERTIES if number),
            rests_on={kind: self.mechanisms[kind].digest for kind in sorted(mechanism.children) if kind in self.mechanisms},
            obligations=len(self.law.of(name)),
            seconds=round(seconds, 4),
        )


def answerable_ends(mechanism: Mechanism) -> frozenset[str]:
    """The ends a child may bring by itself: not those that only its parent's recall leads to."""
    acts = [act for state in mechanism.states.values() for act in state.actions]
    acts += list(mechanism.opening.values())
    return frozenset(
        to
        for act in acts
        for to in (act.to, act.then)
        if to is not None and to in mechanism.ends and any(kind_of(by) != "recall" for by in act.by)
    )


def reached_ends(known: Life) -> frozenset[str]:
    """The same, as the search of the child found it."""
    return frozenset(
        known.graph.nodes[target].state
        for out in known.graph.out
        for move, target in out
        if known.graph.nodes[target].state in known.mechanism.ends and move.kinds - {"recall"}
    )


def check(mechanisms: Mapping[str, Mechanism], names: Names, law: Law | None = None, *, budget: int = BUDGET) -> Report:
    """Prove all mechanisms; never raises for what is wrong in them."""
    begun = time.perf_counter()
    checker = Checker(mechanisms, names, law or Law(), budget)
    findings: dict[str, tuple[Finding, ...]] = {}
    seconds: dict[str, float] = {}
    for name in checker.order():
        start = time.perf_counter()
        findings[name] = checker.findings_of(name)
        seconds[name] = time.perf_counter() - start
    everything: Iterable[Finding] = (
        *(one for found in findings.values() for one in found),
        *map(checker.shown, checker.between()),
    )
    ordered = shortest_first(everything)
    broken = {finding.mechanism for finding in ordered}
    return Report(
        findings=ordered,
        certificates={name: checker.certificate(name, seconds[name]) for name in findings if name not in broken},
        seconds=time.perf_counter() - begun,
        spent=tuple(sorted(checker.spent)),
    )
