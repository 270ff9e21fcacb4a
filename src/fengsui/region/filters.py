"""The list of sites as its address says: place, industry, grade, words, order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Min, Q, QuerySet
from django.utils.translation import get_language, gettext

from .models import Place

INDUSTRIES: Mapping[str, Mapping[str, str]] = {
    "hazchem": {"zh": "危险化学品", "en": "Hazardous chemicals"},
    "mines": {"zh": "矿山", "en": "Mines"},
    "metallurgy": {"zh": "冶金", "en": "Steel"},
    "aluminium": {"zh": "铝加工（深井铸造）", "en": "Aluminium casting"},
}
GRADES = ("1", "2", "3", "4", "0")
"""Grades of major hazard installations; 0: none."""
ORDERS: Mapping[str, tuple[str, ...]] = {
    "name": ("pinyin", "pk"),
    "place": ("place__code", "pinyin", "pk"),
    "grade": ("worst", "pinyin", "pk"),
    "code": ("code",),
}


def here(words: Mapping[str, str]) -> str:
    """The reader's language of a {zh, en} pair."""
    return words["zh" if (get_language() or "zh").startswith("zh") else "en"]


ENGLISH_MARKS = {"：": ": ", "，": ", ", "；": "; ", "、": ", "}


def mark(sign: str) -> str:
    """A full-width punctuation mark as the reader's language writes it."""
    return sign if (get_language() or "zh").startswith("zh") else ENGLISH_MARKS[sign]


def name_of(thing: Any) -> str:
    """The reader's language of something with ``name_zh`` and ``name_en``."""
    return here({"zh": thing.name_zh, "en": thing.name_en or thing.name_zh})


@dataclass(frozen=True, slots=True)
class SiteFilter:
    """What the address asks for; unknown values are left out, so that every address shows a list."""

    q: str = ""
    place: str = ""
    industry: str = ""
    grade: str = ""
    order: str = "name"
    closed: bool = False  # those that were closed, instead of those supervised

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> SiteFilter:
        def one(name: str, known: Any) -> str:
            value = asked.get(name, "")
            return value if value in known else ""

        code = asked.get("place", "")
        return cls(
            q=asked.get("q", "").strip()[:80],
            place=code if code.isdecimal() and len(code) in (6, 12) else "",
            industry=one("industry", INDUSTRIES),
            grade=one("grade", GRADES),
            order=one("order", ORDERS) or "name",
            closed=asked.get("closed") == "1",
        )

    def apply(self, sites: QuerySet[Any]) -> QuerySet[Any]:
        """Narrowed and in order; each row carries ``worst``, the worst grade of its units."""
        in_use = Q(units__closed_on__isnull=True)
        found = sites.filter(closed_on__isnull=not self.closed).annotate(worst=Min("units__grade", filter=in_use))
        if self.q:
            words = Q(name_zh__icontains=self.q) | Q(name_en__icontains=self.q) | Q(code__iexact=self.q)
            found = found.filter(words)
        if self.place:
            found = found.filter(place__path__contains=f"/{self.place}/")
        if self.industry:
            found = found.filter(industry=self.industry)
        if self.grade:
            found = found.filter(worst__isnull=True) if self.grade == "0" else found.filter(worst=int(self.grade))
        return found.order_by(*ORDERS[self.order])

    def chips(self) -> list[dict[str, str]]:
        """What narrows the list, in words, each with the name to clear."""
        found = []
        if self.q:
            found.append({"name": "q", "label": gettext("Words"), "value": self.q})
        if self.place:
            place = Place.objects.filter(pk=self.place).first()
            found.append({"name": "place", "label": gettext("Place"), "value": name_of(place) if place else self.place})
        if self.industry:
            found.append({"name": "industry", "label": gettext("Industry"), "value": here(INDUSTRIES[self.industry])})
        if self.grade:
            found.append({"name": "grade", "label": gettext("Major hazard"), "value": grade_word(self.grade)})
        if self.closed:
            found.append({"name": "closed", "label": gettext("Closed"), "value": gettext("yes")})
        return found

    def query(self) -> str:
        """The filter as an address's query."""
        parts = {name: getattr(self, name) for name in ("q", "place", "industry", "grade")}
        parts["order"] = "" if self.order == "name" else self.order
        parts["closed"] = "1" if self.closed else ""
        from urllib.parse import urlencode

        return urlencode({name: value for name, value in parts.items() if value})


def grade_word(grade: str | int | None) -> str:
    """``1`` → 一级, Grade 1; nothing → 不构成, None."""
    words = {
        "1": {"zh": "一级", "en": "Grade 1"}, "2": {"zh": "二级", "en": "Grade 2"},
        "3": {"zh": "三级", "en": "Grade 3"}, "4": {"zh": "四级", "en": "Grade 4"},
    }  # fmt: skip
    return here(words.get(str(grade or 0), {"zh": "不构成", "en": "None"}))
