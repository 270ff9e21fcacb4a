"""Reaching people: deliveries outside the application, and calls to answer."""

from __future__ import annotations

from django.db import models

from fengsui.ledger.models.cases import Case, Entry
from fengsui.ledger.models.clocks import Notice


class Delivery(models.Model):
    """One notice on its way over one channel to one address."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=64)  # "mail", or a gateway's name in notices.yaml
    address = models.CharField(max_length=254, blank=True)  # e-mail address or phone number; blank: the gateway's own
    at = models.DateTimeField()  # when it was asked for
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "channel", "address"], name="delivery_once")]
        indexes = [models.Index(fields=["at"], condition=models.Q(sent_at__isnull=True), name="delivery_waiting")]


class CallLine(models.Model):
    """One number of a call list: somebody must phone it, in order, until one answers. The system never rings."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="call_lines")
    round = models.CharField(max_length=80)  # what made the list: "entry:SEQ" or "CLOCK:RUNG"
    office_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=100)
    phone = models.CharField(max_length=40)
    order = models.PositiveIntegerField()
    listed_at = models.DateTimeField()
    exercise = models.BooleanField(default=False)

    class Meta:
        ordering = ["listed_at", "order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "round", "office_id", "order"], name="call_line_once"),
        ]


class CallRecord(models.Model):
    """A call that a person made: whom, when, with what result. Only added."""

    REACHED, NO_ANSWER, BUSY, REFUSED, WRONG = "reached", "no_answer", "busy", "refused", "wrong_number"
    RESULTS = (REACHED, NO_ANSWER, BUSY, REFUSED, WRONG)

    line = models.ForeignKey(CallLine, on_delete=models.CASCADE, related_name="records")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, db_index=False)
    person_id = models.BigIntegerField(null=True)
    post_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    result = models.CharField(max_length=16)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["at", "id"]
