"""What the watch hangs on the region's room: rules follow points and sites that are added, changed or closed."""

from __future__ import annotations

from datetime import datetime

from fengsui.region import changing
from fengsui.region.acting import Acting
from fengsui.region.models import Change, Point, Site
from fengsui.watch import credentials, rulechanges, rules
from fengsui.watch.models import Rule
from fengsui.watch.rulechanges import DESIGN, Wanted


def stand() -> None:
    """Register it; called once, when the room starts."""
    changing.listen("add_point", _added)
    changing.listen("edit_point", _edited)
    changing.listen("close_point", _point_closed)
    changing.listen("close_site", _site_closed)
    changing.listen("reopen_site", _site_reopened)


def _point(change: Change) -> Point:
    return Point.objects.unscoped("the point just changed").get(pk=change.subject_id)


def _added(change: Change, now: datetime) -> None:
    Rule.objects.bulk_create(rules.derive([_point(change)], now))


def _edited(change: Change, now: datetime) -> None:
    """A rule looser than a design limit that was drawn closer is drawn closer too, and a new design limit is watched."""
    if not set(DESIGN.values()) & set(change.after):
        return
    point, acting = _point(change), Acting(change.person_id, change.post_id, change.acting_office_id, change.principal_id)
    present = rulechanges.running(point, now)
    wanted = {}
    for level, column in DESIGN.items():
        design, rule = getattr(point, column), present.get(level)
        if design is None:
            continue
        if rule is None or rule.limit is None:
            on, off = rules.delays_ms(point.quantity, rules.defaults(now))
            wanted[level] = Wanted(design, on_delay_s=on / 1000, off_delay_s=off / 1000)
        elif rule.limit > design if level in ("H", "HH") else rule.limit < design:
            wanted[level] = Wanted(design, rule.deadband, rule.on_delay_ms / 1000, rule.off_delay_ms / 1000)
    if wanted:
        try:
            rulechanges.change(point, wanted, change.grounds, acting, now)
        except rulechanges.Unfit as wrong:
            raise changing.NotPossible(str(wrong), DESIGN.get(wrong.field.split("_")[0], "")) from wrong


def _point_closed(change: Change, now: datetime) -> None:
    _end(Rule.objects.unscoped("the point just taken away").filter(point=change.subject_id), now)


def _site_closed(change: Change, now: datetime) -> None:
    _end(Rule.objects.unscoped("the site just closed").filter(point__site=change.subject_id), now)
    credentials.revoke([Site.objects.unscoped("the site just closed").get(pk=change.subject_id)], now)


def _site_reopened(change: Change, now: datetime) -> None:
    """The rules that ended with its closing begin again; ``install`` passes over points that ever had one."""
    closed = Change.objects.unscoped("the site just opened").filter(kind="close_site", subject_id=change.subject_id)
    rows = Rule.objects.unscoped("the site just opened").filter(point__site=change.subject_id, point__closed_on__isnull=True)
    running = set(rows.filter(until__isnull=True).values_list("point_id", "level"))
    names = {one.attname for one in Rule._meta.concrete_fields} - {"id", "since", "until", "taken_at", "left_at"}
    Rule.objects.bulk_create(
        Rule(**{name: getattr(rule, name) for name in names}, since=now)
        for rule in rows.filter(until=closed.latest("at").at)
        if (rule.point_id, rule.level) not in running
    )


def _end(rows: object, now: datetime) -> None:
    rows.filter(until__isnull=True, since__lt=now).update(until=now)  # type: ignore[attr-defined]
