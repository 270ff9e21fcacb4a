"""From alarms to the one graded warning that a site and a kind of hazard have open 预警.

In: an alarm that people must hear of. Out: an act of the ledger in the same transaction: the warning opened,
raised in colour, or told that the alarm came again or cleared. A door that refuses leaves the alarm standing with
the reason, and it is tried again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from fengsui.law import numbers
from fengsui.ledger import doors
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Site
from fengsui.watch import colours
from fengsui.watch.alarm_states import ACTIVE
from fengsui.watch.models import Alarm, Rule

_LEVEL = Actor(kind="event", name="warning.level")
_AGAIN = Actor(kind="event", name="alarm.again")
_CLEARED = Actor(kind="event", name="alarm.cleared")
_SUBJECTS = {
    "HH": ("超高限", "above its high limit"), "H": ("超高限", "above its high limit"), "L": ("超低限", "below its low limit"),
    "LL": ("超低限", "below its low limit"), "BAD": ("数据异常", "bad data"), "SILENT": ("数据中断", "no data"),
}  # fmt: skip
"""What a warning is called, in Chinese and English: its alarms come and go with their values, the name stays."""
_WORDS = {
    "HH": ("高高报", "high-high"), "H": ("高报", "high"), "L": ("低报", "low"), "LL": ("低低报", "low-low"),
    "BAD": ("数据异常", "bad data"), "SILENT": ("数据中断", "no data"),
}  # fmt: skip
_QUIET = timedelta(minutes=1)
"""A warning is told again of its alarms at most so often: a flood of entries helps nobody."""


def announce(alarm: Alarm, colour: str, *, key: str, now: datetime, exercise: bool) -> None:
    """Let the alarm be part of its warning, opening or raising that; ``alarm`` is saved by the caller."""
    assert alarm.rule is not None and alarm.site is not None
    try:
        with transaction.atomic():
            alarm.case = _announce(alarm, alarm.rule, alarm.site, colour, key, now, exercise)
        alarm.warning_error = ""
    except doors.Refused as refusal:
        alarm.warning_error = str(refusal)[:300]


def _announce(alarm: Alarm, rule: Rule, site: Site, colour: str, key: str, now: datetime, exercise: bool) -> str:
    taken = open_warning(site, rule.hazard_kind)
    if taken is None:
        title, title_en = _subject(alarm)
        about = doors.About("site", str(site.pk), site.place_id, duty_of(site), title, exercise=exercise, title_en=title_en)
        values = {"hazard_kind": rule.hazard_kind, "colour": colour, "seen": _seen(alarm)}
        return doors.open("warning", "by_alarm", values, _LEVEL, about, key=key, now=now).case
    identity = str(taken.pk)
    if colours.rank(colour) > colours.rank(taken.fields.get("colour")):
        doors.act(identity, Call("upgrade", _LEVEL, {"colour": colour, "seen": _seen(alarm)}, key=key), now=now)
    elif not _told_lately(identity, now):
        doors.act(identity, Call("again", _AGAIN, {"seen": _seen(alarm)}, key=key), now=now)
    return identity


def tell_cleared(alarm: Alarm, *, key: str, now: datetime) -> None:
    """When the last active alarm of a warning has cleared, its people read it in the warning."""
    rows = Alarm.objects.unscoped("the relay's own work").filter(case=alarm.case, state__in=ACTIVE)
    if rows.exists():
        return
    try:
        with transaction.atomic():
            doors.act(str(alarm.case), Call("again", _CLEARED, {"seen": _seen(alarm, cleared=True)}, key=key), now=now)
    except doors.Refused:
        return  # the warning has ended meanwhile


def lower(now: datetime) -> int:
    """Lower the warnings whose alarms have for a while called for less than their colour; how many.

    A warning whose alarms are all gone keeps its colour: it is lifted by a person.
    """
    lasting = numbers.find("alarm.lower_after", now.astimezone(LEGAL_ZONE).date()).duration
    assert lasting is not None and lasting.seconds is not None
    rows = Alarm.objects.unscoped("every warning follows its alarms").filter(case__isnull=False)
    since = now - timedelta(seconds=lasting.seconds)
    active = rows.filter(state__in=ACTIVE, hidden="", rule__isnull=False).select_related("rule", "point__unit")
    worst: dict[UUID, int] = {}
    for alarm in active:
        if alarm.case is not None:
            worst[alarm.case] = max(worst.get(alarm.case, 0), colours.rank(colour_of(alarm, now)))
    moved = set(rows.filter(case__in=worst, touched_at__gt=since).values_list("case", flat=True))
    lowered = 0
    for case in Case.objects.filter(pk__in=worst.keys() - moved, mechanism="warning", ended=False):
        if 0 < worst[case.pk] < colours.rank(case.fields.get("colour")):
            colour = colours.COLOURS[worst[case.pk] - 1]
            try:
                doors.act(str(case.pk), Call("downgrade", _LEVEL, {"colour": colour}, key=f"lower-{case.pk}-{case.seq}"), now=now)
                lowered += 1
            except doors.Refused:
                continue  # its state takes no lowering
    return lowered


def open_warning(site: Site, hazard_kind: str) -> Case | None:
    """The site's open warning of this kind."""
    found: Case | None = Case.objects.filter(
        mechanism="warning", ended=False, about_kind="site", about_id=str(site.pk), fields__hazard_kind=hazard_kind
    ).first()
    return found


def duty_of(site: Site) -> str:
    """The field of work under which the site's warnings are supervised."""
    return str(site.duties[0]) if site.duties else ""


def colour_of(alarm: Alarm, now: datetime) -> str:
    """The colour the alarm calls for on this legal day; '' for none."""
    assert alarm.rule is not None
    unit = alarm.point.unit if alarm.point else None
    return colours.of_alarm(alarm.level, unit.grade if unit else None, alarm.rule.colour, now.astimezone(LEGAL_ZONE).date())


def _told_lately(case: str, now: datetime) -> bool:
    rows = Alarm.objects.unscoped("the relay's own work")
    return rows.filter(case=case, raised_at__gt=now - _QUIET).exists()


def _subject(alarm: Alarm) -> tuple[str, str]:
    point, site = alarm.point, alarm.site
    assert point is not None and site is not None
    chinese, english = _SUBJECTS.get(alarm.level, (alarm.level, alarm.level))
    return (
        f"{site.name_zh} {point.name_zh}（{point.tag}）{chinese}"[:300],
        f"{site.name_en or site.name_zh}: {point.name_en or point.name_zh} ({point.tag}) {english}"[:300],
    )


def _seen(alarm: Alarm, *, cleared: bool = False) -> str:
    """What is written into the warning, in both languages: the entry is for whoever reads it."""
    point = alarm.point
    assert point is not None
    value = "" if alarm.value is None else f" {alarm.value:.4g} {point.measure}"
    chinese, english = _WORDS.get(alarm.level, (alarm.level, alarm.level))
    said = f"{point.name_zh}（{point.tag}）{chinese}{value}{'，报警已消除' if cleared else ''}"
    return f"{said} / {point.name_en or point.name_zh} ({point.tag}) {english}{value}{', cleared' if cleared else ''}"[:300]
