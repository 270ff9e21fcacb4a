"""Who may enforce: enforcement certificates valid on a day for a field of work, and which of them soon run out.

In: the certificates of people. Out: plain data. Days are those of the region's legal zone; a certificate holds on its last day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from fengsui.moment import LEGAL_ZONE

from .models import Certificate, Holding

Fields = frozenset[str]  # the duties a certificate is good for; empty: all of them


@dataclass(frozen=True, slots=True)
class RunningOut:
    """A certificate in force whose last day is near, and that no other of the same person outlasts."""

    office: int
    person: int
    name: str
    number: str
    expires: date


def valid(now: datetime, people: Collection[int] | None = None) -> Mapping[int, tuple[Fields, ...]]:
    """Person → the fields of each enforcement certificate in force now; of these ``people`` only, where given."""
    rows = _in_force(now, "who may enforce")
    if people is not None:
        rows = rows.filter(person__in=people)
    found: dict[int, list[Fields]] = defaultdict(list)
    for person, fields in rows.values_list("person_id", "fields"):
        found[person].append(frozenset(fields))
    return {person: tuple(all_) for person, all_ in found.items()}


def _in_force(now: datetime, why: str) -> QuerySet[Certificate]:
    """The enforcement certificates that hold on the legal day of ``now``; ``why`` they are read without a scope."""
    today = now.astimezone(LEGAL_ZONE).date()
    return Certificate.objects.unscoped(why).filter(kind=Certificate.Kind.ENFORCEMENT, issued__lte=today, expires__gte=today)


def good_for(certificates: Iterable[Fields], duty: str) -> bool:
    """Whether one of these certificates is good for the field of work; any is where the matter has none."""
    return any(not fields or not duty or duty in fields for fields in certificates)


def last_days(people: Collection[int], now: datetime) -> Mapping[int, date]:
    """Person → the day on which the last of their enforcement certificates in force is over."""
    rows = _in_force(now, "until when people may enforce").filter(person__in=people)
    return dict(rows.order_by("expires").values_list("person_id", "expires"))


_ahead: list[Callable[[datetime], timedelta]] = []


def ahead_from(find: Callable[[datetime], timedelta]) -> None:
    """Let a room above, which knows the law's numbers, say how long before its last day a certificate is named."""
    _ahead[:] = [find]


def ahead(now: datetime) -> timedelta:
    """How long before its last day a certificate is named; not before that day where nobody said."""
    return _ahead[0](now) if _ahead else timedelta(0)


def running_out(now: datetime, within: timedelta) -> list[RunningOut]:
    """The enforcement certificates of people in office whose last day comes ``within`` that time, by office and day."""
    today = now.astimezone(LEGAL_ZONE).date()
    rows = list(_in_force(now, "which certificates run out").select_related("person"))
    held: dict[int, list[Certificate]] = defaultdict(list)
    for one in rows:
        held[one.person_id].append(one)
    near = [
        one for one in rows if one.expires <= today + within and not any(_outlasts(other, one) for other in held[one.person_id])
    ]
    seats: dict[int, set[int]] = defaultdict(set)
    posts = Holding.running(now).filter(person__in={one.person_id for one in near})
    for person, office in posts.values_list("person_id", "post__office_id"):
        seats[person].add(office)
    found = [
        RunningOut(office, one.person_id, one.person.name, one.number, one.expires)
        for one in near
        for office in sorted(seats[one.person_id])
    ]
    return sorted(found, key=lambda one: (one.office, one.expires, one.person, one.number))


def _outlasts(other: Certificate, one: Certificate) -> bool:
    """Of two certificates of one person, whether the other holds longer and is good for as much."""
    if other.expires <= one.expires:
        return False
    return not other.fields or bool(one.fields and set(one.fields) <= set(other.fields))


def turned(now: datetime) -> frozenset[int]:
    """The offices with somebody whose enforcement certificate is over since today, or counts from today."""
    today = now.astimezone(LEGAL_ZONE).date()
    changed = Certificate.objects.unscoped("what the day changed").filter(
        Q(expires=today - timedelta(days=1)) | Q(issued=today), kind=Certificate.Kind.ENFORCEMENT
    )
    return offices_of(changed.values_list("person_id", flat=True))


def offices_of(people: Iterable[int]) -> frozenset[int]:
    """The offices in which these people ever held a post."""
    return frozenset(Holding.objects.filter(person__in=set(people)).values_list("post__office_id", flat=True))
