"""Alarm rules."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fengsui.region.models import Point
from fengsui.region.scoping import ScopedManager


class Rule(models.Model):
    """One alarm of one point: HH, H, L or LL against a limit, bad quality, or silence.

    ``limit`` and ``deadband`` are in the point's measure; for SILENT ``on_delay_ms`` is the time without data.
    A rule is never edited: a change ends it (``until``) and begins another, so that an alarm keeps the rule
    under which it was raised.
    """

    class Level(models.TextChoices):
        HH = "HH", _("High-high")
        H = "H", _("High limit")
        L = "L", _("Low limit")
        LL = "LL", _("Low-low")
        BAD = "BAD", _("Bad quality")
        SILENT = "SILENT", _("No data")

    class Priority(models.IntegerChoices):
        HIGH = 1, _("High")
        MEDIUM = 2, _("Medium")
        LOW = 3, _("Low")

    id = models.AutoField(primary_key=True)  # an int32: a column of the engine
    point = models.ForeignKey(Point, models.CASCADE, related_name="rules")
    level = models.CharField(max_length=6, choices=Level.choices)
    limit = models.FloatField(null=True, blank=True)
    deadband = models.FloatField(default=0.0)
    on_delay_ms = models.PositiveIntegerField(default=0)
    off_delay_ms = models.PositiveIntegerField(default=0)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices)
    hazard_kind = models.CharField(max_length=32)  # what it warns of; one warning a site and kind
    colour = models.CharField(max_length=8, blank=True)  # the warning's colour; empty: by level and the unit's grade
    latched = models.BooleanField(default=False)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(place="point__site__place__path", office="point__site__office__path", duties="point__site__duties")

    class Meta:
        ordering = ["point_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["point", "level"], condition=Q(until__isnull=True), name="watch_rule_one_open"),
            models.CheckConstraint(condition=Q(level__in=["BAD", "SILENT"]) | Q(limit__isnull=False), name="watch_rule_limit"),
            models.CheckConstraint(condition=Q(deadband__gte=0), name="watch_rule_deadband"),
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="watch_rule_order"),
        ]

    def __str__(self) -> str:
        return f"{self.point_id} {self.level} {self.limit if self.limit is not None else ''}".strip()
