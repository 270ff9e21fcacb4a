"""Who supervises a site, and the sites nobody answers for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .models import Office, Site
from .roles import Role, _day, role_of, signers, supervisor_of_site
from .tree import Tree, tree


class NoSupervisor(LookupError):
    """No living office has this duty at this level of the site's place."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A site and duty without anybody: no office has the duty there, or nobody holds a post that may act."""

    site_id: int
    duty: str
    level: str
    office_id: int | None
    why: Literal["no_office", "vacant", "one_person"]


def supervisor_ids(pairs: Iterable[tuple[int, str]], level: str, now: datetime) -> dict[tuple[int, str], int | None]:
    """(site, duty) → the office that supervises it at ``level``; ``None`` where none does. One look at the tree."""
    picture, today = tree(), _day(now)
    found: dict[tuple[int, str], int | None] = {}
    for site_id, duty in pairs:
        site = picture.sites.get(site_id)
        office = supervisor_of_site(picture, site, duty, level, today) if site else None
        found[site_id, duty] = office.id if office else None
    return found


def supervisor_id(site_id: int, duty: str, level: str, now: datetime) -> int | None:
    """The id of the office that supervises the site for ``duty`` at ``level``; ``None`` where none does."""
    return supervisor_ids([(site_id, duty)], level, now)[site_id, duty]


def supervisor(site: Site, duty: str, level: str, now: datetime) -> Office:
    """The office that supervises the site for ``duty`` at ``level`` (county, league, region).

    Raises ``NoSupervisor`` where that level has none: the case's roles then climb, this answer does not.
    """
    found = supervisor_id(site.pk, duty, level, now)
    if found is None:
        raise NoSupervisor(f"no office at {level} level of {site.place_id} has the duty {duty!r}")
    return Office.objects.get(pk=found)


def unanswered(now: datetime, site_ids: Iterable[int] | None = None, level: str = "county") -> list[Unanswered]:
    """Sites whose duty no office at ``level`` carries, or whose office lacks the two persons that the law wants.

    ``site_ids`` narrows to the sites that the asker may see; ``None`` means all.
    """
    picture = tree()
    role = role_of("site_supervisor")
    wanted = picture.sites.keys() if site_ids is None else site_ids
    able: dict[int, int] = {}
    found: list[Unanswered] = []
    for site_id in wanted:
        site = picture.sites.get(site_id)
        if site is not None and site.closed_on is not None and site.closed_on <= _day(now):
            continue
        for duty in site.duties if site else ():
            found += _gap(picture, role, site_id, duty, level, able, now)
    return found


def _gap(picture: Tree, role: Role, site_id: int, duty: str, level: str, able: dict[int, int], now: datetime) -> list[Unanswered]:
    site = picture.sites[site_id]
    office = supervisor_of_site(picture, site, duty, level, _day(now))
    if office is None:
        return [Unanswered(site_id, duty, level, None, "no_office")]
    if office.id not in able:
        able[office.id] = len(signers(role.name, office.id, now))
    if able[office.id] == 0:
        return [Unanswered(site_id, duty, level, office.id, "vacant")]
    if able[office.id] == 1:
        return [Unanswered(site_id, duty, level, office.id, "one_person")]
    return []
