"""What a form gets whose secret against forgery (CSRF) does not hold: which cause, what to do, and what was written.

In: a POST that Django refused before any page saw it. Out: 403 with ``X-Csrf-Refused``, by which our scripts know that the
same may be sent again with a new secret. Nothing was changed.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from fengsui.kept import NAME as SENT

HEADER = "X-Csrf-Refused"
_ELSEWHERE = ("Origin checking", "Referer checking")
_NOBODYS_TEXT = frozenset({"csrfmiddlewaretoken", "key", "seq", "post", "next", "back", "language", SENT})
_SECRET = ("password", "secret", "code", "login")
_SHORTEST = 8  # characters; less is typed again sooner than copied


@never_cache
def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``; the API asks for the judgement alone and words its own problem (``api.signin``)."""
    if request.path_info.startswith("/api/"):
        return HttpResponseForbidden()
    foreign = reason.startswith(_ELSEWHERE) and reason != REASON_NO_REFERER  # where nothing is told, it may be our own page
    context = {
        **_words(request, reason, foreign),
        "form_url": _form(request),
        "kept": bool(request.POST.get(SENT)) and not foreign,
        # what a page of somebody else put into the form is shown to nobody
        "written": [] if foreign else _written(request),
    }
    response = render(request, "403_csrf.html", context, status=403)
    response[HEADER] = "1"
    return response


def _words(request: HttpRequest, reason: str, foreign: bool) -> dict[str, str]:
    """``sentence`` what happened, ``then`` what to do."""
    if foreign:
        said = {"address": request.headers.get("Origin", "") or request.get_host(), "setting": "FENGSUI_ORIGINS"}
        return {
            "sentence": _("Not accepted: the form came from a page of another address"),
            "then": _(
                "Nothing was changed. If you pressed nothing here, close the other page. If the form was ours, tell the "
                "administrator: %(address)s is missing in %(setting)s."
            )
            % said,
        }
    if reason == REASON_NO_CSRF_COOKIE:
        return {
            "sentence": _("Not accepted: your browser sent no cookie of this site"),
            "then": _(
                "Nothing was changed. Open the form and send it again. Should this page come back, allow cookies for this site "
                "in the browser's settings."
            ),
        }
    return {
        "sentence": _("Not accepted: this form was too old"),
        "then": _("Nothing was changed. You signed in or out after the form was opened: open the form and send it again."),
    }


def _form(request: HttpRequest) -> str:
    """The page that the form stood on, where it was one of ours; else empty."""
    came = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came, {request.get_host()}, require_https=request.is_secure())
    return came if ours else ""


def _written(request: HttpRequest) -> list[str]:
    """The texts that were sent, without secrets and without what no person wrote, so that none has to be written again."""
    names = [name for name in request.POST if name not in _NOBODYS_TEXT and not any(part in name for part in _SECRET)]
    return [text for name in names for text in request.POST.getlist(name) if len(text) >= _SHORTEST]
