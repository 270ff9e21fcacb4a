"""Changes of alarm rules by the plant's own safety managers: within the law's and the design's limits, on record.

ISA-18.2 asks of every change who made it and why; the engine takes it over through its stream, and says when.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fengsui.law import numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import Acting
from fengsui.region.models import Point, Site
from fengsui.region.tree import tree
from fengsui.watch import news, rules
from fengsui.watch.models import Alarm, AlarmEvent, Concealment, Rule, RuleChange

LEVELS = ("HH", "H", "L", "LL")
TIMED = ("BAD", "SILENT")
DESIGN = {"HH": "high_high", "H": "high", "L": "low", "LL": "low_low"}
LONGEST_DELAY_S = 3_600
"""A value beyond its limit for an hour without an alarm is no delay but an alarm switched off."""
GROUNDS = 1_000
"""Characters of a change's grounds; longer ones are refused, not cut."""
_CHANGED = ("limit", "deadband", "on_delay_ms", "off_delay_ms")


class Unfit(ValueError):
    """The rules cannot stand so; ``field`` names the value, the text the remedy."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one level of a point is to be: ``limit`` None takes the level away. Delays in seconds."""

    limit: float | None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Bound:
    """How far a limit may go: at most (of H, HH) or at least (of L, LL) ``value``, and who says so.

    ``number`` is the law number's name, empty for the design's; ``proposed``: no regulation stands behind that number.
    """

    value: float
    source: str
    number: str = ""
    proposed: bool = False


def may_change(acting: Acting, site: Site) -> bool:
    """The enterprise's own posts of safety; whoever supervises it looks on."""
    picture = tree()
    post, office = picture.posts.get(acting.post_id), picture.offices.get(site.office_id)
    own = picture.offices.get(acting.office_id)
    if post is None or office is None or own is None or own.kind != "enterprise":
        return False
    return bool(post.duties & {"safety"}) and office.path.startswith(own.path) and acting.may_do("watch", "rules")


def bounds(point: Point, level: str, on: date) -> list[Bound]:
    """The design's and the law's limits of this level on that day; empty where neither says anything."""
    found = []
    design = getattr(point, DESIGN[level])
    if design is not None:
        found.append(Bound(design, _("design limit of the point")))
    law = _law(point, level, on)
    return [*found, law] if law is not None else found


def _methane(place: str, on: date) -> str:
    """The number that holds the place: returns of areas, rooms and stations stand apart, from memory."""
    try:
        return numbers.find("mine.methane_area", on, place=place).name
    except numbers.UnknownNumber:
        return "monitoring.methane"


def _law(point: Point, level: str, on: date) -> Bound | None:
    """What the law sets at most (at least for the low oxygen alarm) for gas, methane, CO and slopes."""
    names: dict[str, tuple[str, dict[str, str]]] = {
        "combustible_gas": ("monitoring.combustible", {"level": "1" if level == "H" else "2"}),
        "toxic_gas": ("monitoring.toxic", {"substance": point.substance}),
        "methane": (_methane(point.substance, on), {"place": point.substance}),
        "carbon_monoxide": ("monitoring.mine_co", {}),
        "displacement": ("monitoring.displacement", {}),
        "oxygen": ("monitoring.oxygen", {"level": "low" if level in ("L", "LL") else "high"}),
    }
    if point.quantity not in names or (level in ("L", "LL") and point.quantity != "oxygen"):
        return None
    name, keys = names[point.quantity]
    try:
        number = numbers.find(name, on, **keys)
    except numbers.UnknownNumber:
        return None
    value = number.value
    if isinstance(value, dict):
        value = value.get("alarm" if level == "H" else "cut")
    if (number.unit.split() or [""])[0] != point.measure:
        return None  # measured in another unit: no comparison, rather than a wrong one
    if isinstance(value, list):
        value = value[0] if level == "H" else value[1]
    if not isinstance(value, int | float):
        return None
    return Bound(float(value), f"{_(number.source)} {number.clause}".strip(), name, number.proposed)


def check(point: Point, wanted: Mapping[str, Wanted], on: date) -> None:
    """Raises ``Unfit`` for the first value that cannot stand."""
    for level, asked in wanted.items():  # no bound is passed by "not a number", and the engine's configuration cannot carry it
        if not all(math.isfinite(value or 0.0) for value in (asked.limit, asked.deadband, asked.on_delay_s, asked.off_delay_s)):
            raise Unfit(f"{level}_limit", _("Enter a number, for example 2.5"))
    for level in LEVELS:
        if level in wanted:
            _check_limit(point, level, wanted[level], on)
    given = [(level, one.limit) for level in reversed(LEVELS) if (one := wanted.get(level)) and one.limit is not None]
    for (_lower, low), (level, high) in pairwise(given):
        if low is not None and high is not None and low >= high:
            raise Unfit(f"{level}_limit", _("The limits must rise: LL below L below H below HH."))
    for level in wanted:
        _check_times(level, wanted[level])
    silent = wanted.get("SILENT")
    if silent is not None and silent.on_delay_s < 5:
        raise Unfit("SILENT_on", _("At least 5 seconds: a line that breathes is not silent."))


def _check_limit(point: Point, level: str, one: Wanted, on: date) -> None:
    name, known = f"{level}_limit", bounds(point, level, on)
    if one.limit is None:
        if known:
            raise Unfit(name, _("This level is required by %(source)s; give its limit.") % {"source": known[0].source})
        return
    low, high = point.range_low, point.range_high
    if (low is not None and one.limit < low) or (high is not None and one.limit > high):
        raise Unfit(name, _("This lies outside the measuring range."))
    for bound in known:
        looser = one.limit > bound.value if level in ("H", "HH") else one.limit < bound.value
        if looser:
            text = _("At most %(value)g (%(source)s).") if level in ("H", "HH") else _("At least %(value)g (%(source)s).")
            raise Unfit(name, text % {"value": bound.value, "source": bound.source})
    span = (point.range_high or 0.0) - (point.range_low or 0.0)
    if one.deadband < 0 or (span > 0 and one.deadband >= span / 2):
        raise Unfit(f"{level}_deadband", _("The deadband lies between 0 and half of the measuring range."))
    if span <= 0 and one.deadband > abs(one.limit) / 2:  # an alarm that hardly ever clears hides the next one
        raise Unfit(f"{level}_deadband", _("The deadband lies between 0 and half of the limit."))


def _check_times(level: str, one: Wanted) -> None:
    for name, seconds in ((f"{level}_on", one.on_delay_s), (f"{level}_off", one.off_delay_s)):
        if not 0 <= seconds <= LONGEST_DELAY_S:
            raise Unfit(name, _("Between 0 and %(most)s seconds.") % {"most": LONGEST_DELAY_S})


def running(point: Point, now: datetime) -> dict[str, Rule]:
    """The rules that run for a point, by level."""
    rows = Rule.objects.unscoped("the caller has the point in hand").filter(point=point, since__lte=now)
    return {rule.level: rule for rule in rows if rule.until is None or rule.until > now}


def change(point: Point, wanted: Mapping[str, Wanted], grounds: str, acting: Acting, now: datetime) -> list[RuleChange]:
    """Let the point's rules be so from now on; one record for each level that differs.

    Raises ``Unfit``; nothing is changed then.
    """
    if not grounds.strip():
        raise Unfit("grounds", _("Say why, and on what paper."))
    if len(grounds) > GROUNDS:
        raise Unfit("grounds", _("grounds: at most %(most)s characters are kept: shorten it") % {"most": GROUNDS})
    check(point, wanted, now.astimezone(LEGAL_ZONE).date())
    with transaction.atomic():
        Point.objects.unscoped("locked while its rules change").select_for_update().get(pk=point.pk)
        old = running(point, now)
        made = [_one(point, level, old.get(level), one, now) for level, one in wanted.items()]
        return [_record(point, *line, grounds.strip(), acting, now) for line in made if line is not None]


def _columns(one: Wanted) -> dict[str, Any]:
    return {
        "limit": one.limit, "deadband": one.deadband, "on_delay_ms": round(one.on_delay_s * 1000),
        "off_delay_ms": round(one.off_delay_s * 1000),
    }  # fmt: skip


def _one(point: Point, level: str, old: Rule | None, one: Wanted, now: datetime) -> tuple[str, Rule | None, Rule | None] | None:
    """End, begin or replace the rule of one level; nothing where it is as wanted."""
    columns = _columns(one)
    if one.limit is None and level not in TIMED:
        if old is None:
            return None
        old.until = now
        old.save(update_fields=["until"])
        return level, old, None
    if old is not None:
        if all(getattr(old, name) == value for name, value in columns.items()):
            return None
        return level, old, rules.change(old, now, **columns)
    alike = next((rule for rule in rules.derive([point], now) if rule.level == level), None)
    new = alike or Rule(
        point=point, level=level, priority=1 if level in ("HH", "LL") else 2, hazard_kind=point.quantity, since=now
    )
    for name, value in columns.items():
        setattr(new, name, value)
    new.save()
    return level, None, new


def _record(
    point: Point, level: str, old: Rule | None, new: Rule | None, grounds: str, acting: Acting, now: datetime
) -> RuleChange:
    def shown(rule: Rule | None) -> dict[str, Any]:
        return {name: getattr(rule, name) for name in _CHANGED} if rule is not None else {}

    went_along = _hiding(new) | _tell(old, new, grounds, acting, now)
    made: RuleChange = RuleChange.objects.create(
        site_id=point.site_id, point=point, level=level, old=old, new=new, before=shown(old), after=shown(new) | went_along,
        grounds=grounds, at=now, person_id=acting.person_id, principal_id=acting.principal_id, post_id=acting.post_id,
        office_id=acting.office_id,
    )  # fmt: skip
    return made


def _hiding(rule: Rule | None) -> dict[str, Any]:
    """What hides the rule's alarms, as the record keeps it: ``hidden`` and, of a shelf, ``hidden_until`` (RFC 3339)."""
    rows = Concealment.objects.unscoped("the caller has the rule in hand")
    hidden = rows.filter(rule=rule, ended_at__isnull=True).first() if rule is not None else None
    if hidden is None:
        return {}
    return {"hidden": hidden.kind} | ({"hidden_until": hidden.until.isoformat()} if hidden.until else {})


def _tell(old: Rule | None, new: Rule | None, grounds: str, acting: Acting, now: datetime) -> dict[str, Any]:
    """Write into the open alarm that its rule changed; the record keeps its number as ``alarm``."""
    rows = Alarm.objects.unscoped("the caller has the rule in hand")
    alarm = rows.filter(rule=new, closed_at__isnull=True).first() if old is not None and new is not None else None
    if alarm is None or old is None or new is None:
        return {}
    limits = "" if new.limit is None or old.limit == new.limit else f"{old.limit:g} → {new.limit:g} · "
    AlarmEvent.objects.create(
        event_id=f"rule-{new.pk}", alarm=alarm, kind="rule_changed", rule=new, point_id=new.point_id, at=now, stored_at=now,
        person=acting.person_id, principal=acting.principal_id, text=f"{limits}{grounds}",
    )  # fmt: skip
    news.spread({alarm.site_id}, now)
    return {"alarm": alarm.pk}


def taken(site: str, judged_by: Iterable[int], at: datetime) -> None:
    """Keep when the engine began to judge a site by these rules, and when others of it no longer counted."""
    ids = list(judged_by)
    rows = Rule.objects.unscoped("the relay's own work").filter(point__site__code=site)
    rows.filter(pk__in=ids, taken_at__isnull=True).update(taken_at=at)
    rows.filter(until__isnull=False, left_at__isnull=True, taken_at__isnull=False).exclude(pk__in=ids).update(left_at=at)
