"""The region's pages: sites, offices, the contact directory, sites nobody answers for, outlines."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

from fengsui import moment
from fengsui.numerals import whole

from . import changerecord, enforcement, geography, pending, readers, roles, subjects, supervision, tables
from .acting import Acting, mine, office_scope, scope
from .changing import may_administer, may_give, today
from .filters import GRADES, INDUSTRIES, SiteFilter, grade_word, here, name_of
from .models import Contact, Delegation, Holding, Office, Place, Post, Site
from .operations import find
from .scoping import Scope
from .tree import tree

PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

for _head in ("Code", "Name", "Place", "Industry", "Major hazard", "Supervised by", "Longitude", "Latitude", "Made up"):
    gettext_noop(_head)


def my_scopes(request: HttpRequest, now: datetime) -> list[Scope]:
    """What all the reader's posts may see."""
    return [scope(one) for one in mine(request, now)]


def offices_in(scopes: list[Scope]) -> Any:
    """The offices that these scopes may see: their own subtrees and what lies in their territory."""
    seen = Q(pk__in=[])
    for one in scopes:
        seen |= one.q(place="place__path", office="path")
    return Office.objects.filter(seen)


def places_for(scopes: list[Scope]) -> list[tuple[str, str]]:
    """Leagues and counties to choose from, within the territory."""
    seen = Q(pk__in=[])
    for one in scopes:
        if one.territorial:
            seen |= Q(path__startswith=one.place_path)
    found = Place.objects.filter(seen, level__in=("league", "county")).order_by("code")
    return [(place.code, ("" if place.level == "league" else "　") + name_of(place)) for place in found]


# ---------------------------------------------------------------------- sites


@require_safe
@login_required
def site_list(request: HttpRequest) -> HttpResponse:
    """The sites of my territory; the address is the list."""
    now = moment.now()
    scopes = my_scopes(request, now)
    wanted = SiteFilter.read(request.GET)
    pages = Paginator(wanted.apply(Site.objects.scoped(*scopes).select_related("place")), PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "rows": tables.site_rows(page.object_list, now),
        "page": page,
        "count": pages.count,
        "filter": wanted,
        "chips": wanted.chips(),
        "query": wanted.query(),
        "industries": [(name, here(words)) for name, words in INDUSTRIES.items()],
        "grades": [(grade, grade_word(grade)) for grade in GRADES],
        "places": places_for(scopes),
        "unanswered": len(_gaps(scopes, now)),
    }
    return render(request, "region/sites.html", context)


@require_safe
@login_required
def site_export(request: HttpRequest) -> HttpResponse:
    """The same list as xlsx."""
    now = moment.now()
    scopes = my_scopes(request, now)
    wanted = SiteFilter.read(request.GET)
    found = wanted.apply(Site.objects.scoped(*scopes).select_related("place"))[: tables.EXPORT_AT_MOST]
    words = "；".join(f"{chip['label']}：{chip['value']}" for chip in wanted.chips()) or gettext("All sites in scope")
    file = io.BytesIO()
    tables.workbook(found, words, request.user.person.name, now).save(file)  # type: ignore[union-attr]
    response = HttpResponse(file.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = 'attachment; filename="sites.xlsx"'
    return response


def _gaps(scopes: list[Scope], now: datetime) -> list[supervision.Unanswered]:
    ids = Site.objects.scoped(*scopes).filter(closed_on__isnull=True).values_list("pk", flat=True)
    return supervision.unanswered(now, ids)


WHY = {
    "no_office": gettext_noop("No office at county level has this field of work"),
    "vacant": gettext_noop("The office has nobody in a post that may act who can sign in"),
    "one_person": gettext_noop("The office has one such person only, the law wants two"),
}


@require_safe
@login_required
def unanswered(request: HttpRequest) -> HttpResponse:
    """Sites that nobody answers for, by field of work, and who stands in above."""
    now = moment.now()
    posts = mine(request, now)
    gaps = _gaps(my_scopes(request, now), now)
    why = "the reader's own scope chose these sites"
    sites = Site.objects.unscoped(why).select_related("place", "office").in_bulk([gap.site_id for gap in gaps])
    stand_in = {gap: roles.resolve("site_supervisor", roles.About(site_id=gap.site_id, duty=gap.duty), now) for gap in gaps}
    names = tables.office_names(office for office in stand_in.values() if office)
    rows = [
        {
            "site": sites[gap.site_id],
            "url": tables.site_url(sites[gap.site_id].code),
            "place": name_of(sites[gap.site_id].place),
            "duty": here(roles.duties()[gap.duty]) if gap.duty in roles.duties() else gap.duty,
            "why": gettext(WHY[gap.why]),
            "mend": _mend(gap, sites[gap.site_id], posts),
            "stand_in": names.get(stand_in[gap] or 0, ""),
        }
        for gap in gaps
    ]
    rows.sort(key=lambda row: (row["site"].place_id, row["site"].pinyin))
    return render(request, "region/unanswered.html", {"rows": rows})


def _mend(gap: supervision.Unanswered, site: Site, posts: list[Acting]) -> dict[str, str]:
    """Where an administrator mends the gap: the office's posts, the field of work, or the site's supervision."""
    if gap.office_id is not None:
        if any(may_administer(one, gap.office_id) for one in posts):
            return {"url": f"{reverse('region:office', args=[gap.office_id])}#posts", "word": gettext("Put somebody into a post")}
        return {}
    picture = tree()
    here_now = [node for node in picture.offices.values() if node.place == site.place_id and node.kind == "bureau"]
    for node in sorted(here_now, key=lambda node: -len(node.duties)):  # the county's emergency bureau has the most
        if node.dissolved_on is None and any(may_administer(one, node.id) and may_give(one, [gap.duty]) for one in posts):
            address = reverse("region:change", args=["office", node.id, "edit_office"])
            return {"url": f"{address}?add={gap.duty}", "word": gettext("Give the field of work to the county's office")}
    if any(operation.may(one, site) for operation in [find("site", "supervise")] if operation for one in posts):
        address = reverse("region:change", args=["site", site.pk, "supervise"])
        return {"url": f"{address}?duty={gap.duty}", "word": gettext("Give its supervision to an office")}
    return {}


# -------------------------------------------------------------------- offices


@require_safe
@login_required
def office_list(request: HttpRequest) -> HttpResponse:
    """The offices of one office or place: what stands below it, with people and field of work."""
    now = moment.now()
    scopes = my_scopes(request, now)
    seen = offices_in(scopes)
    asked = whole(request.GET.get("below"))
    words = request.GET.get("q", "").strip()[:80]
    above = seen.filter(pk=asked).first() if asked is not None else None
    if words:
        found = seen.filter(Q(name_zh__icontains=words) | Q(name_en__icontains=words))
    elif above:
        found = seen.filter(parent=above)
    else:
        ids = set(seen.values_list("pk", flat=True))
        found = seen.exclude(parent__in=ids)
    page = Paginator(found.annotate(below=Count("children")).select_related("place").order_by("kind", "pk"), PAGE).get_page(
        request.GET.get("page")
    )
    held = _people_of([office.pk for office in page.object_list], now)
    rows = [
        {"office": office, "duties": duty_words(office.duties), "people": held.get(office.pk, 0)} for office in page.object_list
    ]
    path = _path(above, seen) if above else []
    context = {"rows": rows, "page": page, "above": above, "path": path, "q": words, "count": page.paginator.count}
    return render(request, "region/offices.html", context)


def _people_of(offices: list[int], now: datetime) -> dict[int, int]:
    running = Holding.running(now).filter(post__office__in=offices)
    return dict(running.values_list("post__office").annotate(n=Count("person", distinct=True)))


def _path(office: Office, seen: Any) -> list[Office]:
    ids = [int(part) for part in office.path.strip("/").split("/") if part]
    known = seen.filter(pk__in=ids).in_bulk()
    return [known[one] for one in ids if one in known and one != office.pk]


def duty_words(names: list[str]) -> list[str]:
    """Fields of work and functions in the reader's language."""
    words = {**roles.functions(), **roles.duties()}
    return [here(words[name]) if name in words else name for name in names]


@require_safe
@login_required
def office_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One office: posts with terms and people, deputies, call list, what it supervises."""
    now = moment.now()
    scopes = my_scopes(request, now)
    seen = offices_in(scopes)
    office = seen.filter(pk=pk).select_related("place", "parent", "successor").first()
    if office is None:
        raise Http404
    holdings: dict[int, list[Holding]] = defaultdict(list)
    for holding in Holding.objects.filter(post__office=office).select_related("person__account", "post").order_by("since"):
        holdings[holding.post_id].append(holding)
    last_days = enforcement.last_days({one.person_id for rows in holdings.values() for one in rows}, now)
    near = today(now) + enforcement.ahead(now)
    certified = {person: {"last": last, "near": last <= near} for person, last in last_days.items()}
    mine_now = mine(request, now)
    posts: list[dict[str, Any]] = [
        {
            "post": post,
            "duties": duty_words(post.duties),
            "charges": duty_words(post.charges),
            "terms": [
                {
                    "holding": one,
                    "over": one.until is not None and one.until <= now,
                    "certified": certified.get(one.person_id),
                    "shut_out": one.person.account is None or not one.person.account.is_active,
                    "ready": subjects.possible(one, mine_now, now),
                }
                for one in holdings[post.pk]
            ],
            "vacant": not any(one.since <= now and (one.until is None or one.until > now) for one in holdings[post.pk]),
            "ready": subjects.possible(post, mine_now, now),
        }
        for post in Post.objects.filter(office=office).select_related("office").prefetch_related("holdings")
    ]
    its = office_scope(office)
    context = {
        "office": office,
        "path": _path(office, seen),
        "duties": duty_words(office.duties),
        "posts": posts,
        "delegations": [
            {"one": one, "acts": changerecord.acts_words(one.acts), "ready": subjects.possible(one, mine_now, now)}
            for one in Delegation.objects.filter(post__office=office, until__gt=now).select_related("principal", "deputy", "post")
        ],
        "contacts": [{"one": one, "ready": subjects.possible(one, mine_now, now)} for one in office.contacts.all()],
        "ready": subjects.possible(office, mine_now, now),
        "acts": any(line["ready"] or any(term["ready"] for term in line["terms"]) for line in posts),
        "record": any(changerecord.may_read(one, office.pk) for one in mine_now),
        "former": list(office.names.all()),
        "readings": [{"one": one, "ready": subjects.possible(one.subject, mine_now, now)} for one in readers.of(office.pk, now)],
        "coming": pending.shown(pending.of_office(office, mine_now), mine_now, now),
        "lasts_on": office.dissolved_on is not None and office.dissolved_on > today(now),
        "children": seen.filter(parent=office).count(),
        "sites": Site.objects.scoped(its).count(),
        "territorial": its.territorial,
    }
    return render(request, "region/office.html", context)


@require_safe
@login_required
def contacts(request: HttpRequest) -> HttpResponse:
    """The contact directory of my territory, office by office, in call order."""
    now = moment.now()
    scopes = my_scopes(request, now)
    words = request.GET.get("q", "").strip()[:80]
    found = Contact.objects.scoped(*scopes).select_related("office", "office__place")
    if words:
        found = found.filter(
            Q(name__icontains=words)
            | Q(phone__contains=words)
            | Q(office__name_zh__icontains=words)
            | Q(office__name_en__icontains=words)
        )
    page = Paginator(found.order_by("office__place__code", "office_id", "order"), PAGE).get_page(request.GET.get("page"))
    return render(request, "region/contacts.html", {"page": page, "q": words, "count": page.paginator.count})


# ------------------------------------------------------------------- outlines


@require_safe
@login_required
@etag(lambda request: '"counties-1"')
@cache_control(private=True, max_age=86400)
def counties(request: HttpRequest) -> HttpResponse:
    """The counties' outlines as GeoJSON."""
    return HttpResponse(geography.counties_geojson(), content_type="application/geo+json")
