"""The office's side: messages with a reporter whom it does not know, and the recorded look at who it is.

In: a case that the post may see. Out: the letters and a form for the office that answers; the identity only for who may
look, after grounds were given and the look was entered. Anybody else gets 404.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from fengsui import moment
from fengsui.kept import taken
from fengsui.ledger import casepage, mechanisms, reading, reporters, sentences
from fengsui.ledger.doors.shapes import Refused
from fengsui.ledger.models import Case
from fengsui.ledger.public import forms
from fengsui.region.acting import Acting, acting_of, mine


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: HttpRequest, case: uuid.UUID) -> HttpResponse:
    """Letters, and the look. A POST with ``text`` answers, one with ``grounds`` looks: shown once, on this answer."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    if not reporters.reported(found):
        raise Http404
    acting = _acting(request, found, posts, now)
    form = forms.Message(request.POST if "text" in request.POST else None)
    form.fields["text"].label = gettext("Write to the reporter")
    status, reasons, identity = 200, [], None
    if request.method == "POST":
        try:
            if "grounds" in request.POST:
                identity = reporters.look(found, request.POST["grounds"], acting, now)
            elif form.is_valid():
                reporters.answer(found, form.cleaned_data["text"], acting, now)
                return taken(request, redirect("ledger:reporter", case=found.pk))
            else:
                status = 422
        except Refused as refused:
            status, reasons = refused.status, sentences.all_of(mechanisms.version(found.version_id), refused.refusals)
    context = {
        "case": found,
        "acting": acting,
        "acting_name": casepage.who(acting),
        "letters": reporters.messages(found) if reporters.may_answer(found, acting, now) else [],
        "may_answer": reporters.may_answer(found, acting, now),
        "may_look": reporters.may_look(found, acting, now),
        "identity": identity,
        "grounds": request.POST.get("grounds", "") if identity is None else "",
        "form": form,
        "reasons": reasons,
    }
    return render(request, "ledger/public/correspondence.html", context, status=status)


def _acting(request: HttpRequest, case: Case, posts: list[Acting], now: datetime) -> Acting:
    """The post named, else one that answers or looks. Who does neither is told that there is no such page."""
    if request.POST.get("post") or request.GET.get("post"):
        posts = [acting_of(request, now)]
    for one in posts:
        if reporters.may_answer(case, one, now) or reporters.may_look(case, one, now):
            return one
    raise Http404
