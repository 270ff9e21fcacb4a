"""Lists that people keep under a name."""

from __future__ import annotations

from django.db import models


class SavedView(models.Model):
    """A filter of the ledger under a name: a person's own, or shared with the office it names."""

    person_id = models.BigIntegerField()
    office_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500, blank=True)  # the address's query
    at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["person_id", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name
