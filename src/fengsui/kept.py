"""What a browser keeps of a form until the server has taken it.

In: a POST that carries ``fs-sent``, the token that ``forms.js`` gave it. Out: a short-lived cookie of that name, which tells
the page that what was typed may be forgotten. Any other answer, a redirect to sign in among them, leaves it on the device.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Answer = TypeVar("Answer", bound=HttpResponse)
NAME = "fs-sent"
"""The field that carries it."""
_FORM = re.compile(r"[0-9a-f]{32}")
_AGE = timedelta(hours=1)


def taken(request: HttpRequest, response: Answer) -> Answer:
    """The response, marked as the answer to a form that was accepted; one without a token of our scripts is left as it is."""
    token = request.POST.get(NAME, "")
    if _FORM.fullmatch(token):
        # read by the page's script, so not HttpOnly; it says nothing but that this token was heard
        response.set_cookie(f"fs-kept-{token}", "1", max_age=_AGE, secure=bool(settings.SESSION_COOKIE_SECURE), samesite="Lax")
    return response
