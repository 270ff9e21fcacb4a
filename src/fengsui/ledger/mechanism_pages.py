"""Mechanisms for people: the drawing, every state with who owes what within what, the certificate, the versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.law import numbers
from fengsui.ledger import drawing, mechanisms, titles
from fengsui.ledger.kernel.pace import shortened
from fengsui.ledger.kernel.shapes import Act, Mechanism, State, Within
from fengsui.ledger.models import MechanismVersion
from fengsui.ledger.reading import cases
from fengsui.region.acting import posts_of

PROPERTIES = {
    1: _("Every state has an owner and a clock."),
    2: _("From everywhere an end can be reached, however the facts turn out."),
    3: _("Every ladder climbs, ends at the region's top office and repeats there."),
    4: _("No work is unverified at a verified end, and nobody verifies alone what is his own."),
    5: _("Every cycle is bounded, and legal limits that run once never restart."),
    6: _("Whoever raised the case is told at every end."),
    7: _("Every field that is read has been set and is not stale."),
    8: _("Nothing in it is unreachable."),
    9: _("A pause has a maximum, an owner and a ladder."),
    10: _("Openings form no cycle by themselves; every child's end is answered or recalled."),
    11: _("A confidential case tells, climbs to and belongs to its readers only."),
    12: _("Every signal is answered or ignored in every state."),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a state may last, in words, and the law number behind it where there is one."""

    words: str
    number: Any = None


@dataclass(frozen=True, slots=True)
class ActLine:
    """One act of a state, for the table."""

    act: Act
    title: str
    by: str
    to: str
    asks: list[str]


@dataclass(frozen=True, slots=True)
class StateLine:
    """One state, for the table."""

    name: str
    title: str
    owner: str
    limit: Limit
    acts: list[ActLine]


def length(found: Any, pace: int = 1) -> str:
    """A law number's length in words, shortened at an exercise's pace; a table's by its strictest row."""
    duration = getattr(found, "duration", None)
    if duration is None:
        return ""
    duration = shortened(duration, pace)
    if duration.workdays is not None:
        return titles.amount(f"{duration.workdays}wd")
    if duration.days is not None:
        return titles.amount(f"{duration.days}d")
    seconds = duration.seconds or 0
    if seconds % 60:
        return titles.amount(f"{seconds}s")
    return titles.amount(f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}min")


def _number(name: str, on: date) -> Any:
    try:
        return numbers.find(name.removeprefix("law."), on)
    except numbers.UnknownNumber:
        return None


def limit_of(mechanism: Mechanism, within: Within, on: date) -> Limit:
    """The limit of a state in words: a legal amount, a named clock, or until a child ends."""
    if within.kind == "child":
        return Limit(gettext("until its joined case ends"))
    if within.kind == "clock":
        clock = mechanism.clocks[within.name]
        number = _number(clock.amount.name, on) if clock.amount.kind == "law" else None
        return Limit(titles.clock(mechanism, within.name), number)
    number = _number(within.name, on)
    return Limit(length(number, mechanism.pace), number)


def _act_line(mechanism: Mechanism, state: State, act: Act) -> ActLine:
    asks = [titles.field(mechanism.fields[name]) for name in act.sets if name in mechanism.fields]
    if act.signatures > 1:
        asks.append(gettext("%(n)s persons sign") % {"n": act.signatures})
    if act.at_most:
        asks.append(gettext("at most %(n)s times") % {"n": act.at_most})
    by = titles.by(act) or titles.role(state.owner)
    return ActLine(
        act, titles.here(act.title) or titles.spaced(act.name), by, titles.state(mechanism, act.to) if act.to else "", asks
    )


def state_lines(mechanism: Mechanism, on: date) -> list[StateLine]:
    """Every state with its acts, in the order of the file; acts possible in many states are listed apart."""
    found = []
    for state in mechanism.states.values():
        acts = [_act_line(mechanism, state, act) for act in state.actions if act.name not in mechanism.always]
        limit = limit_of(mechanism, state.within, on)
        found.append(StateLine(state.name, titles.state(mechanism, state.name), titles.role(state.owner), limit, acts))
    return found


def _words(mechanism: Mechanism, on: date) -> drawing.Words:
    def words(name: str) -> tuple[str, str]:
        title = titles.state(mechanism, name)
        if name in mechanism.ends:
            end = mechanism.ends[name]
            return title, gettext("ends unverified, for a stated reason") if end.unverified else gettext("verified")
        state = mechanism.states[name]
        return title, "·".join(part for part in (titles.role(state.owner), limit_of(mechanism, state.within, on).words) if part)

    return words


def _today(now: datetime) -> date:
    return now.astimezone(moment.LEGAL_ZONE).date()


@require_safe
@login_required
def index(request: HttpRequest) -> HttpResponse:
    """All mechanisms with their certificate and how many of my cases run under each."""
    now = moment.now()
    mine = posts_of(request, now)
    running = dict(
        cases(mine)
        .filter(ended=False)
        .order_by()
        .values_list("mechanism")
        .annotate(count=Count("pk"))
        .values_list("mechanism", "count")
    )
    rows: list[dict[str, Any]] = []
    for stored in MechanismVersion.objects.filter(current=True).order_by("name"):
        mechanism = mechanisms.version(stored.digest)
        rows.append(
            {
                "stored": stored,
                "title": titles.mechanism(mechanism),
                "states": len(mechanism.states),
                "ends": len(mechanism.ends),
                "open": running.get(stored.name, 0),
                "confidential": bool(mechanism.readers),
                "proven": len((stored.certificate or {}).get("properties", ())) == len(PROPERTIES),
            }
        )
    rows.sort(key=lambda row: (-row["open"], row["stored"].name))
    return render(request, "ledger/mechanisms.html", {"rows": rows})


@require_safe
@login_required
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One mechanism, or one of its older versions (``?version=3``)."""
    on = _today(moment.now())
    versions = list(MechanismVersion.objects.filter(name=name).order_by("-number"))
    asked = request.GET.get("version", "")
    stored = next((one for one in versions if (str(one.number) == asked if asked else one.current)), None)
    if stored is None:
        raise Http404(name)
    mechanism = mechanisms.version(stored.digest)
    holds = set((stored.certificate or {}).get("properties", ()))
    opening = [_act_line(mechanism, next(iter(mechanism.states.values())), act) for act in mechanism.opening.values()]
    anywhere = [_act_line(mechanism, next(iter(mechanism.states.values())), act) for act in mechanism.always.values()]
    ends = [
        {
            "title": titles.state(mechanism, end.name),
            "unverified": end.unverified,
            "tells": [titles.role(role) for role in end.tells],
        }
        for end in mechanism.ends.values()
    ]
    plan = drawing.plan(mechanism, (), _words(mechanism, on), whole=True)
    return render(
        request,
        "ledger/mechanism.html",
        {
            "stored": stored,
            "versions": [{"stored": one, "pace": mechanisms.version(one.digest).pace} for one in versions],
            "title": titles.mechanism(mechanism),
            "mechanism": mechanism,
            "opening": opening,
            "states": state_lines(mechanism, on),
            "anywhere": anywhere,
            "ends": ends,
            "certificate": stored.certificate,
            "properties": [{"number": number, "words": words, "holds": number in holds} for number, words in PROPERTIES.items()],
            "drawing": drawing.svg(plan, titles.mechanism(mechanism)),
        },
    )
