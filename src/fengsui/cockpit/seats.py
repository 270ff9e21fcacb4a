"""A seat: one post of the demo under an address of its own, ``/as/KEY/…``, with a session of its own.

In: a request below the prefix. Out: the same page as without it, its links below the prefix, its session,
CSRF token and messages in cookies that the browser sends back to this prefix alone: one browser sits in
several seats at once. Only where ``FENGSUI_DEMO=1`` and only for the one-click roles: anywhere else the
prefix is an address that does not exist. A seat's pages may be framed by our own pages, no others may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.urls import set_script_prefix

from fengsui.cockpit.oneclick import demo_roles
from fengsui.cockpit.security import policy

PREFIX = "/as/"
Answering = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Seat:
    """``key`` of the one-click role, ``account`` that its session belongs to."""

    key: str
    account: str

    @property
    def base(self) -> str:
        """The prefix of its addresses, without the closing slash."""
        return f"{PREFIX}{self.key}"

    def cookie(self, name: str) -> str:
        """What a cookie of the platform is called for this seat: a browser also sends the root's own one here."""
        return f"as_{self.key}_{name}"


def _own_cookies() -> tuple[str, ...]:
    return settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages"


def of(request: HttpRequest) -> Seat | None:
    """The seat that the request came to; None on every other page."""
    return getattr(request, "seat", None)


def _found(path: str) -> Seat | None:
    """The seat below whose prefix the path lies."""
    if not settings.DEMO or not path.startswith(PREFIX):
        return None
    key, slash, _ = path.removeprefix(PREFIX).partition("/")
    return next((Seat(role.key, role.account) for role in demo_roles() if slash and role.key == key), None)


def enter_path(get_response: Answering) -> Answering:
    """Middleware before sessions: takes the prefix off the path and gives the seat its own cookies."""

    def serve(request: HttpRequest) -> HttpResponse:
        seat = _found(request.path_info)
        if seat is None:
            return get_response(request)
        request.seat = seat  # type: ignore[attr-defined]
        request.path_info = request.path_info.removeprefix(seat.base)
        request.META["SCRIPT_NAME"], request.META["PATH_INFO"] = seat.base, request.path_info
        set_script_prefix(f"{seat.base}/")
        sent = dict(request.COOKIES)
        for name in _own_cookies():
            sent.pop(name, None)
            if seat.cookie(name) in sent:
                sent[name] = sent[seat.cookie(name)]
        request.COOKIES = sent
        try:
            return _sealed(get_response(request), seat)
        finally:
            set_script_prefix("/")

    return serve


def _sealed(response: HttpResponse, seat: Seat) -> HttpResponse:
    """The answer with its cookies kept to the seat, and framing by our own pages allowed."""
    for name in _own_cookies():
        if (morsel := response.cookies.pop(name, None)) is not None:
            response.cookies[seat.cookie(name)] = morsel.value
            response.cookies[seat.cookie(name)].update({**morsel, "path": f"{seat.base}/"})
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Content-Security-Policy"] = policy(framed_by="'self'")
    return response


def sit_down(get_response: Answering) -> Answering:
    """Middleware after authentication: whoever opens a seat's page is signed in as its role."""

    def serve(request: HttpRequest) -> HttpResponse:
        seat = of(request)
        if seat and request.method in ("GET", "HEAD") and request.user.get_username() != seat.account:
            account = get_user_model().objects.filter(username=seat.account, is_active=True).first()
            if account is not None:
                request.session.flush()
                login(request, account, backend="django.contrib.auth.backends.ModelBackend")
        return get_response(request)

    return serve
