"""What was changed in the region's registers, by whom and why; former names; supervision given to one office."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models

from fengsui.region.scoping import ScopedManager

from .offices import Office
from .sites import Site


class Change(models.Model):
    """One change of an office, post, person or site, for ever 变更记录: a trigger refuses updates and deletes.

    ``before`` and ``after`` hold the values that differ, by column; ``since`` is the moment from which it counts.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)  # the operation's name: ``begin_holding``
    office = models.ForeignKey(Office, models.PROTECT, related_name="changes")  # whose register it is
    subject_kind = models.CharField(max_length=16)
    subject_id = models.BigIntegerField()
    title_zh = models.CharField(max_length=300)  # what the subject was called then
    title_en = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()
    grounds = models.TextField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    person_id = models.BigIntegerField()
    principal_id = models.BigIntegerField(null=True)  # whose act it is, where a deputy signed
    post_id = models.BigIntegerField()
    acting_office_id = models.BigIntegerField()

    objects = ScopedManager(place="office__place__path", office="office__path")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["office", "-at"], name="region_change_office"),
            models.Index(fields=["subject_kind", "subject_id"], name="region_change_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.kind} {self.title_zh}"


class OfficeName(models.Model):
    """What an office is called from ``since`` on (the first name: from the first day there is)."""

    office = models.ForeignKey(Office, models.CASCADE, related_name="names")
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=200)
    since = models.DateField()

    class Meta:
        ordering = ["office_id", "since"]
        constraints = [models.UniqueConstraint(fields=["office", "since"], name="region_office_name_since")]

    def __str__(self) -> str:
        return f"{self.name_zh} {self.since}"


class Supervision(models.Model):
    """One site given to one office for one field of work, instead of the office of its place 指定监管.

    It counts from ``since`` to before ``until``; without such a row the office is found by place and duty.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="supervisions")
    duty = models.CharField(max_length=32)
    office = models.ForeignKey(Office, models.PROTECT, related_name="supervisions")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["site_id", "duty", "since"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "duty"], condition=models.Q(until__isnull=True), name="region_supervision_one_open"
            ),
            models.CheckConstraint(
                name="region_supervision_order", condition=models.Q(until__isnull=True) | models.Q(until__gte=models.F("since"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.duty} {self.office_id}"

    @property
    def last_day(self) -> date | None:
        """The last day on which it counts; none while it goes on."""
        return self.until - timedelta(days=1) if self.until is not None else None


class Coming(models.Model):
    """A recorded change whose day is still to come, or was 拟生效变更: what is done on that day, and whether it was.

    ``key`` names the thing that it is about (``office:5``, ``holding:12``, ``supervision:3:hazchem``): a later word about the
    same thing overtakes it. ``how`` holds what taking it back must know. Rows are locked one by one, so that each is
    carried out once however many processes run.
    """

    class Outcome(models.TextChoices):
        OPEN = "", "待生效"
        DONE = "done", "已生效"
        TAKEN_BACK = "taken_back", "已撤回"
        OVERTAKEN = "overtaken", "已被取代"

    change = models.OneToOneField(Change, models.PROTECT, related_name="coming")
    due = models.DateTimeField()  # the change's ``since``
    key = models.CharField(max_length=80)
    how = models.JSONField(default=dict)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True, default=Outcome.OPEN)
    settled_at = models.DateTimeField(null=True)  # when it was done, taken back or overtaken
    by = models.ForeignKey(Change, models.PROTECT, null=True, related_name="+")  # the change that took it back or overtook it
    failed = models.TextField(blank=True)  # why the last try could not carry it out, in Chinese
    failed_en = models.TextField(blank=True, default="", db_default="")  # the same in English
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)  # how many failed
    next_try = models.DateTimeField(null=True)  # after one that failed: not before

    objects = ScopedManager(place="change__office__place__path", office="change__office__path")

    class Meta:
        ordering = ["due", "id"]
        indexes = [
            models.Index(fields=["due"], condition=models.Q(outcome=""), name="region_coming_due"),
            models.Index(fields=["key"], condition=models.Q(outcome=""), name="region_coming_key"),
        ]

    def __str__(self) -> str:
        return f"{self.due:%Y-%m-%d} {self.key}"
