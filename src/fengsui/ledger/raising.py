"""Raising a case, and the pickers that forms use."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.kept import taken
from fengsui.ledger import casepage, doing, forms, mechanisms, names, reading, tables, titles
from fengsui.ledger import subject as subjects
from fengsui.ledger.doors import facts
from fengsui.ledger.doors.naming import takes_words
from fengsui.ledger.doors.opening import blank
from fengsui.ledger.doors.shapes import About, Refused
from fengsui.ledger.reading.choosable import Choosable, choosable
from fengsui.numerals import whole
from fengsui.region.acting import Acting, acting_of, mine, scope
from fengsui.region.models import Office, Person, Place, Site

FOUND = 12


@require_safe
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Which kind of matter: every opening act that my posts are made for."""
    now = moment.now()
    posts = mine(request, now)
    groups: dict[str, dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    for one in reading.openings(posts, now):
        if (one.mechanism.name, one.act.name) in seen:
            continue
        seen.add((one.mechanism.name, one.act.name))
        group = groups.setdefault(
            one.mechanism.name,
            {"title": titles.mechanism(one.mechanism), "says": titles.here(getattr(one.mechanism, "says", None)), "acts": []},
        )
        group["acts"].append(
            {
                "mechanism": one.mechanism.name,
                "act": one.act.name,
                "title": titles.here(one.act.title) or titles.spaced(one.act.name),
                "post": one.acting.post_id,
                "who": casepage.who(one.acting),
            }
        )
    return render(request, "ledger/choose.html", {"groups": list(groups.values()), "site": request.GET.get("site", "")})


@login_required
def raise_case(request: HttpRequest, mechanism: str, act: str) -> HttpResponse:
    """The form of an opening act; a POST opens the case and shows its receipt on the case page."""
    now = moment.now()
    posts = mine(request, now)
    opening = next((one for one in reading.openings(posts, now) if one.mechanism.name == mechanism and one.act.name == act), None)
    if opening is None:
        raise Http404
    acting = acting_of(request, now) if request.POST.get("post") or request.GET.get("post") else opening.acting
    given = {name: value for name, value in request.GET.items() if name in opening.mechanism.fields}
    form = forms.form_for(opening.mechanism, opening.act, now)(request.POST or None, request.FILES or None, initial=given)
    site, title = request.GET.get("site", ""), request.GET.get("title", "")[:200]
    first = {"title": title} | ({"site": site} if whole(site) is not None else {})
    titled = takes_words(opening.mechanism)
    subject = forms.SubjectForm(request.POST or None, kind=opening.mechanism.about, titled=titled, initial=first)
    status, reasons = 200, []
    if request.method == "POST":
        status = 422
        if all([subject.is_valid(), form.is_valid()]):
            try:
                values = form.values(lambda file: doing.store(file, acting, now))
                about = _about(subject, acting, opening.mechanism.about)
                receipt = doing.raise_case(mechanism, act, values, acting, about, request, now)
            except Refused as refused:
                status, reasons = refused.status, form.refuse(opening.mechanism, refused.refusals)
                if any(one.code == "not_yours" for one in refused.refusals):
                    reasons += _whose(opening, about, acting, now)
            else:
                messages.success(request, gettext("Raised. You will be told at each decision and at the end."))
                return taken(request, redirect("ledger:case", case=receipt.case))
    context = {
        "opening": opening,
        "title": titles.here(opening.act.title) or titles.spaced(act),
        "mechanism_title": titles.mechanism(opening.mechanism),
        "form": form,
        "subject": subject,
        "reasons": reasons,
        "acting": acting,
        "acting_name": casepage.who(acting),
        "key": request.POST.get("key") or str(uuid.uuid4()),
    }
    return render(request, "ledger/raise.html", context, status=status)


def _whose(opening: reading.Opening, about: About, acting: Acting, now: datetime) -> list[str]:
    """Which offices may open it about this subject: a post may be right and yet not the one that answers for this place."""
    held = blank(opening.mechanism, about, reading.actor_of(acting), now)
    words = [word for word in opening.act.by if word in facts.words_used(opening.mechanism.digest)]
    found = names.offices(facts.resolve(words, facts.whereabouts(held, None), now).values())
    if not found:
        return []
    said = titles.listed(titles.here(one) for one in found.values())
    return [gettext("For this subject that is: %(offices)s.") % {"offices": said}]


def _about(subject: forms.SubjectForm, acting: Acting, kind: str) -> About:
    """The subject of the new case, checked against what the post may see."""
    title, site = subject.cleaned_data.get("title", ""), subject.cleaned_data.get("site")
    if site:
        return subjects.of_site(acting, str(site), title)
    return subjects.of_place(acting, subject.cleaned_data.get("place") or "", kind, title)


# -------------------------------------------------------------------- pickers


MOST = 400
"""Offices of a name that are looked through for those that may be chosen."""


def _narrowed(wanted: QueryDict, posts: list[Acting], now: datetime) -> Choosable | None:
    """What an act's own picker may show; None for a picker that belongs to no act."""
    if not wanted.get("field"):
        return None
    case = reading.find(posts, wanted["case"]) if wanted.get("case") else None
    try:
        mechanism = mechanisms.version(case.version_id) if case else mechanisms.current(wanted.get("mechanism", ""))
    except LookupError:
        raise Http404 from None
    found = choosable(mechanism, wanted.get("act", ""), wanted.get("field", ""), case, posts[0], now)
    if found is None:
        raise Http404
    return found


def _offices_for(choice: Choosable, text: str) -> list[dict[str, Any]]:
    found = _living(choice.now).filter(_named(text) if text else Q()).select_related("place")
    ids = found.order_by("path").values_list("pk", flat=True)
    some = ids[:MOST] if text else ids.iterator()
    able = list(islice((pk for pk in some if choice.office(pk)), FOUND))  # no office is looked at beyond those shown
    return [_office(one) for one in found.filter(pk__in=able).order_by("path")]


def _persons_for(choice: Choosable, text: str) -> list[dict[str, Any]]:
    found = Person.objects.unscoped("whoever may be named in this role, by name").filter(pk__in=choice.persons())
    if text:
        found = found.filter(Q(name__icontains=text) | Q(pinyin__startswith=text.lower()))
    return [_person(one) for one in found.prefetch_related("holdings__post__office").order_by("pinyin")[:FOUND]]


def _living(now: datetime) -> QuerySet[Office]:
    """The offices whose last day, if they have one, is not over."""
    return Office.objects.exclude(dissolved_on__lte=now.astimezone(moment.LEGAL_ZONE).date())


def _named(text: str) -> Q:
    return Q(name_zh__icontains=text) | Q(name_en__icontains=text) | Q(pinyin__startswith=text.lower())


def _offices(posts: list[Acting], text: str) -> list[dict[str, Any]]:
    found = _living(moment.now()).filter(_named(text) if text else Q(pk__in=[one.office_id for one in posts]))
    return [_office(one) for one in found.select_related("place").order_by("path")[:FOUND]]


def _office(one: Office) -> dict[str, Any]:
    place = titles.here({"zh": one.place.name_zh, "en": one.place.name_en})
    return {"id": one.pk, "name": titles.here({"zh": one.name_zh, "en": one.name_en}), "more": place}


def _person(one: Person) -> dict[str, Any]:
    holding = next((held for held in one.holdings.all() if held.until is None), None)
    office = holding.post.office if holding else None
    more = titles.here({"zh": office.name_zh, "en": office.name_en}) if office else ""
    return {"id": one.pk, "name": one.name, "more": more}


def _persons(posts: list[Acting], text: str) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for acting in posts:
        found = Person.objects.scoped(scope(acting))
        if text:
            found = found.filter(Q(name__icontains=text) | Q(pinyin__startswith=text.lower()))
        for one in found.prefetch_related("holdings__post__office").order_by("pinyin")[:FOUND]:
            rows[one.pk] = _person(one)
    return list(rows.values())[:FOUND]


def _sites(posts: list[Acting], text: str) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for acting in posts:
        found = Site.objects.scoped(scope(acting))
        if text:
            found = found.filter(_named(text) | Q(code__icontains=text))
        for one in found.select_related("place").order_by("pinyin")[:FOUND]:
            more = titles.here({"zh": one.place.name_zh, "en": one.place.name_en})
            rows[one.pk] = {"id": one.pk, "name": titles.here({"zh": one.name_zh, "en": one.name_en}), "more": more}
    return list(rows.values())[:FOUND]


def _places(posts: list[Acting], text: str) -> list[dict[str, Any]]:
    within = Q()
    for acting in posts:
        within |= Q(path__startswith=scope(acting).place_path)
    found = Place.objects.filter(within & _named(text) if text else within).select_related("parent").order_by("path")
    return [
        {"id": one.pk, "name": titles.here({"zh": one.name_zh, "en": one.name_en}),
         "more": titles.here({"zh": one.parent.name_zh, "en": one.parent.name_en}) if one.parent else ""}
        for one in found[:FOUND]
    ]  # fmt: skip


def _cases(posts: list[Acting], text: str) -> list[dict[str, Any]]:
    found = reading.cases(posts).filter(ended=False)
    first = tables.rows_of(reading.searched(found, ("-moved_at", "-id"), text, FOUND))
    return [{"id": str(one.pk), "name": one.title, "more": one.number or ""} for one in first]


PICKERS: dict[str, Callable[[list[Acting], str], list[dict[str, Any]]]] = {
    "office": _offices,
    "person": _persons,
    "site": _sites,
    "place": _places,
    "case": _cases,
}


NARROWED: dict[str, Callable[[Choosable, str], list[dict[str, Any]]]] = {"office": _offices_for, "person": _persons_for}


@require_safe
@login_required
def pick(request: HttpRequest, kind: str) -> JsonResponse:
    """Suggestions of a picker, in the reader's scope, at most twelve; of an act's own picker only what it may name."""
    now = moment.now()
    posts, text = mine(request, now), request.GET.get("q", "").strip()[:60]
    if kind not in PICKERS:
        raise Http404
    choice = _narrowed(request.GET, posts, now) if kind in NARROWED else None
    found = NARROWED[kind](choice, text) if choice else PICKERS[kind](posts, text)
    return JsonResponse({"found": found})
