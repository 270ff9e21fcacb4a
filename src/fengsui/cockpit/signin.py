"""Signing in: the styled page, the demo's one-click roles, the lock-out's words.

The one-click roles exist only where ``FENGSUI_DEMO=1``, and only for the accounts of ``data/demo/roles.yaml``:
a name that a browser sends is looked up in that list, never in the accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from allauth.account.views import LoginView
from axes.decorators import axes_dispatch, axes_form_invalid
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe


@dataclass(frozen=True, slots=True)
class DemoRole:
    """A role that a visitor of the demo may take: its key, its account, its words ({zh, en})."""

    key: str
    account: str
    icon: str
    title: dict[str, str]
    line: dict[str, str]
    who: dict[str, str]
    front: bool = True


@cache
def demo_roles() -> tuple[DemoRole, ...]:
    """The server's list of one-click roles, empty outside the demo."""
    if not settings.DEMO:
        return ()
    rows: list[dict[str, Any]] = yaml.safe_load((settings.BASE_DIR / "data" / "demo" / "roles.yaml").read_text(encoding="utf-8"))
    return tuple(DemoRole(**row) for row in rows)


class SignIn(LoginView):
    """allauth's sign-in under our address; repeated failures are counted by axes.

    Only a try is counted and refused: whoever shares an address with a locked account still sees the page.
    """

    template_name = "account/login.html"

    @method_decorator(axes_dispatch)
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().post(request, *args, **kwargs)

    @method_decorator(axes_form_invalid)
    def form_invalid(self, form: Any) -> HttpResponse:
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        roles = demo_roles()
        return super().get_context_data(**kwargs) | {
            "roles": [role for role in roles if role.front],
            "more_roles": [role for role in roles if not role.front],
            "oidc": settings.OIDC,
        }


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
    return redirect("cockpit:home")


@require_safe
def four(request: HttpRequest) -> HttpResponse:
    """The four roles beside each other: how to open them in four windows of one screen."""
    roles = demo_roles()
    if not roles:
        raise Http404
    return render(request, "cockpit/four.html", {"roles": [role for role in roles if role.front]})
