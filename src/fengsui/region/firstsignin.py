"""Whoever signs in with a one-time password chooses an own one before anything else; a stale one is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext

from fengsui import moment

from .models import Account

_OPEN = ("/account/", "/sign-in/", "/static/", "/language/", "/manifest.webmanifest", "/worker.js")
"""What may be opened before: choosing a password, signing out, the frame's own files."""


def _concerned(request: HttpRequest) -> bool:
    """Whether somebody with a session asks for anything but the frame's own files; costs nothing."""
    files = request.path.startswith(_OPEN) and not request.path.startswith("/account/")
    return not files and settings.SESSION_COOKIE_NAME in request.COOKIES


def _answer(request: HttpRequest) -> HttpResponse | None:
    """Where the account must go instead; ``None`` where nothing stands in the way."""
    account = getattr(request, "user", None)
    until = getattr(account, "one_time_until", None)
    if until is None:
        return None
    if until < moment.now():
        logout(request)
        messages.error(request, gettext("The one-time password has run out. Ask your administrator for another."))
        return redirect("sign_in")
    if request.path.startswith(_OPEN) and not request.path.startswith("/account/2fa/"):
        return None
    words = gettext("Choose your own password first: the present one is for once.")
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": words}
        return JsonResponse(problem, status=403, content_type="application/problem+json")
    messages.info(request, words)
    return redirect(reverse("account_change_password"))


@sync_and_async_middleware
def own_password_first(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Middleware, after authentication and messages."""
    if iscoroutinefunction(get_response):

        async def ask_async(request: HttpRequest) -> HttpResponse:
            stands = await sync_to_async(_answer)(request) if _concerned(request) else None
            return stands or await get_response(request)

        return ask_async

    def ask(request: HttpRequest) -> HttpResponse:
        return (_answer(request) if _concerned(request) else None) or get_response(request)

    return ask


def chosen(sender: Any, request: HttpRequest, user: Account, **_: Any) -> None:
    """The signal's receiver: an own password was chosen."""
    if user.one_time_until is not None:
        user.one_time_until = None
        user.save(update_fields=["one_time_until"])
