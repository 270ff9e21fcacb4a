"""Offices as a tree, and the people one telephones there."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from fengsui.region.scoping import ScopedManager

from .places import Place


class Office(models.Model):
    """An organ at any level, or an enterprise's own office 机构.

    ``duties`` are fields of work (``hazchem``) and functions (``registry``) as data/roles.yaml lists them.
    ``path`` joins the ids from the root down, ``/1/17/230/``. A dissolved office points to its ``successor``.
    """

    class Kind(models.TextChoices):
        DEPARTMENT = "department", "应急管理厅"
        DIVISION = "division", "处室"
        BUREAU = "bureau", "局"
        GOVERNMENT = "government", "人民政府"
        COMMISSION = "commission", "安委会"
        TOWNSHIP = "township", "苏木乡镇机构"
        ENTERPRISE = "enterprise", "企业"
        INSTITUTE = "institute", "技术机构"

    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=200)
    pinyin = models.CharField(max_length=240, blank=True, db_index=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    place = models.ForeignKey(Place, models.PROTECT, related_name="offices")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=120, blank=True, db_index=True)
    duties = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="predecessors")
    dissolved_on = models.DateField(null=True, blank=True)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [GinIndex(fields=["duties"], name="region_office_duties")]
        constraints = [
            models.CheckConstraint(name="region_office_not_own_successor", condition=~models.Q(successor=models.F("id"))),
        ]

    def __str__(self) -> str:
        return self.name_zh

    def save(self, *args: object, **kwargs: object) -> None:
        above = self.parent.path if self.parent else "/"
        if self.pk is None:
            super().save(*args, **kwargs)  # type: ignore[arg-type]
            kwargs = {}
        path = f"{above}{self.pk}/"
        if self.path != path:
            old, self.path = self.path, path
            super().save(*args, **kwargs)  # type: ignore[arg-type]
            if old:
                self._move_subtree(old)
        else:
            super().save(*args, **kwargs)  # type: ignore[arg-type]

    def _move_subtree(self, old: str) -> None:
        """Rewrite the paths below after this office got another parent."""
        below = Office.objects.filter(path__startswith=old).exclude(pk=self.pk)
        for office in below:
            office.path = self.path + office.path.removeprefix(old)
        Office.objects.bulk_update(below, ["path"])


class Contact(models.Model):
    """One line of an office's call list 叫应名单; numbers are tried in ``order``."""

    office = models.ForeignKey(Office, models.CASCADE, related_name="contacts")
    person = models.ForeignKey("region.Person", models.SET_NULL, null=True, blank=True, related_name="contacts")
    name = models.CharField(max_length=80)
    title_zh = models.CharField(max_length=80, blank=True)
    title_en = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40)
    order = models.PositiveSmallIntegerField(default=1)

    objects = ScopedManager(place="office__place__path", office="office__path")

    class Meta:
        ordering = ["office_id", "order", "id"]
        constraints = [models.UniqueConstraint(fields=["office", "order"], name="region_contact_order")]

    def __str__(self) -> str:
        return f"{self.name} {self.phone}"


class Revision(models.Model):
    """One row whose ``token`` changes with every change of offices, posts, holdings, certificates or sites.

    A trigger writes it, so that bulk and raw writes count too; processes reload their office tree by it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.UUIDField()
