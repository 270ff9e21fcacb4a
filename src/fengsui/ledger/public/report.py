"""Reporting without a sign-in, and the receipt that the reporter keeps.

In: the report's form. Out: a case opened through the ledger's door as ``data/public.yaml`` says, its signed receipt, a secret
shown on the next page only. A form sent twice gives the same receipt and the same secret.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fengsui import moment
from fengsui.kept import taken
from fengsui.ledger import doors, evidence, mechanisms, names, receipts, reporters, sentences, titles
from fengsui.ledger.doors import answered
from fengsui.ledger.doors.shapes import About, Refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Clock, Evidence, IdempotencyKey, Receipt
from fengsui.ledger.public import forms, limits, tickets, words
from fengsui.ledger.public.intake import intake
from fengsui.region.geography import county_of

SITE, PLACE = "site", "place"
TICKET, PATH, SHOWN = "fs_receipt", "/report/", timedelta(minutes=20)
FOUND = 8


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The form; a POST opens the matter and leads to the receipt. 413 and 415 for a photo, 429 for too many."""
    now = moment.now()
    form = forms.Report(request.POST, request.FILES) if request.method == "POST" else forms.Report()
    reasons: list[str] = []
    status = 200
    if request.method == "POST":
        key = request.POST.get("key", "")
        if not _form_key(key):
            status, reasons = 422, [gettext("This page was open for too long. What you typed is still here; send it again.")]
        elif not form.is_valid():
            status = form.refused
        elif limits.left(limits.REPORTS, limits.address_of(request), now) <= 0 and not _known(key):
            status, reasons = 429, [words.too_many()]
        else:
            try:
                return _taken(request, form, key, now)
            except Refused as refused:
                status, reasons = refused.status, _why(refused)
    key = request.POST.get("key", "")
    context = {
        "form": form,
        "reasons": reasons,
        "key": key if _form_key(key) else str(uuid.uuid4()),
        "township_name": titles.here(names.places([form.data.get("township", "")]).get(form.data.get("township", ""))),
        "most_bytes": evidence.LIMITS["image"],
        "most_photos": forms.MOST_PHOTOS,
    }
    return render(request, "ledger/public/report.html", context, status=status)


def _why(refused: Refused) -> list[str]:
    """The refusals in plain words; a photo that turned out damaged only in the store has its own."""
    if refused.status in (413, 415):
        return [gettext("One of the photos cannot be read. Take it again or leave it out.")]
    return sentences.all_of(mechanisms.current(intake().mechanism), refused.refusals)


def _form_key(key: str) -> bool:
    """Whether it is a key that the page gave: random, and long enough for a secret to hang on it."""
    try:
        return uuid.UUID(key).version == 4
    except ValueError:
        return False


def _known(key: str) -> bool:
    """Whether this form was taken already: sending it again costs nothing."""
    who = answered.caller(Actor(kind="public"))
    return IdempotencyKey.objects.filter(caller=who, key=reporters.door_key(key)).exists()


def _taken(request: HttpRequest, form: forms.Report, key: str, now: datetime) -> HttpResponse:
    """Write it: photos, case and reporter in one transaction; then sign the receipt."""
    who = Actor(kind="public")
    becomes, known = intake(), form.cleaned_data
    given_as = becomes.values
    values: dict[str, Any] = {given_as["seen"]: form.words(), given_as["code"]: reporters.code_of(key)}
    with transaction.atomic():
        photos = _photos(known["photos"], who, now)
        values |= {given_as["photos"]: photos} if photos else {}
        values |= {given_as["position"]: [known["position"]["lon"], known["position"]["lat"]]} if known["position"] else {}
        given = doors.open(becomes.mechanism, becomes.act, values, who, _about(form), key=reporters.door_key(key), now=now)
        reporters.keep(given.case, reporters.secret_of(key), {"name": known["name"], "phone": known["phone"]}, now)
    limits.spend(limits.REPORTS, limits.address_of(request), now)
    promise = receipts.give(given.entry, now)
    response = taken(request, redirect("ledger:report_receipt"))
    ticket = {"code": promise.code, "secret": reporters.secret_of(key)}
    tickets.give(response, request, TICKET, ticket, PATH, now + SHOWN, now)
    return response


def _photos(files: list[UploadedFile], who: Actor, now: datetime) -> list[str]:
    """Keep the photos under names of ours; where and when the camera says it was is nobody's business here."""
    kept = [evidence.store(file, who, now, name=f"{gettext('photo')} {number}").digest for number, file in enumerate(files, 1)]
    Evidence.objects.filter(digest__in=kept, person_id__isnull=True).update(position=None)
    return kept


def _about(form: forms.Report) -> About:
    """The enterprise where one was found; else the place, for the county's duty room."""
    known = form.cleaned_data
    site = known["found_site"]
    if site is not None:
        duty = site.duties[0] if site.duties else ""
        return About(SITE, str(site.pk), site.place_id, duty, form.title(), exercise=settings.DEMO)
    return About(PLACE, known["place"], known["place"], intake().duty, form.title(), exercise=settings.DEMO)


# ----------------------------------------------------------------------- receipt


@require_safe
@never_cache
def receipt(request: HttpRequest) -> HttpResponse:
    """The receipt with its secret, for twenty minutes in the browser that sent the report; ``?file=1`` the file."""
    now = moment.now()
    ticket = tickets.read(request, TICKET, now)
    kept = Receipt.objects.filter(code=ticket.get("code", "-")).select_related("case", "entry").first()
    if kept is None:
        return render(request, "ledger/public/gone.html", status=404)
    promise = receipts.give(kept.entry_id, now)
    if request.GET.get("file") == "1":
        return file_of(promise)
    case = kept.case
    context = {
        "case": case,
        "promise": promise,
        "secret": ticket["secret"],
        "office": titles.here(names.offices([case.owner_id]).get(case.owner_id)),
        "at": kept.entry.at,
        "qr": SafeString(receipts.qr_svg(promise, request.build_absolute_uri("/").rstrip("/"))),
        "steps": words.ahead(case, Clock.objects.filter(case=case, stopped__isnull=True).order_by("due").first()),
        "plain": _plain(request, promise.code, ticket["secret"]),
    }
    return render(request, "ledger/public/receipt.html", context)


def _plain(request: HttpRequest, code: str, secret: str) -> str:
    """What goes into the clipboard or a note."""
    address = request.build_absolute_uri(reverse("ledger:follow"))
    return gettext("Receipt code %(code)s, query password %(secret)s, %(address)s") % {
        "code": code,
        "secret": secret,
        "address": address,
    }


def file_of(promise: receipts.Promise) -> HttpResponse:
    """The receipt as a file, with its proof once there is one."""
    response = HttpResponse(receipts.to_file(promise, receipts.prove(promise)), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{promise.code}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def done(request: HttpRequest) -> HttpResponse:
    """The reporter has kept the secret: it is forgotten here."""
    response = redirect("ledger:follow")
    tickets.take_back(response, TICKET, PATH)
    return response


# ----------------------------------------------------------------------- pickers


@require_safe
def townships(request: HttpRequest) -> JsonResponse:
    """The townships of a county, for the second list."""
    return JsonResponse({"found": [{"id": code, "name": name} for code, name in forms.townships(request.GET.get("county", ""))]})


@require_safe
def sites(request: HttpRequest) -> JsonResponse:
    """Names of enterprises in a county; names only."""
    found = forms.sites(request.GET.get("county", ""), request.GET.get("q", "").strip()[:60], FOUND)
    return JsonResponse({"found": [{"id": one.pk, "name": titles.here({"zh": one.name_zh, "en": one.name_en})} for one in found]})


@require_safe
def county(request: HttpRequest) -> JsonResponse:
    """The county at a position, so that a device can fill in the list; nothing is kept."""
    try:
        lon, lat = float(request.GET.get("lon", "")), float(request.GET.get("lat", ""))
    except ValueError:
        return JsonResponse({"county": ""}, status=422)
    return JsonResponse({"county": county_of(lon, lat) or ""})
