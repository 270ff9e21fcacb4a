"""The region's endpoints: places, offices, sites with their units and points, sites nobody answers for.

All within what the caller's posts may see; what lies outside is not there.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema

from fengsui.moment import now as present

from . import supervision
from .acting import Acting, scope
from .models import Place, Site
from .scoping import Scope
from .views import offices_in

router = Router(tags=["region"])
MOST = 500


class ActingRequest(HttpRequest):
    """A request after sign-in: all the ways in which its person may act."""

    actings: list[Acting]


class PlaceOut(Schema):
    """An administrative division (GB/T 2260 code); ``path`` holds the codes from the region down, degrees are WGS 84."""

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str | None = Field(None, alias="parent_id")
    path: str
    lon: float | None
    lat: float | None


class OfficeOut(Schema):
    """An office with its fields of work; a dissolved one names its successor."""

    id: int
    name_zh: str
    name_en: str
    kind: str
    place: str = Field(alias="place_id")
    parent: int | None = Field(None, alias="parent_id")
    duties: list[str]
    successor: int | None = Field(None, alias="successor_id")
    dissolved_on: date | None
    phone: str


class ContactOut(Schema):
    """A line of an office's call list, in the order of calling."""

    order: int
    name: str
    title_zh: str
    title_en: str
    phone: str


class TermOut(Schema):
    """Who held a post from when until when."""

    person: str
    since: datetime
    until: datetime | None


class PostOut(Schema):
    """A post with its functions, its fields of charge and who holds it at present."""

    id: int
    title_zh: str
    title_en: str
    duties: list[str]
    charges: list[str]
    terms: list[TermOut]


class OfficeDetail(OfficeOut):
    """An office with its posts and call list."""

    posts: list[PostOut]
    contacts: list[ContactOut]


class SiteOut(Schema):
    """An enterprise's premises under supervision; degrees are WGS 84, ``synthetic`` marks made-up ones."""

    id: int
    code: str
    name_zh: str
    name_en: str
    place: str = Field(alias="place_id")
    office: int = Field(alias="office_id")
    industry: str
    duties: list[str]
    lon: float
    lat: float
    synthetic: bool


class SiteList(Schema):
    """A page of sites, by id."""

    sites: list[SiteOut]
    next: int | None = Field(None, description="Give it as `after` for the following sites")


class SubstanceOut(Schema):
    """A substance of a hazard unit, in tonnes."""

    name_zh: str
    name_en: str
    named: str = Field(description="Number in GB 18218 table 1, empty where not named there")
    classes: list[str]
    tonnes: float


class UnitOut(Schema):
    """A hazard unit after GB 18218: ``s`` and ``r`` without a unit, ``grade`` 1 to 4 where S ≥ 1, ``exposed`` in persons."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    exposed: int
    s: float | None
    r: float | None
    grade: int | None
    assessed_on: date | None
    substances: list[SubstanceOut]


class PointOut(Schema):
    """A measuring point; range and limits are in the unit that ``measure`` names."""

    id: int
    tag: str
    name_zh: str
    name_en: str
    quantity: str
    measure: str
    substance: str
    range_low: float | None
    range_high: float | None
    low_low: float | None
    low: float | None
    high: float | None
    high_high: float | None


class SiteDetail(SiteOut):
    """A site with its units, points and who supervises it."""

    units: list[UnitOut]
    points: list[PointOut]
    supervisors: dict[str, int | None] = Field(description="Field of work → the county office that answers for it")


class UnansweredOut(Schema):
    """A site and field of work that nobody answers for at one level, and why."""

    site: int
    duty: str
    level: str
    office: int | None
    why: str


class PlaceFilter(Schema):
    """Which places: of a level, within a place by its code."""

    level: str = Field("", max_length=8)
    within: str = Field("", max_length=12)


class SiteFilter(Schema):
    """Which sites; ``after`` is a page's ``next``."""

    place: str = Field("", max_length=12)
    industry: str = Field("", max_length=32)
    duty: str = Field("", max_length=32)
    grade: int | None = Field(None, ge=1, le=4)
    q: str = Field("", max_length=80)
    after: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=MOST)


def _scopes(request: ActingRequest) -> list[Scope]:
    return [scope(one) for one in request.actings]


@router.get("/places", response=list[PlaceOut])
def list_places(request: ActingRequest, asked: Query[PlaceFilter]) -> Any:
    """Administrative divisions: public knowledge, so not narrowed by scope."""
    found = Place.objects.all()
    if asked.level:
        found = found.filter(level=asked.level)
    if asked.within:
        found = found.filter(path__contains=f"/{asked.within}/")
    return found[:2000]


@router.get("/offices", response=list[OfficeOut])
def list_offices(request: ActingRequest, below: int | None = None, place: str = "", after: int = 0) -> Any:
    """The offices in scope by id; ``below`` narrows to the children of one, ``place`` to a place and what lies in it."""
    found = offices_in(_scopes(request)).filter(pk__gt=after)
    if below is not None:
        found = found.filter(parent_id=below)
    if place:
        found = found.filter(place__path__contains=f"/{place}/")
    return found.order_by("pk")[:MOST]


@router.get("/offices/{office_id}", response=OfficeDetail)
def one_office(request: ActingRequest, office_id: int) -> dict[str, Any]:
    """One office with its posts, terms and call list."""
    office = offices_in(_scopes(request)).filter(pk=office_id).first()
    if office is None:
        raise Http404
    posts = office.posts.prefetch_related("holdings__person")
    return {
        **_columns(office, OfficeOut),
        "contacts": list(office.contacts.all()),
        "posts": [
            {
                **_columns(post, PostOut),
                "terms": [{"person": one.person.name, "since": one.since, "until": one.until} for one in post.holdings.all()],
            }
            for post in posts
        ],
    }


def _columns(thing: Any, shape: type[Schema]) -> dict[str, Any]:
    """The schema's plain fields of a row, under the names it reads them by."""
    names = [field.alias or name for name, field in shape.model_fields.items()]
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


@router.get("/sites", response=SiteList)
def list_sites(request: ActingRequest, asked: Query[SiteFilter]) -> dict[str, Any]:
    """The sites in scope by id."""
    found = Site.objects.scoped(*_scopes(request)).filter(pk__gt=asked.after)
    if asked.place:
        found = found.filter(place__path__contains=f"/{asked.place}/")
    if asked.industry:
        found = found.filter(industry=asked.industry)
    if asked.duty:
        found = found.filter(duties__contains=[asked.duty])
    if asked.grade:
        found = found.filter(units__grade=asked.grade).distinct()
    if asked.q:
        found = found.filter(name_zh__icontains=asked.q) | found.filter(name_en__icontains=asked.q)
    rows = list(found.order_by("pk")[: asked.limit + 1])
    more = len(rows) > asked.limit
    return {"sites": rows[: asked.limit], "next": rows[asked.limit - 1].pk if more else None}


@router.get("/sites/{code}", response=SiteDetail)
def one_site(request: ActingRequest, code: str) -> dict[str, Any]:
    """One site with hazard units, substances, points and limits, and who answers for it."""
    site = Site.objects.scoped(*_scopes(request)).filter(code=code).first()
    if site is None:
        raise Http404
    pairs = supervision.supervisor_ids(((site.pk, duty) for duty in site.duties), "county", present())
    return {
        **_columns(site, SiteOut),
        "units": [
            {**_columns(unit, UnitOut), "substances": list(unit.substances.all())}
            for unit in site.units.prefetch_related("substances")
        ],
        "points": list(site.points.all()),
        "supervisors": {duty: office for (_, duty), office in pairs.items()},
    }


@router.get("/unanswered", response=list[UnansweredOut])
def list_unanswered(request: ActingRequest, level: str = "county") -> list[dict[str, Any]]:
    """Sites in scope that no office answers for at ``level``, and why."""
    if level not in {"county", "league", "region"}:
        raise Http404("level is one of county, league, region")
    ids = Site.objects.scoped(*_scopes(request)).values_list("pk", flat=True)
    return [
        {"site": gap.site_id, "duty": gap.duty, "level": gap.level, "office": gap.office_id, "why": gap.why}
        for gap in supervision.unanswered(present(), ids, level)
    ]
