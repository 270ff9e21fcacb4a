"""Ids into names, for pages: offices, posts and places from the region's picture, persons and sites in one query each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from fengsui.ledger import titles
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole
from fengsui.region import officenames
from fengsui.region.models import Contact, Office, Person, Place, Site
from fengsui.region.tree import tree

Words = Mapping[str, str]
NOBODY: Words = {"zh": "", "en": ""}


def _both(rows: Iterable[tuple[Any, str, str]]) -> dict[Any, Words]:
    return {key: {"zh": chinese, "en": english or chinese} for key, chinese, english in rows}


def offices(ids: Iterable[int | None]) -> dict[Any, Words]:
    """Office id → its name in both languages."""
    known = tree().offices
    return _both((one, *known[one].name) for one in set(ids) if one is not None and one in known)


def offices_then(pairs: Iterable[tuple[int | None, datetime]]) -> dict[tuple[int, date], Words]:
    """(office, moment) → its name on that legal day, for offices that ever had another name."""
    wanted = {(office, moment.astimezone(LEGAL_ZONE).date()) for office, moment in pairs if office}
    return {key: {"zh": zh, "en": en} for key, (zh, en) in officenames.then(wanted).items()} if wanted else {}


def posts(ids: Iterable[int | None]) -> dict[Any, Words]:
    """Post id → its title."""
    known = tree().posts
    return _both((one, *known[one].title) for one in set(ids) if one is not None and one in known)


def places(codes: Iterable[str]) -> dict[str, Words]:
    """Place code → its name."""
    known = tree().places
    return _both((one, *known[one].name) for one in set(codes) if one in known)


def callees(pairs: Iterable[tuple[int | None, int]]) -> dict[tuple[int | None, int], str]:
    """(contact, office) → post and office of a line of a call list, in the reader's language. One query."""
    wanted = set(pairs)
    known = offices(office for _, office in wanted)
    of = Contact.objects.unscoped("posts of those on the call list of a case that the reader may see")
    rows = of.filter(pk__in={contact for contact, _ in wanted if contact}).values_list("pk", "title_zh", "title_en")
    posts_of = _both(rows) if wanted else {}
    return {
        (contact, office): "·".join(
            filter(None, (titles.here(posts_of.get(contact, NOBODY)), titles.here(known.get(office, NOBODY))))
        )
        for contact, office in wanted
    }


def persons(ids: Iterable[int | None]) -> dict[int, str]:
    """Person id → name. The names of those who acted belong to the record that the reader may see."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    found = Person.objects.unscoped("names of those who acted in a case the reader may see")
    return dict(found.filter(pk__in=wanted).values_list("pk", "name"))


def sites(ids: Iterable[str | int | None]) -> dict[Any, Words]:
    """Site id → its name."""
    wanted = {number for one in ids if (number := whole(one)) is not None}
    if not wanted:
        return {}
    found = Site.objects.unscoped("the site that a case the reader may see is about")
    return _both(found.filter(pk__in=wanted).values_list("pk", "name_zh", "name_en"))


def called(kind: str, name: str) -> list[Any]:
    """The ids of what bears exactly this name (a site's or a place's code too), at most two: for forms without scripts."""
    why = "a whole name that somebody typed, where a picker needs scripts"
    both = Q(name_zh=name) | Q(name_en__iexact=name)
    found: Any = {
        "office": lambda: Office.objects.filter(both, dissolved_on__isnull=True),
        "place": lambda: Place.objects.filter(both | Q(code=name)),
        "site": lambda: Site.objects.unscoped(why).filter(both | Q(code=name)),
        "person": lambda: Person.objects.unscoped(why).filter(name=name),
    }.get(kind)
    return list(found().values_list("pk", flat=True)[:2]) if found else []
