"""Running deadlines, what they fired, whom we told, and what must still go out."""

from __future__ import annotations

from django.db import models

from fengsui.ledger.models.cases import Case, Entry


class Clock(models.Model):
    """One deadline of one holder: the kernel's ``ClockRow`` with what people want to read beside it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    name = models.CharField(max_length=80)  # clock name; "within:STATE"; "owes:ACT"
    place = models.PositiveIntegerField(db_default=0)  # its index in the kernel's tuple of clocks
    holder_id = models.BigIntegerField(null=True)  # office
    person_id = models.BigIntegerField(null=True)  # where the holder is one named person
    first = models.DateTimeField(null=True)  # the first due ever set; a `once` clock resumes it
    n = models.PositiveIntegerField(default=1)  # how many times it was started
    again = models.CharField(max_length=4, default="once")
    ladder = models.CharField(max_length=64)
    start = models.DateTimeField()
    due = models.DateTimeField()
    amount = models.CharField(max_length=32, blank=True)  # as written: 3wd
    law = models.CharField(max_length=80, blank=True)  # the law number it comes from
    law_version = models.CharField(max_length=32, blank=True)  # the day that wording took effect
    calendar = models.CharField(max_length=32, blank=True)  # version of the working-day calendar
    provisional = models.BooleanField(default=False)  # due beyond the published calendar
    stopped = models.DateTimeField(null=True)
    answered_by = models.BigIntegerField(null=True)  # person who stopped it
    paused_at = models.DateTimeField(null=True)
    pause_used = models.PositiveIntegerField(default=0)  # seconds
    rung = models.PositiveIntegerField(default=0)  # how many rungs have fired
    next_rung_at = models.DateTimeField(null=True)  # when the next one fires; null: none, paused or stopped
    current = models.BooleanField(default=True)  # the kernel still looks at it
    exercise = models.BooleanField(default=False)

    class Meta:
        ordering = ["case_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "name", "holder_id", "person_id", "n", "start"], nulls_distinct=False, name="clock_once"
            ),
        ]
        indexes = [
            models.Index(fields=["next_rung_at"], condition=models.Q(next_rung_at__isnull=False), name="clock_next_rung"),
            models.Index(fields=["holder_id", "due"], condition=models.Q(stopped__isnull=True), name="clock_holder_due"),
            models.Index(fields=["holder_id", "case"], condition=models.Q(stopped__isnull=True), name="clock_holder_case"),
            models.Index(fields=["name", "due"], condition=models.Q(stopped__isnull=True, current=True), name="clock_name_due"),
        ]


class Rung(models.Model):
    """A rung of a clock's ladder that has fired, exactly once. A due that moves later lets its rungs fire anew."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="rungs", db_index=False)
    rung = models.PositiveIntegerField()
    at = models.DateTimeField()  # when it was due to fire
    fired_at = models.DateTimeField()
    climbed_to = models.BigIntegerField(null=True)
    seq = models.PositiveIntegerField(default=0)  # where the case stood after it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock", "rung", "at"], name="rung_fires_once")]


class Notice(models.Model):
    """One thing told to one office or person. The text is a message key with its arguments.

    Without a case it is about an office's scope, shared with this one or no more: ``args`` say whose, what and until when.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="notices")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, db_index=False)
    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, null=True, db_index=False)
    rung = models.PositiveIntegerField(null=True)
    due = models.DateTimeField(null=True)  # when that rung was due to fire
    role = models.CharField(max_length=64)  # as the mechanism names whom it tells
    office_id = models.BigIntegerField(null=True)
    person_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=32)  # act, end, reminder, overdue, climb, call
    text = models.CharField(max_length=200)  # gettext msgid
    args = models.JSONField(default=dict)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)  # by whom first; who else has seen it: ``NoticeSight``
    seen_by = models.BigIntegerField(null=True)
    exercise = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["clock", "rung", "due", "role", "office_id", "person_id"],
                condition=models.Q(clock__isnull=False),
                nulls_distinct=False,
                name="notice_once_per_rung",
            ),
        ]
        indexes = [
            models.Index(fields=["office_id", "-at"], condition=models.Q(seen_at__isnull=True), name="notice_unseen"),
            models.Index(fields=["person_id", "-at"], name="notice_person"),
            models.Index(fields=["office_id", "-at"], name="notice_office"),
        ]


class NoticeSight(models.Model):
    """One person has seen a notice. What an office was told stays new to everybody else in it."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="sights", db_index=False)
    person_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "person_id"], name="notice_seen_once")]


class Outbox(models.Model):
    """An effect on the outside world, written with its act and carried out afterwards.

    ``case`` stands beside ``entry`` because news of alarms and erased files have no entry. Giving a position and carrying out
    touch indexed columns, so no update is a heap-only one: readers ask by position, the jobs by what is undone.
    """

    UNCLAIMED = "unclaimed"
    """The error of a row whose effect no room of this installation carries out: it is never counted as done."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, db_index=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="outbox")
    topic = models.CharField(max_length=64)  # the effect's name, or "case" for watchers of pages
    payload = models.JSONField(default=dict)
    at = models.DateTimeField()
    position = models.BigIntegerField(null=True, unique=True)  # given after commit by the one publisher
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    @property
    def unclaimed(self) -> bool:
        """Nobody carries it out yet."""
        return self.done_at is None and self.error == self.UNCLAIMED

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(position__isnull=True), name="outbox_unplaced"),
            models.Index(fields=["next_attempt_at"], condition=models.Q(done_at__isnull=True), name="outbox_undone"),
        ]
