"""The record of changes as rows of words, and who may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext, gettext_noop

from fengsui.moment import LEGAL_ZONE

from . import supervision
from .acting import Acting, scope
from .filters import here, name_of
from .models import Change, Coming, Office, Person, Site
from .operations import known
from .operations.posts import administers
from .roles import duties, functions
from .scoping import ALL, Scope
from .tree import tree

AUDIT = "audit"
_BESIDES = {
    "add_person": gettext_noop("Person entered"), "grade": gettext_noop("Grade reckoned anew"),
    "supervision": gettext_noop("Supervision changed"), "move_office": gettext_noop("Office placed under another"),
    "duties_moved": gettext_noop("Field of work given up"),
}  # fmt: skip
"""Kinds that follow from an operation of another name."""

_COLUMNS = {
    "name": gettext_noop("Name"), "name_zh": gettext_noop("Name in Chinese"), "name_en": gettext_noop("Name in English"),
    "title_zh": gettext_noop("Title in Chinese"), "title_en": gettext_noop("Title in English"),
    "duties": gettext_noop("Field of work"), "duty": gettext_noop("Field of work"), "charges": gettext_noop("In charge of"),
    "person": gettext_noop("Person"), "since": gettext_noop("From"), "until": gettext_noop("To"),
    "phone": gettext_noop("Telephone"), "deputy": gettext_noop("Deputy"),
    "acts": gettext_noop("Acts"), "username": gettext_noop("User name"),
    "is_active": gettext_noop("Account works"),
    "along": gettext_noop("Posts, people and call list go along"),
    "reader": gettext_noop("Office that may read it"),
    "successor": gettext_noop("Into"), "dissolved_on": gettext_noop("Dissolved from"),
    "parent": gettext_noop("Office above"), "office": gettext_noop("Supervising office"), "place": gettext_noop("Place"),
    "kind": gettext_noop("Kind"), "number": gettext_noop("Number of the certificate"), "fields": gettext_noop("Good for"),
    "issued": gettext_noop("Issued on"), "expires": gettext_noop("Valid to"), "order": gettext_noop("Place in the list"),
    "code": gettext_noop("Code"), "industry": gettext_noop("Industry"), "lon": gettext_noop("Longitude"),
    "lat": gettext_noop("Latitude"), "closed_on": gettext_noop("Closed from"), "exposed": gettext_noop("People exposed"),
    "grade": gettext_noop("Grade"), "r": "R", "tonnes": gettext_noop("Tonnes at most, by design"),
    "named": gettext_noop("In table 1 of GB 18218"), "classes": gettext_noop("Class"), "tag": gettext_noop("Tag"),
    "quantity": gettext_noop("Measures"), "measure": gettext_noop("Unit of measure"), "unit_id": gettext_noop("Hazard unit"),
    "range_low": gettext_noop("Measuring range from"), "range_high": gettext_noop("Measuring range to"),
    "low_low": gettext_noop("Design limit LL"), "low": gettext_noop("Design limit L"), "high": gettext_noop("Design limit H"),
    "high_high": gettext_noop("Design limit HH"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One change in words: what, of what, from when, by whom, why, and what differs."""

    change: Change
    what: str
    subject: str
    by: str
    differs: tuple[tuple[str, str, str], ...]  # column, before, after
    ahead: str = ""  # of what was dated ahead: whether it is still to come, was taken back or overtaken


def kinds() -> dict[str, str]:
    """Kinds of changes with their words."""
    return {**{one.name: str(one.title) for one in known()}, **{name: gettext(word) for name, word in _BESIDES.items()}}


def audits(acting: Acting) -> bool:
    """Whether the post is one of audit, which reads the record and changes nothing."""
    post = tree().posts.get(acting.post_id)
    return post is not None and AUDIT in post.duties and acting.may_do("region", "audit")


def reads(acting: Acting) -> bool:
    """Whether the post reads the record at all: it administers or audits."""
    return administers(acting) or audits(acting)


def readers(posts: Sequence[Acting]) -> list[Acting]:
    """Those of the posts that may read the record; raises ``PermissionDenied`` where none may."""
    found = [one for one in posts if reads(one)]
    if not found:
        raise PermissionDenied(gettext("The record of changes is read by administrators and auditors."))
    return found


def may_read(acting: Acting, office: int) -> bool:
    """Whether the post reads the record of this office: it administers or audits it."""
    node = tree().offices.get(office)
    return node is not None and node.path.startswith(scope(acting).office_path) and reads(acting)


def own_subtree(acting: Acting) -> Scope:
    """What the post administers or audits: its office and those below it, not its territory."""
    return replace(scope(acting), territorial=False)


def lines(changes: Iterable[Change]) -> list[Line]:
    """Rows in words; three queries however many there are, a fourth where some were dated ahead."""
    rows, words = list(changes), kinds()
    wanted = {one for row in rows for one in (row.person_id, row.principal_id) if one}
    people = dict(
        Person.objects.unscoped("who changed something stands on record").filter(pk__in=wanted).values_list("pk", "name")
    )
    named = {
        value for row in rows for both in (row.before, row.after) for key, value in both.items() if key in _OFFICES and value
    }
    wanted_offices = named | {row.acting_office_id for row in rows}
    offices = {one.pk: name_of(one) for one in Office.objects.filter(pk__in=wanted_offices).only("name_zh", "name_en")}
    ahead = [row.pk for row in rows if row.since > row.at]
    kept = Coming.objects.unscoped("the changes were found in scope").filter(change__in=ahead) if ahead else ()
    states = {one.change_id: gettext(_AHEAD[one.outcome]) for one in kept if one.outcome in _AHEAD}
    return [replace(_line(row, words, people, offices), ahead=states.get(row.pk, "")) for row in rows]


_AHEAD = {"": gettext_noop("still to come"), "taken_back": gettext_noop("taken back"), "overtaken": gettext_noop("overtaken")}


_OFFICES = ("successor", "parent", "office", "reader")


def _line(row: Change, words: Mapping[str, str], people: Mapping[int, str], offices: Mapping[int, str]) -> Line:
    by = f"{people.get(row.person_id, '')} · {offices.get(row.acting_office_id, '')}"
    if row.principal_id:
        by = gettext("%(principal)s (signed by %(deputy)s)") % {"principal": people.get(row.principal_id, ""), "deputy": by}
    names = [*row.before, *(name for name in row.after if name not in row.before)]
    differs = tuple(
        (gettext(_COLUMNS.get(name, name)), said(name, row.before.get(name), offices), said(name, row.after.get(name), offices))
        for name in names
    )
    subject = here({"zh": row.title_zh, "en": row.title_en or row.title_zh})
    return Line(row, words.get(row.kind, row.kind), subject, by, differs)


def said(name: str, value: Any, offices: Mapping[int, str]) -> str:
    """A recorded value for reading."""
    if value is None or value == "" or value == []:
        return ""
    if name in _OFFICES:
        return offices.get(value, str(value))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name in ("duties", "charges", "fields", "duty"):
        words = {**functions(), **duties(), ALL: {"zh": "全部业务领域", "en": "Every field of work"}}
        return " · ".join(here(words[one]) if one in words else one for one in (value if isinstance(value, list) else [value]))
    if name == "acts":
        return acts_words(value)
    if isinstance(value, list):
        return " · ".join(map(str, value))
    if isinstance(value, str) and "T" in value and name in ("since", "until"):
        return datetime.fromisoformat(value).astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
    return str(value)


_act_words: list[Callable[[str], str]] = []


def say_acts(words: Callable[[str], str]) -> None:
    """Let a room above say what an act's name means."""
    _act_words.append(words)


def acts_words(names: Sequence[str]) -> str:
    """A delegation's acts in the reader's language."""
    if "*" in names:
        return gettext("every act of the post")
    return "、".join(next((said for words in _act_words if (said := words(one))), one) for one in names)


def supervised(site: Site, now: datetime) -> list[tuple[str, str]]:
    """(field of work, the office that supervises the site for it); empty where nobody does."""
    found = supervision.supervisor_ids(((site.pk, duty) for duty in site.duties), "county", now)
    offices = {one.pk: name_of(one) for one in Office.objects.filter(pk__in=[one for one in found.values() if one])}
    words = duties()
    return [(here(words[duty]) if duty in words else duty, offices.get(found[site.pk, duty] or 0, "")) for duty in site.duties]
