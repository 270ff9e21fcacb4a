"""The page that merges a double into the case that goes on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.ledger import doors, reading, sentences, titles
from fengsui.ledger.doors import merging
from fengsui.ledger.doors.held import as_uuid, read
from fengsui.ledger.forms import Ids
from fengsui.ledger.kernel.shapes import Refusal
from fengsui.ledger.models import Case
from fengsui.ledger.persons_acts.frame import Grounds, Page, answer, opened
from fengsui.ledger.widgets import Pick
from fengsui.region.acting import Acting

SHOWN = 8
"""Likely doubles that are offered at once."""


def _named(posts: list[Acting]) -> Callable[[list[str]], dict[str, str]]:
    """Ids → titles of those that the reader may see: an id in an address tells nobody more than it tells already."""

    def named(ids: list[str]) -> dict[str, str]:
        known = [one for one in ids if as_uuid(one) is not None]
        return {str(one.pk): one.title for one in reading.cases(posts).filter(pk__in=known)}

    return named


class Merge(Grounds):
    """Which case goes on."""

    into = Ids(
        number=False,
        label=_("The case that goes on"),
        help_text=_("The same mechanism, about the same site or place; its number or words of its title"),
        error_messages={"required": _("Choose the case that goes on.")},
    )
    field_order = ("into", "grounds")

    def __init__(self, *args: Any, posts: list[Acting], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].widget = Pick(reverse("ledger:pick", args=["case"]), _named(posts))


@login_required
def page(request: HttpRequest, case: uuid.UUID) -> HttpResponse:
    """Likely doubles with one press each, or any other by name; a POST merges."""
    found = opened(request, case)
    given = {"into": request.GET.get("into", "")}
    form = Merge(request.POST if request.method == "POST" else None, posts=found.posts, initial=given)

    def do() -> doors.Receipt:
        into, grounds = form.cleaned_data["into"], form.cleaned_data["grounds"]
        return doors.merge(str(found.case.pk), into, found.actor, grounds=grounds, **found.sent)

    likely = likely_doubles(found.case, found.posts)[:SHOWN]
    return answer(
        found, form, do, gettext("Merge into another case"), gettext("Merge and end this one"),
        gettext("Merged. Whoever raised it follows the case that goes on."), likely=_judged(found, likely),
        template="ledger/persons_acts/merge.html",
    )  # fmt: skip


def likely_doubles(case: Case, posts: list[Acting]) -> list[Case]:
    """Open cases of the same mechanism about the same thing, or at the same place, the oldest first."""
    found = reading.cases(posts).filter(mechanism=case.mechanism, ended=False, exercise=case.exercise).exclude(pk=case.pk)
    same = found.filter(about_kind=case.about_kind, about_id=case.about_id) if case.about_id else found.none()
    near = found.filter(place_path__startswith=case.place_path) if case.place_path else found.none()
    rows = {one.pk: one for one in [*same.order_by("opened_at")[:SHOWN], *near.order_by("-opened_at")[:SHOWN]]}
    return list(rows.values())


def _judged(page: Page, likely: list[Case]) -> list[dict[str, Any]]:
    """Each with the reasons why it cannot be, if any."""
    held, others = page.held, read([str(one.pk) for one in likely], lock=False)
    rows = []
    for one in likely:
        against = [Refusal(*reason) for reason in merging.against(held, others[str(one.pk)], page.now)]
        state = titles.state(page.mechanism, one.state)
        rows.append({"case": one, "state": state, "why": sentences.all_of(page.mechanism, against)})
    return sorted(rows, key=lambda row: bool(row["why"]))
