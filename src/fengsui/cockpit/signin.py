"""Signing in: the styled page, the demo's one click, the lock-out's words."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Any

from allauth.account.views import LoginView
from axes.decorators import axes_dispatch, axes_form_invalid
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.core.cache import cache
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from fengsui import moment
from fengsui.cockpit import exercise
from fengsui.cockpit.oneclick import demo_roles
from fengsui.ledger.public import limits
from fengsui.region.models import Place, Site

TRIES = limits.Limit("sign-in", 30, timedelta(minutes=1))
"""Wrong ones of one address, under whatever names: who tries one password with many names is not seen by a count of each name."""
FAILED = limits.Limit("sign-in-failed", 1, timedelta(minutes=5))
"""Of one name from one address: beyond ``TRIES`` only names that failed there lately are refused. A county behind one address is
many people; none of them is kept out by a script beside them, which gets one try more of each name. Five wrong ones of a name
shut it from there in any case (axes).
"""
MANY = limits.Limit("sign-in-many", 300, timedelta(minutes=10))
"""Wrong ones of one address that no crowd of people makes: then nothing is tried from there for a while, under any name. Without
it one password could be tried with every name of the region in an afternoon.
"""


class SignIn(LoginView):
    """allauth's sign-in under our address; repeated failures are counted by axes.

    Only a try is counted and refused: whoever shares an address with a locked account still sees the page.
    """

    template_name = "account/login.html"

    @method_decorator(axes_dispatch)
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now, address = moment.now(), limits.address_of(request)
        limits.note_unbelieved(request, now)
        failed_lately = limits.left(FAILED, _of_name(request), now) < FAILED.most
        if limits.left(MANY, address, now) <= 0 or (not limits.spend(TRIES, address, now) and failed_lately):
            response = render(request, "429.html", status=429)
            response.headers["Retry-After"] = str(TRIES.window.seconds)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        limits.give_back(TRIES, limits.address_of(self.request))
        limits.forget(FAILED, _of_name(self.request))
        return super().form_valid(form)

    @method_decorator(axes_form_invalid)
    def form_invalid(self, form: Any) -> HttpResponse:
        now = moment.now()
        limits.spend(FAILED, _of_name(self.request), now)
        limits.spend(MANY, limits.address_of(self.request), now)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        roles = demo_roles()
        return super().get_context_data(**kwargs) | {
            "roles": [role for role in roles if role.front],
            "more_roles": [role for role in roles if not role.front],
            "oidc": settings.OIDC,
            "counts": counts() if roles else (),
        }


def counts() -> list[dict[str, str]]:
    """What the demo's region holds: leagues and counties, townships, sites with major hazard installations."""
    known = cache.get("sign-in counts")
    if known is None:
        levels = dict(Place.objects.values_list("level").annotate(n=Count("pk")))
        graded = Site.objects.unscoped("a count of the demo's synthetic sites").filter(units__grade__isnull=False)
        known = (
            levels.get(Place.Level.LEAGUE, 0),
            levels.get(Place.Level.COUNTY, 0),
            levels.get(Place.Level.TOWNSHIP, 0),
            graded.distinct().count(),
        )
        cache.set("sign-in counts", known, 3600)
    leagues, counties, townships, sites = known
    return [
        {"number": f"{leagues} + {counties}", "word": gettext("leagues and cities, banners and counties")},
        {"number": f"{townships:,}", "word": gettext("townships")},
        {"number": f"{sites:,}", "word": gettext("sites with major hazard installations")},
    ]


def name_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Under which name failures are counted: one for all spellings by which the same account is found, and for look-alikes.

    Accounts are found by their capitals (``iexact``), and those of a dotless ı are those of an i: capitals first, therefore.
    """
    given = (credentials or {}).get("login") or (credentials or {}).get("username") or request.POST.get("login") or ""
    return unicodedata.normalize("NFKC", str(given).strip()).upper().casefold()[:255]


def _of_name(request: HttpRequest) -> str:
    """What is typed as a name and where: what a name's failures are counted under."""
    return f"{limits.address_of(request)}\n{name_of(request)}"


def locked(request: HttpRequest, credentials: dict[str, Any] | None = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """What somebody sees after too many failures."""
    return render(request, "account/locked.html", {"minutes": int(settings.AXES_COOLOFF_TIME * 60)}, status=429)


@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """Take a role of the demo with one click."""
    role = next((role for role in demo_roles() if role.key == request.POST.get("role")), None)
    account = get_user_model().objects.filter(username=role.account, is_active=True).first() if role else None
    if account is None:
        raise Http404
    login(request, account, backend="django.contrib.auth.backends.ModelBackend")
    exercise.ask("come")
    return redirect("cockpit:home")
