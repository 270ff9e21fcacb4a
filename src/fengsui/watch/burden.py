"""How much the alarms ask of those who answer them, after ISA-18.2 (16.5) and EEMUA 191: floods, rate, priorities.

A site's control room is the operator. More than ``alarm.flood`` alarms of one site within ten minutes are a flood: no
operator reads them all. About 80, 15 and 5 percent of low, medium and high priority are what the standards aim at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from fengsui.law import numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import Acting
from fengsui.region.models import Site
from fengsui.watch import listing
from fengsui.watch.models import Rule

SPAN = timedelta(minutes=10)
_DAY = timedelta(days=1)
_MOST = 20


@dataclass(frozen=True, slots=True)
class Flood:
    """A site whose alarms come faster than anybody reads them; ``number`` within the last ten minutes."""

    site: Site
    number: int


@dataclass(frozen=True, slots=True)
class Burden:
    """The last day's alarms in scope: how many, percent by priority, at how many sites."""

    floods: list[Flood]
    number: int
    sites: int
    high: int
    medium: int
    low: int

    @property
    def rate(self) -> float:
        """Alarms in ten minutes at a site that had any, on average; about 1 is acceptable."""
        return self.number / self.sites / (_DAY / SPAN) if self.sites else 0.0


def flood_limit(now: datetime) -> int:
    """The number of alarms in ten minutes that is no flood yet."""
    return int(numbers.find("alarm.flood", now.astimezone(LEGAL_ZONE).date()).value)


def of(actings: Sequence[Acting], now: datetime) -> Burden:
    """The burden on what these actings may see."""
    rows = listing.alarms(actings).order_by().filter(raised_at__gt=now - _DAY, site__isnull=False)
    by_priority = {f"p{value}": Count("pk", filter=Q(priority=value)) for value in Rule.Priority.values}
    counted = rows.aggregate(number=Count("pk"), sites=Count("site", distinct=True), **by_priority)
    number = counted["number"]
    shares = [round(100 * counted[f"p{value}"] / number) if number else 0 for value in Rule.Priority.values]
    return Burden(_floods(rows, now) if number else [], number, counted["sites"], *shares)


def _floods(rows: object, now: datetime) -> list[Flood]:
    lately = rows.filter(raised_at__gt=now - SPAN).values("site").annotate(n=Count("pk"))  # type: ignore[attr-defined]
    many = dict(lately.filter(n__gt=flood_limit(now)).order_by("-n").values_list("site", "n")[:_MOST])
    if not many:
        return []
    sites = Site.objects.unscoped("sites of alarms in scope").in_bulk(many)
    return [Flood(sites[pk], number) for pk, number in many.items()]
