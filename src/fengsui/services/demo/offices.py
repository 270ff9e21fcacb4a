"""The demonstration's offices with their posts, people, certificates and call lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection

from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Account, Certificate, Contact, Holding, Office, Person, Place, Post
from fengsui.region.naming import sorting

from .drawing import Chance

PATHS = """
WITH RECURSIVE down AS (
    SELECT id, '/' || id || '/' AS path FROM region_office WHERE parent_id IS NULL
    UNION ALL
    SELECT o.id, d.path || o.id || '/' FROM region_office o JOIN down d ON o.parent_id = d.id
)
UPDATE region_office o SET path = down.path FROM down WHERE down.id = o.id AND o.path <> down.path
"""


@dataclass
class Staff:
    """Posts, people and terms, collected first and written in bulk."""

    chance: Chance
    now: datetime
    persons: list[Person] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    terms: list[tuple[Post, Person]] = field(default_factory=list)
    certified: list[Person] = field(default_factory=list)
    named: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (office key, title) → names to give first

    def fill(self, office: Office, lines: Iterable[Sequence[Any]], key: str) -> None:
        """Give the office its posts, each with as many people as the line says, one post a person."""
        for title_zh, title_en, works, count, *charges in lines:
            wanted = list(self.named.get((key, title_zh), ()))
            for _ in range(max(count, len(wanted))):
                fields = charges[0] if charges else []
                post = Post(office=office, title_zh=title_zh, title_en=title_en, duties=works, charges=fields)
                name = wanted.pop(0) if wanted else self.chance.name()
                person = Person(name=name, phone=self.chance.phone(office.place_id))
                self.posts.append(post)
                self.persons.append(person)
                self.terms.append((post, person))
                if "enforcement" in works:
                    self.certified.append(person)

    def write(self) -> None:
        """Write everything collected; terms began between one month and four years ago.

        Everybody has an account, as in a region that works: an office where nobody can sign in counts as vacant. By password
        nobody can.
        """
        accounts = [
            Account(username=f"p{number:05d}", password=UNUSABLE_PASSWORD_PREFIX) for number in range(1, len(self.persons) + 1)
        ]
        Account.objects.bulk_create(accounts, batch_size=3000)
        for person, account in zip(self.persons, accounts, strict=True):
            person.pinyin, person.account = sorting(person.name)[:120], account
        Person.objects.bulk_create(self.persons, batch_size=3000)
        Post.objects.bulk_create(self.posts, batch_size=3000)
        draw = self.chance.random
        holdings = [
            Holding(post=post, person=person, since=self.now - timedelta(days=draw.randint(30, 1400)))
            for post, person in self.terms
        ]
        Holding.objects.bulk_create(holdings, batch_size=3000)
        today = self.now.astimezone(LEGAL_ZONE).date()
        Certificate.objects.bulk_create(
            [
                Certificate(
                    person=person,
                    kind=Certificate.Kind.ENFORCEMENT,
                    number=f"演练{serial:06d}",
                    issued=today - timedelta(days=draw.randint(100, 900)),
                    expires=today + timedelta(days=draw.randint(60, 900)),
                )
                for serial, person in enumerate(self.certified, 1)
            ],
            batch_size=3000,
        )


def settle_paths() -> None:
    """Give every office its path from its parents."""
    with connection.cursor() as cursor:
        cursor.execute(PATHS)


@dataclass
class Founder:
    """Makes the public offices level by level; ``by_key`` finds them again (``county:150207``, a division's name)."""

    plan: Mapping[str, Any]
    chance: Chance
    places: Mapping[str, Place]
    staff: Staff
    by_key: dict[str, Office] = field(default_factory=dict)

    def office(self, place: str, zh: str, en: str, kind: str, duties: Sequence[str], parent: Office | None) -> Office:
        """An unsaved office with the suffix that marks it as made up."""
        where = self.places[place]
        name_zh = zh.format(place=where.name_zh) + self.plan["suffix"]["zh"]
        return Office(
            name_zh=name_zh,
            name_en=en.format(place=where.name_en) + self.plan["suffix"]["en"],
            pinyin=sorting(name_zh),
            kind=kind,
            place=where,
            parent=parent,
            duties=list(duties),
            phone=self.chance.phone(place),
        )

    def _made(self, wanted: list[tuple[str, Office, Sequence[Any]]]) -> None:
        Office.objects.bulk_create([office for _, office, _ in wanted], batch_size=2000)
        for key, office, posts in wanted:
            self.by_key[key] = office
            self.staff.fill(office, posts, key)

    def region(self) -> None:
        """The department with its divisions, the commission, the government, the institute."""
        plan, code = self.plan["region"], "150000"
        top = plan["department"]
        head = self.office(code, top["zh"], top["en"], "department", top["duties"], None)
        self._made([("region:150000", head, top["posts"])])
        wanted = [(zh, self.office(code, zh, en, "division", works, head), posts) for zh, en, works, posts in plan["divisions"]]
        for kind in ("commission", "institute"):
            zh, en, works, posts = plan[kind]
            wanted.append((f"{kind}:region", self.office(code, zh, en, kind, works, head), posts))
        zh, en, works, posts = plan["government"]
        wanted.append((f"government:{code}", self.office(code, zh, en, "government", works, None), posts))
        self._made(wanted)

    def leagues(self) -> None:
        """A bureau, a mine bureau, a commission and a government in each."""
        plan, head, mines = self.plan["league"], self.by_key["region:150000"], self.by_key["矿山安全监督管理局"]
        wanted: list[tuple[str, Office, Sequence[Any]]] = []
        for code in self._codes("league"):
            bureau = plan["bureau"]
            office = self.office(code, bureau["zh"], bureau["en"], "bureau", bureau["duties"], head)
            wanted.append((f"league:{code}", office, bureau["posts"]))
            for name, kind, above in (
                ("mines", "bureau", mines),
                ("commission", "commission", self.by_key["commission:region"]),
                ("government", "government", self.by_key["government:150000"]),
            ):
                wanted.append(self._line(f"{name}:{code}", code, plan[name], kind, above))
        self._made(wanted)

    def counties(self) -> None:
        """A bureau and a government in each, a mine bureau in the first so many."""
        plan, codes = self.plan["county"], self._codes("county")
        open_to_mines = [code for code in codes if code != self.plan["without_mines"]]
        with_bureau = set(self.chance.random.sample(open_to_mines, self.plan["mine_counties"]))
        wanted: list[tuple[str, Office, Sequence[Any]]] = []
        for code in codes:
            league = self.places[code].parent_id
            bureau, works = plan["bureau"], list(plan["bureau"]["duties"])
            if code not in with_bureau and code != self.plan["without_mines"]:
                works.insert(1, "mines")
            above = self.by_key[f"league:{league}"]
            office = self.office(code, bureau["zh"], bureau["en"], "bureau", works, above)
            wanted.append((f"county:{code}", office, bureau["posts"]))
            government = self.by_key[f"government:{league}"]
            wanted.append(self._line(f"government:{code}", code, plan["government"], "government", government))
            if code in with_bureau:
                wanted.append(self._line(f"mines:{code}", code, plan["mines"], "bureau", self.by_key[f"mines:{league}"]))
        self._made(wanted)

    def townships(self) -> None:
        """An emergency office in each, below its county's bureau."""
        line = self.plan["township"]
        self._made(
            [
                self._line(f"township:{code}", code, line, "township", self.by_key[f"county:{self.places[code].parent_id}"])
                for code in self._codes("township")
            ]
        )

    def _line(self, key: str, code: str, line: Sequence[Any], kind: str, parent: Office) -> tuple[str, Office, Sequence[Any]]:
        zh, en, works, posts = line
        return key, self.office(code, zh, en, kind, works, parent), posts

    def _codes(self, level: str) -> list[str]:
        return sorted(code for code, place in self.places.items() if place.level == level)


CALLED = (("duty", "control_room"), ("leading", "safety"), ("leading", "principal"))
"""Whom a call list names, in order: the duty room or control room, then those who answer for it."""


def call_lists(staff: Staff) -> int:
    """Write each office's call list from its posts; returns how many lines."""
    by_office: dict[int, list[tuple[Post, Person]]] = {}
    for post, person in staff.terms:
        by_office.setdefault(post.office_id, []).append((post, person))
    lines: list[Contact] = []
    for office, held in by_office.items():
        chosen: list[tuple[Post, Person]] = []
        for works in CALLED:
            left = [one for one in held if one not in chosen and set(works) & set(one[0].duties)]
            chosen += left[:2] if works is CALLED[0] else left[:1]
        lines += [
            Contact(
                office_id=office,
                person=person,
                name=person.name,
                title_zh=post.title_zh,
                title_en=post.title_en,
                phone=person.phone,
                order=order,
            )
            for order, (post, person) in enumerate(chosen, 1)
        ]
    Contact.objects.bulk_create(lines, batch_size=3000)
    return len(lines)
