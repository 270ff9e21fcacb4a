"""People, the posts they hold, deputies and certificates."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from fengsui.moment import LEGAL_ZONE
from fengsui.region.scoping import ScopedManager

from .offices import Office


def last_day_before(until: datetime) -> date:
    """The last legal day, as people say it, of what lasts to before ``until``: of a midnight the day before."""
    return (until - timedelta(microseconds=1)).astimezone(LEGAL_ZONE).date()


class Person(models.Model):
    """A natural person 人员. One person may hold several posts and is still one person for every verification."""

    name = models.CharField(max_length=80)
    pinyin = models.CharField(max_length=120, blank=True, db_index=True)
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="person")
    phone = models.CharField(max_length=40, blank=True)

    objects = ScopedManager(place="holdings__post__office__place__path", office="holdings__post__office__path", many=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """A post 岗位 of an office. ``duties`` are functions (``inspector``); ``charges`` fields of charge 分管."""

    office = models.ForeignKey(Office, models.CASCADE, related_name="posts")
    title_zh = models.CharField(max_length=80)
    title_en = models.CharField(max_length=120)
    duties = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    charges = ArrayField(models.CharField(max_length=32), default=list, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.office} {self.title_zh}"


class Holding(models.Model):
    """A person in a post, from ``since`` (included) to ``until`` (excluded; open where null)."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="holdings")
    person = models.ForeignKey(Person, models.CASCADE, related_name="holdings")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    @property
    def last_day(self) -> date | None:
        """The last day in the post; nothing where no end is known."""
        return last_day_before(self.until) if self.until is not None else None

    @classmethod
    def running(cls, now: datetime) -> models.QuerySet[Holding]:
        """The terms that run at this moment: begun, and not over."""
        return cls.objects.filter(models.Q(until__isnull=True) | models.Q(until__gt=now), since__lte=now)

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.CheckConstraint(
                name="region_holding_order", condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("since"))
            ),
        ]


class Delegation(models.Model):
    """A principal lets a deputy do the named acts of one post 代签, from ``since`` to ``until``, never for ever.

    ``acts`` are ``mechanism.act``, an act of the ledger's own such as ``correct``, or ``*``.
    """

    principal = models.ForeignKey(Person, models.CASCADE, related_name="delegations_given")
    deputy = models.ForeignKey(Person, models.CASCADE, related_name="delegations_held")
    post = models.ForeignKey(Post, models.CASCADE, related_name="delegations")
    acts = ArrayField(models.CharField(max_length=80))
    since = models.DateTimeField()
    until = models.DateTimeField()

    @property
    def last_day(self) -> date:
        """The last day on which the deputy acts."""
        return last_day_before(self.until)

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.CheckConstraint(name="region_delegation_order", condition=models.Q(until__gt=models.F("since"))),
            models.CheckConstraint(name="region_delegation_two_persons", condition=~models.Q(principal=models.F("deputy"))),
        ]

    @classmethod
    def in_force(cls, now: datetime) -> models.QuerySet[Delegation]:
        """What is lent at this moment: by somebody who still holds the post, to somebody who holds any post at all.

        A principal who left the post has nothing left to lend; a deputy who left all posts belongs to no office any more.
        """
        terms = Holding.running(now)
        return cls.objects.filter(
            models.Exists(terms.filter(person=models.OuterRef("principal"), post=models.OuterRef("post"))),
            models.Exists(terms.filter(person=models.OuterRef("deputy"))),
            since__lte=now,
            until__gt=now,
        )


class Certificate(models.Model):
    """A certificate 证件; ``fields`` are the duties it is good for (empty: all). ``expires`` is its last day."""

    class Kind(models.TextChoices):
        ENFORCEMENT = "enforcement", "行政执法证"
        SAFETY = "safety", "安全生产知识和管理能力考核合格证"
        SPECIAL = "special", "特种作业操作证"

    person = models.ForeignKey(Person, models.CASCADE, related_name="certificates")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    number = models.CharField(max_length=40)
    fields = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    issued = models.DateField()
    expires = models.DateField()

    NAMES = {
        Kind.ENFORCEMENT: {"zh": "行政执法证", "en": "Enforcement certificate"},
        Kind.SAFETY: {"zh": "安全生产知识和管理能力考核合格证", "en": "Safety knowledge and management certificate"},
        Kind.SPECIAL: {"zh": "特种作业操作证", "en": "Special work certificate"},
    }
    """Kinds in both languages."""
    name_zh = property(lambda self: self.NAMES[self.kind]["zh"])
    name_en = property(lambda self: self.NAMES[self.kind]["en"])

    objects = ScopedManager(
        place="person__holdings__post__office__place__path", office="person__holdings__post__office__path", many=True
    )

    class Meta:
        ordering = ["expires", "id"]
