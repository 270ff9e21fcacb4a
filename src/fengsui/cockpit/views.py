"""Pages of the shell itself: home, search, the installable page, the sheet of components."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.cockpit import cards, desk, frame, hearing, live, search, shapes
from fengsui.ledger import health, reading
from fengsui.numerals import whole
from fengsui.region.acting import actings, posts_of, scope
from fengsui.region.scoping import Scope

WORKER = Path(__file__).parent / "static" / "cockpit" / "worker.js"


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The first screen after sign-in is the desk."""
    return redirect("cockpit:desk")


@require_safe
@login_required
def desk_page(request: HttpRequest) -> HttpResponse:
    """What waits for me, by deadline; somebody without a post sees a page that says so, and nothing else."""
    now = moment.now()
    posts = posts_of(request, now)
    if not posts:
        return render(request, "cockpit/home.html", status=403)
    groups = desk.groups(posts, now)
    context = {
        "groups": groups,
        "more": max(0, reading.waiting_number(posts, now)[0] - desk.SHOWN),
        "waiting": frame.waiting(posts, now),
        "watched": desk.watched(posts, now, groups),
        "now": now,
    }
    if request.headers.get("HX-Request") and request.GET.get("part") == "lines":
        return render(request, "cockpit/parts/desk_lines.html", context)
    offered = reading.openings(posts, now)
    context |= {"cards": cards.cards(posts, now), "can_raise": bool(offered), "first": cards.first(posts, offered)}
    return render(request, "cockpit/desk.html", context)


@require_safe
@login_required
def alarm_part(request: HttpRequest) -> HttpResponse:
    """The red bar alone, for pages that renew it."""
    return render(request, "cockpit/parts/alarm.html")


@require_safe
@login_required
def health_part(request: HttpRequest) -> HttpResponse:
    """Which processes lag and what else every page must say, for pages that stay open."""
    now = moment.now()
    behind, starting = frame.pulse(now)
    return render(
        request, "cockpit/parts/health.html", {"lagging": behind, "starting": starting, "troubles": frame.troubles(now)}
    )


async def live_stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events of what I may see; ``?topic=`` and ``?id=`` narrow, ``Last-Event-ID`` resumes."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=401)
    scopes = await sync_to_async(scopes_of)(user, moment.now())
    topics, ids = frozenset(request.GET.getlist("topic")), frozenset(request.GET.getlist("id"))
    claim = hearing.Claim(request.session.session_key or "", user.pk, topics, ids)
    return streamed(request, live.Ear(scopes, topics, ids), claim)


def streamed(
    request: HttpRequest, ear: live.Ear | live.Seats, claim: hearing.Claim | hearing.Seated | None = None
) -> StreamingHttpResponse:
    """The stream as an answer; it resumes after ``Last-Event-ID``, or ``?after=`` where a browser opens it anew."""
    last = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    response = StreamingHttpResponse(live.stream(ear, whole(last), claim), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def scopes_of(user: Any, now: datetime) -> tuple[Scope, ...]:
    """What somebody may hear of: the scopes of all posts held."""
    return tuple(scope(one) for one in actings(user, now))


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest."""
    return HttpResponse(
        json.dumps(
            {
                "name": gettext("Fengsui emergency management"),
                "short_name": gettext("Fengsui"),
                "start_url": "/",
                "display": "standalone",
                "background_color": "#f5f6f8",
                "theme_color": "#20252c",
                "icons": [{"src": static("cockpit/beacon.svg"), "sizes": "any", "type": "image/svg+xml"}],
            },
            ensure_ascii=False,
        ),
        content_type="application/manifest+json",
    )


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, served from the root so that it may answer for every page."""
    response = HttpResponse(WORKER.read_bytes(), content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows when there is no line."""
    return render(request, "cockpit/offline.html")


@require_safe
@login_required
def find(request: HttpRequest) -> JsonResponse:
    """Answers of the command palette: cases, sites and places within my scope."""
    return JsonResponse(search.find(request, request.GET.get("q", "").strip()[:80], moment.now()))


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """The sheet of components, both themes (only where DEBUG is on)."""
    now = moment.now()
    lengths = [timedelta(minutes=minutes) for minutes in (15840, 3123, 22, 3.7, -6)]
    return render(
        request,
        "cockpit/components.html",
        {
            "dues": [(now + length, now - timedelta(days=4)) for length in lengths],
            "levels": shapes.LEVELS,
            "ladder_due": now + timedelta(days=2, hours=4, minutes=3),
            "ladder_start": now - timedelta(days=4),
            "home": reverse("cockpit:home"),
        },
    )


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the same words for what is not there and for what is not mine to see."""
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """500: says that it is recorded, without touching the database; 503 where the database is away or its disk is full."""
    error = sys.exception()
    name = "507" if health.disk_is_full(error) else "503" if health.database_is_away(error) else "500"
    response = HttpResponse((Path(__file__).parent / "templates" / f"{name}.html").read_text(encoding="utf-8"), status=int(name))
    if name != "500":
        response["Retry-After"] = "5"
        if request.method == "GET":
            response["Refresh"] = "5"
    return response
