"""The growing tree over all entries, its signed heads, and receipts."""

from __future__ import annotations

from django.db import models

from fengsui.ledger.models.cases import Case, Entry


class Leaf(models.Model):
    """The place of an entry in the RFC 6962 tree, from 0, without gaps."""

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="tree_leaf")
    hash = models.BinaryField()  # equals entry.leaf


class Tile(models.Model):
    """The root over one whole block of 256 leaves, so that a proof reads thousands of rows and not millions."""

    index = models.BigIntegerField(primary_key=True)  # leaves index*256 … index*256+255
    root = models.BinaryField()


class SealKey(models.Model):
    """A public key that signs heads and receipts. All but the first are endorsed by the one before."""

    key_id = models.CharField(primary_key=True, max_length=16)  # first hex digits of the SHA-256 of ``public``
    public = models.BinaryField()  # raw Ed25519, 32 bytes
    made_at = models.DateTimeField()
    endorsed_by = models.CharField(max_length=16, blank=True)
    endorsement = models.BinaryField(null=True)


class Head(models.Model):
    """A signed head of the tree: the first ``size`` leaves have this root. Heads chain by ``previous``."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    signature = models.BinaryField()  # Ed25519 over the canonical head
    previous = models.BinaryField(default=bytes(32))  # SHA-256 of the canonical head before, 32 zero bytes for the first
    peaks = models.BinaryField(default=b"")  # the tree's perfect subtrees' roots, joined; hashed together they give ``root``
    low = models.BigIntegerField(default=0)  # every entry with an id up to here has its leaf


class Receipt(models.Model):
    """A signed promise that an entry will be in the tree; its proof follows with a later head."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="receipt", primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="receipts")
    at = models.DateTimeField()
    code = models.CharField(max_length=24, unique=True, null=True)  # what a person can read out: XXXX-XXXX-XXXX-XXXX
    body = models.BinaryField()
    key_id = models.CharField(max_length=64)
    signature = models.BinaryField()
