"""What cases were at an earlier moment, read from their entries.

In: a reader's cases (``reading.cases``) and a moment. Out: their levels as they stood then. Never: a case that was not given.

A case whose level no entry has touched since has today's: the database ranks and counts these by their column. Only the others
are read from their entries, those alone that speak of a field which the level follows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models import Case as Choose
from django.db.models.functions import Left

from fengsui.ledger.models import LEVELS, RANK, Entry

LEVEL_FIELDS = ("colour", "grade")
"""The fields that a case's level follows, as the doors read them: the first that says something."""


class _Speaks(Func):
    """Whether an entry's body has one of the level's fields; a body that was erased speaks of none."""

    output_field = BooleanField()
    template = "(" + " OR ".join(f"position('\"{name}\"'::bytea in %(expressions)s) > 0" for name in LEVEL_FIELDS) + ")"


@dataclass(frozen=True, slots=True)
class Then:
    """The open cases with a level at a moment: the worst of them, their level set as it was, and the counts of all."""

    worst: list[Any]  # cases, the worst first and the newest of a level first; never to be saved
    counts: dict[tuple[str, str], int]  # (county code, level) → how many


def then(cases: QuerySet[Any], at: datetime, most: int) -> Then:
    """The cases that were open and had a level at that moment, counted all, the ``most`` worst given. At most six queries."""
    alive = cases.filter(opened_at__lte=at)
    was = _changed(alive.filter(moved_at__gt=at).filter(Q(ended=False) | Q(ended_at__gt=at)), at)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    worst: list[Any] = []
    ranked = Choose(*(When(level=level, then=Value(RANK[level])) for level in LEVELS), output_field=IntegerField())
    # open still, or ended since: two queries, so that each finds its index
    for part in (alive.filter(ended=False), alive.filter(ended=True, moved_at__gt=at, ended_at__gt=at)):
        same = part.filter(level__in=LEVELS).exclude(pk__in=list(was))
        rows = same.annotate(county=Left("place_code", 6)).order_by().values_list("county", "level")
        for county, level, count in rows.annotate(count=Count("pk")):
            counts[county, level] += count
        worst += same.defer("fields", "core", "raiser").order_by(ranked, "-opened_at", "-id")[:most]
    had = {pk: level for pk, level in was.items() if level in LEVELS}
    for case in cases.filter(pk__in=list(had)).defer("fields", "core", "raiser") if had else ():
        case.level = had[case.pk]
        counts[case.place_code[:6], case.level] += 1
        worst.append(case)
    worst.sort(key=lambda case: (RANK[case.level], -case.opened_at.timestamp(), -case.pk.int))
    return Then(worst[:most], dict(counts))


def _changed(moved: QuerySet[Any], at: datetime) -> dict[Any, str]:
    """Case id → its level then, "" for none, of the cases of which an entry since speaks of the level. Two queries.

    Each moved case's entries are found by the case (60 µs each): with 600,000 entries an index on their time, B-tree or BRIN,
    was as quick to a tenth for a month back, and every act would pay for it.
    """
    since = Entry.objects.filter(case=OuterRef("pk"), at__gt=at).annotate(speaks=_Speaks(F("body"))).filter(speaks=True)
    ids = list(moved.filter(Exists(since)).order_by().values_list("pk", flat=True))
    return levels(ids, at)


def levels(ids: Collection[Any], at: datetime) -> dict[Any, str]:
    """Case id → its level at that moment, "" where it had none, for every id given. One query, none for nobody."""
    found: dict[Any, str] = dict.fromkeys(ids, "")
    if not ids:
        return found
    kept: dict[Any, dict[str, Any]] = defaultdict(dict)
    said = Entry.objects.filter(case__in=ids, at__lte=at).annotate(speaks=_Speaks(F("body"))).filter(speaks=True)
    for entry in said.only("case_id", "seq", "body").order_by("case_id", "seq"):
        fields = kept[entry.case_id]
        _take(fields, entry.content())
        level = next((fields[name] for name in LEVEL_FIELDS if fields.get(name)), None)
        if isinstance(level, str):
            found[entry.case_id] = level
    return found


def _take(fields: dict[str, Any], record: Mapping[str, Any]) -> None:
    """Carry an entry's record over to the level's fields: as given, then as the act left them."""
    step = record.get("change", {}).get("fields", {})
    for given in (record.get("values", {}), step.get("+", {})):
        fields.update({name: given[name] for name in LEVEL_FIELDS if name in given})
    for gone in step.get("-", ()):
        fields.pop(gone, None)
