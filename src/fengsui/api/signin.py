"""Who calls: by a token that names its post, or by the session of a browser."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from fengsui.ledger.tokens import acting_of_token
from fengsui.moment import now as present
from fengsui.region.acting import Acting, acting_of, posts_of


class ByToken(HttpBearer):
    """``Authorization: Bearer SECRET``: acts in the token's post alone."""

    def authenticate(self, request: HttpRequest, token: str) -> Acting | None:
        acting = acting_of_token(token, present())
        if acting is not None:
            request.acting = acting  # type: ignore[attr-defined]
            request.actings = [acting]  # type: ignore[attr-defined]
        return acting


class BySession(APIKeyCookie):
    """The browser's session, with its CSRF token; header ``X-Acting-Post`` names the post."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        if not request.user.is_authenticated:
            return None
        now = present()
        request.acting = acting_of(request, now)  # type: ignore[attr-defined]
        request.actings = posts_of(request, now)  # type: ignore[attr-defined]
        return request.user
