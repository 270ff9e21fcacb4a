"""The page of a site: what is stored, how it behaves now, what is open, who answers for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.cockpit import sheet, sparks
from fengsui.ledger import mechanisms, titles
from fengsui.ledger import reading as ledger
from fengsui.ledger.models import RANK
from fengsui.numerals import whole
from fengsui.region import geography
from fengsui.region.acting import Acting, posts_of, scope
from fengsui.region.models import Contact, Point, Site
from fengsui.region.supervision import NoSupervisor, supervisor
from fengsui.watch import listing
from fengsui.watch import reading as watch

HOURS = (1, 4, 24)
FIRST = 12
LOOKED_AT = 3
"""So many of a site's points tell since when it sends."""
SILENT = 90.0
"""Seconds without a good sample that a chart shows as a gap; long spans, whose samples are thinned, need twice their stretch."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One small multiple."""

    point: Any
    chart: sparks.Chart
    value: float | None
    stale: bool
    alarm: Any  # the worst standing alarm of the point, or None
    by: str  # who acknowledged it
    limits: Sequence[Any]  # the running rules with a limit, each with its origin


def find(code: str, mine: Sequence[Acting]) -> tuple[Any, Acting]:
    """The site and the acting that may see it; 404 for what is not there and for what is not in scope."""
    for acting in mine:
        site = Site.objects.scoped(scope(acting)).select_related("place__parent", "office").filter(code=code).first()
        if site is not None:
            return site, acting
    raise Http404(code)


def panels(site: Any, hours: int, everything: bool, now: datetime) -> tuple[list[Panel], int]:
    """Charts of the site's points, those in alarm first, and how many points there are in all."""
    points = list(Point.objects.unscoped("the site was found in the reader's scope").filter(site=site).select_related("unit"))
    alarms: dict[int, Any] = {}
    for alarm in watch.alarms(site.pk):
        if alarm.point_id is None:
            continue
        best = alarms.get(alarm.point_id)
        if best is None or RANK.get(alarm.level, 9) < RANK.get(best.level, 9):
            alarms[alarm.point_id] = alarm
    points.sort(key=lambda point: (point.pk not in alarms, point.pk))
    shown = points if everything else points[:FIRST]
    ids = [point.pk for point in shown]
    recent, latest, rules = watch.recent(ids, hours * 60, now), watch.latest(ids), watch.limits(shown, now)
    start, end = (now - timedelta(hours=hours)).timestamp(), now.timestamp()
    people = listing.acknowledgers((one.id, one.acknowledged_by) for one in alarms.values())
    found = []
    for point in shown:
        times, values, quality = recent.get(point.pk, ((), (), ()))
        judged = [rule for rule in rules.get(point.pk, ()) if rule.limit is not None]
        limits = {rule.level.lower(): rule.limit for rule in judged if rule.limit is not None}
        standing, last = alarms.get(point.pk), latest.get(point.pk)
        drawn = sparks.chart(
            [int(t) / 1e9 for t in times],
            [float(v) for v in values],
            [int(q) == 0 for q in quality],
            start,
            end,
            limits,
            standing.limit if standing else "",
            silence=max(SILENT, hours * 3600 / watch.STRETCHES * 2),
        )
        found.append(
            Panel(
                point,
                drawn,
                last.value if last else None,
                last is None or now - last.time > timedelta(minutes=2),
                standing,
                people.get(standing.id, "") if standing else "",
                judged,
            )
        )
    return found, len(points)


def usual_hours(site: Any, now: datetime) -> int:
    """The span that a page opens with: four hours, one where the site's samples are younger than that (a fresh start)."""
    ids = list(
        Point.objects.unscoped("the site was found in the reader's scope")
        .filter(site=site)
        .values_list("pk", flat=True)[:LOOKED_AT]
    )
    firsts = [times[0] for times, _, _ in watch.recent(ids, HOURS[1] * 60, now).values() if len(times)]
    young = bool(firsts) and min(firsts) / 1e9 > (now - timedelta(hours=HOURS[0])).timestamp()
    return HOURS[0] if young else HOURS[1]


def supervisors(site: Any, now: datetime) -> list[tuple[str, Any]]:
    """``(level, office)`` of those who supervise the site, from the county up; None where nobody does."""
    duty = site.duties[0] if site.duties else ""
    found: list[tuple[str, Any]] = []
    for level in ("county", "league", "region"):
        try:
            found.append((level, supervisor(site, duty, level, now)))
        except NoSupervisor:
            found.append((level, None))
    return found


def _live(request: HttpRequest, site: Any, now: datetime) -> dict[str, Any]:
    asked = whole(request.GET.get("hours"))
    hours = asked if asked in HOURS else usual_hours(site, now)
    everything = request.GET.get("all") == "1"
    shown, count = panels(site, hours, everything, now)
    ticks = [(x, now - timedelta(hours=hours) * share) for x, share in ((0, 1.0), (74, 0.5), (148, 0.0))]
    return {
        "site": site,
        "panels": shown,
        "points": count,
        "hours": hours,
        "all_hours": HOURS,
        "everything": everything,
        "ticks": ticks,
    }


@require_safe
@login_required
def page(request: HttpRequest, code: str) -> HttpResponse:
    """The site: live values with limits, hazard units and their grade, open matters, supervisors, calls to make."""
    now = moment.now()
    mine = posts_of(request, now)
    site, acting = find(code, mine)
    open_cases = ledger.cases(list(mine)).filter(about_kind="site", about_id=str(site.pk), ended=False).order_by("next_due")
    units = site.units.prefetch_related("substances").order_by("id")
    x, y = geography.draw(site.lon, site.lat)
    context = {
        **_live(request, site, now),
        "cases": [(case, titles.mechanism(mechanisms.version(case.version_id))) for case in open_cases[:8]],
        "case_count": open_cases.count(),
        "units": list(units),
        "worst": min((unit.grade for unit in units if unit.grade), default=None),
        "supervisors": supervisors(site, now),
        "contacts": Contact.objects.unscoped("the site was found in the reader's scope")
        .filter(office=site.office)
        .order_by("order")[:6],
        "locator": {
            "x": x,
            "y": y,
            "leagues": geography.league_outlines(),
            "box": f"-10 -10 {geography.WIDTH + 20} {sheet.height() + 20:.0f}",
        },
        "acting": acting,
    }
    return render(request, "cockpit/site.html", context)


@require_safe
@login_required
def live(request: HttpRequest, code: str) -> HttpResponse:
    """The charts alone, fetched again while the page is open."""
    now = moment.now()
    site, _ = find(code, posts_of(request, now))
    return render(request, "cockpit/parts/site_live.html", _live(request, site, now))
