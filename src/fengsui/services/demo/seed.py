"""Writes the demonstration's region into an empty database."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction

from fengsui.region import geography
from fengsui.region.models import Account, Delegation, Holding, Office, Person, Place, Point, Post, Site

from .drawing import Chance, data
from .offices import Founder, Staff, call_lists, settle_paths
from .sites import Builder

SEED = 20261124


class NotEmpty(RuntimeError):
    """The database already has offices: the demonstration wants a fresh data folder."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made: ``passwords`` by user name (empty unless asked for; shown once, never kept), and counts."""

    passwords: Mapping[str, str]
    counts: Mapping[str, int]


def run(say: Callable[[str], None], now: datetime, *, seed: int = SEED, passwords: bool = False) -> Seeded:
    """Places, offices, people, sites and points of the whole region, all made up and marked so.

    The same ``seed`` gives the same rows. Without ``passwords`` the accounts cannot sign in by password; the
    demonstration signs its roles in by one click. Raises ``NotEmpty`` where there are offices already.
    """
    if Office.objects.exists():
        raise NotEmpty("this data folder already has offices; start the demonstration in a fresh one")
    with transaction.atomic():
        say("places: 1 region, 12 leagues, 103 counties, 1,033 townships")
        geography.write_places()
        chance, plan = Chance(seed), data("offices")
        staff = Staff(chance, now)
        for _, name, key, title in plan["cast"]:
            staff.named.setdefault((key, title), []).append(name)
        founder = Founder(plan, chance, Place.objects.in_bulk(), staff)
        founder.region()
        founder.leagues()
        founder.counties()
        founder.townships()
        say(f"offices: {len(founder.by_key):,}")
        builder = Builder(data("sites"), chance, founder, now)
        builder.build()
        say(f"sites: {len(builder.sites):,}, points: {len(builder.points):,}")
        for site in builder.sites:
            staff.fill(site.office, plan["enterprise"]["posts"], site.code)
        settle_paths()
        staff.write()
        lines = call_lists(staff)
        secret = _cast(plan, staff, founder, now, passwords)
        say(f"people: {len(staff.persons):,}, call-list lines: {lines:,}")
    return Seeded(secret, counts())


def counts() -> dict[str, int]:
    """How many of each there are."""
    why = "counts of the demonstration"
    return {
        "places": Place.objects.count(),
        "offices": Office.objects.count(),
        "posts": Post.objects.count(),
        "people": Person.objects.unscoped(why).count(),
        "sites": Site.objects.unscoped(why).count(),
        "points": Point.objects.unscoped(why).count(),
    }


def _cast(plan: Mapping[str, Any], staff: Staff, founder: Founder, now: datetime, passwords: bool) -> dict[str, str]:
    """Accounts of the people whom the exercise needs, and the posts they hold besides."""
    secret: dict[str, str] = {}
    persons: dict[str, Person] = {}
    for account, name, key, title in plan["cast"]:
        person = next(
            person
            for post, person in staff.terms
            if person.name == name and post.title_zh == title and person not in persons.values() and _is(founder, post, key)
        )
        user = cast(Account, person.account)  # everybody was given one
        user.username = account
        if passwords:
            secret[account] = secrets.token_urlsafe(12)
            user.set_password(secret[account])
        user.save()
        persons[account] = person
    _besides(plan["also"], founder, persons, now)
    _lend(plan["delegations"], persons, now)
    return secret


def _is(founder: Founder, post: Post, key: str) -> bool:
    """Whether the post belongs to the office named: ``county:150207``, a division's name, or a site's code."""
    if office := founder.by_key.get(key):
        return bool(office.pk == post.office_id)
    return Site.objects.unscoped("the demonstration's cast").filter(code=key, office=post.office_id).exists()


def _besides(lines: Sequence[Sequence[str]], founder: Founder, persons: Mapping[str, Person], now: datetime) -> None:
    for account, key, title in lines:
        like = Post.objects.filter(office=founder.by_key[key], title_zh=title)[0]
        twin = Post.objects.create(office=like.office, title_zh=title, title_en=like.title_en, duties=like.duties)
        Holding.objects.create(post=twin, person=persons[account], since=now)


def _lend(lines: Sequence[Sequence[Any]], persons: Mapping[str, Person], now: datetime) -> None:
    """Delegations that run: principal, deputy, acts, days."""
    for principal, deputy, acts, days in lines:
        held = Holding.objects.filter(person=persons[principal]).order_by("pk")[0]
        Delegation.objects.create(
            principal=persons[principal], deputy=persons[deputy], post=held.post, acts=acts, since=now - timedelta(days=2),
            until=now + timedelta(days=days),
        )  # fmt: skip
