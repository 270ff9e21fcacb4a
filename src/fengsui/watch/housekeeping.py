"""What the relay does between events: shelving ends, lasting silence becomes a warning, the engine is told of rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Sum
from django.db.models.functions import Least

from fengsui.law import numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Change, Point
from fengsui.watch import news, rules, warnings
from fengsui.watch.alarm_states import ACTIVE
from fengsui.watch.models import Alarm, Concealment, Rule

_REPEAT = timedelta(hours=6)
_TOGETHER = 50


def keep(now: datetime, *, exercise: bool) -> None:
    """End what has run out, and bring alarms to their warnings that have none yet."""
    with transaction.atomic():
        hiding = Concealment.objects.unscoped("hiding ends for all").filter(ended_at__isnull=True)
        # A rule that was replaced has handed its hiding on (``rules.change``); one that was taken away ends it.
        over = hiding.filter(Q(until__lte=now) | Q(rule__until__lte=now))
        ended = list(over.select_for_update(of=("self",)).values_list("pk", flat=True))
        hiding.filter(pk__in=ended).update(ended_at=Least(F("until"), now))
        # By place, not by rule: an alarm that was raised while its rule was being replaced may still name the former.
        places = Concealment.objects.unscoped("shelving ends for all").filter(
            pk__in=ended, rule__point=OuterRef("point"), rule__level=OuterRef("level")
        )
        shown = Alarm.objects.unscoped("shelving ends for all").filter(Exists(places), closed_at__isnull=True)
        news.spread(set(shown.values_list("site_id", flat=True)), now)
        shown.update(hidden="", touched_at=now)
    for alarm in _waiting(now):
        with transaction.atomic():
            _bring(alarm.pk, now, exercise)


def _waiting(now: datetime) -> Iterator[Alarm]:
    """Active, visible alarms without a warning that should have one."""
    silence = numbers.find("warning.offline", now.astimezone(LEGAL_ZONE).date()).duration
    assert silence is not None and silence.seconds is not None
    lasting = Q(level__in=["SILENT", "BAD"], raised_at__lte=now - timedelta(seconds=silence.seconds))
    limits = Q(level__in=["HH", "H", "L", "LL"], touched_at__lt=now - timedelta(seconds=5))
    rows = Alarm.objects.unscoped("every alarm has its warning")
    yield from rows.filter(lasting | limits, state__in=ACTIVE, hidden="", case__isnull=True, rule__isnull=False)[:_TOGETHER]


def _bring(pk: int, now: datetime, exercise: bool) -> None:
    rows = Alarm.objects.unscoped("every alarm has its warning").select_for_update(of=("self",))
    alarm = rows.select_related("rule", "point__unit", "site").get(pk=pk)
    assert alarm.rule is not None and alarm.site is not None
    if alarm.case is not None or alarm.state not in ACTIVE:
        return
    lasting = alarm.level in ("SILENT", "BAD")
    colour = (alarm.rule.colour or "yellow") if lasting else warnings.colour_of(alarm, now)
    if colour:
        key = f"late-{alarm.pk}-{alarm.order_seq}-{alarm.order_index}"
        warnings.announce(alarm, colour, key=key, now=now, exercise=exercise and alarm.site.synthetic)
    alarm.touched_at = now
    alarm.save(update_fields=["case", "warning_error", "touched_at"])
    news.spread({alarm.site_id}, now)


class Teller:
    """Knows what the engine was told of each site, and finds what it must be told now."""

    def __init__(self) -> None:
        self._told: dict[str, bytes] = {}
        self._signature: tuple[object, ...] = ()
        self._since: datetime | None = None

    def due(self, now: datetime) -> list[tuple[str, bytes]]:
        """(site code, message) for each site whose points or rules changed; all of them now and then."""
        if self._since is None or now - self._since > _REPEAT:
            self._told.clear()
            self._since, self._signature = now, ()
        signature = self._look(now)
        if signature == self._signature:
            return []
        found = []
        for one in rules.configurations(now):
            message = one.encode()
            digest = sha256(message).digest()
            if self._told.get(one.site) != digest:
                found.append((one.site, message))
        self._signature = signature
        return found

    def told(self, site: str, message: bytes) -> None:
        """The stream has stored this one."""
        self._told[site] = sha256(message).digest()

    def forget(self) -> None:
        """Say everything again at the next occasion."""
        self._signature = ()

    def _look(self, now: datetime) -> tuple[object, ...]:
        running = Q(since__lte=now) & (Q(until__isnull=True) | Q(until__gt=now))
        of_rules = Rule.objects.unscoped("the engine watches all").filter(running)
        of_points = Point.objects.unscoped("the engine watches all")
        counted = of_rules.order_by().aggregate(Count("id"), Max("id"), Sum("id"))
        points = of_points.order_by().aggregate(Count("id"), Max("id"), Sum("site_id"))
        edits = Change.objects.unscoped("the engine watches all").filter(subject_kind__in=["point", "site"])
        return (*counted.values(), *points.values(), edits.order_by().aggregate(Max("id"))["id__max"])
