"""The checker itself is tested by breaking the shipped mechanisms in every small way: it must notice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import chain, islice
from multiprocessing import get_context

import pytest

from fengsui.ledger.kernel.document import MechanismError
from fengsui.ledger.kernel.load import mechanism as load
from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.proof import Checker
from fengsui.ledger.proof.shipped_proof import load_all, shipped_law, shipped_names
from tests.unit.ledger.breakages import Breakage, breakages, equivalent

pytestmark = pytest.mark.slow

CHUNK = 40
"""Breakages that one process judges at a time."""


class Trial:
    """Checks one mutant with all that its proof rests on, and its parents', which rest on it."""

    def __init__(self) -> None:
        self.names: Names = shipped_names()
        self.law = shipped_law()
        self.mechanisms: dict[str, Mechanism] = dict(load_all(self.names))

    def parents(self, name: str) -> list[str]:
        return sorted(
            parent.name
            for parent in self.mechanisms.values()
            if any(child.joined and child.kind == name for child in parent.children.values())
        )

    def below(self, name: str, found: set[str]) -> set[str]:
        found.add(name)
        for child in self.mechanisms[name].children.values():
            if child.joined and child.kind not in found:
                self.below(child.kind, found)
        return found

    def verdict(self, breakage: Breakage) -> str:
        """Who noticed (``loader``, or the property's number), why it is equivalent, or nothing."""
        names = breakage.names or self.names
        try:
            mutant = load(breakage.data, names)
        except MechanismError:
            return "loader"
        checker = Checker({**self.mechanisms, breakage.mechanism: mutant}, names, self.law, budget=20_000)
        if fault := next(checker.written(breakage.mechanism), None):
            return f"property {fault.property}"
        judged = [breakage.mechanism, *self.parents(breakage.mechanism)]
        needed: set[str] = set().union(*(self.below(name, set()) for name in judged))
        for name in checker.order():
            if name in needed:
                checker.explore(name)
        for name in judged:
            if fault := next(checker.faults(name), None):
                return f"property {fault.property}"
        if fault := next(checker.between(), None):
            return f"property {fault.property}"
        why = equivalent(breakage, self.mechanisms[breakage.mechanism], mutant)
        return f"equivalent: {why}" if why else ""


@cache
def trial() -> Trial:
    """One for each process."""
    return Trial()


def verdicts(name: str, first: int) -> list[tuple[str, str, str]]:
    """Kind, verdict and words of the ``CHUNK`` breakages of a mechanism from ``first`` on."""
    mine = trial()
    some = islice(breakages(mine.mechanisms[name], mine.names), first, first + CHUNK)
    return [(one.kind, mine.verdict(one), str(one)) for one in some]


def test_breakages_are_caught() -> None:
    made: Counter[str] = Counter()
    same: Counter[str] = Counter()
    survivors: list[tuple[str, str]] = []
    mine = trial()
    sizes = {name: sum(1 for _ in breakages(mine.mechanisms[name], mine.names)) for name in mine.mechanisms}
    jobs = [(name, first) for name in sorted(sizes, key=lambda one: -sizes[one]) for first in range(0, sizes[name], CHUNK)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for kind, verdict, words in chain.from_iterable(pool.map(verdicts, *zip(*jobs, strict=True))):
            made[kind] += 1
            if verdict.startswith("equivalent"):
                same[kind] += 1
            elif not verdict:
                survivors.append((kind, words))
    real = made.total() - same.total()
    missed = Counter(kind for kind, _ in survivors)
    table = "\n".join(f"{kind:34}{made[kind]:5} made {same[kind]:4} equivalent {missed[kind]:4} missed" for kind in sorted(made))
    listed = "\n".join(words for _, words in survivors)
    print(f"{real - len(survivors)} of {real} non-equivalent breakages caught, {same.total()} equivalent\n{table}\n{listed}")
    assert made.total() > 1000
    assert same.total() < 0.05 * made.total(), "too much is called equivalent"
    assert not survivors, f"neither caught nor shown to be equivalent (breakages.py says by which criteria):\n{listed}"
