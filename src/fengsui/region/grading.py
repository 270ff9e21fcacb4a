"""The grade of a hazard unit, as the law's room reckons it: this room asks, and knows no table of the standard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from .models import HazardUnit


@dataclass(frozen=True, slots=True)
class Standard:
    """What the law's room gives: the sums and the grade of amounts (tonnes, number, classes), and what may be chosen."""

    assess: Callable[[Sequence[tuple[float, str, Sequence[str]]], int, date], tuple[float, float, int | None]]
    named: Callable[[date], list[tuple[str, str]]]
    classes: Callable[[date], list[tuple[str, str]]]


_standard: list[Standard] = []


def use(standard: Standard) -> None:
    """Grade by this standard from now on."""
    _standard[:] = [standard]


def standard() -> Standard:
    """The standard in use; ``LookupError`` where no room brought one."""
    if not _standard:
        raise LookupError("no room brings a standard to grade hazard units by")
    return _standard[0]


def grade(unit: HazardUnit, today: date) -> None:
    """Reckon and save S, R and grade from what the unit holds. Raises ``ValueError`` naming what does not fit."""
    held = [(one.tonnes, one.named, one.classes) for one in unit.substances.all()]
    unit.s, unit.r, unit.grade = standard().assess(held, unit.exposed, today)
    unit.assessed_on = today
    unit.save(update_fields=["s", "r", "grade", "assessed_on"])
