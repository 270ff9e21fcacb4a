"""What the map tells: open matters by level, clocks about to run out, what happened last; always in scope.

Every figure carries the address of the list that it counts (a number is a door).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case as Choose
from django.db.models import CharField, Count, IntegerField, QuerySet, Value, When
from django.db.models.functions import Left
from django.urls import reverse

from fengsui.ledger import filters, mechanisms, reading, titles
from fengsui.ledger.models import LEVELS, RANK, Case
from fengsui.region import geography
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Site
from fengsui.region.tree import tree
from fengsui.science.geo import bounds

AHEAD = timedelta(hours=6)
FEED = 16
MARKS = 400
STRIP = 18


def _list(**filters: str) -> str:
    return f"{reverse('ledger:list')}?{urlencode(filters)}"


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure on the map's rail and the list behind it."""

    level: str  # a level, or overdue | today | open
    count: str  # 1,284 or 10,000+
    url: str


def tiles(open_cases: QuerySet[Any], now: datetime) -> list[Tile]:
    """Open cases by level, those overdue, those due before midnight; counted as far as a list counts. One query."""
    wanted = {level: open_cases.filter(level=level) for level in LEVELS}
    wanted["overdue"] = open_cases.filter(next_due__lt=now)
    wanted["today"] = open_cases.filter(next_due__gte=now, next_due__lt=filters.until("today", now))
    counted = {name: filters.number_said(one) for name, one in reading.counts(wanted).items()}
    found = [Tile(level, counted[level], _list(level=level)) for level in LEVELS]
    found += [Tile(name, counted[name], _list(clock=name)) for name in ("overdue", "today")]
    return found


def worst_by_county(open_cases: QuerySet[Any]) -> dict[str, dict[str, Any]]:
    """County code → ``{"level": worst open level, "open": how many open cases with a level}``. One query."""
    rank = Choose(*(When(level=level, then=Value(str(RANK[level]))) for level in LEVELS), output_field=CharField())
    rows = open_cases.filter(level__in=LEVELS).annotate(county=Left("place_code", 6), rank=rank).order_by()
    found: dict[str, dict[str, Any]] = {}
    for row in rows.values("county", "rank").annotate(count=Count("pk")):
        seen = found.setdefault(row["county"], {"level": LEVELS[int(row["rank"])], "open": 0})
        seen["open"] += row["count"]
        if int(row["rank"]) < RANK[seen["level"]]:
            seen["level"] = LEVELS[int(row["rank"])]
    return found


def _where(
    cases: Sequence[Any], sites: dict[str, tuple[float, float]], places: dict[str, tuple[float, float]]
) -> dict[Any, tuple[float, float]]:
    """Case id → position: its site's, else its county's centre; without either it has no mark."""
    found = {}
    for case in cases:
        at = sites.get(case.about_id) if case.about_kind == "site" else None
        at = at or places.get(case.place_code) or places.get(case.place_code[:6])
        if at:
            found[case.pk] = at
    return found


def marks(
    open_cases: QuerySet[Any], sites: dict[str, tuple[float, float]], now: datetime, codes: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """The worst ``MARKS`` of the open cases with a level, in the places of ``codes`` alone where given; worst last, so that
    they are drawn on top. One query.
    """
    # the worst first, of a level the overdue, so that none of them is left out for many yellow ones; the level's rank is not
    # its name's order
    ranked = Choose(*(When(level=level, then=Value(RANK[level])) for level in LEVELS), output_field=IntegerField())
    late = Choose(When(next_due__lt=now, then=Value(0)), default=Value(1), output_field=IntegerField())
    order = (ranked, late, "-opened_at", "-id")
    wanted = open_cases.filter(level__in=LEVELS)
    if codes is not None:
        wanted = wanted.annotate(county=Left("place_code", 6)).filter(county__in=codes)
    first = wanted.order_by(*order).values("pk")[:MARKS]
    cases = list(Case.objects.filter(pk__in=first).order_by(*order).defer("fields", "core", "raiser"))
    return placed(cases[::-1], sites)


Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@cache
def _extents() -> dict[str, Box]:
    """How far each county and league reaches, and the region as all of them, by code."""
    outlines = {code: shape.polygons for code, shape in geography.county_shapes().items()} | dict(geography.league_shapes())
    found = {}
    for code, polygons in outlines.items():
        wests, souths, easts, norths = zip(*(bounds(rings) for rings in polygons), strict=True)
        found[code] = (min(wests), min(souths), max(easts), max(norths))
    wests, souths, easts, norths = zip(*found.values(), strict=True)
    found |= {f"{code[:2]}0000": (min(wests), min(souths), max(easts), max(norths)) for code in list(found)}
    return found


def places_in(box: Box) -> frozenset[str]:
    """Codes of the counties and leagues that reach into the box, and of the region."""
    west, south, east, north = box
    return frozenset(code for code, (w, s, e, n) in _extents().items() if w <= east and e >= west and s <= north and n >= south)


def _middle(box: Box) -> Box:
    west, south, east, north = box
    lon, lat = (west + east) / 2, (south + north) / 2
    return lon, lat, lon, lat


def placed(cases: Sequence[Any], sites: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    """These cases as marks of the map, in their order; without a position there is no mark."""
    known = tree().places
    counties = {case.place_code[:6] for case in cases} & known.keys()
    centres = ((code, known[code].lon, known[code].lat) for code in counties)
    places = {code: (lon, lat) for code, lon, lat in centres if lon is not None and lat is not None}
    where = _where(cases, sites, places)
    return [
        {
            "id": str(case.pk),
            "level": case.level,
            "title": case.title,
            "number": case.number or "",
            "county": case.place_code[:6],
            "at": where[case.pk],
            "due": case.next_due.isoformat() if case.next_due else None,
            "url": reverse("ledger:case", args=[case.pk]),
        }
        for case in cases
        if case.pk in where
    ]


def _line(case: Any) -> dict[str, Any]:
    return {
        "id": str(case.pk),
        "level": case.level if case.level in LEVELS else "",
        "title": case.title,
        "number": case.number or "",
        "mechanism": titles.mechanism(mechanisms.version(case.version_id)),
        "moved": case.moved_at,
        "exercise": case.exercise,
        "due": case.next_due,
        "url": reverse("ledger:case", args=[case.pk]),
    }


def feed(cases: QuerySet[Any]) -> list[dict[str, Any]]:
    """What moved last, newest first. One query."""
    return [_line(case) for case in cases.order_by("-moved_at", "-id").defer("fields", "core", "raiser")[:FEED]]


def strip(open_cases: QuerySet[Any], now: datetime) -> list[dict[str, Any]]:
    """The clocks that run out within six hours, with their place (0–100) along the strip. One query."""
    due = (
        open_cases.filter(next_due__gte=now, next_due__lt=now + AHEAD)
        .order_by("next_due")
        .defer("fields", "core", "raiser")[:STRIP]
    )
    found = []
    for case in due.defer("fields", "core", "raiser")[:STRIP]:
        line = _line(case)
        line["share"] = round((case.next_due - now) / AHEAD * 100, 2)
        found.append(line)
    return found


def sites_of(actings: Sequence[Acting]) -> dict[str, Any]:
    """The sites in scope as a GeoJSON collection. One query per acting."""
    features: dict[int, dict[str, Any]] = {}
    for acting in actings:
        supervised = Site.objects.scoped(scope(acting)).filter(closed_on__isnull=True)
        rows = supervised.values_list("id", "code", "name_zh", "name_en", "industry", "lon", "lat")
        for number, code, zh, en, industry, lon, lat in rows:
            features[number] = {
                "type": "Feature",
                "id": number,
                "properties": {"code": code, "zh": zh, "en": en, "industry": industry},
                "geometry": {"type": "Point", "coordinates": (lon, lat)},
            }
    return {"type": "FeatureCollection", "features": list(features.values())}


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that one drawing of the map needs."""

    tiles: list[Tile]
    counties: dict[str, dict[str, Any]]
    marks: list[dict[str, Any]]
    feed: list[dict[str, Any]]
    strip: list[dict[str, Any]]

    @property
    def unmarked(self) -> int:
        """How many open cases with a level have no mark because there are too many: the mildest."""
        return max(0, sum(one["open"] for one in self.counties.values()) - MARKS)


def layer(actings: Sequence[Acting], sites: dict[str, Any], now: datetime, box: Box | None = None) -> dict[str, Any]:
    """``{counties, marks, unmarked, near}``: what of the map moves. In a ``box`` the marks are the worst of the places in it;
    ``near``: nearer by, in its middle, are the same places, so that there are no others to see.
    """
    open_cases = reading.cases(list(actings)).filter(ended=False)
    counties, codes = worst_by_county(open_cases), places_in(box) if box else None
    drawn = marks(open_cases, _positions(sites), now, codes)
    there = sum(one["open"] for code, one in counties.items() if codes is None or code in codes)
    near = box is not None and codes == places_in(_middle(box))
    return {"counties": counties, "marks": drawn, "unmarked": max(0, there - MARKS), "near": near}


def _positions(sites: dict[str, Any]) -> dict[str, tuple[float, float]]:
    return {str(one["id"]): tuple(one["geometry"]["coordinates"]) for one in sites["features"]}


def of(actings: Sequence[Acting], sites: dict[str, Any], now: datetime) -> Situation:
    """The situation as these actings may see it; ``sites`` is ``sites_of`` of the same."""
    cases = reading.cases(list(actings))
    open_cases = cases.filter(ended=False)
    return Situation(
        tiles=tiles(open_cases, now),
        counties=worst_by_county(open_cases),
        marks=marks(open_cases, _positions(sites), now),
        feed=feed(cases),
        strip=strip(open_cases, now),
    )
