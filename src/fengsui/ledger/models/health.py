"""The pulse of each process."""

from __future__ import annotations

from django.db import models


class Beat(models.Model):
    """The latest sign of life of one process."""

    process = models.CharField(primary_key=True, max_length=64)  # clock, relay, sealer, jobs, web …
    at = models.DateTimeField()
    lag_seconds = models.FloatField(null=True)  # how far it is behind its work; null: no backlog is measured
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.process
