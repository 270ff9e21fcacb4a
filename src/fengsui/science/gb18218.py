"""GB 18218-2018: is a unit a major hazard installation, and of which grade.

The sums are the standard's clauses 4.2 and 4.3: S = Σ qᵢ/Qᵢ, R = α Σ βᵢ qᵢ/Qᵢ. The tables (Q, β, α, bands of R)
are handed in as data; this module holds no number of the law.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """A substance's critical quantity in tonnes and its correction factor β (dimensionless)."""

    critical_t: float
    beta: float


@dataclass(frozen=True, slots=True)
class Tables:
    """The standard's tables: by table-1 number, by class symbol, α by least number exposed, grade by least R."""

    named: Mapping[str, float]  # table 1: number → Q in t
    beta_named: Mapping[str, float]  # table 3: number → β
    classes: Mapping[str, Limit]  # tables 2 and 4: symbol → Q, β
    alpha: tuple[tuple[int, float], ...]  # table 5, from the most people down
    grades: tuple[tuple[float, int], ...]  # table 6: (least R, grade), from the highest R down


@dataclass(frozen=True, slots=True)
class Amount:
    """What a unit may hold at most by design: tonnes, the table-1 number where named, its class symbols.

    A mixture in the class of its pure substance counts with its whole mass (clause 4.2.3).
    """

    tonnes: float
    named: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """The sums; ``grade`` is 1–4, or ``None`` where S < 1: then the unit is no major hazard installation."""

    s: float
    r: float
    alpha: float
    grade: int | None


def limit(amount: Amount, tables: Tables) -> Limit:
    """Q and β of one substance: by name first, else the class with the lowest Q (clause 4.2.2).

    A named substance without a β of its own takes that of its class. Raises ``ValueError`` naming what is
    missing: an unknown number or symbol, or no class to take β from.
    """
    for symbol in amount.classes:
        if symbol not in tables.classes:
            raise ValueError(f"GB 18218 has no class {symbol!r}")
    lowest = min((tables.classes[symbol] for symbol in amount.classes), key=lambda one: one.critical_t, default=None)
    if not amount.named:
        if lowest is None:
            raise ValueError("a substance needs its number in table 1 or a class symbol")
        return lowest
    if amount.named not in tables.named and amount.named not in tables.beta_named:
        raise ValueError(f"GB 18218 table 1 has no number {amount.named!r}")
    beta = tables.beta_named.get(amount.named, lowest.beta if lowest else None)
    critical = tables.named.get(amount.named, lowest.critical_t if lowest else None)
    if beta is None or critical is None:
        raise ValueError(f"substance {amount.named} of table 1 needs its class symbol for β or Q")
    return Limit(critical, beta)


def alpha(exposed: int, tables: Tables) -> float:
    """The correction for people outside the boundary; raises ``ValueError`` for a negative count."""
    if exposed < 0:
        raise ValueError(f"exposed people cannot be {exposed}")
    return next(factor for least, factor in tables.alpha if exposed >= least)


def assess(amounts: Iterable[Amount], exposed: int, tables: Tables) -> Assessment:
    """S, R, α and the grade of one unit.

    Raises ``ValueError`` for a mass that is negative or no number.
    """
    s = weighed = 0.0
    for amount in amounts:
        if not math.isfinite(amount.tonnes) or amount.tonnes < 0:
            raise ValueError(f"a mass cannot be {amount.tonnes} t")
        one = limit(amount, tables)
        s += amount.tonnes / one.critical_t
        weighed += one.beta * amount.tonnes / one.critical_t
    factor = alpha(exposed, tables)
    r = factor * weighed
    return Assessment(s, r, factor, grade(r, tables) if s >= 1 else None)


def grade(r: float, tables: Tables) -> int:
    """The grade of a major hazard installation with this R."""
    return next(level for least, level in tables.grades if r >= least)
