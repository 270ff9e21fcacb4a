"""How each deadline of a case is reckoned: from when, how long, by which law number and calendar, what it fired.

In: the clocks of a case that the reader may see. Out: lines for its page, each law number with its address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext

from fengsui.law import numbers
from fengsui.law.views import CONFIDENCE
from fengsui.ledger import titles
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.models import Clock, Rung
from fengsui.moment import LEGAL_ZONE


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One clock with all that its due follows from."""

    clock: Clock
    title: str
    holder: str
    amount: str
    law: str  # the number's title; empty where a field gives the length
    law_url: str
    clause: str
    confidence: str
    fired: list[Rung]


def reckoned(mechanism: Mechanism, clocks: Sequence[Clock], offices: Mapping[Any, Any]) -> list[Reckoned]:
    """Every clock of the case, running ones first; one query for the rungs that fired."""
    fired: dict[int, list[Rung]] = {}
    for rung in Rung.objects.filter(clock__in=[one.pk for one in clocks]).order_by("fired_at"):
        fired.setdefault(rung.clock_id, []).append(rung)
    ordered = sorted(clocks, key=lambda one: (one.stopped is not None, one.due))
    return [_line(mechanism, one, titles.here(offices.get(one.holder_id)), fired.get(one.pk, [])) for one in ordered]


def _line(mechanism: Mechanism, clock: Clock, holder: str, fired: list[Rung]) -> Reckoned:
    number = _number(clock.law.removeprefix("law."), clock.start.astimezone(LEGAL_ZONE).date())
    return Reckoned(
        clock=clock,
        title=titles.clock(mechanism, clock.name),
        holder=holder,
        amount=titles.amount(clock.amount) if clock.amount and clock.law else "",
        law=titles.here(number.title) if number else "",
        law_url=_address(number.name) if number else "",
        clause="·".join(part for part in (gettext(number.source), number.clause) if part) if number else "",
        confidence=_confidence(number.confidence) if number else "",
        fired=fired,
    )


def _number(name: str, on: date) -> numbers.LawNumber | None:
    try:
        return numbers.find(name, on) if name else None
    except numbers.UnknownNumber:
        return None


def _confidence(name: str) -> str:
    return gettext(CONFIDENCE[name]) if name in CONFIDENCE else titles.spaced(name)


def _address(name: str) -> str:
    try:
        return reverse("law:number", args=[name])
    except NoReverseMatch:
        return ""
