"""The page of a running exercise: its steps, who answered, the score; starting and stopping it.

The player is a process of its own; they meet in the data folder (``exercise/state.json``, ``wish.json``).
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from fengsui.cockpit.oneclick import demo_roles
from fengsui.ledger import titles

FOLDER = "exercise"
WISHES = ("start", "stop", "pause", "go", "next")
"""What a page may ask of the player (``services/exercise/sheet.py`` says what each does)."""


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
def page(request: HttpRequest) -> HttpResponse:
    """The steps of the exercise as they went, renewed each second while it runs. Anybody may watch a demo's exercise."""
    _only_demo()
    part = "cockpit/parts/exercise.html" if request.headers.get("HX-Request") else "cockpit/exercise.html"
    return render(request, part, {"sheet": state()})


@require_safe
def now(request: HttpRequest) -> JsonResponse:
    """What the narrator says: the step that runs, whose screen to watch, what somebody may do themselves."""
    _only_demo()
    return JsonResponse(told(state()))


def told(sheet: dict[str, Any] | None) -> dict[str, Any]:
    """The running step in the reader's language; ``look`` is a seat, ``page`` an address below its prefix."""
    if sheet is None:
        return {"phase": "none"}
    lines: list[dict[str, Any]] = sheet["lines"]
    here = next((number for number, line in enumerate(lines) if line["state"] == "running"), None)
    if here is None:  # a step that is over stands to be read before the next one begins
        over = [number for number, line in enumerate(lines) if line["state"] != "waiting"]
        here = over[-1] if over else 0
    line = lines[here]
    seats = {role.account: role.key for role in demo_roles()}
    return {
        "phase": sheet["phase"],
        "paused": sheet["paused"],
        "step": here + 1,
        "steps": len(lines),
        "id": line["id"],
        "kind": line["kind"],
        "state": line["state"],
        "by": line["by"],
        "title": titles.here(line["title"]),
        "says": titles.here(line["says"]),
        "detail": titles.here(line["detail"]) if line["detail"].get("zh") else "",
        "look": line["look"] or seats.get(line["user"], ""),
        "page": f"/cases/{line['case']}/" if line["case"] else "",
        "acts_in": line["acts_in"],
        "mine": line["kind"] == "act" and line["state"] == "running",
        "score": sheet["score"],
    }


@require_POST
def wish(request: HttpRequest) -> HttpResponse:
    """Ask the player for one of its wishes: begin, leave off, pause, go on, do the next step now."""
    _only_demo()
    word = request.POST.get("wish", "")
    if word not in WISHES:
        return HttpResponseBadRequest(f"wish: one of {', '.join(WISHES)}")
    ask(word)
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=204)
    return redirect("cockpit:exercise")


def ask(word: str) -> None:
    """Leave a wish for the player."""
    folder = settings.DATA_DIR / FOLDER
    folder.mkdir(exist_ok=True)
    half = folder / "wish.half"
    half.write_text(json.dumps({"wish": word}), encoding="utf-8")
    half.replace(folder / "wish.json")
