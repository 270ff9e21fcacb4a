"""Files behind a case, and the reporter whom only some may know."""

from __future__ import annotations

from django.db import models

from fengsui.ledger.models.cases import Case, Entry


class Evidence(models.Model):
    """A file by its content. The bytes lie in the evidence folder under their digest."""

    digest = models.CharField(primary_key=True, max_length=64)  # SHA-256 of the stored bytes, hex
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()  # bytes
    received_digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the bytes as they came, before stripping
    width = models.PositiveIntegerField(null=True)  # pixels, of an image
    height = models.PositiveIntegerField(null=True)
    thumbnail = models.BooleanField(default=False)  # a JPEG of at most 480 pixels lies beside the file
    position = models.JSONField(null=True)  # {lon, lat, alt, at} from the photo, taken out of the file
    person_id = models.BigIntegerField(null=True)
    office_id = models.BigIntegerField(null=True)
    stored_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)  # by law: the bytes are gone, and what the row said of them

    def __str__(self) -> str:
        return self.name


class EvidenceUse(models.Model):
    """A file belongs to a case by an entry that names it."""

    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="uses")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="evidence_uses", db_index=False)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, db_index=False)
    field = models.CharField(max_length=64)
    withdrawn_seq = models.PositiveIntegerField(null=True)  # the correction that says it does not belong here

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "entry", "evidence", "field"], name="evidence_use_once")]


class EvidenceBrought(models.Model):
    """Who sent the very bytes of a file in: the same file sent twice is kept once, yet both may name it."""

    evidence = models.ForeignKey(Evidence, on_delete=models.CASCADE, related_name="brought", db_index=False)
    person_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["evidence", "person_id"], name="evidence_brought_once")]


class Reporter(models.Model):
    """Who reported, encrypted and apart from the case; each look at it is an entry."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="reporter")
    secret_hash = models.CharField(max_length=64, unique=True)  # of the follow-up secret on the receipt
    sealed = models.BinaryField(null=True)  # the identity, encrypted; null: anonymous
    key_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()


class ReporterLook(models.Model):
    """Somebody looked at who reported. The entry says so in the case; the grounds stay here, for its readers."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reporter_looks")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, db_index=False)
    person_id = models.BigIntegerField()
    post_id = models.BigIntegerField(null=True)
    office_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    grounds = models.TextField()


class ReporterMessage(models.Model):
    """A message between the handling office and a reporter whom it does not know."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reporter_messages")
    from_reporter = models.BooleanField()
    text = models.TextField()
    person_id = models.BigIntegerField(null=True)  # null: the reporter
    office_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at", "id"]


class PublicUse(models.Model):
    """How often a keyed hash of a network address used a public page in its window; it names nobody."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)
