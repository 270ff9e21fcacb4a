"""Cases and the entries that made them what they are."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import get_language

LEVELS = ("red", "orange", "yellow", "blue")
"""The four warning levels, the worst first. ``Case.level`` may also hold another grade."""
READ_IN_LISTS = ("place_path", "place_code", "duty", "confidential", "owner_id", "holder_id")
"""What scope and filters of a list look at: an index that holds these answers without the case's row."""
RANK = {name: rank for rank, name in enumerate(LEVELS)}
"""Level → how bad: 0 for red."""


class MechanismVersion(models.Model):
    """One wording of a mechanism, for ever: a case lives on under the version it was opened with."""

    digest = models.CharField(primary_key=True, max_length=64)  # SHA-256 of the canonical JSON, hex
    name = models.CharField(max_length=64)
    number = models.PositiveIntegerField()  # 1, 2, 3 … of this name
    source = models.JSONField()  # the file as plain data, with the ladders that it climbs
    # the same as JSON text, its keys in the file's order, which jsonb loses
    wording = models.TextField(blank=True, default="", db_default="")
    ladders = models.JSONField(default=dict)  # … of a version stored before sources carried them
    certificate = models.JSONField(null=True)  # what the proof found; null: not proven
    stored_at = models.DateTimeField()
    current = models.BooleanField(default=True)  # new cases open under this one

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="mechanism_version_number"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(current=True), name="mechanism_one_current"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class Case(models.Model):
    """One matter to be brought to an end. Its state is whatever its latest entry says (a foreign key sees to it)."""

    id = models.UUIDField(primary_key=True)
    mechanism = models.CharField(max_length=64)
    version = models.ForeignKey(MechanismVersion, on_delete=models.PROTECT, related_name="cases", db_index=False)
    number = models.CharField(max_length=64, null=True, unique=True)
    external_number = models.CharField(max_length=128, blank=True)  # the national system's
    title_zh = models.CharField(max_length=300, db_column="title")
    title_en = models.CharField(max_length=300, blank=True, default="", db_default="")  # empty: the Chinese one serves
    seq = models.PositiveIntegerField()  # the case's version: the latest entry's seq
    state = models.CharField(max_length=64)  # a state, or an end once ended
    fields = models.JSONField(default=dict)
    core = models.JSONField(default=dict)  # counts, kids, persons, unverified, verified, signed, overseers
    owner_id = models.BigIntegerField(null=True)  # office that must act now; null once ended
    holder_id = models.BigIntegerField(null=True)  # office that holds the state's clock, where it is another
    about_kind = models.CharField(max_length=32, blank=True)  # site, point, place, parent, paper …
    about_id = models.CharField(max_length=64, blank=True)
    place_code = models.CharField(max_length=12, blank=True)
    place_path = models.CharField(max_length=64, blank=True)  # region.Place.path, for subtree scope
    duty = models.CharField(max_length=32, blank=True)
    level = models.CharField(max_length=16, blank=True)  # colour or grade, as the field of that name says
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    root = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="descendants")
    opener_id = models.BigIntegerField(null=True)  # office that opened it
    raiser = models.JSONField(default=dict)  # {kind, person, office, name}: who is told how it ends
    unique_key = models.CharField(max_length=200, null=True)  # the mechanism's ``key``: one open case each
    confidential = models.BooleanField(default=False)
    readers = ArrayField(models.BigIntegerField(), default=list)  # offices, where confidential
    exercise = models.BooleanField(default=False)
    adopted = models.BooleanField(default=False)  # came from the old world mid-life
    ended = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()  # the latest entry's time
    next_due = models.DateTimeField(null=True)  # the earliest running clock

    class Meta:
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(
                fields=["-opened_at", "-id"], include=[*READ_IN_LISTS, "mechanism", "state", "level", "ended"], name="case_opened"
            ),
            models.Index(fields=["owner_id", "next_due"], condition=models.Q(ended=False), name="case_owner_due"),
            models.Index(
                fields=["owner_id", "next_due"],
                condition=models.Q(ended=False, level__in=LEVELS[:2]),
                name="case_owner_urgent",
            ),
            models.Index(
                fields=["holder_id", "next_due"], condition=models.Q(ended=False, holder_id__isnull=False), name="case_holder_due"
            ),
            models.Index(
                fields=["-moved_at", "-id"],
                include=[*READ_IN_LISTS, "mechanism", "state", "level", "ended", "next_due"],
                name="case_moved",
            ),
            # the map and the lists of one level or state are answered from these alone
            models.Index(
                fields=["level", "next_due"],
                include=[*READ_IN_LISTS, "mechanism", "state", "opened_at", "id"],
                condition=models.Q(ended=False, level__in=LEVELS),
                name="case_open_level",
            ),
            models.Index(
                fields=["mechanism", "state"],
                include=[*READ_IN_LISTS, "level", "next_due", "opened_at", "id"],
                condition=models.Q(ended=False),
                name="case_open_state",
            ),
            models.Index(fields=["place_path", "duty"], opclasses=["varchar_pattern_ops", "varchar_ops"], name="case_place"),
            models.Index(fields=["about_kind", "about_id"], name="case_about"),
            # lists and counts of open cases are answered from this index alone
            models.Index(
                fields=["next_due", "-opened_at", "-id"],
                include=[
                    "place_path",
                    "duty",
                    "level",
                    "confidential",
                    "owner_id",
                    "holder_id",
                    "mechanism",
                    "state",
                    "place_code",
                ],
                condition=models.Q(ended=False),
                name="case_open",
            ),
            GinIndex(fields=["readers"], condition=models.Q(confidential=True), name="case_readers"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["mechanism", "unique_key"], condition=models.Q(ended=False), name="case_one_open_per_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number or self.id} {self.title}"

    @property
    def title(self) -> str:
        """What it is called in the reader's language."""
        own = (get_language() or "zh").startswith("zh")
        return self.title_zh if own else self.title_en or self.title_zh


class Entry(models.Model):
    """The permanent record of one act. Only inserted; the application's role may do nothing else to it.

    ``body`` is the canonical JSON (``canonical.py``) that the leaf commits to; it and ``salt`` are null
    where a law made us erase them, and the hashes stay.
    """

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="entries", db_index=False)
    seq = models.PositiveIntegerField()
    act = models.CharField(max_length=64)
    state_before = models.CharField(max_length=64, blank=True)
    state_after = models.CharField(max_length=64)
    at = models.DateTimeField()
    person_id = models.BigIntegerField(null=True)
    principal_id = models.BigIntegerField(null=True)
    post_id = models.BigIntegerField(null=True)
    office_id = models.BigIntegerField(null=True)
    key = models.CharField(max_length=128, blank=True)  # the caller's idempotency key
    body = models.BinaryField(null=True)
    salt = models.BinaryField(null=True)
    previous = models.BinaryField()  # the leaf of this case's entry before, 32 zero bytes for the first
    leaf = models.BinaryField()  # SHA-256(0x00 ‖ previous ‖ salt ‖ body)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "seq"], name="entry_case_seq"),
            models.UniqueConstraint(fields=["case", "seq", "state_after"], name="entry_case_seq_state"),
        ]
        indexes = [
            models.Index(fields=["person_id", "at"], name="entry_person", condition=models.Q(person_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.seq} {self.act}"

    def content(self) -> dict[str, Any]:
        """The body as plain data (``canonical.entry_body`` says which keys); empty where it was erased."""
        return json.loads(bytes(self.body)) if self.body is not None else {}


class SearchText(models.Model):
    """The words of a case as bigrams. Apart from the case so that an act does not touch the big index."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="search_text")
    bigrams = ArrayField(models.TextField(), default=list)

    class Meta:
        indexes = [GinIndex(fields=["bigrams"], name="case_bigrams")]


class Party(models.Model):
    """An office that sees a case beside its scope: it took part, or the case was shared with it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="parties", db_index=False)
    office_id = models.BigIntegerField()
    kind = models.CharField(max_length=16)  # owned, acted, overseer, told, shared
    # false only where the office and all above it see the case by territory anyway: lists need not look at such rows.
    # Triggers set it whenever a case or an office moves.
    beyond = models.BooleanField(default=True, db_default=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "office_id"], name="party_once")]
        indexes = [
            models.Index(fields=["office_id", "case"], name="party_office"),
            models.Index(fields=["office_id", "case"], condition=models.Q(beyond=True), name="party_beyond"),
        ]


class Share(models.Model):
    """An office lets another one read a case, or everything within its own territory and duties, until a day.

    Reading only: nobody acts by it. ``entry`` is the case's entry that says so, ``ended_entry`` the one that took it back;
    a shared territory (``case`` null) stands in ``by_case``, the case that granted it.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="shares", db_index=False)
    by_case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="lent", db_index=False)
    office_id = models.BigIntegerField()  # who may read
    by_office_id = models.BigIntegerField()  # who shares
    by_person_id = models.BigIntegerField(null=True)
    reach = models.CharField(max_length=128, blank=True)  # of a shared territory: LIKE pattern of "place_path#duty"
    grounds = models.CharField(max_length=500)
    since = models.DateTimeField()
    until = models.DateTimeField()
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "office_id"], condition=models.Q(ended_at__isnull=True, case__isnull=False), name="share_once"
            ),
        ]
        indexes = [models.Index(fields=["office_id", "case"], condition=models.Q(ended_at__isnull=True), name="share_office")]


class Link(models.Model):
    """Lineage: ``from_case`` led to ``to_case``, or a double was merged into it."""

    from_case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links_out")
    to_case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links_in")
    kind = models.CharField(max_length=16)  # opened, follow_up, merged, storm
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["from_case", "to_case", "kind"], name="link_once")]


class Counter(models.Model):
    """The serial of numbers with one prefix; its row lock makes them gapless."""

    name = models.CharField(primary_key=True, max_length=160)
    value = models.BigIntegerField()


class IdempotencyKey(models.Model):
    """A call already answered: the same key and body give the same receipt, another body a conflict."""

    caller = models.CharField(max_length=64)  # post:ID, event:NAME …
    key = models.CharField(max_length=128)
    body_hash = models.BinaryField()
    receipt = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_once")]


class Token(models.Model):
    """A program's right to act in one post. Only the SHA-256 of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=100)
    secret_hash = models.CharField(max_length=64, unique=True)
    person_id = models.BigIntegerField()
    post_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
