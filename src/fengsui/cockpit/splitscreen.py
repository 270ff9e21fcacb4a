"""The demo's split screen: four seats in four frames, one event stream for all of them, the narrator above.

In: the one-click roles. Out: ``/demo/four/`` and the stream that its frames share. Each frame is an ordinary
page of its seat (``seats``); what may be seen and done in it is decided there, never here. The stream has no session, as a
seat is taken by one click: what its seats may hear is asked anew like that of all streams, and ends where nobody may sit there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.cockpit import hearing, live
from fengsui.cockpit.oneclick import DemoRole, demo_roles
from fengsui.cockpit.seats import PREFIX
from fengsui.cockpit.views import scopes_of, streamed

SHOWN = ("control", "county", "league", "inspector")
"""The frames that a visitor sees first: who is called, who climbs in, who looks, who goes there."""


def _roles(keys: list[str]) -> list[DemoRole]:
    """The roles asked for by ``?as=``, each once, in order; a name that is none is left out."""
    known = {role.key: role for role in demo_roles()}
    return [known[key] for key in dict.fromkeys(keys) if key in known]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Four posts beside each other, each signed in; ``?as=a,b,c,d`` chooses them."""
    if not settings.DEMO:
        raise Http404("no exercise")
    asked = _roles(request.GET.get("as", "").split(","))
    first = [*asked, *(role for role in _roles(list(SHOWN)) if role not in asked)][: len(SHOWN)]
    roles = [
        {"key": role.key, "base": f"{PREFIX}{role.key}", "role": role, "stands_in": role.stands_in, "account": role.account}
        for role in demo_roles()
    ]
    return render(request, "cockpit/four.html", {"roles": roles, "shown": [role.key for role in first]})


async def live_stream(request: HttpRequest) -> StreamingHttpResponse:
    """What the seats named by ``?as=`` may hear, on one line; each event names its seats."""
    roles = _roles(request.GET.getlist("as"))
    if not settings.DEMO or not roles:
        raise Http404("no exercise")
    keys = tuple(sorted(role.key for role in roles))  # whatever the order, the same listener
    seats = await sync_to_async(_seats)(keys, moment.now())
    if seats is None:
        raise Http404("nobody sits there")
    return streamed(request, seats, hearing.Seated(keys, _seats))


def _seats(keys: tuple[str, ...], now: datetime) -> live.Seats | None:
    """What these seats may hear at ``now``; None where none of their accounts may sign in."""
    roles = _roles(list(keys))
    accounts: dict[str, Any] = {
        one.get_username(): one
        for one in get_user_model().objects.filter(username__in=[role.account for role in roles], is_active=True)
    }
    ears = {role.key: live.Ear(scopes_of(accounts[role.account], now)) for role in roles if role.account in accounts}
    return live.Seats(ears) if ears else None
