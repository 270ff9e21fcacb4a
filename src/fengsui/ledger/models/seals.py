"""The growing tree over all entries, its signed heads, and receipts."""

from __future__ import annotations

from django.db import models

from fengsui.ledger.models.cases import Case, Entry


class Leaf(models.Model):
    """The place of an entry in the RFC 6962 tree, from 0, without gaps."""

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="tree_leaf")
    hash = models.BinaryField()  # equals entry.leaf


class Head(models.Model):
    """A signed head of the tree: the first ``size`` leaves have this root."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    signature = models.BinaryField()  # Ed25519 over the canonical head


class Receipt(models.Model):
    """A signed promise that an entry will be in the tree; its proof follows with a later head."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="receipt", primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="receipts")
    at = models.DateTimeField()
    body = models.BinaryField()
    key_id = models.CharField(max_length=64)
    signature = models.BinaryField()
