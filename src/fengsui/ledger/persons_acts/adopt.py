"""The administrator's page that takes old cases over from a table."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.ledger import adoption, casepage, mechanisms, titles
from fengsui.ledger.adoption import table
from fengsui.ledger.models import MechanismVersion
from fengsui.ledger.persons_acts.administration import administrator
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import mine

SHOWN = 200
KINDS = {
    "csv": ("text/csv; charset=utf-8", adoption.as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", adoption.as_xlsx),
}


class Adopt(forms.Form):
    """Which mechanism, which file."""

    mechanism = forms.ChoiceField(label=_("What the cases are"))
    file = forms.FileField(
        label=_("Table"),
        help_text=_("CSV (UTF-8 or GBK) or xlsx, at most 50,000 rows; the first row names the columns"),
        error_messages={"required": _("Choose the file.")},
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = MechanismVersion.objects.filter(current=True).order_by("name").values_list("name", flat=True)
        self.fields["mechanism"].choices = [(name, titles.mechanism(mechanisms.current(name))) for name in known]  # type: ignore[attr-defined]


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Check a table or take it over; every wrong cell by row and column."""
    now = moment.now()
    acting = administrator(mine(request, now), "adopt", now)
    form = Adopt(request.POST if request.method == "POST" else None, request.FILES if request.method == "POST" else None)
    told, status, dry = None, 200, request.POST.get("do") != "take"
    if request.method == "POST":
        status = 422
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                found = table.read(file.read(), file.name)
                told = adoption.take(found, form.cleaned_data["mechanism"], now, dry=dry)
                status = 200 if told.ok else 422
            except table.Unreadable as error:
                form.add_error("file", str(error))
    context = {
        "form": form,
        "told": told,
        "dry": dry,
        "problems": told.problems[:SHOWN] if told else [],
        "unsaid": max(0, len(told.problems) + told.more - SHOWN) if told else 0,
        "acting": acting,
        "acting_name": casepage.who(acting),
    }
    return render(request, "ledger/persons_acts/adopt.html", context, status=status)


@require_safe
@login_required
def template(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """The empty table of a mechanism, in the reader's language."""
    now = moment.now()
    administrator(mine(request, now), "adopt", now)
    if kind not in KINDS:
        raise Http404
    try:
        wording = mechanisms.current(name)
    except LookupError as error:
        raise Http404 from error
    media, made = KINDS[kind]
    response = HttpResponse(made(wording, now.astimezone(LEGAL_ZONE).date()), content_type=media)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response
