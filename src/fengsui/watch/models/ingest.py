"""What the doors for devices keep: tokens' digests, counters, and how far the relay has read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fengsui.region.models import Site


class RelayPosition(models.Model):
    """Up to which message of a stream everything is applied; changes only in the transaction that applies it."""

    stream = models.CharField(primary_key=True, max_length=16)
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField()


class SiteCredential(models.Model):
    """A site's token, by its SHA-256 alone: the token itself lies only in the server's 0600 files."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="credentials")
    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["site"], condition=Q(revoked_at__isnull=True), name="watch_credential_one"),
        ]


class IngestCounter(models.Model):
    """How many samples or messages of a site came to this end, since counting began."""

    class Door(models.TextChoices):
        STREAM = "stream", _("Stream")
        HTTP = "http", "HTTP"
        SERVER = "server", _("Stream server")

    site = models.CharField(max_length=64)  # as it was named, perhaps no site of ours
    door = models.CharField(max_length=8, choices=Door.choices)
    kind = models.CharField(max_length=16)
    total = models.BigIntegerField(default=0)
    last_text = models.CharField(max_length=200, blank=True)
    moved_at = models.DateTimeField()

    class Meta:
        ordering = ["site", "door", "kind"]
        constraints = [models.UniqueConstraint(fields=["site", "door", "kind"], name="watch_counter_once")]
