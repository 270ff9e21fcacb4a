"""The offices of the region in memory: one frozen picture, reloaded when something changed.

The picture answers many questions a second (who supervises, who may act, what is one up) without a query
each; a database trigger changes ``Revision.token`` with every change, and ``tree()`` compares it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")
LEVELS = ("township", "county", "league", "region")


@dataclass(frozen=True, slots=True)
class OfficeNode:
    """An office as the tree knows it."""

    id: int
    kind: str
    place: str
    parent: int | None
    path: str
    duties: frozenset[str]
    successor: int | None
    dissolved_on: date | None
    name: tuple[str, str] = ("", "")  # Chinese, English


@dataclass(frozen=True, slots=True)
class PlaceNode:
    """A place as the tree knows it."""

    code: str
    level: str
    parent: str | None
    path: str
    name: tuple[str, str] = ("", "")
    pinyin: str = ""
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class SiteNode:
    """A site as the tree knows it."""

    id: int
    office: int
    place: str
    duties: tuple[str, ...]
    closed_on: date | None = None
    given: tuple[tuple[str, int, date, date | None], ...] = ()  # (duty, office, since, until): supervision given to an office

    def given_to(self, duty: str, today: date) -> int | None:
        """The office that supervises it for this duty instead of the office of its place."""
        for name, office, since, until in self.given:
            if name == duty and since <= today and (until is None or today < until):
                return office
        return None


@dataclass(frozen=True, slots=True)
class Loan:
    """A deputy acts in a post for its holder, from ``since`` to before ``until``: while they can sign in and hold a post."""

    deputy: int
    since: datetime
    until: datetime

    def runs(self, now: datetime) -> bool:
        return self.since <= now < self.until


@dataclass(frozen=True, slots=True)
class Term:
    """Somebody in a post, from ``since`` to before ``until``.

    ``signs_in``: the person has an account that works, with a one-time password to ``signs_until`` only. ``lent``: who acts
    in the post for them with a delegation of all its acts; one of named acts leaves the others undone, and fills nothing.
    """

    person: int
    post: int
    since: datetime
    until: datetime | None
    signs_in: bool = True
    lent: tuple[Loan, ...] = ()
    signs_until: datetime | None = None

    def runs(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)

    def signers(self, now: datetime) -> frozenset[int]:
        """The natural persons who can sign in and do any act of the post: whoever holds it, and the deputies."""
        if not self.runs(now):
            return frozenset()
        own = self.signs_in and (self.signs_until is None or now <= self.signs_until)
        return frozenset({*([self.person] if own else []), *(one.deputy for one in self.lent if one.runs(now))})

    def answers(self, now: datetime) -> bool:
        """Whether it runs and somebody can sign in to act by it, the person or a deputy: else nobody sees what lies there."""
        return bool(self.signers(now))


@dataclass(frozen=True, slots=True)
class PostNode:
    """A post as the tree knows it."""

    id: int
    office: int
    duties: frozenset[str]
    charges: frozenset[str]
    title: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything by id, and the offices of each place by duty."""

    offices: Mapping[int, OfficeNode]
    places: Mapping[str, PlaceNode]
    sites: Mapping[int, SiteNode]
    site_of_office: Mapping[int, int]
    posts: Mapping[int, PostNode]
    terms: Mapping[int, tuple[Term, ...]]  # office → terms of its posts
    by_duty: Mapping[tuple[str, str], tuple[int, ...]]  # (place, duty) → offices, the most special first
    top: int | None
    token: str = field(default="")
    set_up: frozenset[int] = frozenset()  # offices with an account, locked or not, in them or in one below

    def living(self, office: int | None, today: date) -> OfficeNode | None:
        """The office, or who took over: successors followed until one lives; ``None`` where none does."""
        seen: set[int] = set()
        while office is not None and office not in seen:
            seen.add(office)
            node = self.offices.get(office)
            if node is None:
                return None
            if node.dissolved_on is None or today < node.dissolved_on:
                return node
            office = node.successor
        return None

    def upward(self, place: str | None) -> Iterator[PlaceNode]:
        """The place, then those it lies in."""
        while place is not None:
            node = self.places[place]
            yield node
            place = node.parent

    def at_level(self, place: str | None, level: str) -> str | None:
        """The code of the place at ``level`` that holds ``place``; the place itself where it is already above."""
        last = None
        for node in self.upward(place):
            last = node
            if LEVELS.index(node.level) >= LEVELS.index(level):
                return node.code
        return last.code if last else None

    def with_duty(self, place: str, duty: str, today: date) -> list[OfficeNode]:
        """Living offices of exactly this place with this duty (dissolved ones replaced by their successors).

        An enterprise's duties say what it is supervised for; it supervises nobody.
        """
        found: dict[int, OfficeNode] = {}
        for office in self.by_duty.get((place, duty), ()):
            if (node := self.living(office, today)) and node.kind != "enterprise":
                found.setdefault(node.id, node)
        return list(found.values())


def _offices() -> dict[int, OfficeNode]:
    from .models import Office

    columns = ("id", "kind", "place_id", "parent_id", "path", "duties", "successor_id", "dissolved_on", "name_zh", "name_en")
    rows: Iterable[tuple[Any, ...]] = Office.objects.values_list(*columns)
    found = {}
    for pk, kind, place, parent, path, duties, successor, dissolved, zh, en in rows:
        found[pk] = OfficeNode(pk, kind, place, parent, path, frozenset(duties), successor, dissolved, name=(zh, en))
    return found


def _places() -> dict[str, PlaceNode]:
    from .models import Place

    columns = ("code", "level", "parent_id", "path", "name_zh", "name_en", "pinyin", "lon", "lat")
    rows: Iterable[tuple[Any, ...]] = Place.objects.values_list(*columns)
    found = {}
    for code, level, parent, path, zh, en, pinyin, lon, lat in rows:
        found[code] = PlaceNode(code, level, parent, path, (zh, en), pinyin, lon, lat)
    return found


def _terms(posts: Mapping[int, PostNode]) -> tuple[dict[int, tuple[Term, ...]], frozenset[int]]:
    """Office → the terms of its posts; and the offices with somebody in a post who has an account, locked or not."""
    from .models import Holding

    account = ("person__account__is_active", "person__account__one_time_until")
    rows = list(Holding.objects.values_list("post_id", "person_id", "since", "until", *account))
    held: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for _, person, since, until, *_ in rows:
        held[person].append((since, until))
    lent = _loans(held)
    terms: dict[int, list[Term]] = defaultdict(list)
    invited = set()
    for post, person, since, until, active, once in rows:
        office = posts[post].office
        terms[office].append(Term(person, post, since, until, bool(active), tuple(lent.get((person, post), ())), once))
        if active is not None:
            invited.add(office)
    return {office: tuple(found) for office, found in terms.items()}, frozenset(invited)


def _loans(held: Mapping[int, Iterable[tuple[datetime, datetime | None]]]) -> dict[tuple[int, int], list[Loan]]:
    """(principal, post) → the loans of all acts, each as long as the deputy, who ``held`` posts then, holds any and signs in."""
    from .models import Delegation

    lent: dict[tuple[int, int], list[Loan]] = defaultdict(list)
    able = Delegation.objects.filter(deputy__account__is_active=True, acts__contains=["*"])
    columns = ("principal_id", "post_id", "deputy_id", "since", "until", "deputy__account__one_time_until")
    for principal, post, deputy, begins, ends, once in able.values_list(*columns):
        for since, until in held.get(deputy, ()):
            first, last = max(begins, since), min(one for one in (ends, until, once) if one is not None)
            if first < last:
                lent[principal, post].append(Loan(deputy, first, last))
    return lent


def _set_up(offices: Mapping[int, OfficeNode], invited: Iterable[int]) -> frozenset[int]:
    """The offices with an account in them or in one below."""
    found: set[int] = set()
    for one in invited:
        node = offices.get(one)
        while node is not None and node.id not in found:
            found.add(node.id)
            node = offices.get(node.parent) if node.parent is not None else None
    return frozenset(found)


def _by_duty(offices: Mapping[int, OfficeNode]) -> dict[tuple[str, str], tuple[int, ...]]:
    found: dict[tuple[str, str], list[OfficeNode]] = defaultdict(list)
    for office in offices.values():
        if office.kind == "enterprise":
            continue
        for duty in office.duties:
            found[office.place, duty].append(office)
    return {
        key: tuple(node.id for node in sorted(nodes, key=lambda node: (len(node.duties), node.id)))
        for key, nodes in found.items()
    }


def _sites() -> dict[int, SiteNode]:
    from .models import Site, Supervision

    given: dict[int, list[tuple[str, int, date, date | None]]] = defaultdict(list)
    for site, duty, office, since, until in Supervision.objects.values_list("site_id", "duty", "office_id", "since", "until"):
        given[site].append((duty, office, since, until))
    rows = Site.objects.unscoped("the office tree serves every scope")
    columns = rows.values_list("id", "office_id", "place_id", "duties", "closed_on")
    return {row[0]: SiteNode(row[0], row[1], row[2], tuple(row[3]), row[4], tuple(given.get(row[0], ()))) for row in columns}


def load(token: str = "") -> Tree:
    """Read the whole picture from the database (about ten thousand rows)."""
    from .models import Post

    offices, places = _offices(), _places()
    sites = _sites()
    posts = {
        row[0]: PostNode(row[0], row[1], frozenset(row[2]), frozenset(row[3]), (row[4], row[5]))
        for row in Post.objects.values_list("id", "office_id", "duties", "charges", "title_zh", "title_en")
    }
    terms, invited = _terms(posts)
    tops = [node.id for node in offices.values() if node.kind == "department" and node.parent is None]
    return Tree(
        offices=offices,
        places=places,
        sites=sites,
        posts=posts,
        site_of_office={site.office: site.id for site in sites.values()},
        terms=terms,
        set_up=_set_up(offices, invited),
        by_duty=_by_duty(offices),
        top=min(tops, default=None),
        token=token,
    )


_lock = threading.Lock()
_held: Tree | None = None


def _token() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token::text FROM region_revision WHERE id = 1")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


@dataclass(slots=True)
class _Look:
    """One look at the region, kept as long as ``steady`` lasts; nothing until somebody asks."""

    picture: Tree | None = None
    found: dict[Hashable, Any] = field(default_factory=dict)


_steady: ContextVar[_Look | None] = ContextVar("steady", default=None)


@contextmanager
def steady() -> Iterator[None]:
    """Inside, every ``tree()`` is the same picture: one act, one page sees one region, and asks for the token once."""
    if _steady.get() is not None:
        yield
        return
    mark = _steady.set(_Look())
    try:
        yield
    finally:
        _steady.reset(mark)


def tree() -> Tree:
    """The present picture; one small query, and a reload where something changed since the last call."""
    look = _steady.get()
    if look is None:
        return _present()
    if look.picture is None:
        look.picture = _present()
    return look.picture


def once(key: Hashable, find: Callable[[], T]) -> T:
    """``find()``, kept under ``key`` as long as ``steady`` lasts: what a page asks at several places, it asks once."""
    look = _steady.get()
    if look is None:
        return find()
    if key not in look.found:
        look.found[key] = find()
    return look.found[key]  # type: ignore[no-any-return]


def _present() -> Tree:
    global _held
    token = _token()
    held = _held
    if held is not None and token and held.token == token:
        return held
    with _lock:
        if _held is None or not token or _held.token != token:
            _held = load(token)
        return _held
