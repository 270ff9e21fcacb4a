"""Paying a reporter whom nobody knows: the payer checks receipt code and password, and sees no name.

In: a reward's case in the payer's hands, what the person at the counter says. Out: whether it is the reporter, as an entry.
"""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from fengsui.ledger import reporters, sentences
from fengsui.ledger.doors.shapes import Refused
from fengsui.ledger.persons_acts.frame import opened
from fengsui.ledger.public import forms, limits


@never_cache
@login_required
def page(request: HttpRequest, case: uuid.UUID) -> HttpResponse:
    """Ask for both; a POST says whether they belong to the report behind this case. 404 where there is none."""
    found = opened(request, case)
    if reporters.claimed_by_secret(found.case) is None:
        raise Http404
    form = forms.Follow(request.POST if request.method == "POST" else None)
    status, reasons, proved = 200, [], None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            if not limits.spend(limits.WRONG_FOR_CODE, f"payee:{found.case.pk}", found.now):
                status, reasons = 429, [gettext("Too many tries for this case; go on in an hour.")]
            else:
                code, secret = form.cleaned_data["code"], form.cleaned_data["secret"]
                try:
                    proved = reporters.prove(found.case, code, secret, found.acting, found.now)
                    status = 200
                except Refused as refused:
                    status, reasons = refused.status, sentences.all_of(found.mechanism, refused.refusals)
    context = {"case": found.case, "form": form, "reasons": reasons, "proved": proved, "acting": found.acting}
    return render(request, "ledger/public/payee.html", context, status=status)
