"""Alarms and everything that happened to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fengsui.region.models import Point, Site
from fengsui.region.scoping import ScopedManager

from .rules import Rule


class Alarm(models.Model):
    """One alarm of one rule from its raising to its end 报警 (ISA-18.2). Open while ``closed_at`` is null.

    A point's level has one open alarm at most, whether it is shown or hidden and whichever rule raised it: where the rule is
    replaced it goes over to the successor.

    ``order_seq`` and ``order_index`` are the place of the last engine event applied, so that an older one
    changes nothing. An outage of the whole stream has neither point nor site.
    """

    class State(models.TextChoices):
        NORMAL = "normal", _("Normal")
        UNACKNOWLEDGED = "unacknowledged", _("Active, unacknowledged")
        ACKNOWLEDGED = "acknowledged", _("Active, acknowledged")
        RETURNED = "returned", _("Returned, unacknowledged")
        LATCHED_UNACKNOWLEDGED = "latched_unacknowledged", _("Latched, unacknowledged")
        LATCHED_ACKNOWLEDGED = "latched_acknowledged", _("Latched, acknowledged")

    class Hidden(models.TextChoices):
        NOT = "", _("Shown")
        SHELVED = "shelved", _("Shelved")
        SUPPRESSED = "suppressed", _("Suppressed by design")
        OUT_OF_SERVICE = "out_of_service", _("Out of service")

    rule = models.ForeignKey(Rule, models.PROTECT, null=True, blank=True, related_name="alarms")
    point = models.ForeignKey(Point, models.PROTECT, null=True, blank=True, related_name="alarms")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="alarms")
    level = models.CharField(max_length=8)  # the rule's, or OUTAGE
    priority = models.PositiveSmallIntegerField(choices=Rule.Priority.choices)
    state = models.CharField(max_length=24, choices=State.choices)
    hidden = models.CharField(max_length=16, choices=Hidden.choices, blank=True, default="")
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.BigIntegerField(null=True, blank=True)  # region person
    closed_at = models.DateTimeField(null=True, blank=True)
    value = models.FloatField(null=True, blank=True)  # at the last raising
    limit = models.FloatField(null=True, blank=True)
    times = models.PositiveIntegerField(default=1)  # raised so often before it ended
    flood = models.BooleanField(default=False)  # one of many at its site within ten minutes
    case = models.UUIDField(null=True, blank=True, db_index=True)  # the warning it belongs to
    warning_error = models.CharField(max_length=300, blank=True)  # why the warning could not be opened; tried again
    order_seq = models.BigIntegerField(default=0)
    order_index = models.IntegerField(default=0)
    touched_at = models.DateTimeField()

    objects = ScopedManager(place="site__place__path", office="site__office__path", duties="site__duties")

    class Meta:
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["point", "level"], condition=Q(closed_at__isnull=True), nulls_distinct=False, name="watch_alarm_one_open"
            ),
            models.CheckConstraint(condition=Q(state="normal") ^ Q(closed_at__isnull=True), name="watch_alarm_closed_is_normal"),
        ]
        indexes = [
            models.Index(fields=["site", "-raised_at"], name="watch_alarm_site"),
            models.Index(fields=["-raised_at"], name="watch_alarm_raised"),
            models.Index(fields=["priority", "-raised_at"], condition=Q(closed_at__isnull=True), name="watch_alarm_open"),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.point_id or ''} {self.state}"


class AlarmEvent(models.Model):
    """One thing that happened: an engine's event, or a person's act. ``event_id`` makes each count once."""

    event_id = models.CharField(max_length=80, unique=True)
    alarm = models.ForeignKey(Alarm, models.CASCADE, null=True, blank=True, related_name="events")
    kind = models.CharField(max_length=16)  # RAISED, CLEARED, LATE_BEYOND, WITHDRAWN, OUTAGE, or an act
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, blank=True, related_name="+")
    point = models.ForeignKey(Point, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()  # event time
    stored_at = models.DateTimeField()  # when the stream, or we, had it
    value = models.FloatField(null=True, blank=True)
    person = models.BigIntegerField(null=True, blank=True)
    principal = models.BigIntegerField(null=True, blank=True)  # whose act it is where a deputy did it 代签
    text = models.TextField(blank=True)  # grounds stand here whole: whoever takes them bounds them

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["alarm", "at"], name="watch_event_alarm")]


class Concealment(models.Model):
    """A rule's alarms are hidden for a while: shelved by a person, suppressed by design, or out of service.

    Shelving always has an end; the others end when somebody ends them.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="concealments")
    kind = models.CharField(max_length=16, choices=[c for c in Alarm.Hidden.choices if c[0]])
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    person = models.BigIntegerField()
    principal = models.BigIntegerField(null=True, blank=True)  # whose act it is where a deputy did it 代签
    reason = models.CharField(max_length=300)

    objects = ScopedManager(
        place="rule__point__site__place__path", office="rule__point__site__office__path", duties="rule__point__site__duties"
    )

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.UniqueConstraint(fields=["rule"], condition=Q(ended_at__isnull=True), name="watch_concealment_one"),
            models.CheckConstraint(condition=~Q(kind="shelved") | Q(until__isnull=False), name="watch_shelving_ends"),
        ]
