"""Registered guards that are pure over the case's fields, the act's values and raw facts.

Each takes a ``Look`` and says yes or no. Those about people, places and signals live in other rooms, which
hand their truth in as ``Facts.truths``. What each reads is declared in ``data/registry.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fengsui.ledger.kernel.shapes import Case, Facts, Frozen, Json
from fengsui.ledger.kernel.values import blank

COLOURS = ("blue", "yellow", "orange", "red")
"""The four warning colours, lowest first (突发事件应对法 art. 64)."""

GRADES = ("ordinary", "larger", "major", "extraordinary")
"""Accident grades, lowest first (国务院令第493号 art. 3)."""


SUPERVISING = frozenset({"department", "division", "bureau"})
"""Kinds of offices that supervise sites: never an enterprise, a township, a government or a commission."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a guard may look at: the case before the act, the values given with it, raw facts, the time."""

    case: Case
    values: Frozen
    facts: Facts
    now: datetime

    def new(self, field: str) -> Json:
        """The field as it will be: the given value, else the present one."""
        value = self.values.get(field)
        return self.case.fields.get(field) if value is None else value

    def old(self, field: str) -> Json:
        """The field as it is now."""
        return self.case.fields.get(field)


def five_settled(look: Look) -> bool:
    """五落实: responsibility, measures, funds, deadline and contingency plan are all there."""
    return not any(blank(look.new(f)) for f in ("responsibility", "measures", "funds", "deadline", "contingency"))


def evidence_attached(look: Look) -> bool:
    """At least one file is in ``evidence``."""
    return not blank(look.new("evidence"))


def one_level_below(look: Look) -> bool:
    """The new answering office supervises the matter's field of work one level of its place below the present one.

    Fact ``office.line``: office → {below, kind, duty}, for the office chosen as seen from the present one; ``below`` is
    null where it does not stand at the matter's place or a place above that.
    """
    offices: Mapping[Json, Json] = look.facts.given.get("office.line") or {}
    chosen = look.values.get("answering")
    found = offices.get(chosen, offices.get(str(chosen)))
    return bool(found) and found["below"] == 1 and found["kind"] in SUPERVISING and bool(found["duty"])


def _rank(order: tuple[str, ...], value: Json) -> int:
    return order.index(value) if isinstance(value, str) and value in order else -1


def colour_higher(look: Look) -> bool:
    """The given colour is above the present one."""
    return _rank(COLOURS, look.values.get("colour")) > _rank(COLOURS, look.old("colour"))


def colour_lower(look: Look) -> bool:
    """The given colour is a known one below the present one."""
    return 0 <= _rank(COLOURS, look.values.get("colour")) < _rank(COLOURS, look.old("colour"))


_FIGURES = ("deaths", "injuries", "loss")
_UNIT = {"deaths": 1, "injuries": 1, "loss": 1_000_000}  # 10,000 yuan in fen


def grade_of(figures: Frozen, table: Mapping[str, Mapping[str, int]]) -> str:
    """The grade of deaths, injuries and loss (fen) by the law's table, whose rows give the least of each.

    The table's loss is in 10,000 yuan, as the law writes it.
    """
    for grade in reversed(GRADES[1:]):
        least = table.get(grade, {})
        if any(name in least and (figures.get(name) or 0) >= least[name] * _UNIT[name] for name in _FIGURES):
            return str(grade)
    return GRADES[0]


def grade_changed(look: Look) -> bool:
    """Deaths, injuries or loss differ from those on record."""
    return any(look.new(f) != look.old(f) for f in _FIGURES)


def crosses_level(look: Look) -> bool:
    """The new figures make another grade by the law's table (fact ``law.accident.grades``)."""
    table = look.facts.given.get("law.accident.grades") or {}
    new = grade_of({name: look.new(name) for name in _FIGURES}, table)
    return new != grade_of(look.case.fields, table)


def grade_by_law(look: Look) -> bool:
    """The grade is the one that deaths, injuries and loss give by the law's table (fact ``law.accident.grades``)."""
    table = look.facts.given.get("law.accident.grades") or {}
    return bool(look.new("grade") == grade_of({name: look.new(name) for name in _FIGURES}, table))


def grade_ordinary(look: Look) -> bool:
    """The grade is the lowest."""
    return bool(look.new("grade") == GRADES[0])


def larger_or_above(look: Look) -> bool:
    """The grade is larger, major or extraordinary."""
    return _rank(GRADES, look.new("grade")) >= 1


PURE: Mapping[str, Callable[[Look], bool]] = {
    "five_settled": five_settled,
    "evidence_attached": evidence_attached,
    "one_level_below": one_level_below,
    "colour_higher": colour_higher,
    "colour_lower": colour_lower,
    "grade_changed": grade_changed,
    "crosses_level": crosses_level,
    "grade_by_law": grade_by_law,
    "grade_ordinary": grade_ordinary,
    "larger_or_above": larger_or_above,
}
