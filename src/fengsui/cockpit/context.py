"""What every page's frame needs: the moment, who acts, the bar, the exercise's mark."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from fengsui import moment
from fengsui.cockpit import frame, navigation, seats


def shell(request: HttpRequest) -> dict[str, Any]:
    """The template context of ``cockpit/base.html``. Nothing here reads the database until a template asks."""
    now = moment.now()
    theme = request.COOKIES.get("fs_theme", "")
    seat = seats.of(request)
    return {
        "prefix": request.META.get("SCRIPT_NAME", ""),
        "seat": seat.key if seat else "",
        "line_url": reverse("cockpit:four_live").removeprefix(seat.base) if seat else reverse("cockpit:live"),
        "now": now,
        "here": now.astimezone(moment.LEGAL_ZONE),
        "theme": theme if theme in ("light", "dark") else "",
        "demo": settings.DEMO,
        "wall": request.GET.get("wall") == "1",
        "nav": SimpleLazyObject(lambda: navigation.items(request.path_info)),
        "frame": SimpleLazyObject(lambda: frame.of(request, now)),
    }
