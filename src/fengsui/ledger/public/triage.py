"""What the public reported and nobody has judged yet: the queue of the office that received it, with its clock.

In: the reader's posts. Out: the reports waiting in their offices, each with what may be done (accept, name the site, hand on,
find that it is none), likely doubles, and letters not yet read. The page names no mechanism: ``data/public.yaml`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.ledger import mechanisms, names, reading, titles
from fengsui.ledger.kernel.shapes import Act
from fengsui.ledger.models import Case, ReporterMessage
from fengsui.ledger.public.intake import intake
from fengsui.ledger.reading.possible import may_each
from fengsui.numerals import whole
from fengsui.region.acting import Acting, mine

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """One report that waits."""

    case: Case
    acting: Acting
    where: str
    acts: list[tuple[str, str]]  # name, title: what this post may do now
    doubles: int
    letters: int
    seen: str  # what the reporter saw, in their words


def reports(posts: Sequence[Acting]) -> Any:
    """Open reports of the public that wait in the offices of these posts, the most urgent first."""
    becomes = intake()
    first = mechanisms.current(becomes.mechanism).opening[becomes.act].to
    waiting = reading.cases(posts).filter(mechanism=becomes.mechanism, state=first, ended=False, raiser__kind="public")
    waiting = waiting.filter(owner_id__in=[one.office_id for one in posts])
    return waiting.order_by(F("next_due").asc(nulls_last=True), "opened_at")


def queue(posts: Sequence[Acting], now: datetime) -> list[Waiting]:
    """The first of them, with what may be done to each."""
    by_office = {one.office_id: one for one in reversed(posts)}
    rows = list(reports(posts)[:SHOWN])
    asked = [(case, by_office[case.owner_id]) for case in rows if case.owner_id in by_office]
    may = may_each(asked, now)
    letters = dict(
        ReporterMessage.objects.filter(case__in=rows, from_reporter=True, seen_at__isnull=True)
        .values_list("case_id").annotate(n=Count("pk")).order_by()
    )  # fmt: skip
    sites = names.sites(case.about_id for case in rows if case.about_kind == "site")
    places = names.places(case.place_code for case in rows)
    return [
        Waiting(
            case=case,
            acting=acting,
            where=titles.here(sites.get(number)) if case.about_kind == "site" and (number := whole(case.about_id)) is not None
            else titles.here(places.get(case.place_code)),
            acts=[(one.act.name, _title(one.act)) for one in may[case.pk][0] if one.act.name in own_acts()],
            doubles=doubles(posts, case),
            letters=letters.get(case.pk, 0),
            seen=str(case.fields.get(intake().values["seen"], "")),
        )
        for case, acting in asked
    ]  # fmt: skip


def own_acts() -> frozenset[str]:
    """The acts of the state that reports wait in, without those that are possible always."""
    becomes = intake()
    mechanism = mechanisms.current(becomes.mechanism)
    first = mechanism.opening[becomes.act].to or ""
    return frozenset(act.name for act in mechanism.states[first].actions if act.name not in mechanism.always)


def doubles(posts: Sequence[Acting], case: Case) -> int:
    """How many other open cases of the mechanism are about the same thing."""
    same = Q(about_kind=case.about_kind, about_id=case.about_id)
    found = reading.cases(posts).filter(same, mechanism=case.mechanism, ended=False, exercise=case.exercise)
    return found.exclude(pk=case.pk).count() if case.about_id else 0


def _title(act: Act) -> str:
    return titles.here(act.title) or titles.spaced(act.name)


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The queue."""
    now = moment.now()
    posts = mine(request, now)
    context = {"rows": queue(posts, now), "count": reports(posts).count(), "now": now}
    return render(request, "ledger/public/triage.html", context)
