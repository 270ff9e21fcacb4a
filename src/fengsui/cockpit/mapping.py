"""The pages of the one map 一张图: the page, its live data, its base and the sites.

The server draws the map as SVG into the page, so that an office PC without WebGL has it at once;
where WebGL answers, ``map.js`` lays MapLibre over it.
"""

from __future__ import annotations

import gzip
import hashlib
import math
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.cockpit import replay, sheet, situation
from fengsui.region import geography
from fengsui.region.acting import Acting, posts_of
from fengsui.region.tree import tree

LATE = timedelta(minutes=20)
"""A page that has stood open may ask for its own oldest moment."""

KINDS = {"hazchem": "hazchem", "coal": "mine", "noncoal": "mine", "mine": "mine", "mines": "mine"}


def _json(data: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(data), content_type="application/json")


def _names(codes: set[str]) -> dict[str, dict[str, str]]:
    known = tree().places
    return {code: {"zh": known[code].name[0], "en": known[code].name[1]} for code in codes & known.keys()}


def _kind(industry: str) -> str:
    """The symbol of a site: hazchem, mine, or metal (metallurgy and all other industry)."""
    return KINDS.get(industry.split("_")[0], "metal")


def _drawn(marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The marks with the upper left corner of each on the sheet."""
    found = []
    for mark in marks:
        x, y = geography.draw(*mark["at"])
        found.append({**mark, "x": round(x - 9, 1), "y": round(y - 9, 1)})
    return found


def _drawing(now_situation: situation.Situation, sites: dict[str, Any]) -> dict[str, Any]:
    """What the SVG template needs: paths with their level, symbols and marks with page positions."""
    names = _names({one.code for one in (*geography.county_outlines(), *geography.league_outlines())})
    counties = [
        {
            "code": one.code,
            "path": one.path,
            "name": names.get(one.code),
            **now_situation.counties.get(one.code, {"level": "", "open": 0}),
        }
        for one in geography.county_outlines()
    ]
    labels = [{"x": one.x, "y": one.y, "name": names.get(one.code)} for one in geography.league_outlines()]
    symbols = []
    for feature in sites["features"]:
        x, y = geography.draw(*feature["geometry"]["coordinates"])
        symbols.append({"x": x, "y": y, "kind": _kind(feature["properties"]["industry"])})
    return {
        "counties": counties,
        "leagues": geography.league_outlines(),
        "rivers": sheet.rivers(),
        "labels": labels,
        "symbols": symbols,
        "marks": _drawn(now_situation.marks),
        "graticule": sheet.graticule(),
        "bar": round(sheet.hundred_km() * 2, 1),
        "box": f"-20 -20 {geography.WIDTH + 40} {sheet.height() + 70:.0f}",
        "bottom": round(sheet.height() + 30, 1),
    }


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The map with live counts, what moved last, and the clocks of the next six hours."""
    now = moment.now()
    mine = posts_of(request, now)
    sites = situation.sites_of(mine)
    seen = situation.of(mine, sites, now)
    ranks = [
        {"level": level, "count": sum(1 for one in seen.counties.values() if one["level"] == level)} for level in situation.LEVELS
    ]
    hours = [{"share": round(hour / 6 * 100, 2), "at": now + hour * (situation.AHEAD / 6)} for hour in range(1, 6)]
    names = {
        code: {"zh": place.name[0], "en": place.name[1], "at": (place.lon, place.lat)}
        for code, place in tree().places.items()
        if place.level in ("league", "county")
    }
    context = {
        "names": names,
        "seen": seen,
        "drawing": _drawing(seen, sites),
        "ranks": ranks,
        "hours": hours,
        "steps": replay.BACK // replay.STEP,
        "posts": bool(mine),
        "base": {"tiles": settings.MAP_TILES, "credit": settings.MAP_CREDIT},
        "approval": settings.MAP_APPROVAL,
    }
    part = "cockpit/parts/map_rail.html" if request.headers.get("HX-Request") else "cockpit/map.html"
    return render(request, part, context)


@require_safe
@login_required
def data(request: HttpRequest) -> HttpResponse:
    """The live layer: county levels, the worst marks and how many have none; with ``?box=`` the worst of the places there,
    with ``?at=`` the layer of a moment of the last day.
    """
    now = moment.now()
    mine = posts_of(request, now)
    if (asked := request.GET.get("at")) is not None:
        return _past(asked, mine, now)
    box = None
    if (asked := request.GET.get("box")) is not None and (box := _box(asked)) is None:
        return _unfit(gettext("box: give west,south,east,north in degrees, like 108.6,38.6,112.6,41.6"))
    seen = situation.layer(mine, situation.sites_of(mine), now, box)
    return _json({**seen, "marks": _drawn(seen["marks"]), "at": now})


def _box(asked: str) -> situation.Box | None:
    """The four numbers; None for what is no box."""
    try:
        west, south, east, north = (float(part) for part in asked.split(","))
    except ValueError:
        return None
    sound = all(map(math.isfinite, (west, south, east, north)))
    return (west, south, east, north) if sound and west <= east and south <= north else None


def _unfit(words: str) -> HttpResponse:
    answer = _json({"detail": words})
    answer.status_code = 422
    return answer


def _past(asked: str, mine: list[Acting], now: datetime) -> HttpResponse:
    """The layer of that moment; 422 for one that is none, lies ahead or too far back."""
    try:
        at = parse_datetime(asked)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not now - replay.BACK - LATE <= at <= now:
        return _unfit(gettext("at: give a moment of the last 24 hours with its offset, like 2026-11-30T14:15+08:00"))
    seen = replay.seen(mine, lambda: situation.sites_of(mine), at)
    return _json({**seen, "marks": _drawn(seen["marks"]), "at": at})


@require_safe
@login_required
def sites(request: HttpRequest) -> HttpResponse:
    """The sites in scope as GeoJSON, each with the symbol it is drawn with."""
    found = situation.sites_of(posts_of(request, moment.now()))
    for feature in found["features"]:
        feature["properties"]["kind"] = _kind(feature["properties"]["industry"])
    return _json(found)


@lru_cache(maxsize=8)
def _base(name: str) -> tuple[bytes, str]:
    packed = gzip.compress(sheet.BASES[name](), mtime=0)
    return packed, hashlib.sha256(packed).hexdigest()[:16]


@require_safe
@cache_control(public=True, max_age=86400)
def base(request: HttpRequest, name: str) -> HttpResponse:
    """A base layer (``counties``, ``leagues``, ``rivers``) as GeoJSON; public geography, kept a day by browsers."""
    if name not in sheet.BASES:
        raise Http404(name)
    packed, digest = _base(name)
    if request.headers.get("If-None-Match") == f'"{digest}"':
        return HttpResponse(status=304)
    answer = HttpResponse(packed, content_type="application/geo+json")
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["ETag"] = f'"{digest}"'
    return answer
