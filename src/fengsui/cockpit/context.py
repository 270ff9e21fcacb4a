"""What every page's frame needs: the moment, who acts, the bar, the exercise's mark."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from fengsui import moment
from fengsui.cockpit import frame, navigation


def shell(request: HttpRequest) -> dict[str, Any]:
    """The template context of ``cockpit/base.html``. Nothing here reads the database until a template asks."""
    now = moment.now()
    theme = request.COOKIES.get("fs_theme", "")
    return {
        "now": now,
        "here": now.astimezone(moment.LEGAL_ZONE),
        "theme": theme if theme in ("light", "dark") else "",
        "demo": settings.DEMO,
        "wall": request.GET.get("wall") == "1",
        "nav": SimpleLazyObject(lambda: navigation.items(request.path)),
        "frame": SimpleLazyObject(lambda: frame.of(request, now)),
    }
