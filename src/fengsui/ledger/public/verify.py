"""Verifying: in the visitor's own browser from a receipt alone; here, for a case, by who may see it.

In: a receipt's code or file. Out: the file for the browser to check; whether this ledger still keeps the promise; the
signed heads for whoever wants to be a witness.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fengsui import moment
from fengsui.ledger import mechanisms, reading, receipts, sealing, titles, verify
from fengsui.ledger.models import Case, Head, SealKey
from fengsui.ledger.public import limits, report
from fengsui.ledger.seals import heads
from fengsui.ledger.verify.findings import Report
from fengsui.ledger.verify.receipt import STRANGERS, here
from fengsui.region.acting import posts_of

SHOWN = 20
LARGEST = 200_000
"""Bytes of a receipt's file; a real one has about three thousand."""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The page: the browser's checks for everybody, a case's for who may see it, the heads as files."""
    context: dict[str, Any] = {
        "keys": [{"id": key.key_id, "public": bytes(key.public).hex()} for key in SealKey.objects.order_by("made_at")],
        "heads": list(Head.objects.order_by("-size")[:SHOWN]),
        "number": request.GET.get("number", "")[:80],
    }
    status = 200
    if request.user.is_authenticated and context["number"]:
        try:
            context["checked"] = _case(request, context["number"])
        except Http404:
            status = 404
            context["unknown"] = True
    return render(request, "ledger/public/verify.html", context, status=status)


def _case(request: HttpRequest, number: str) -> dict[str, Any]:
    posts = posts_of(request, moment.now())
    found = reading.case_or_404(posts, number)
    return {"case": found, "report": verify.case(str(found.pk))}


@require_safe
def receipt(request: HttpRequest, code: str) -> HttpResponse:
    """The receipt of a code as its file, for the browser to check. 404 for none, 429 for too many."""
    now = moment.now()
    if not limits.spend(limits.CHECKS, limits.address_of(request), now):
        return JsonResponse({"said": gettext("Too many checks from your network; go on in an hour.")}, status=429)
    try:
        return report.file_of(receipts.find(code))
    except receipts.Unknown:
        return JsonResponse({"said": gettext("No receipt has this code; look at it again, letter by letter.")}, status=404)


@require_POST
def kept(request: HttpRequest) -> JsonResponse:
    """Whether this ledger keeps what a receipt's file promises: findings in the reader's language. 413, 422, 429."""
    now = moment.now()
    if not limits.spend(limits.CHECKS, limits.address_of(request), now):
        return JsonResponse({"said": gettext("Too many checks from your network; go on in an hour.")}, status=429)
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        return JsonResponse({"said": gettext("This file is too large to be a receipt.")}, status=413)
    try:
        found = here(request.body)
    except ValueError as error:
        return JsonResponse({"said": str(error)}, status=422)
    known = not any(one.code in STRANGERS for one in found.findings)
    return JsonResponse({"ok": found.ok, "findings": _said(found), **(_titles(request.body) if known else {})})


def _titles(data: bytes) -> dict[str, str]:
    """What the receipt calls act and state, in the words of the wording that its case lives under."""
    record = receipts.from_file(data)[0].record()
    case = Case.objects.filter(pk=record["case"]).first()
    if case is None:
        return {}
    wording = mechanisms.version(case.version_id)
    return {
        "mechanism": titles.mechanism(wording),
        "act": titles.act(wording, record["act"]),
        "state": titles.state(wording, record["state"]),
    }


def _said(found: Report) -> list[str]:
    chinese = (get_language() or "zh").startswith("zh")
    return [one.zh if chinese else one.en for one in found.findings]


@require_safe
def head(request: HttpRequest, size: int) -> HttpResponse:
    """A signed head as the file that a witness keeps."""
    row = Head.objects.filter(size=size).first()
    if row is None:
        raise Http404
    signed = sealing.signed(row)
    public = bytes(SealKey.objects.get(key_id=row.key_id).public)
    response = HttpResponse(heads.to_file(signed, public), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="head-{size}.json"'
    return response
