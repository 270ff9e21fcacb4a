"""The administrator's page: open cases under older versions of a mechanism, what can go, and why not the rest."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from fengsui import moment
from fengsui.ledger import casepage, mechanisms, moving, reading, titles
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.persons_acts.administration import administrator
from fengsui.region.acting import mine

MAP = "map-"


@login_required
def page(request: HttpRequest, name: str) -> HttpResponse:
    """The survey along the map of states in the form; a POST with ``move`` carries it out."""
    now = moment.now()
    acting = administrator(mine(request, now), "move", now)
    try:
        wording = mechanisms.current(name)
    except LookupError as error:
        raise Http404 from error
    given = request.POST if request.method == "POST" else request.GET
    states = {
        key.removeprefix(MAP): str(value) for key, value in given.items() if key.startswith(MAP) and value in wording.states
    }
    if request.method == "POST":
        found = moving.move_all(name, states, reading.actor_of(acting), now)
        went = found.plain()["can"]
        messages.success(request, gettext("%(n)s cases moved, each by an entry.") % {"n": went})
    found = moving.survey(name, states)
    told = found.plain()
    context = {
        "name": name,
        "title": titles.mechanism(wording),
        "survey": found,
        "can": told["can"],
        "cannot": told["cannot"],
        "rows": [(one, _state(wording, one.state)) for one in found.groups],
        "missing": [(state, _state(wording, state), states.get(state, "")) for state in sorted({*found.missing, *states})],
        "states": [(state, titles.state(wording, state)) for state in wording.states],
        "acting": acting,
        "acting_name": casepage.who(acting),
    }
    return render(request, "ledger/persons_acts/move.html", context)


def _state(wording: Mechanism, state: str) -> str:
    return titles.state(wording, state)
