"""Who calls: by a token that names its post, or by the session of a browser."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import HttpError
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

    def _get_key(self, request: HttpRequest) -> str | None:
        """The session's cookie. Raises 403 for a call that changes something without the session's CSRF token."""
        try:
            return super()._get_key(request)
        except HttpError as error:
            words = _(
                "X-CSRFToken: send the value of the cookie “%(cookie)s” in this header, from a page of this address; programs "
                "send Authorization: Bearer … instead. Nothing was changed."
            )
            raise HttpError(403, words % {"cookie": settings.CSRF_COOKIE_NAME}) from error

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        if not request.user.is_authenticated:
            return None
        now = present()
        request.acting = acting_of(request, now)  # type: ignore[attr-defined]
        request.actings = posts_of(request, now)  # type: ignore[attr-defined]
        return request.user
