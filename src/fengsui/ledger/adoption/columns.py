"""What a column means, and what its cells say: the kernel's values out of what people write into tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.utils.translation import gettext

from fengsui.ledger import forms, titles
from fengsui.ledger.kernel.shapes import Field, Mechanism
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Office, Person, Place, Site

NUMBER, STATE, TITLE, ABOUT, DUTY = "number", "state", "title", "about", "duty"
OPENED, EXTERNAL, SOURCE, RECORD = "opened", "external_number", "source", "record"
FIXED: Mapping[str, tuple[str, str]] = {
    NUMBER: ("编号", "Number"),
    STATE: ("状态", "State"),
    TITLE: ("标题", "Title"),
    ABOUT: ("对象", "About"),
    DUTY: ("业务领域", "Field of work"),
    OPENED: ("立案日期", "Opened"),
    EXTERNAL: ("上级系统编号", "National number"),
    SOURCE: ("来源系统", "Source"),
    RECORD: ("办理记录", "Record"),
}
"""Columns of every table: key → their heads in both languages. ``about`` is a site's or a place's code or name."""
NEEDED = (STATE, TITLE, ABOUT)
_SLASHES = str.maketrans({"/": "-", ".": "-", "年": "-", "月": "-", "日": ""})


class Wrong(ValueError):
    """A cell says something that cannot be; the message says what to write."""


@dataclass
class Reader:
    """Reads cells of one mechanism's table; names are looked up once."""

    mechanism: Mechanism
    now: datetime
    _persons: dict[str, list[int]] = field(default_factory=dict)

    # ------------------------------------------------------------------ columns

    @cached_property
    def heads(self) -> dict[str, str]:
        """Every head that is understood → its key: a fixed column, or ``field:NAME``."""
        found: dict[str, str] = {}
        for name, one in self.mechanism.fields.items():
            for word in (name, one.title.get("zh"), one.title.get("en")):
                if word:
                    found.setdefault(str(word), f"field:{name}")
        for key, (zh, en) in FIXED.items():
            found |= {key: key, zh: key, en: key}
        return found

    # -------------------------------------------------------------------- cells

    @cached_property
    def states(self) -> dict[str, str]:
        """State or end by name and by title in both languages."""
        found: dict[str, str] = {}
        places: list[Any] = [*self.mechanism.ends.values(), *self.mechanism.states.values()]
        for one in places:
            found |= {str(word): one.name for word in (one.name, one.title.get("zh"), one.title.get("en")) if word}
        return found

    def state(self, text: Any) -> tuple[str, bool]:
        """(state, whether it is an end)."""
        name = self.states.get(str(text))
        if name is None:
            known = titles.listed(titles.state(self.mechanism, one) for one in (*self.mechanism.states, *self.mechanism.ends))
            raise Wrong(gettext("no such state; there are: %(known)s") % {"known": known})
        return name, name in self.mechanism.ends

    @cached_property
    def sites(self) -> dict[str, Site]:
        """Site by code and by name, for adopting cases of the whole region."""
        found: dict[str, Site] = {}
        for site in Site.objects.unscoped("taking over cases of the whole region"):
            for word in (site.code, site.name_zh, site.name_en):
                if word:
                    found.setdefault(word, site)
        return found

    @cached_property
    def places(self) -> dict[str, str]:
        """Place code by code and, down to counties, by name."""
        known = {code: code for code in Place.objects.values_list("code", flat=True)}
        for code, zh, en in Place.objects.exclude(level="township").values_list("code", "name_zh", "name_en"):
            known.setdefault(zh, code)
            known.setdefault(en, code)
        return known

    @cached_property
    def offices(self) -> dict[str, int]:
        """Office by name; a name that two offices share is nobody's."""
        found: dict[str, int] = {}
        twice: set[str] = set()
        for pk, zh, en in Office.objects.values_list("pk", "name_zh", "name_en"):
            for word in {zh, en} - {""}:
                if found.setdefault(word, pk) != pk:
                    twice.add(word)
        return {word: pk for word, pk in found.items() if word not in twice}

    def person(self, name: str) -> int:
        """The only person of that name."""
        if name not in self._persons:
            found = Person.objects.unscoped("taking over cases of the whole region").filter(name=name)
            self._persons[name] = list(found.values_list("pk", flat=True)[:2])
        ids = self._persons[name]
        if len(ids) != 1:
            raise Wrong(gettext("“%(name)s” is nobody's name, or more than one person's: leave it empty") % {"name": name})
        return ids[0]

    def day(self, value: Any) -> datetime:
        """A day or a moment as people write it, not after now."""
        moment = _moment(value)
        if moment > self.now:
            raise Wrong(gettext("this day is still to come"))
        return moment

    def value(self, name: str, text: Any) -> Any:
        """A field's cell as the kernel keeps it."""
        one = self.mechanism.fields[name]
        reading = getattr(self, f"_{one.kind}", None)
        return reading(one, text) if reading else str(text)

    def _money(self, one: Field, text: Any) -> int:
        return int((_decimal(str(text).replace(",", "").removeprefix("¥")) * 100).to_integral_value())

    def _number(self, one: Field, text: Any) -> int | float:
        value = _decimal(str(text).replace(",", ""))
        return int(value) if value == value.to_integral_value() else float(value)

    def _year(self, one: Field, text: Any) -> int:
        return int(self._number(one, text))

    def _date(self, one: Field, text: Any) -> str:
        return _moment(text).astimezone(LEGAL_ZONE).date().isoformat()

    def _time(self, one: Field, text: Any) -> str:
        return _moment(text).astimezone(UTC).isoformat()

    def _choice(self, one: Field, text: Any) -> str:
        choices = forms.choices_of(one, self.now)
        for code, word in choices:
            if str(text) in (code, word, *(str(label) for label in one.labels.get(code, {}).values())):
                return code
        if choices:
            known = titles.listed(word for _, word in choices[:12])
            raise Wrong(gettext("no such choice; there are: %(known)s") % {"known": known})
        return str(text)

    def _office(self, one: Field, text: Any) -> int:
        if str(text) not in self.offices:
            raise Wrong(gettext("no office, or more than one, is called “%(name)s”") % {"name": text})
        return self.offices[str(text)]

    def _offices(self, one: Field, text: Any) -> list[int]:
        return [self._office(one, name) for name in _parts(text)]

    def _person(self, one: Field, text: Any) -> int:
        return self.person(str(text))

    def _people(self, one: Field, text: Any) -> list[int]:
        return [self.person(name) for name in _parts(text)]

    def _site(self, one: Field, text: Any) -> int:
        if str(text) not in self.sites:
            raise Wrong(gettext("no site has this code or name: %(name)s") % {"name": text})
        return self.sites[str(text)].pk

    def _list(self, one: Field, text: Any) -> list[str]:
        return _parts(text)

    def _point(self, one: Field, text: Any) -> list[float]:
        parts = [_decimal(part) for part in str(text).replace("，", ",").split(",")]
        if len(parts) != 2:
            raise Wrong(gettext("write longitude, latitude"))
        return [float(part) for part in parts]

    def _files(self, one: Field, text: Any) -> list[str]:
        raise Wrong(gettext("files do not come by a table: leave it empty, attach them afterwards"))


def _parts(text: Any) -> list[str]:
    for sign in "；;、，\n":
        text = str(text).replace(sign, ",")
    return [part.strip() for part in str(text).split(",") if part.strip()]


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation as error:
        raise Wrong(gettext("write a number")) from error
    if not value.is_finite() or abs(value) >= 10**15:
        raise Wrong(gettext("write a number"))
    return value


def _moment(value: Any) -> datetime:
    """A day, or a day and time, in legal time where no zone is written."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    else:
        text = str(value).strip()
        day, _, clock = text.replace("T", " ").partition(" ")
        try:
            parts = [int(part) for part in day.translate(_SLASHES).split("-") if part]
            found = datetime.combine(date(*parts), time.fromisoformat(clock.strip()) if clock.strip() else time())
        except (ValueError, TypeError) as error:
            raise Wrong(gettext("write a day such as 2024-05-01")) from error
    return found if found.tzinfo else found.replace(tzinfo=LEGAL_ZONE)
