"""The demonstration's sites: enterprises, hazard units graded by GB 18218, and measuring points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from fengsui.law import gb18218, numbers
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import HazardUnit, Office, Place, Point, Site, Substance
from fengsui.region.naming import sorting
from fengsui.science.gb18218 import Amount, assess

from .drawing import Chance
from .offices import Founder

LIMITS = ("low_low", "low", "high", "high_high")


@dataclass
class Builder:
    """Makes sites county by county; rows are collected and written in bulk."""

    plan: Mapping[str, Any]
    chance: Chance
    founder: Founder
    now: datetime
    offices: list[Office] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    units: list[HazardUnit] = field(default_factory=list)
    substances: list[Substance] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    _of_league: dict[str, list[str]] = field(default_factory=dict)
    _serial: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(LEGAL_ZONE).date()

    def build(self) -> None:
        """The fixed sites first, then the rest by weight, then all rows into the database."""
        for line in self.plan["fixed"]:
            self._fixed(line)
        for industry, count in self.plan["numbers"].items():
            have = sum(site.industry == industry for site in self.sites)
            for _ in range(count - have):
                self._drawn(industry)
        Office.objects.bulk_create(self.offices, batch_size=2000)
        Site.objects.bulk_create(self.sites, batch_size=2000)
        HazardUnit.objects.bulk_create(self.units, batch_size=2000)
        Substance.objects.bulk_create(self.substances, batch_size=2000)
        Point.objects.bulk_create(self.points, batch_size=5000)

    def _fixed(self, line: Mapping[str, Any]) -> None:
        profile = self.plan["profiles"][line["profile"]]
        self._serial[line["code"].split("-")[0], line["county"]] = 1
        names = (line["zh"], line["en"])
        spot = (line["lon"], line["lat"])
        site = self._site(line["code"], names, profile["industry"], line["county"], spot, line["phone"])
        self._equip(site, profile, line["exposed"], line["tonnes"])

    def _drawn(self, industry: str) -> None:
        league = self.chance.pick(self.plan["weights"][industry])
        county = self.chance.random.choice(self._counties(league))
        profile = self.plan["profiles"][self.chance.pick(self.plan["mix"][industry])]
        prefix = self.plan["industries"][industry]["prefix"]
        serial = self._serial[prefix, county] = self._serial.get((prefix, county), 0) + 1
        place = self.founder.places[county]
        names = (f"{short(place)}示例{serial:02d}号{profile['zh']}", f"{place.name_en} Demo {profile['en']} {serial:02d}")
        site = self._site(f"{prefix}-{county}-{serial:02d}", names, industry, county, self.chance.spot(county), "")
        self._equip(site, profile, {}, {})

    def _counties(self, league: str) -> list[str]:
        if league not in self._of_league:
            self._of_league[league] = sorted(code for code, place in self.founder.places.items() if place.parent_id == league)
        return self._of_league[league]

    def _site(self, code: str, names: tuple[str, str], industry: str, county: str, spot: tuple[float, float], phone: str) -> Site:
        suffix = self.founder.plan["suffix"]
        zh, en = names[0] + suffix["zh"], names[1] + suffix["en"]
        duties = self.plan["industries"][industry]["duties"]
        place = self.founder.places[county]
        above = self.founder.by_key.get(f"mines:{county}") if duties == ["mines"] else None
        office = Office(
            name_zh=zh,
            name_en=en,
            pinyin=sorting(zh),
            kind="enterprise",
            place=place,
            duties=[],
            parent=above or self.founder.by_key[f"county:{county}"],
            phone=phone or self.chance.phone(county),
        )
        site = Site(
            code=code,
            name_zh=zh,
            name_en=en,
            pinyin=office.pinyin,
            place=place,
            office=office,
            industry=industry,
            duties=duties,
            lon=spot[0],
            lat=spot[1],
            synthetic=True,
        )
        self.offices.append(office)
        self.sites.append(site)
        return site

    def _equip(
        self, site: Site, profile: Mapping[str, Any], exposed: Mapping[str, int], tonnes: Mapping[str, list[float]]
    ) -> None:
        units = {}
        for code, zh, en, kind, people, held in profile["units"]:
            unit = HazardUnit(site=site, code=code, name_zh=zh, name_en=en, kind=kind)
            unit.exposed = exposed.get(code, self.chance.random.randint(*people))
            masses = tonnes.get(code) or [self.chance.between(line[4]) for line in held]
            self._grade(unit, held, masses)
            units[code] = unit
            self.units.append(unit)
        for line in profile["points"]:
            self._points(site, units, line)

    def _grade(self, unit: HazardUnit, held: Sequence[Sequence[Any]], masses: Sequence[float]) -> None:
        amounts = []
        for (zh, en, named, classes, _), mass in zip(held, masses, strict=True):
            self.substances.append(Substance(unit=unit, name_zh=zh, name_en=en, named=named, classes=classes, tonnes=mass))
            amounts.append(Amount(mass, named, tuple(classes)))
        found = assess(amounts, unit.exposed, gb18218.tables(self.today))
        unit.s, unit.r, unit.grade = round(found.s, 3), round(found.r, 3), found.grade
        unit.assessed_on = self.today - timedelta(days=self.chance.random.randint(20, 900))

    def _points(self, site: Site, units: Mapping[str, HazardUnit], line: Sequence[Any]) -> None:
        tag, zh, en, unit, quantity, measure, span, normal, limits, substance, times = line
        four = self._limits(quantity, substance) if limits == "law" else limits
        for number in range(1, times + 1):
            here = str(number)
            self.points.append(
                Point(
                    site=site,
                    unit=units.get(unit),
                    tag=tag.replace("@", here),
                    name_zh=zh.replace("@", here),
                    name_en=en.replace("@", here),
                    quantity=quantity,
                    measure=measure,
                    substance=substance,
                    range_low=span[0],
                    range_high=span[1],
                    normal=normal,
                    **dict(zip(LIMITS, four, strict=True)),
                )
            )

    def _limits(self, quantity: str, substance: str) -> list[float | None]:
        """LL, L, H, HH from the law's numbers in force today."""

        def find(name: str, **keys: str) -> Any:
            return numbers.find(f"monitoring.{name}", self.today, **keys).value

        if quantity == "toxic_gas":
            return [None, None, *find("toxic", substance=substance)]
        if quantity == "combustible_gas":
            return [None, None, find("combustible", level="1"), find("combustible", level="2")]
        if quantity == "methane":
            alarm, cut, _ = find("methane", place=substance)
            return [None, None, alarm, cut if cut > alarm else None]
        if quantity == "carbon_monoxide":
            return [None, None, find("mine_co"), None]
        if quantity == "displacement":
            return [None, None, find("displacement"), None]
        raise ValueError(f"no law number gives limits for {quantity}")


def short(place: Place) -> str:
    """The county's name without its kind, as firms write it: 九原区 → 九原."""
    for ending in ("自治旗", "联合旗", "矿区", "区", "旗", "县", "市"):
        if place.name_zh.endswith(ending) and len(place.name_zh) > len(ending) + 1:
            return place.name_zh.removesuffix(ending)
    return place.name_zh
