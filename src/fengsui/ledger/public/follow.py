"""Following a report without a name: a code and a secret, nothing else.

In: the two. Out: where the matter stands, what was decided, messages with the handling office. A wrong secret and an
unknown code get the same page after the same work, and both count against the address that asked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from fengsui import moment
from fengsui.kept import taken
from fengsui.ledger import mechanisms, receipts, reporters, sentences
from fengsui.ledger.doors.shapes import Refused
from fengsui.ledger.models import Case, Receipt
from fengsui.ledger.public import forms, limits, report, tickets, words

TICKET, PATH, OPEN = "fs_follow", "/follow/", timedelta(minutes=30)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Ask for code and secret; the right ones lead to the report."""
    now = moment.now()
    form = forms.Follow(request.POST) if request.method == "POST" else forms.Follow()
    status, reasons = 200, []
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                status, case = _opened(request, form, now)
            except reporters.NoReporterKey:
                status, case = 503, None
            if case is not None:
                response = redirect("ledger:followed")
                ticket = {"case": str(case.pk), "code": receipts.normal_code(form.cleaned_data["code"])}
                tickets.give(response, request, TICKET, ticket, PATH, now + OPEN, now)
                return response
            reasons = [{429: _slow, 503: _closed}.get(status, _wrong)()]
    return render(request, "ledger/public/follow.html", {"form": form, "reasons": reasons}, status=status)


def _wrong() -> str:
    return gettext("No report has this code with this password. Look at both again, letter by letter.")


def _slow() -> str:
    return gettext("Too many wrong tries from your network. Wait fifteen minutes, then try again.")


def _closed() -> str:
    return gettext("Reports cannot be looked up at the moment; yours is kept. Try again later, or phone 12350.")


def _opened(request: HttpRequest, form: forms.Follow, now: datetime) -> tuple[int, Case | None]:
    """The case for the right pair; 422 for a wrong one, 429 once there were too many."""
    code = form.cleaned_data["code"]
    asked = ((limits.WRONG_SECRETS, limits.address_of(request)), (limits.WRONG_FOR_CODE, receipts.normal_code(code)))
    if any(limits.left(limit, who, now) <= 0 for limit, who in asked):
        return 429, None
    case = reporters.follow(code, form.cleaned_data["secret"])
    if case is None:
        for limit, who in asked:
            limits.spend(limit, who, now)
        return 422, None
    return 200, case


def _case(request: HttpRequest, now: datetime) -> tuple[Case | None, str]:
    ticket = tickets.read(request, TICKET, now)
    case = Case.objects.filter(pk=ticket["case"], reporter__isnull=False).first() if ticket else None
    return case, ticket.get("code", "")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def followed(request: HttpRequest) -> HttpResponse:
    """The report as its reporter may know it; a POST writes a message to the office."""
    now = moment.now()
    case, code = _case(request, now)
    if case is None:
        return redirect("ledger:follow")
    form = forms.Message(request.POST) if request.method == "POST" else forms.Message()
    status, reasons = 200, []
    if request.method == "POST":
        status = 422
        if form.is_valid():
            if not limits.spend(limits.MESSAGES, str(case.pk), now):
                status, reasons = 429, [gettext("You wrote many messages in an hour. Go on a little later.")]
            else:
                try:
                    reporters.say(case, form.cleaned_data["text"], now)
                except Refused as refused:
                    status, reasons = refused.status, sentences.all_of(mechanisms.version(case.version_id), refused.refusals)
                else:
                    return taken(request, redirect("ledger:followed"))
    reporters.seen(case, now, by_reporter=True)
    context = {
        "case": case,
        "code": code,
        "standing": words.standing(case),
        "told": words.told(case),
        "letters": reporters.messages(case),
        "form": form,
        "reasons": reasons,
    }
    return render(request, "ledger/public/followed.html", context, status=status)


@require_http_methods(["GET", "HEAD"])
@never_cache
def receipt_file(request: HttpRequest) -> HttpResponse:
    """The receipt's file again, now with its proof."""
    now = moment.now()
    case, code = _case(request, now)
    kept = Receipt.objects.filter(case=case, code=code).first() if case else None
    if kept is None:
        return redirect("ledger:follow")
    return report.file_of(receipts.give(kept.entry_id, now))


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Close the report on this device."""
    response = redirect("ledger:follow")
    tickets.take_back(response, TICKET, PATH)
    return response
