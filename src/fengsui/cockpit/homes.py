"""What stands beside the desk of whom: ``data/homes.yaml``, read once, and its counted cards.

In: the reader's posts, the time. Out: cards whose every number opens the list that it counts, by the same filter.
Never: a count that has no list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import yaml
from django.db.models import Count
from django.db.models.functions import Left
from django.urls import reverse

from fengsui import shipped
from fengsui.ledger import filters, reading, titles
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Place

Words = Mapping[str, str]  # zh, en


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: words, a number or a text, where it leads, an optional sign (ok, half, off)."""

    words: str
    value: str = ""
    url: str = ""
    sign: str = ""
    under: str = ""  # a second, quieter line: what the words are about


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the rail: rows, or a table of ``columns`` with a line of cells (text, address) for each place."""

    title: str
    rows: list[Row] = field(default_factory=list)
    more: str = ""
    url: str = ""
    columns: list[str] = field(default_factory=list)
    lines: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Query:
    """What is counted: its words and the list's filter as it stands in an address."""

    title: Words
    query: str

    @property
    def filter(self) -> filters.Filter:
        """The filter of the list that the number opens."""
        return filters.Filter.read(dict(parse_qsl(self.query)))

    def url(self, **more: str) -> str:
        """The list's address, narrowed further by ``more``."""
        return f"{reverse('ledger:list')}?{urlencode([*parse_qsl(self.query), *more.items()])}"


@dataclass(frozen=True, slots=True)
class Counted:
    """A card of counted queries: rows, or columns of a table by place."""

    title: Words
    rows: tuple[Query, ...] = ()
    columns: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class First:
    """An opening act (``MECHANISM.ACT``) with a button of its own."""

    act: str
    title: Words


@dataclass(frozen=True, slots=True)
class Home:
    """A home screen: cards (a word names one that code makes) and opening acts offered as buttons of their own."""

    cards: tuple[str | Counted, ...]
    first: tuple[First, ...] = ()


@cache
def homes() -> Mapping[str, Home]:
    """All of ``data/homes.yaml``. Raises ``TypeError`` or ``KeyError`` naming what is missing or unknown."""
    known = yaml.safe_load(shipped.file("homes.yaml").read_text(encoding="utf-8"))
    return {
        name: Home(
            tuple(one if isinstance(one, str) else _counted(one) for one in said["cards"]),
            tuple(First(**one) for one in said.get("first", ())),
        )
        for name, said in known.items()
    }


def _counted(said: Mapping[str, Any]) -> Counted:
    parts = {part: tuple(Query(**one) for one in said.get(part, ())) for part in ("rows", "columns")}
    return Counted(said["title"], **parts)


def home(name: str) -> Home:
    """The home of this kind of reader: ``leader``, ``duty``, ``enterprise``, ``inspector`` or ``staff``."""
    return homes()[name]


def counted_rows(cards: Sequence[Counted], posts: Sequence[Acting], now: datetime) -> dict[str, Card]:
    """These cards, all their numbers asked in one query, by their English titles."""
    offices = frozenset(one.office_id for one in posts)
    cases = reading.cases(posts, now)
    wanted = {
        f"{card.title['en']}/{at}": one.filter.apply(cases, offices, now) for card in cards for at, one in enumerate(card.rows)
    }
    numbers = reading.counts(wanted)
    made = {}
    for card in cards:
        rows = [
            Row(titles.here(one.title), filters.number_said(numbers[f"{card.title['en']}/{at}"]), one.url())
            for at, one in enumerate(card.rows)
        ]
        made[card.title["en"]] = Card(titles.here(card.title), rows)
    return made


def by_place(card: Counted, posts: Sequence[Acting], now: datetime) -> Card | None:
    """A table of the places directly below mine, the fullest line first; None where nothing lies below."""
    own = scope(posts[0]).place_path
    below = list(Place.objects.filter(parent__path=own).order_by("pinyin"))
    if not below:
        return None
    length = len(below[0].path)
    offices = frozenset(one.office_id for one in posts)
    counted: dict[str, list[int]] = {place.path: [0] * len(card.columns) for place in below}
    cases = reading.cases(posts, now).filter(place_path__startswith=own).order_by()
    for at, column in enumerate(card.columns):
        found = column.filter.apply(cases, offices, now)
        for path, number in found.values_list(Left("place_path", length)).annotate(count=Count("pk")):
            if path in counted:
                counted[path][at] = number
    lines = [
        (
            titles.here({"zh": place.name_zh, "en": place.name_en}),
            [(f"{number:,}", one.url(place=place.pk)) for one, number in zip(card.columns, counted[place.path], strict=True)],
        )
        for place in sorted(below, key=lambda one: [-number for number in counted[one.path]])
    ]
    return Card(titles.here(card.title), columns=[titles.here(one.title) for one in card.columns], lines=lines)
