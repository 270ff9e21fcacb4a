"""Alarm rules."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fengsui.region.models import Point, Site
from fengsui.region.scoping import ScopedManager


class Rule(models.Model):
    """One alarm of one point: HH, H, L or LL against a limit, bad quality, or silence.

    ``limit`` and ``deadband`` are in the point's measure; for SILENT ``on_delay_ms`` is the time without data.
    A rule is never edited: a change ends it (``until``) and begins another. An open alarm, and what hides its alarms,
    go over to the successor; the alarm's events keep the rule under which each happened.
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
    taken_at = models.DateTimeField(null=True, blank=True)  # the stream's time at which the engine began to judge by it
    left_at = models.DateTimeField(null=True, blank=True)  # at which it no longer did

    objects = ScopedManager(place="point__site__place__path", office="point__site__office__path", duties="point__site__duties")

    class Meta:
        ordering = ["point_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["point", "level"], condition=Q(until__isnull=True), name="watch_rule_one_open"),
            models.CheckConstraint(condition=Q(level__in=["BAD", "SILENT"]) | Q(limit__isnull=False), name="watch_rule_limit"),
            models.CheckConstraint(condition=Q(deadband__gte=0), name="watch_rule_deadband"),
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="watch_rule_order"),
        ]

    @property
    def on_s(self) -> float:
        """The on-delay in seconds."""
        return self.on_delay_ms / 1000

    @property
    def off_s(self) -> float:
        """The off-delay in seconds."""
        return self.off_delay_ms / 1000

    def __str__(self) -> str:
        return f"{self.point_id} {self.level} {self.limit if self.limit is not None else ''}".strip()


class RuleChange(models.Model):
    """One change of a point's alarm rule with its author and grounds (ISA-18.2 management of change), for ever.

    ``before`` and ``after`` hold limit, deadband and delays; empty ``after``: the rule was taken away. What went over to
    the successor stands in ``after`` too: ``hidden`` (and ``hidden_until``), ``alarm`` the open one. A trigger refuses
    updates and deletes.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="rule_changes")
    point = models.ForeignKey(Point, models.PROTECT, related_name="rule_changes")
    level = models.CharField(max_length=6, choices=Rule.Level.choices)
    old = models.ForeignKey(Rule, models.PROTECT, null=True, related_name="+")
    new = models.ForeignKey(Rule, models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    grounds = models.TextField()
    at = models.DateTimeField()
    person_id = models.BigIntegerField()
    principal_id = models.BigIntegerField(null=True)
    post_id = models.BigIntegerField()
    office_id = models.BigIntegerField()

    objects = ScopedManager(place="site__place__path", office="site__office__path", duties="site__duties")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["site", "-at"], name="watch_rulechange_site")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.point_id} {self.level}"
