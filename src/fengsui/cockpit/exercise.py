"""The page of a running exercise: its steps, who answered, the score; starting and stopping it.

The player is a process of its own; they meet in the data folder (``exercise/state.json``, ``wish.json``).
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

FOLDER = "exercise"


def state() -> dict[str, Any] | None:
    """The score sheet as the player wrote it last; None where no exercise is set up."""
    try:
        found = json.loads((settings.DATA_DIR / FOLDER / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _only_demo() -> None:
    if not settings.DEMO:
        raise Http404("no exercise")


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The steps of the exercise as they went, renewed each second while it runs."""
    _only_demo()
    part = "cockpit/parts/exercise.html" if request.headers.get("HX-Request") else "cockpit/exercise.html"
    return render(request, part, {"sheet": state()})


@require_POST
@login_required
def wish(request: HttpRequest) -> HttpResponse:
    """Ask the player to begin from the first step, or to leave off."""
    _only_demo()
    word = "stop" if request.POST.get("wish") == "stop" else "start"
    folder = settings.DATA_DIR / FOLDER
    folder.mkdir(exist_ok=True)
    half = folder / "wish.half"
    half.write_text(json.dumps({"wish": word}), encoding="utf-8")
    half.replace(folder / "wish.json")
    return redirect("cockpit:exercise")
