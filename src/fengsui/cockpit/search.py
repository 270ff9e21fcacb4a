"""The command palette's search over what I may see."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from fengsui.ledger import mechanisms, reading, tables, titles
from fengsui.ledger.models import Case
from fengsui.region.acting import Acting, posts_of, scope
from fengsui.region.models import Place, Site

AT_MOST = 8


def find(request: HttpRequest, asked: str, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Cases, sites and places that match, at most eight of each; nothing for somebody without a post."""
    posts = posts_of(request, now) if asked else []
    if not posts:
        return {"cases": [], "sites": [], "places": []}
    return {"cases": _cases(posts, asked), "sites": _sites(posts, asked), "places": _places(posts, asked)}


def _cases(posts: list[Acting], asked: str) -> list[dict[str, Any]]:
    mine = reading.cases(posts)
    exact = list(mine.filter(number__in={asked, asked.upper()}).order_by()[:1])
    found = exact or tables.rows_of(_with_words(mine, asked))
    return [
        {
            "title": one.title,
            "more": f"{titles.mechanism(mechanisms.version(one.version_id))} {one.number or ''}".strip(),
            "url": reverse("ledger:case", args=[one.pk]),
        }
        for one in found
    ]


def _with_words(mine: QuerySet[Case], asked: str) -> list[Any]:
    """The open ones first, each lot by its last act."""
    hits, latest = reading.Hits(asked), ("-moved_at", "-id")
    found = hits.among(mine.filter(ended=False), latest, AT_MOST)
    if len(found) < AT_MOST:
        found += hits.among(mine.filter(ended=True), latest, AT_MOST - len(found))
    return found


def _named(asked: str) -> Q:
    return Q(name_zh__icontains=asked) | Q(name_en__icontains=asked) | Q(pinyin__startswith=asked.lower())


def _sites(posts: list[Acting], asked: str) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for acting in posts:
        found = Site.objects.scoped(scope(acting)).filter(_named(asked) | Q(code__icontains=asked))
        for one in found.select_related("place").order_by("pinyin")[:AT_MOST]:
            more = titles.here({"zh": one.place.name_zh, "en": one.place.name_en})
            title = titles.here({"zh": one.name_zh, "en": one.name_en})
            rows[one.pk] = {"title": title, "more": more, "url": _site_url(one)}
    return list(rows.values())[:AT_MOST]


def _site_url(site: Site) -> str:
    try:
        return reverse("cockpit:site", args=[site.code])
    except NoReverseMatch:
        return f"{reverse('ledger:list')}?site={site.pk}"


def _places(posts: list[Acting], asked: str) -> list[dict[str, Any]]:
    within = Q()
    for acting in posts:
        within |= Q(path__startswith=scope(acting).place_path)
    found = Place.objects.filter(within & _named(asked)).select_related("parent").order_by("path")[:AT_MOST]
    return [
        {
            "title": titles.here({"zh": one.name_zh, "en": one.name_en}),
            "more": titles.here({"zh": one.parent.name_zh, "en": one.parent.name_en}) if one.parent else "",
            "url": f"{reverse('ledger:list')}?place={one.pk}",
        }
        for one in found
    ]
