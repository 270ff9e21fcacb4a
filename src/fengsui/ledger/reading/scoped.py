"""The one way to ask for cases: in the scope of somebody's posts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.http import Http404

from fengsui import moment
from fengsui.ledger.doors.held import as_uuid
from fengsui.ledger.models import Case, Party, Share
from fengsui.ledger.words import bigrams
from fengsui.region.acting import Acting, office_scope
from fengsui.region.models import Office
from fengsui.region.scoping import ALL, NOTHING, Scope

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
    known, lent = _known(acting, now)
    offices = Office.objects.filter(path__startswith=known.office_path).values("pk")
    if known.territorial:
        within = _territory(known.place_path, known.duties)
        taking_part = Exists(Party.objects.filter(case=OuterRef("pk"), office_id__in=offices))
        ordinary = within | Q(taking_part)
    else:
        ordinary = Q(pk__in=Party.objects.filter(office_id__in=offices).values("case_id"))
    ordinary |= Q(pk__in=_running(now).filter(office_id=acting.office_id, case__isnull=False).values("case_id"))
    for one in lent:
        ordinary |= _territory(one["place"], frozenset(one["duties"]))
    return (Q(confidential=False) & ordinary) | Q(confidential=True, readers__contains=[acting.office_id])


def _territory(path: str, duties: frozenset[str]) -> Q:
    within = Q(place_path__startswith=path) & ~Q(place_path="")
    return within if ALL in duties else within & Q(duty__in=["", *sorted(duties)])


def _running(now: datetime) -> QuerySet[Share]:
    return Share.objects.filter(ended_at__isnull=True, until__gt=now)


def _known(acting: Acting, now: datetime) -> tuple[Scope, list[dict[str, Any]]]:
    """The office's own scope, and the territories lent to it at this moment; one query."""
    lent = _running(now).filter(office_id=OuterRef("pk"), case__isnull=True)
    found = (
        Office.objects.select_related("place")
        .annotate(lent=ArraySubquery(lent.values(one=JSONObject(place="place_path", duties="duties"))))
        .filter(pk=acting.office_id)
        .first()
    )
    return (office_scope(found), found.lent) if found is not None else (NOTHING, [])


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
