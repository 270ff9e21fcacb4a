"""The one way to ask for cases: in the scope of somebody's posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import Http404

from fengsui import moment
from fengsui.ledger.doors.held import as_uuid
from fengsui.ledger.models import Case, Party, Share
from fengsui.ledger.words import bigrams
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Office
from fengsui.region.scoping import ALL

COUNTED = 10_000
"""Beyond this many a list says "more than": counting on would cost more than it tells."""


def cases(actings: Sequence[Acting], now: datetime | None = None) -> QuerySet[Case]:
    """The cases that these actings may see; none for nobody.

    Territory and duties, what their offices had in hand or what is shared with them at this moment, and of confidential
    cases those whose readers they are.
    """
    seen = Q(pk__in=[])
    for acting in actings:
        seen |= _of(acting, now or moment.now())
    return Case.objects.filter(seen)


def _of(acting: Acting, now: datetime) -> Q:
    known = scope(acting)
    offices = Office.objects.filter(path__startswith=known.office_path).values("pk")
    if known.territorial:
        within = Q(place_path__startswith=known.place_path) & ~Q(place_path="")
        if ALL not in known.duties:
            within &= Q(duty__in=["", *sorted(known.duties)])
        taking_part = Exists(Party.objects.filter(case=OuterRef("pk"), office_id__in=offices))
        ordinary = within | Q(taking_part)
    else:
        ordinary = Q(pk__in=Party.objects.filter(office_id__in=offices).values("case_id"))
    shared = Share.objects.filter(office_id=acting.office_id, ended_at__isnull=True, until__gt=now)
    ordinary |= Q(pk__in=shared.filter(case__isnull=False).values("case_id"))
    ordinary |= Q(_LikeAny(_WHERE, ArraySubquery(shared.filter(case__isnull=True).values("reach"))))
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


def find(actings: Sequence[Acting], case_id: object) -> Case | None:
    """The case of this id, or of this number, if the actings may see it."""
    known = as_uuid(str(case_id))
    wanted = Q(pk=known) if known else Q(number=str(case_id))
    return cases(actings).filter(wanted).select_related("version").first()


def case_or_404(actings: Sequence[Acting], case_id: object) -> Case:
    """``find``, or 404: whether a matter exists is nobody's business who may not see it."""
    found = find(actings, case_id)
    if found is None:
        raise Http404("There is no such matter among those you may see")
    return found


def search(found: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Narrow to cases whose words hold every pair of letters of ``text``."""
    grams = bigrams(text)
    return found.filter(search_text__bigrams__contains=grams) if grams else found


def count(found: QuerySet[Case]) -> tuple[int, bool]:
    """How many, and whether there are more than were counted."""
    number = len(found.order_by().values_list("pk")[: COUNTED + 1])
    return min(number, COUNTED), number > COUNTED
