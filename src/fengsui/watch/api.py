"""The watch's endpoints: points, newest values, history, alarms, acknowledgement, and the devices' door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer

from fengsui.moment import now as present
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Point, Site
from fengsui.watch import codec, credentials, handling, intrusions, listing, origins, reading, rulechanges
from fengsui.watch.line import Away, line
from fengsui.watch.models import Rule

router = Router(tags=["watch"])
_MOST = 5_000


class BySiteToken(HttpBearer):
    """``Authorization: Bearer TOKEN`` of the site; needs no database."""

    def authenticate(self, request: HttpRequest, token: str) -> str | None:
        site = credentials.site_of(token)
        if site is None:
            _count(intrusions.UNKNOWN, "unauthorised", "HTTP: unknown token")
        return site


def _count(site: str, kind: str, text: str) -> None:
    try:
        intrusions.add(site, "http", kind, 1, text, present())
    except DatabaseError:
        return  # counting must not keep samples out


@router.post("/ingest/{kind}", auth=BySiteToken(), summary="Send samples of the token's site", response={202: dict[str, Any]})
def ingest(request: HttpRequest, kind: str) -> Any:
    """The body is a message as devices publish it by MQTT: ``json`` or ``cols``. Answered once it is kept.

    400 malformed, 401 unknown token, 413 too large, 503 the stream is away (send again).
    """
    site: str = request.auth  # type: ignore[attr-defined]
    if int(request.headers.get("Content-Length") or 0) > codec.MAX_BYTES:
        _count(site, "oversized", "HTTP")
        raise HttpError(413, f"A message may have {codec.MAX_BYTES} bytes; send smaller batches")
    try:
        batch = codec.decode(kind, request.body, {}, frozenset())
    except codec.Oversized as error:
        _count(site, "oversized", str(error))
        raise HttpError(413, str(error)) from error
    except codec.Malformed as error:
        _count(site, "malformed", str(error))
        raise HttpError(400, str(error)) from error
    try:
        seq = line.store(f"tele.{site}.{kind}", request.body)
    except Away as error:
        raise HttpError(503, "The stream does not answer; send the batch again") from error
    return Status(202, {"samples": len(batch.point), "stored": seq})


def _site(request: HttpRequest, code: str) -> Site:
    for acting in request.actings:  # type: ignore[attr-defined]
        found: Site | None = Site.objects.scoped(scope(acting)).filter(code=code).first()
        if found is not None:
            return found
    raise Http404("There is no such site among those you may see")


def _point(request: HttpRequest, point: int) -> Point:
    for acting in request.actings:  # type: ignore[attr-defined]
        found: Point | None = Point.objects.scoped(scope(acting)).filter(pk=point).first()
        if found is not None:
            return found
    raise Http404("There is no such point among those you may see")


@router.get("/sites/{code}/points", summary="A site's points with their running limits")
def points(request: HttpRequest, code: str) -> list[dict[str, Any]]:
    """Each point with ``limits``: rule, level, limit, deadband, delays in ms, priority, and the origin of each number.

    An origin's ``kind`` is law, design, default or plant; ``proposed``: no regulation stands behind it.
    """
    now = present()
    found = reading.points_of(_site(request, code).pk)
    limits = reading.limits(found, now)
    return [
        {
            "id": point.pk, "tag": point.tag, "name": {"zh": point.name_zh, "en": point.name_en}, "quantity": point.quantity,
            "measure": point.measure,
            "limits": [one._asdict() | {"origin": origins.plain(one.origin)} for one in limits.get(point.pk, [])],
        }
        for point in found
    ]  # fmt: skip


@router.get("/sites/{code}/latest", summary="The newest value of each point of a site")
def latest(request: HttpRequest, code: str) -> dict[int, dict[str, Any]]:
    """By point id: time, value, quality (0 good, 2 bad), raised levels, arrival."""
    return {point: one._asdict() for point, one in reading.latest_of_sites([_site(request, code).code]).items()}


@router.get("/points/{point}/history", summary="A point's samples between two times")
def history(request: HttpRequest, point: int, begin: datetime, end: datetime, most: int = 2_000) -> dict[str, Any]:
    """Columns time (ns), value, low, high, quality; beyond ``most`` samples each row is the newest sample of a stretch with
    the lowest and highest good value of it."""
    known = _point(request, point)
    if begin.tzinfo is None or end.tzinfo is None or begin >= end:
        raise HttpError(422, "begin and end are RFC 3339 times with offset, and begin comes first")
    if not 1 <= most <= _MOST:
        raise HttpError(422, f"most lies between 1 and {_MOST}")
    rows = reading.history().read(known.pk, int(begin.timestamp() * 1e9), int(end.timestamp() * 1e9), most)
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return dict(zip(("time_ns", "value", "low", "high", "quality"), columns, strict=True)) | {"measure": known.measure}


@router.get("/alarms", summary="Alarms in scope")
def alarms(
    request: HttpRequest, show: str = "standing", priority: str = "", level: str = "", site: str = "",
    place: str = "", q: str = "", order: str = "priority", page: int = 1, size: int = 100,
) -> dict[str, Any]:  # fmt: skip
    """``show``: standing, owing, hidden, all. ``order``: priority, newest, oldest, site."""
    begin = _begin(page, size)
    wanted = {"show": show, "priority": priority, "level": level, "site": site, "place": place, "q": q, "order": order}
    rows = listing.narrowed(listing.alarms(request.actings), wanted)  # type: ignore[attr-defined]
    found = list(rows[begin : begin + size])
    people = listing.acknowledgers((alarm.pk, alarm.acknowledged_by) for alarm in found)
    return {"count": rows.count(), "items": [_plain(alarm, people) for alarm in found]}


def _begin(page: int, size: int) -> int:
    """How many rows lie before the page."""
    if not (1 <= size <= 500 and 1 <= page <= 10_000):
        raise HttpError(422, "size lies between 1 and 500, page between 1 and 10000")
    return (page - 1) * size


def _plain(alarm: Any, people: dict[int, str]) -> dict[str, Any]:
    """``acknowledged_by`` is the name of whoever did so, null where nobody did."""
    times = {name: getattr(alarm, f"{name}_at") for name in ("raised", "cleared", "acknowledged", "closed")}
    names = ("id", "level", "priority", "state", "hidden", "value", "limit", "times", "flood", "case")
    plain = {name: getattr(alarm, name) for name in names} | times
    by = people.get(alarm.pk)
    site = alarm.site.code if alarm.site else None
    return plain | {"acknowledged_by": by, "site": site, "point": alarm.point_id, "rule": alarm.rule_id}


class Acknowledge(Schema):
    """Which alarms, and the caller's own key that makes a repetition harmless."""

    alarms: list[int]
    key: str


@router.post("/alarms/acknowledge", summary="Acknowledge alarms of one's own site")
def acknowledge(request: HttpRequest, body: Acknowledge) -> dict[str, int]:
    """404 for an alarm out of scope, 403 where another's posts handle it; ``changed`` says how many moved."""
    acting: Acting = request.acting  # type: ignore[attr-defined]
    rows = list(listing.alarms([acting]).filter(pk__in=body.alarms))
    if len(rows) < len(set(body.alarms)):
        raise Http404("There is no such alarm among those you may see")
    if not all(listing.may_handle(acting, alarm.site, "acknowledge") for alarm in rows):
        raise HttpError(403, "Alarms are handled by the site's own posts; others act on the warning")
    return {"changed": handling.acknowledge(body.alarms, handling.Doer.of(acting), key=body.key[:40], now=present())}


class Hide(Schema):
    """How a rule's alarms are hidden, or shown again; ``minutes`` for shelving alone."""

    what: Literal["shelve", "out_of_service", "suppress", "bring_back"]
    reason: str = ""
    minutes: int = 0
    key: str


class Hidden(Schema):
    """A rule whose alarms are hidden: ``kind`` shelved, out_of_service or suppressed; ``until`` null: until shown again."""

    rule: int
    point: int
    site: str
    level: str
    kind: str
    since: datetime
    until: datetime | None
    reason: str


class HiddenList(Schema):
    """A page of them; ``count`` is of all pages."""

    count: int
    items: list[Hidden]


@router.get("/alarms/hidden", response=HiddenList, summary="Rules in scope whose alarms are hidden")
def hidden(request: HttpRequest, page: int = 1, size: int = 100) -> dict[str, Any]:
    """Shelved, out of service and suppressed by design (ISA-18.2), the newest first; paged as the alarms are."""
    begin = _begin(page, size)
    rows = listing.concealed(request.actings)  # type: ignore[attr-defined]
    items = [
        {
            "rule": one.rule_id, "point": one.rule.point_id, "site": one.rule.point.site.code, "level": one.rule.level,
            "kind": one.kind, "since": one.since, "until": one.until, "reason": one.reason,
        }
        for one in rows[begin : begin + size]
    ]  # fmt: skip
    return {"count": rows.count(), "items": items}


@router.post("/rules/{rule}/hidden", response={204: None}, summary="Hide a rule's alarms, or show them again")
def hide(request: HttpRequest, rule: int, body: Hide) -> Any:
    """404 out of scope, 403 for others than the site's control room and safety management, 422 with the reason."""
    acting, now = request.acting, present()  # type: ignore[attr-defined]
    rows = Rule.objects.scoped(scope(acting)).select_related("point__site__office")
    found = rows.filter(pk=rule).first() if rule < 1 << 31 else None
    if found is None:
        raise Http404("There is no such rule among those you may see")
    running = listing.concealed([acting]).filter(rule=found).first() if body.what == "bring_back" else None
    allowed = listing.may_bring_back(acting, running) if running else listing.may_handle(acting, found.point.site, body.what)
    if not allowed:
        raise HttpError(403, "Alarms are hidden by the site's own posts: control room or safety management")
    try:
        if body.what == "bring_back":
            may = listing.may_handle(acting, found.point.site, "suppress")
            handling.bring_back(rule, handling.Doer.of(acting), key=body.key, now=now, suppressed=may)
        else:
            until = now + timedelta(minutes=min(max(body.minutes, 0), 100_000))
            handling.hide(body.what, rule, handling.Doer.of(acting), until, body.reason, key=body.key, now=now)
    except handling.NotPossible as error:
        raise HttpError(422, str(error)) from error
    return Status(204, None)


class RuleIn(Schema):
    """An alarm level's new setting: limit and deadband in the point's unit, delays in seconds."""

    limit: float | None = None
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0


class RulesIn(Schema):
    """New settings by level (HH, H, L, LL …), on grounds that stay on the record."""

    grounds: str
    levels: dict[str, RuleIn]


class OriginOut(Schema):
    """Where a number comes from: ``kind`` law, design, default or plant; ``proposed``: no regulation stands behind it."""

    kind: Literal["law", "design", "default", "plant"]
    said: str
    number: str
    proposed: bool


class RuleOut(Schema):
    """An alarm rule as it holds ``since``; ``taken_at`` says when the engine took it over, none before."""

    id: int
    point: int
    level: str
    limit: float | None
    deadband: float
    on_delay_s: float
    off_delay_s: float
    since: datetime
    taken_at: datetime | None
    origin: dict[str, OriginOut]


def _rule(rule: Rule, now: datetime) -> dict[str, Any]:
    return {
        "id": rule.pk, "point": rule.point_id, "level": rule.level, "limit": rule.limit, "deadband": rule.deadband,
        "on_delay_s": rule.on_s, "off_delay_s": rule.off_s, "since": rule.since, "taken_at": rule.taken_at,
        "origin": origins.plain(origins.of_rule(rule, rule.point, now)),
    }  # fmt: skip


@router.get("/sites/{code}/rules", response=list[RuleOut])
def list_rules(request: HttpRequest, code: str) -> list[dict[str, Any]]:
    """The alarm rules that run at the site; ``taken_at`` null: the engine has not taken it over yet.

    ``origin`` says of limit, deadband and delays whether law, design, a default or the plant set them.
    """
    now = present()
    rows = Rule.objects.unscoped("the site was found in the caller's scope").filter(point__site=_site(request, code))
    rows = rows.filter(since__lte=now).exclude(until__lte=now).select_related("point")
    return [_rule(rule, now) for rule in rows]


@router.post("/sites/{code}/rules/{point}", response=list[RuleOut])
def change_rules(request: HttpRequest, code: str, point: int, asked: RulesIn) -> list[dict[str, Any]]:
    """Change a point's rules; levels left out stay. A ``limit`` of null takes the level away. Gives the new rules.

    403 for anybody but the enterprise's safety management, 422 naming the level and the bound.
    """
    now = present()
    site = _site(request, code)
    found = site.points.filter(pk=point, closed_on__isnull=True).first() if point < 1 << 31 else None
    if found is None:
        raise Http404("There is no such point at this site")
    acting = next((one for one in request.actings if rulechanges.may_change(one, site)), None)  # type: ignore[attr-defined]
    if acting is None:
        raise HttpError(403, "Alarm rules are changed by the enterprise's own safety management")
    if stray := sorted(set(asked.levels) - {*rulechanges.LEVELS, *rulechanges.TIMED}):
        raise _unfit(stray[0], f"{stray[0]}: a level is one of HH, H, L, LL, BAD, SILENT")
    wanted = {
        level: rulechanges.Wanted(rule.limit, rule.deadband, rule.on_s, rule.off_s)
        for level, rule in rulechanges.running(found, now).items()
    }
    wanted |= {
        level: rulechanges.Wanted(one.limit, one.deadband, one.on_delay_s, one.off_delay_s) for level, one in asked.levels.items()
    }
    try:
        made = rulechanges.change(found, wanted, asked.grounds, acting, now)
    except rulechanges.Unfit as wrong:
        raise _unfit(wrong.field, str(wrong)) from wrong
    return [_rule(one.new, now) for one in made if one.new is not None]


def _unfit(field: str, text: str) -> ValidationError:
    return ValidationError([{"type": "value_error", "loc": ("body", "levels", field), "msg": text}])
