"""What administrators put in place of the law's unsettled numbers."""

from django.db import models


class LawEdit(models.Model):
    """One amendment of an unsettled law number; written once by its ledger case, never changed.

    ``content`` is what the number (or the ``row`` of its table) says from ``since`` on, of a row that is renamed its new code;
    ``reference`` the number of the case that decided it. A database trigger refuses updates and deletes.
    """

    number = models.CharField(max_length=60, db_index=True)
    row = models.CharField(max_length=40, blank=True)
    change = models.CharField(max_length=10, default="replace", db_default="replace")  # of the row: contents.CHANGES
    content = models.JSONField(null=True)  # null: the row ends
    since = models.DateField()
    basis = models.TextField()
    reference = models.CharField(max_length=60)
    case = models.UUIDField(unique=True)
    recorded = models.DateTimeField()
    proposed_by = models.BigIntegerField(null=True)  # person
    decided_by = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.number} {self.row} {self.content} ({self.reference})"
