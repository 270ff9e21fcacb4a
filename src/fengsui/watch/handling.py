"""What people do with alarms: acknowledge, reset, shelve, take out of service, suppress by design, bring back.

Each act is one transaction and counts once under its key. None of them touches the engine's detection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import NamedTuple, Self

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from fengsui.law import numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import Acting
from fengsui.watch import news, rules
from fengsui.watch.alarm_states import State, What, after
from fengsui.watch.models import Alarm, AlarmEvent, Concealment, Rule


class NotPossible(ValueError):
    """The act does not fit; the text says why and what would."""


class Doer(NamedTuple):
    """Whose hand did it, and for whom: ``principal`` is the person whose act it is where a deputy signs 代签."""

    person: int
    principal: int | None = None

    @classmethod
    def of(cls, acting: Acting) -> Self:
        """The person in the post that acts, with the principal behind a delegation."""
        return cls(acting.person_id, acting.principal_id)


def acknowledge(alarms: Iterable[int], by: Doer, *, key: str, now: datetime) -> int:
    """Take note of alarms in the doer's name; give how many changed."""
    return _each(alarms, What.ACKNOWLEDGE, by, key, now)


def reset(alarms: Iterable[int], by: Doer, *, key: str, now: datetime) -> int:
    """End latched alarms that are back to normal and acknowledged."""
    return _each(alarms, What.RESET, by, key, now)


def _each(alarms: Iterable[int], what: What, by: Doer, key: str, now: datetime) -> int:
    changed = 0
    sites: set[int | None] = set()
    with transaction.atomic():
        rows = Alarm.objects.unscoped("the caller chose them in scope").select_for_update()
        for alarm in rows.filter(pk__in=list(alarms)).order_by("pk"):
            event = f"p-{key}-{alarm.pk}"[:80]
            if AlarmEvent.objects.filter(event_id=event).exists():
                continue
            state = after(State(alarm.state), what)
            if state == alarm.state:
                continue
            alarm.state, alarm.touched_at = state, now
            if what is What.ACKNOWLEDGE:
                alarm.acknowledged_at, alarm.acknowledged_by = now, by.person
            if state is State.NORMAL:
                alarm.closed_at = now
            alarm.save()
            _say(event, alarm, str(what), by, now)
            changed += 1
            sites.add(alarm.site_id)
        news.spread(sites, now)
    return changed


def shelve(rule: int, by: Doer, until: datetime, reason: str, *, key: str, now: datetime) -> None:
    """Hide a rule's alarms until a time, at most ``alarm.shelve_longest`` ahead. Raises ``NotPossible``."""
    longest = longest_shelf(now)
    if not now < until <= now + longest:
        raise NotPossible(_("Shelving ends within {hours:g} hours from now").format(hours=longest.total_seconds() / 3600))
    _conceal(rule, "shelved", by, until, reason, key, now)


def longest_shelf(now: datetime) -> timedelta:
    """How long an alarm may be shelved at most, by the law of the day (``alarm.shelve_longest``)."""
    longest = numbers.find("alarm.shelve_longest", now.astimezone(LEGAL_ZONE).date()).duration
    assert longest is not None and longest.seconds is not None
    return timedelta(seconds=longest.seconds)


def take_out_of_service(rule: int, by: Doer, reason: str, *, key: str, now: datetime) -> None:
    """Hide a rule's alarms until somebody brings it back: its sensor is being repaired. Raises ``NotPossible``."""
    _conceal(rule, "out_of_service", by, None, reason, key, now)


def suppress(rule: int, by: Doer, reason: str, *, key: str, now: datetime) -> None:
    """Hide a rule's alarms until somebody brings it back: by design they mean nothing now. Raises ``NotPossible``."""
    _conceal(rule, "suppressed", by, None, reason, key, now)


REASON = 300
"""Characters of a reason; whatever is longer is refused, not cut."""
HIDING = ("shelve", "out_of_service", "suppress")
"""The three ways of ISA-18.2 to hide an alarm."""


def hide(what: str, rule: int, by: Doer, until: datetime, reason: str, *, key: str, now: datetime) -> None:
    """Hide a rule's alarms in one of the ways of ``HIDING``; only shelving looks at ``until``. Raises ``NotPossible``."""
    if what == "shelve":
        shelve(rule, by, until, reason, key=key, now=now)
    elif what == "suppress":
        suppress(rule, by, reason, key=key, now=now)
    else:
        take_out_of_service(rule, by, reason, key=key, now=now)


def bring_back(rule: int, by: Doer, *, key: str, now: datetime, suppressed: bool) -> None:
    """End the hiding of a rule's alarms before its time; ``suppressed``: a suppression by design too."""

    def doing(rule: int) -> None:
        line = _hiding(rule).first()
        if line is None:
            raise NotPossible(_("This rule's alarms are not hidden"))
        if line.kind == Alarm.Hidden.SUPPRESSED and not suppressed:
            raise NotPossible(_("These alarms are suppressed by design; the safety management shows them again"))
        line.ended_at = now
        line.save(update_fields=["ended_at"])
        _hide_open(rule, "", "bring_back", by, event, now)

    event = _event(rule, "bring_back", by, key)
    _once(rule, event, now, doing)


def _conceal(rule: int, kind: str, by: Doer, until: datetime | None, reason: str, key: str, now: datetime) -> None:
    if not reason.strip():
        raise NotPossible(_("Say why the alarm is to be hidden"))
    if len(reason) > REASON:
        raise NotPossible(
            _("The reason has {length} characters; at most {most} are kept: shorten it").format(length=len(reason), most=REASON)
        )

    def doing(rule: int) -> None:
        if _hiding(rule).exists():
            raise NotPossible(_("This rule's alarms are hidden already; bring them back first"))
        Concealment.objects.create(
            rule_id=rule, kind=kind, since=now, until=until, person=by.person, principal=by.principal, reason=reason
        )
        _hide_open(rule, kind, kind, by, event, now, reason)

    event = _event(rule, kind, by, key)
    _once(rule, event, now, doing)


def _hiding(rule: int) -> QuerySet[Concealment]:
    rows = Concealment.objects.unscoped("the caller chose the rule in scope").select_for_update()
    return rows.filter(rule_id=rule, ended_at__isnull=True)


def _event(rule: int, what: str, by: Doer, key: str) -> str:
    """The event's id: the same for the same act sent again, another for another act or person under the same key."""
    return f"p-{blake2s(f'{by.person}|{what}|{key}'.encode(), digest_size=16).hexdigest()}-r{rule}"


def _once(rule: int, event: str, now: datetime, doing: Callable[[int], None]) -> None:
    """Do it, unless it is done, to the rule, or to the one that has replaced it since the caller looked."""
    with transaction.atomic():
        # Two who hide or show the same rule's alarms at once wait for each other here, and for whoever changes it; and what
        # was waited for may have been replaced meanwhile: so on until the rule in hand runs, or none does.
        rows = Rule.objects.unscoped("the caller chose the rule in scope").select_for_update(no_key=True)
        running = rows.get(pk=rule)
        while (then := rules.standing(running)).pk != running.pk:
            running = rows.get(pk=then.pk)
        if AlarmEvent.objects.filter(event_id=event).exists():
            return
        if running.until is not None and running.until <= now:
            raise NotPossible(_("This rule has ended and none has replaced it: there is no alarm to hide or show"))
        doing(running.pk)


def _hide_open(rule: int, hidden: str, kind: str, by: Doer, event: str, now: datetime, text: str = "") -> None:
    rows = Alarm.objects.unscoped("the caller chose the rule in scope").select_for_update(of=("self",))
    place = Rule.objects.unscoped("the caller chose the rule in scope").get(pk=rule)
    alarm = rows.filter(point=place.point_id, level=place.level, closed_at__isnull=True).first()
    if alarm is not None:
        alarm.hidden, alarm.touched_at = hidden, now
        alarm.save(update_fields=["hidden", "touched_at"])
    _say(event, alarm, kind, by, now, text, rule)
    news.spread({alarm.site_id if alarm else None}, now)


def _say(event: str, alarm: Alarm | None, kind: str, by: Doer, now: datetime, text: str = "", rule: int | None = None) -> None:
    rule_id = alarm.rule_id if alarm is not None else rule
    point = Rule.objects.unscoped("the alarm's own rule").filter(pk=rule_id).values_list("point_id", flat=True).first()
    AlarmEvent.objects.create(
        event_id=event, alarm=alarm, kind=kind[:16], rule_id=rule_id, point_id=point, at=now, stored_at=now,
        person=by.person, principal=by.principal, text=text,
    )  # fmt: skip
