"""Administrative divisions."""

from django.db import models


class Place(models.Model):
    """An administrative division 行政区划 (GB/T 2260 code of 6 digits; townships 12 digits).

    ``path`` joins the codes from the region down, ``/150000/150200/150207/``: a division lies within
    another exactly where its path starts with the other's.
    """

    class Level(models.TextChoices):
        REGION = "region", "自治区"
        LEAGUE = "league", "盟市"
        COUNTY = "county", "旗县区"
        TOWNSHIP = "township", "苏木乡镇"

    code = models.CharField(primary_key=True, max_length=12)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    pinyin = models.CharField(max_length=160, db_index=True)  # the database sorts by code point, people by sound
    level = models.CharField(max_length=8, choices=Level.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=64, db_index=True)
    lon = models.FloatField(null=True, blank=True)  # degrees, CGCS2000; a centre to show, not surveyed
    lat = models.FloatField(null=True, blank=True)
    area_km2 = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name_zh

    def save(self, *args: object, **kwargs: object) -> None:
        self.path = f"{self.parent.path if self.parent else '/'}{self.code}/"
        super().save(*args, **kwargs)  # type: ignore[arg-type]
