"""Sites under supervision, their hazard units and measuring points."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from fengsui.region.scoping import ScopedManager

from .offices import Office
from .places import Place


class Site(models.Model):
    """Enterprise premises under supervision 企业（监管对象）.

    ``code`` is the word in device topics (``tele.CODE.*``); ``office`` the enterprise's own office;
    ``duties`` the fields of work under which it is supervised; ``place`` its county.
    """

    code = models.SlugField(max_length=24, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=200)
    pinyin = models.CharField(max_length=240, blank=True, db_index=True)
    place = models.ForeignKey(Place, models.PROTECT, related_name="sites")
    township = models.ForeignKey(Place, models.PROTECT, null=True, blank=True, related_name="township_sites")
    office = models.ForeignKey(Office, models.PROTECT, related_name="sites")
    industry = models.CharField(max_length=32)
    duties = ArrayField(models.CharField(max_length=32), default=list)
    lon = models.FloatField()  # degrees, CGCS2000
    lat = models.FloatField()
    synthetic = models.BooleanField(default=False)  # made for the demonstration; never leaves the region
    closed_on = models.DateField(null=True, blank=True)  # the first day on which it is no longer supervised

    objects = ScopedManager(place="place__path", office="office__path", duties="duties")

    class Meta:
        ordering = ["id"]
        indexes = [GinIndex(fields=["duties"], name="region_site_duties")]

    def __str__(self) -> str:
        return self.name_zh


class HazardUnit(models.Model):
    """A production or storage unit holding dangerous chemicals 危险源单元 (GB 18218-2018).

    ``exposed`` people live or work within 500 m of the boundary; ``s`` and ``r`` are the standard's sums,
    ``grade`` 1–4, or null where S < 1 and the unit is no major hazard installation.
    """

    class Kind(models.TextChoices):
        PRODUCTION = "production", "生产单元"
        STORAGE = "storage", "储存单元"

    site = models.ForeignKey(Site, models.CASCADE, related_name="units")
    code = models.CharField(max_length=32)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    exposed = models.PositiveIntegerField(default=0)
    s = models.FloatField(null=True, blank=True)
    r = models.FloatField(null=True, blank=True)
    grade = models.PositiveSmallIntegerField(null=True, blank=True)
    assessed_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)

    objects = ScopedManager(place="site__place__path", office="site__office__path", duties="site__duties")

    class Meta:
        ordering = ["site_id", "id"]
        constraints = [models.UniqueConstraint(fields=["site", "code"], name="region_unit_code")]

    def __str__(self) -> str:
        return f"{self.site} {self.name_zh}"


class Substance(models.Model):
    """A chemical in a hazard unit.

    ``named`` is its number in GB 18218 table 1 (blank: not named there), ``classes`` its class symbols (``W5.3``).
    """

    unit = models.ForeignKey(HazardUnit, models.CASCADE, related_name="substances")
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    named = models.CharField(max_length=4, blank=True)
    classes = ArrayField(models.CharField(max_length=6), default=list, blank=True)
    tonnes = models.FloatField()  # design maximum

    class Meta:
        ordering = ["unit_id", "id"]


class Point(models.Model):
    """A measuring point 测点. ``quantity`` says what is measured, ``measure`` in which unit (``MPa``, ``%LEL``).

    The four limits are the point's own (null: none); the alarm rules of the watch start from them.
    """

    class Quantity(models.TextChoices):
        PRESSURE = "pressure", "压力"
        TEMPERATURE = "temperature", "温度"
        LEVEL = "level", "液位"
        FLOW = "flow", "流量"
        COMBUSTIBLE = "combustible_gas", "可燃气体"
        TOXIC = "toxic_gas", "有毒气体"
        OXYGEN = "oxygen", "氧气"
        METHANE = "methane", "甲烷"
        CARBON_MONOXIDE = "carbon_monoxide", "一氧化碳"
        AIR_SPEED = "air_speed", "风速"
        DISPLACEMENT = "displacement", "位移"
        SEEPAGE = "seepage", "浸润线"
        STATE = "state", "状态"

    id = models.AutoField(primary_key=True)  # an int32: the engine's arrays are indexed by it
    site = models.ForeignKey(Site, models.CASCADE, related_name="points")
    unit = models.ForeignKey(HazardUnit, models.SET_NULL, null=True, blank=True, related_name="points")
    tag = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=200)
    quantity = models.CharField(max_length=20, choices=Quantity.choices)
    measure = models.CharField(max_length=16)
    substance = models.CharField(max_length=40, blank=True)  # what a gas point smells, as the law tables name it
    range_low = models.FloatField(null=True, blank=True)
    range_high = models.FloatField(null=True, blank=True)
    normal = models.FloatField(null=True, blank=True)  # the design's working value, for simulation and display
    low_low = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    high_high = models.FloatField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)  # taken away: the engine no longer watches it

    objects = ScopedManager(place="site__place__path", office="site__office__path", duties="site__duties")

    class Meta:
        ordering = ["site_id", "id"]
        constraints = [models.UniqueConstraint(fields=["site", "tag"], name="region_point_tag")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.tag}"
