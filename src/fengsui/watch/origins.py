"""Where a running rule's numbers come from: the law, the point's design, the platform's defaults, or the plant itself.

A default that no regulation sets is called proposed wherever it is shown (rulebook: pages must say so).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from fengsui.law import numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Point
from fengsui.watch import rulechanges, rules
from fengsui.watch.models import Rule


class Origin(NamedTuple):
    """``kind`` law, design, default or plant; ``said`` in the reader's language; ``number`` the law number, if any.

    ``proposed``: no regulation stands behind it.
    """

    kind: str
    said: str
    number: str = ""
    proposed: bool = False


def of_rule(rule: Rule, point: Point, now: datetime) -> dict[str, Origin]:
    """The origin of ``limit``, ``deadband``, ``on_delay`` and ``off_delay``; of silence and bad quality ``on_delay`` alone."""
    known = rules.defaults(rule.since)
    if rule.level in rulechanges.TIMED:
        name = {"SILENT": "alarm.silent_after", "BAD": "alarm.bad_after"}[rule.level]
        return {"on_delay": _default(name, rule.on_delay_ms / 1000, known[name], rule.since)}
    gas = rules.on_delay_of(point.quantity)
    band = rules.deadband_of(point, rule.limit or 0.0, known)
    return {
        "limit": _limit(rule, point, now),
        "deadband": _default("alarm.deadband", rule.deadband, band, rule.since),
        "on_delay": _default(gas, rule.on_delay_ms / 1000, known[gas], rule.since),
        "off_delay": _default("alarm.off_delay", rule.off_delay_ms / 1000, known["alarm.off_delay"], rule.since),
    }


def default_words(name: str, value: float, at: datetime) -> str:
    """What a form says of a default: whether a regulation stands behind it, and its value."""
    return f"{_default(name, value, value, at).said}: {value:.4g}"


def plain(found: Mapping[str, Origin]) -> dict[str, dict[str, object]]:
    """For programs."""
    return {name: origin._asdict() for name, origin in found.items()}


def _limit(rule: Rule, point: Point, now: datetime) -> Origin:
    bounds = rulechanges.bounds(point, rule.level, now.astimezone(LEGAL_ZONE).date())
    for bound in sorted(bounds, key=lambda one: not one.number):  # where both say the same, the law stands above the design
        if rule.limit is not None and math.isclose(rule.limit, bound.value):
            if not bound.number:
                return Origin("design", _("design limit"))
            return Origin("law", _("proposed, not law") if bound.proposed else bound.source, bound.number, bound.proposed)
    return Origin("plant", _("set by the plant"))


def _default(name: str, value: float, default: float, at: datetime) -> Origin:
    if not math.isclose(value, default, rel_tol=1e-9, abs_tol=1e-12):
        return Origin("plant", _("set by the plant"))
    number = numbers.find(name, at.astimezone(LEGAL_ZONE).date())
    if number.amended:
        return Origin("default", _("default by %(paper)s") % {"paper": number.amended}, name)
    if number.proposed:
        return Origin("default", _("proposed default"), name, True)
    return Origin("default", f"{_(number.source)} {number.clause}".strip(), name)
