"""Rules from points' limits, changes to them, and how the engine learns of both.

The engine is told over the stream, one message per site. Anyone may change rules in the database; the
relay compares what stands there with what it told last and says what differs, also at a rule's own
``since`` and ``until``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from fengsui.law import numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Point, Site
from fengsui.watch.configuration import SiteConfiguration
from fengsui.watch.engine import Level
from fengsui.watch.models import Alarm, Concealment, Rule

_GAS = {"combustible_gas", "toxic_gas", "oxygen", "methane", "carbon_monoxide"}
_LIMITS = (("HH", "high_high", 1), ("H", "high", 2), ("L", "low", 2), ("LL", "low_low", 1))


DEFAULTS = (
    "alarm.on_delay", "alarm.on_delay_gas", "alarm.off_delay", "alarm.deadband", "alarm.silent_after", "alarm.bad_after",
)  # fmt: skip
"""The law numbers that stand in for what nobody has set: proposed by the platform, amendable, each with its date."""


def defaults(now: datetime) -> dict[str, float]:
    """Their values on the legal day: seconds, and the deadband as a share of the measuring range."""
    today = now.astimezone(LEGAL_ZONE).date()
    return {name: float(numbers.find(name, today).value) for name in DEFAULTS}


def delays_ms(quantity: str, known: Mapping[str, float]) -> tuple[int, int]:
    """(on, off) in milliseconds: gas raises at once, process values wait."""
    return round(known[on_delay_of(quantity)] * 1000), round(known["alarm.off_delay"] * 1000)


def on_delay_of(quantity: str) -> str:
    """The name of the default that delays an alarm of this quantity."""
    return "alarm.on_delay_gas" if quantity in _GAS else "alarm.on_delay"


def deadband_of(point: Point, limit: float, known: Mapping[str, float]) -> float:
    """The default deadband in the point's measure: a share of its range, or of the limit where the range is not known."""
    span = (point.range_high or 0.0) - (point.range_low or 0.0)
    return known["alarm.deadband"] * (span if span > 0 else abs(limit))


def derive(points: Iterable[Point], now: datetime) -> list[Rule]:
    """Unsaved rules from the points' own limits with the ``DEFAULTS``, with silence and bad quality for each.

    Whoever knows the plant gives it better ones.
    """
    made, known = [], defaults(now)
    silent, bad = (round(known[name] * 1000) for name in ("alarm.silent_after", "alarm.bad_after"))
    for point in points:
        on_delay, off_delay = delays_ms(point.quantity, known)
        for level, column, priority in _LIMITS:
            limit = getattr(point, column)
            if limit is None:
                continue
            deadband = deadband_of(point, limit, known)
            made.append(
                Rule(
                    point=point, level=level, limit=limit, deadband=deadband, on_delay_ms=on_delay,
                    off_delay_ms=off_delay, priority=priority, hazard_kind=point.quantity, since=now,
                )
            )  # fmt: skip
        made.append(Rule(point=point, level="SILENT", on_delay_ms=silent, priority=3, hazard_kind="offline", since=now))
        made.append(Rule(point=point, level="BAD", on_delay_ms=bad, priority=3, hazard_kind="quality", since=now))
    return made


def change(rule: Rule, now: datetime, **columns: Any) -> Rule:
    """End ``rule`` and begin another that differs in the given columns; what hides its alarms, and the open one, go along.

    Raises ``ValueError`` for an ended rule or a column that a change may not touch.
    """
    allowed = {"limit", "deadband", "on_delay_ms", "off_delay_ms", "priority", "hazard_kind", "colour", "latched"}
    if stray := set(columns) - allowed:
        raise ValueError(f"{', '.join(sorted(stray))}: a rule's change may give {', '.join(sorted(allowed))}")
    with transaction.atomic():
        old = Rule.objects.unscoped("the caller has the rule in hand").select_for_update(no_key=True).get(pk=rule.pk)
        if old.until is not None and old.until <= now:
            raise ValueError(f"rule {old.pk} ended at {old.until:%Y-%m-%d %H:%M}: change the one that follows it")
        old.until = now
        old.save(update_fields=["until"])
        names = {f.attname for f in Rule._meta.concrete_fields} - {"id", "since", "until", "taken_at", "left_at"}
        kept = {name: getattr(old, name) for name in names}
        made: Rule = Rule.objects.create(**{**kept, **columns}, since=now)
        for model, end in ((Concealment, "ended_at"), (Alarm, "closed_at")):
            rows = model.objects.unscoped("they follow their rule")  # type: ignore[attr-defined]
            rows.filter(rule=old, **{f"{end}__isnull": True}).update(rule=made)
        return made


def standing(rule: Rule) -> Rule:
    """The rule that runs now at the same point and level, which may have replaced ``rule``; else ``rule`` itself."""
    if rule.until is None:
        return rule
    rows = Rule.objects.unscoped("the caller has the rule in hand")
    return rows.filter(point_id=rule.point_id, level=rule.level, until__isnull=True).first() or rule


def configurations(now: datetime, sites: Iterable[int] | None = None) -> Iterator[SiteConfiguration]:
    """What the engine must know now, site by site; ``sites`` narrows to these ids."""
    where = Q(closed_on__isnull=True, site__closed_on__isnull=True)
    if sites is not None:
        where &= Q(site_id__in=list(sites))
    tags: dict[int, dict[str, int]] = defaultdict(dict)
    points = Point.objects.unscoped("the engine watches all points").filter(where)
    for site, tag, point in points.values_list("site_id", "tag", "id"):
        tags[site][tag] = point
    rules: dict[int, list[tuple[int, int, int, float, float, int, int]]] = defaultdict(list)
    on = Q(since__lte=now) & (Q(until__isnull=True) | Q(until__gt=now))
    on &= Q(point__closed_on__isnull=True, point__site__closed_on__isnull=True)
    if sites is not None:
        on &= Q(point__site_id__in=list(sites))
    columns = ("point__site_id", "id", "point_id", "level", "limit", "deadband", "on_delay_ms", "off_delay_ms")
    rows = Rule.objects.unscoped("the engine watches all points").filter(on).order_by("id").values_list(*columns)
    for site, rule, point, level, limit, deadband, on_delay, off_delay in rows:
        rules[site].append((rule, point, Level[level], limit or 0.0, deadband, on_delay, off_delay))
    gone = _emptied(sites)
    codes = Site.objects.unscoped("the engine watches all sites").values_list("id", "code")
    for site, code in codes if sites is None else codes.filter(id__in=list(sites)):
        if site in tags or site in gone:
            yield SiteConfiguration.of(code, tags[site], rules[site])


def _emptied(sites: Iterable[int] | None) -> set[int]:
    """Sites of which nothing is watched any more: the engine is told so, or it would go on."""
    rows = Point.objects.unscoped("the engine watches all points")
    rows = rows.filter(Q(closed_on__isnull=False) | Q(site__closed_on__isnull=False))
    if sites is not None:
        rows = rows.filter(site_id__in=list(sites))
    return set(rows.order_by().values_list("site_id", flat=True).distinct())


def install(now: datetime) -> int:
    """Give every point that has no rule the ones derived from its limits; give how many rules were made."""
    bare = Point.objects.unscoped("every point is watched").filter(
        rules__isnull=True, closed_on__isnull=True, site__closed_on__isnull=True
    )
    return len(Rule.objects.bulk_create(derive(bare, now), batch_size=5_000))
