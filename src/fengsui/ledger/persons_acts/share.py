"""The page that shares a case for reading, and takes it back."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.ledger import doors, names, titles
from fengsui.ledger.doors import sharing
from fengsui.ledger.forms import Ids, named_offices
from fengsui.ledger.models import Share
from fengsui.ledger.persons_acts.frame import Grounds, Page, answer, opened
from fengsui.ledger.widgets import Pick
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole


class Sharing(Grounds):
    """With whom and how long."""

    office = Ids(kind="office", label=_("Office that may read it"), error_messages={"required": _("Choose the office.")})
    until = forms.DateField(
        label=_("Until (that day included)"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": _("Choose the last day.")},
    )
    field_order = ("office", "until", "grounds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office"].widget = Pick(reverse("ledger:pick", args=["office"]), named_offices, typed=True)


@login_required
def page(request: HttpRequest, case: uuid.UUID) -> HttpResponse:
    """Who reads it beside the offices concerned; a POST shares, one with ``end`` takes a sharing back."""
    found = opened(request, case)
    back = whole(request.POST.get("end"))
    sent = request.POST if request.method == "POST" else None
    form: forms.Form = Grounds(sent) if back is not None else Sharing(sent)

    def do() -> doors.Receipt:
        grounds = form.cleaned_data["grounds"]
        if back is not None:
            return doors.unshare(str(found.case.pk), back, found.actor, grounds=grounds, **found.sent)
        until = end_of(form.cleaned_data["until"])
        return doors.share(
            str(found.case.pk), form.cleaned_data["office"], found.actor, until=until, grounds=grounds, **found.sent
        )  # fmt: skip

    said = gettext("No longer shared.") if back is not None else gettext("Shared for reading.")
    return answer(
        found, form, do, gettext("Share for reading"), gettext("Share"), said,
        show=Sharing() if back is not None else form, running=running(found), template="ledger/persons_acts/share.html",
    )  # fmt: skip


def end_of(day: dt.date) -> dt.datetime:
    """The end of a legal day; of the calendar's last one, its beginning."""
    return dt.datetime.combine(min(day, dt.date.max - dt.timedelta(days=1)) + dt.timedelta(days=1), dt.time(), LEGAL_ZONE)


def running(page: Page) -> list[tuple[Share, str]]:
    """The sharings that hold now, with the offices' names."""
    rows = list(sharing.running(page.case.pk, page.now))
    offices = names.offices([one.office_id for one in rows])
    return [(one, titles.here(offices.get(one.office_id))) for one in rows]
