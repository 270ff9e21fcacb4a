"""The one way to ask for cases: in the scope of somebody's posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, CharField, Exists, ExpressionWrapper, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import Http404

from fengsui import moment
from fengsui.ledger.doors.held import as_uuid
from fengsui.ledger.models import Case, Party, SearchText, Share
from fengsui.ledger.words import bigrams
from fengsui.region.acting import ANSWERING, PLACELESS, WHOLE, Acting, scope
from fengsui.region.changing import today
from fengsui.region.models import Office
from fengsui.region.scoping import ALL, Scope
from fengsui.region.tree import once

K = TypeVar("K")
COUNTED = 10_000
"""Beyond this many a list says "more than": counting on would cost more than it tells."""
BESIDE = 2_000
"""So many cases seen besides the territory are named to the database one by one, which lets it use its indexes."""
RARE = 2_000
"""Words that at most so many cases hold are looked up by these cases, others along the list."""


def cases(actings: Sequence[Acting], now: datetime | None = None) -> QuerySet[Case]:
    """The cases that these actings may see; none for nobody.

    Territory and duties, what their offices had in hand or what is shared with them at this moment, and of confidential
    cases those whose readers they are. For pages of many cases: one small query per acting and request finds what lies
    besides the territory, so that the territory alone decides which index is walked.
    """
    seen = Q(pk__in=[])
    for acting in actings:
        known = scope(acting)
        seen |= (Q(confidential=False) & _territory(known)) | _besides(acting, known, now or moment.now())
    return Case.objects.filter(seen)


def _territory(known: Scope) -> Q:
    if not known.territorial:
        return Q(pk__in=[])
    within = Q() if _whole(known) else Q(place_path__startswith=known.place_path)
    if ALL not in known.duties:
        within &= Q(duty__in=["", *sorted(known.duties)])
    return within & ~Q(place_path="")


def _whole(known: Scope) -> bool:
    """Whether the place is the whole region: then every place lies in it."""
    return known.place_path.count("/") <= 2


def _besides(acting: Acting, known: Scope, now: datetime) -> Q:
    """What the acting sees without its lying in the territory: as a party, by a share, as a reader of what is confidential."""
    parties = Party.objects.filter(office_id__in=_subtree(known))
    if known.territorial:
        parties = parties.filter(beyond=True)
    open_to_me = {
        "party": Q(confidential=False, pk__in=parties.values("case_id")),
        "reader": Q(confidential=True, readers__contains=[acting.office_id]),
        "share": Q(confidential=False, pk__in=_shared(acting, now).filter(case__isnull=False).values("case_id")),
    }
    found = once(("besides", acting.office_id), lambda: _found_besides(open_to_me, acting, now))
    besides = Q(pk__in=[])
    for kind, condition in open_to_me.items():
        ids = [pk for one, pk, _ in found if one == kind]
        besides |= Q(pk__in=ids) if len(ids) <= BESIDE else condition
    for path, duty in (parts_of(reach) for kind, _, reach in found if kind == "reach"):
        within = Q(confidential=False, place_path__startswith=path)
        besides |= within & Q(duty=duty) if duty else within
    return besides


def _found_besides(open_to_me: Mapping[str, Q], acting: Acting, now: datetime) -> list[tuple[str, Any, str]]:
    """(kind, case, reach) of all that is seen besides the territory, at most ``BESIDE`` and one of each kind. One query."""
    text = CharField()
    parts = [
        Case.objects.filter(condition)
        .order_by()
        .annotate(kind=Value(kind, text), reach=Value("", text))
        .values_list("kind", "pk", "reach")[: BESIDE + 1]
        for kind, condition in open_to_me.items()
    ]
    territories = reaches(now).filter(office_id=acting.office_id).order_by().annotate(kind=Value("reach", text))
    return list(parts[0].union(*parts[1:], territories.values_list("kind", "case_id", "reach"), all=True))


def _shared(acting: Acting, now: datetime) -> QuerySet[Share]:
    return Share.objects.filter(office_id=acting.office_id, ended_at__isnull=True, until__gt=now)


def reaches(now: datetime) -> QuerySet[Share]:
    """The shared scopes that hold now, of all offices: nobody lets others see more than they see themselves today.

    The giver's sight is asked of the offices' rows as ``region.acting.office_scope`` tells it: so the condition stands
    inside whatever query reads cases, and a sharing that nobody ended in time opens nothing.
    """
    text = CharField()
    giver = (
        Office.objects.filter(pk=OuterRef("by_office_id"))
        .filter(Q(dissolved_on__isnull=True) | Q(dissolved_on__gt=today(now)))
        .exclude(kind__in=sorted(PLACELESS))
        .alias(
            shared=ExpressionWrapper(OuterRef("reach"), text),
            work=Func(OuterRef("reach"), Value("%#"), Value(2), function="split_part", output_field=text),
        )
        .filter(Q(kind__in=sorted(WHOLE)) | Q(duties__overlap=sorted(ANSWERING)) | Q(duties__contains=[F("work")]))
        .filter(shared__startswith=F("place__path"))
    )
    return Share.objects.filter(Exists(giver), case__isnull=True, ended_at__isnull=True, until__gt=now)


def _subtree(known: Scope) -> QuerySet[Office, Any]:
    return Office.objects.filter(path__startswith=known.office_path).order_by().values("pk")


def seeing(acting: Acting, now: datetime) -> QuerySet[Case]:
    """The same as one condition, for joining with few cases: nothing is asked before."""
    return Case.objects.filter(_sees(acting, now))


def _sees(acting: Acting, now: datetime) -> Q:
    """The same as one condition, for one case: nothing is asked before."""
    taking_part = Exists(Party.objects.filter(case=OuterRef("pk"), office_id__in=_subtree(scope(acting))))
    shared = _shared(acting, now)
    ordinary = _territory(scope(acting)) | Q(taking_part)
    ordinary |= Q(pk__in=shared.filter(case__isnull=False).values("case_id"))
    ordinary |= Q(_LikeAny(_WHERE, ArraySubquery(reaches(now).filter(office_id=acting.office_id).values("reach"))))
    return (Q(confidential=False) & ordinary) | Q(confidential=True, readers__contains=[acting.office_id])


class _LikeAny(Func):
    """Whether the text fits one of the patterns of an array that is read once for the whole query."""

    arity = 2
    arg_joiner = " LIKE ANY ("
    template = "(%(expressions)s))"
    output_field = BooleanField()


_WHERE = Concat("place_path", Value("#"), "duty")
"""What ``Share.reach`` is matched with."""


def reach_of(place_path: str, duty: str) -> str:
    """The pattern of everything at or below a place in one field of work; ``duty`` empty: in all."""
    return f"{place_path}%#{duty or '%'}"


def parts_of(reach: str) -> tuple[str, str]:
    """Place and field of work (empty: all) of a pattern of ``reach_of``."""
    path, _, duty = reach.rpartition("%#")
    return path, "" if duty == "%" else duty


def find(actings: Sequence[Acting], case_id: object) -> Case | None:
    """The case of this id, or of this number, if the actings may see it."""
    known = as_uuid(str(case_id))
    wanted = Q(pk=known) if known else Q(number=str(case_id))
    seen, now = Q(pk__in=[]), moment.now()
    for acting in actings:
        seen |= _sees(acting, now)
    return Case.objects.filter(seen, wanted).order_by().first()


def case_or_404(actings: Sequence[Acting], case_id: object) -> Case:
    """``find``, or 404: whether a matter exists is nobody's business who may not see it."""
    found = find(actings, case_id)
    if found is None:
        raise Http404("There is no such matter among those you may see")
    return found


def search(found: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Narrow to cases whose words hold every pair of letters of ``text``.

    Those that hold them are gathered once, whoever walks along ``found`` looks them up there. As a join PostgreSQL would
    fetch the row of each: it takes the pairs for independent, which those of a word never are, and expects a handful.
    """
    grams = bigrams(text)
    return found.filter(_IsTrue(Q(pk__in=_holding(grams)))) if grams else found


class Hits:
    """The cases that hold the words of one search, for one list or several.

    What few cases hold is looked up by these cases, what thousands hold along a list's order, which meets enough of them
    soon.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        grams = bigrams(text)
        self.few = list(_holding(grams)[: RARE + 1]) if grams else None

    def among(self, found: QuerySet[Case], order: Sequence[str], at_most: int) -> list[Any]:
        """The ids of the first ``at_most`` of ``found`` that are hits, in this order; of all where no words were asked for."""
        few = self.few
        met = found.filter(pk__in=few) if few is not None and len(few) <= RARE else search(found, self.text)
        return list(met.order_by(*order).values_list("pk", flat=True)[:at_most])


def searched(found: QuerySet[Case], order: Sequence[str], text: str, at_most: int) -> list[Any]:
    """The ids of the first ``at_most`` cases of ``found``, in this order, whose words hold every pair of letters of ``text``."""
    return Hits(text).among(found, order, at_most)


def _holding(grams: list[str]) -> QuerySet[SearchText, Any]:
    return SearchText.objects.filter(bigrams__contains=grams).order_by().values_list("case_id", flat=True)


class _IsTrue(Func):
    """A condition as a value, which PostgreSQL does not turn into a join."""

    template = "((%(expressions)s) IS TRUE)"
    output_field = BooleanField()


def count(found: QuerySet[Case]) -> tuple[int, bool]:
    """How many, and whether there are more than were counted."""
    return counts({"found": found})["found"]


def counts(wanted: Mapping[K, QuerySet[Case]]) -> dict[K, tuple[int, bool]]:
    """Several ``count``s in one query, each by the name it was asked under."""
    if not wanted:
        return {}
    parts: list[str] = []
    given: list[Any] = []
    for found in wanted.values():
        try:
            sql, params = found.order_by().values("pk")[: COUNTED + 1].query.sql_with_params()
        except EmptyResultSet:
            sql, params = "SELECT 1 WHERE false", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) one)")  # noqa: S608 - Django's own SQL
        given += params
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", given)
        numbers = cursor.fetchone()
    return {name: (min(number, COUNTED), number > COUNTED) for name, number in zip(wanted, numbers, strict=True)}
