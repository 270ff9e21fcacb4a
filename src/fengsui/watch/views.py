"""The pages of the watch: alarms, what to do with them, and the health of what comes in."""

from __future__ import annotations

import csv
import hmac
import io
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from fengsui import moment
from fengsui.ledger import casepage, health, names, titles
from fengsui.numerals import whole
from fengsui.region.acting import Acting, acting_of, mine, scope
from fengsui.region.models import Site
from fengsui.watch import burden, handling, hiding_views, listing, reading
from fengsui.watch.alarm_states import OWING
from fengsui.watch.models import Alarm, IngestCounter, RelayPosition, Rule

PAGE = 50
EXPORT_AT_MOST = 50_000
COUNTED = {
    "messages": pgettext_lazy("ingest", "Messages"), "accepted": _lazy("Samples accepted"), "duplicate": _lazy("Doubled samples"),
    "late": _lazy("Late samples"), "future": _lazy("Future-dated samples"), "unknown": _lazy("Samples of unknown points"),
    "malformed": _lazy("Malformed messages"), "oversized": _lazy("Oversized messages"), "unauthorised": _lazy("Unauthorised"),
}  # fmt: skip
"""What the page calls what is counted."""
_REFUSED = tuple(COUNTED)[2:]


@require_safe
@login_required
def alarm_list(request: HttpRequest) -> HttpResponse:
    """The alarms in scope; the address is the list."""
    now = moment.now()
    posts = mine(request, now)
    wanted = request.GET.dict()
    scoped = listing.alarms(posts)
    found = listing.narrowed(scoped, wanted)
    if wanted.get("part") == "rows":  # an open page renews its rows with each alarm: no counting
        begin = PAGE * (max(1, whole(wanted.get("page"), 999_999_999) or 1) - 1)
        lines = _shown(found[begin : begin + PAGE], posts)
        return render(request, "watch/parts/rows.html", {"lines": lines, "key": uuid.uuid4().hex})
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": _shown(page.object_list, posts),
        "outages": listing.outages(posts),
        "burden": burden.of(posts, now),
        "wanted": wanted,
        "owing": scoped.filter(state__in=OWING, hidden="").count(),
        "concealed": hiding_views.page(posts, request.GET.get("hidden")) if wanted.get("show") == "hidden" else None,
        "concealed_number": listing.concealed(posts).count(),
        "priorities": Rule.Priority.choices,
        "levels": Rule.Level.choices,
        "key": uuid.uuid4().hex,
    }
    return render(request, "watch/alarms.html", context)


@dataclass(frozen=True)
class Line:
    """An alarm as the list shows it; ``post``: that of the reader's posts which may acknowledge it, as forms name it."""

    alarm: Alarm
    post: str
    owing: bool
    priority: str
    level: str
    state: str
    hidden: str
    by: str  # who acknowledged it


def _shown(rows: Iterable[Alarm], posts: list[Acting]) -> list[Line]:
    """The list's lines; words are looked up once a page, not once a row."""
    kinds: list[Any] = [Rule.Priority, Rule.Level, Alarm.State, Alarm.Hidden]
    priorities, levels, states, hidden = ({value: str(word) for value, word in kind.choices} for kind in kinds)
    rows = list(rows)
    people = listing.acknowledgers((alarm.pk, alarm.acknowledged_by) for alarm in rows)
    return [
        Line(
            alarm,
            listing.named(one) if (one := listing.handler(posts, alarm.site, "acknowledge")) else "",
            alarm.state in OWING,
            priorities.get(alarm.priority, ""),
            levels.get(alarm.level, alarm.level),
            states[alarm.state],
            hidden[alarm.hidden] if alarm.hidden else "",
            people.get(alarm.pk, ""),
        )
        for alarm in rows
    ]


@require_safe
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """The same list as CSV (UTF-8 with a mark, so that spreadsheets read it); its head says who took it and when."""
    now = moment.now()
    posts = mine(request, now)
    rows = listing.narrowed(listing.alarms(posts), request.GET.dict())
    out = io.StringIO()
    table = csv.writer(out)
    stamp = _("Exported by %(who)s at %(at)s") % {"who": casepage.who(posts[0]), "at": _stamp(now)}
    table.writerow([_harmless(f"{stamp}。{_('Internal. Not for classified information')}。")])
    table.writerow(
        [
            _("Site"), _("Point"), _("Alarm"), _("Priority"), _("State"), _("Value"), _("Limit"), _("Raised"), _("Cleared"),
            _("Acknowledged"), _("Acknowledged by"),
        ]
    )  # fmt: skip
    for line in _shown(rows[:EXPORT_AT_MOST], posts[:0]):
        alarm = line.alarm
        table.writerow(
            [
                _harmless(_name(alarm.site)), _harmless(alarm.point.tag if alarm.point else ""), line.level, line.priority,
                line.state, alarm.value, alarm.limit, _stamp(alarm.raised_at), _stamp(alarm.cleared_at),
                _stamp(alarm.acknowledged_at), _harmless(line.by),
            ]
        )  # fmt: skip
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="alarms-{now.astimezone(moment.LEGAL_ZONE):%Y%m%d-%H%M}.csv"'
    return response


def _name(site: Site | None) -> str:
    return titles.here({"zh": site.name_zh, "en": site.name_en}) if site else ""


def _harmless(text: str) -> str:
    """A spreadsheet must not take anybody's words for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _stamp(at: datetime | None) -> str:
    return at.astimezone(moment.LEGAL_ZONE).isoformat(timespec="seconds") if at else ""


@require_POST
@login_required
def handle(request: HttpRequest, what: str) -> HttpResponse:
    """Acknowledge, reset, shelve, take out of service or bring back the chosen alarms."""
    now = moment.now()
    acting = acting_of(request, now)
    chosen = [number for pk in request.POST.getlist("alarm") if (number := whole(pk)) is not None]
    rows = [*listing.alarms([acting]).filter(pk__in=chosen), *listing.outages([acting]).filter(pk__in=chosen)]
    if len(rows) < len(set(chosen)) or not rows:
        raise Http404(_("There is no such alarm among those you may see"))
    if not all(listing.may_handle(acting, alarm.site, _needed(what, alarm)) for alarm in rows):
        raise PermissionDenied(_("Alarms are handled by the site's own posts; others act on the warning"))
    try:
        _handle(what, rows, acting, request, now)
    except handling.NotPossible as error:
        messages.error(request, str(error))
    back = request.POST.get("next") or ""
    return redirect(back if back.startswith(reverse("watch:alarms")) else "watch:alarms")


def _needed(what: str, alarm: Alarm) -> str:
    """The right that the act takes: what was suppressed by design is shown again by those who may suppress."""
    return "suppress" if what == "bring_back" and alarm.hidden == Alarm.Hidden.SUPPRESSED else what


def _handle(what: str, rows: list[Alarm], acting: Acting, request: HttpRequest, now: datetime) -> None:
    key, by = request.POST.get("key") or uuid.uuid4().hex, handling.Doer.of(acting)
    ids = [alarm.pk for alarm in rows]
    if what == "acknowledge":
        handling.acknowledge(ids, by, key=key, now=now)
    elif what == "reset":
        handling.reset(ids, by, key=key, now=now)
    else:
        sites = {alarm.rule_id: alarm.site for alarm in rows if alarm.rule_id is not None}
        for rule, site in sites.items():
            reason = request.POST.get("reason", "")
            if what == "shelve":
                minutes = request.POST.get("minutes", "60")
                until = now + timedelta(minutes=whole(minutes, 99_999) or 0)
                handling.shelve(rule, by, until, reason, key=key, now=now)
            elif what == "out_of_service":
                handling.take_out_of_service(rule, by, reason, key=key, now=now)
            else:
                may = listing.may_handle(acting, site, "suppress")
                handling.bring_back(rule, by, key=key, now=now, suppressed=may)


@require_safe
@login_required
def alarm_page(request: HttpRequest, alarm: int) -> HttpResponse:
    """One alarm: its rule, what happened to it, what may be done."""
    now = moment.now()
    posts = mine(request, now)
    found = listing.alarms(posts).filter(pk=alarm).first() or listing.outages(posts).filter(pk=alarm).first()
    if found is None:
        raise Http404(_("There is no such alarm among those you may see"))
    own = listing.handler(posts, found.site, "acknowledge")
    hider = listing.handler(posts, found.site, *([_needed("bring_back", found)] if found.hidden else handling.HIDING))
    context = {
        "alarm": found,
        "events": _story(found),
        "by": listing.acknowledgers([(found.pk, found.acknowledged_by)]).get(found.pk, ""),
        "post": listing.named(own) if own else "",
        "hider": listing.named(hider) if hider else "",
        "owing": found.state in OWING,
        "key": uuid.uuid4().hex,
    }
    return render(request, "watch/alarm.html", context)


WHAT_HAPPENED = {
    "RAISED": _lazy("raised"), "CLEARED": _lazy("cleared"), "WITHDRAWN": _lazy("the rule was withdrawn"),
    "LATE_BEYOND": _lazy("late samples beyond the limit"), "OUTAGE": _lazy("outage"), "acknowledge": _lazy("acknowledged"),
    "reset": _lazy("reset"), "shelved": _lazy("shelved"), "out_of_service": _lazy("out of service"),
    "suppressed": _lazy("suppressed by design"), "bring_back": _lazy("shown again"),
    "rule_changed": _lazy("its rule changed"),
    "double": _lazy("went on in the later alarm of the same limit"),
}  # fmt: skip
"""What an alarm's record calls its events, in the reader's language."""


def _story(alarm: Alarm) -> list[dict[str, Any]]:
    """What happened to the alarm, oldest first, with who did it."""
    events = list(alarm.events.order_by("at", "id")[:200])
    people = names.persons(one for event in events for one in (event.person, event.principal))
    return [
        {
            "event": event,
            "what": WHAT_HAPPENED.get(event.kind, event.kind),
            "by": people.get(event.person or 0, ""),
            "principal": people.get(event.principal or 0, ""),
        }
        for event in events
    ]


@require_safe
@login_required
def ingest(request: HttpRequest) -> HttpResponse:
    """What came in and what was refused, by site in scope; how far engine and relay are."""
    posts = mine(request, moment.now())
    codes = set()
    for one in posts:
        codes |= set(Site.objects.scoped(scope(one)).values_list("code", flat=True))
    rows = IngestCounter.objects.all() if any(_whole(one) for one in posts) else IngestCounter.objects.filter(site__in=codes)
    refused = rows.filter(kind__in=_REFUSED).order_by("-total")
    page = Paginator(refused, PAGE).get_page(request.GET.get("page"))
    totals = {row["kind"]: row["sum"] for row in rows.order_by().values("kind").annotate(sum=Sum("total"))}
    context = {
        "totals": [(words, totals.get(kind, 0)) for kind, words in COUNTED.items()],
        "page": page,
        "lines": [(row, COUNTED.get(row.kind, row.kind)) for row in page],
        "engine": reading.engine_word(),
        "streams": reading.stream_use(),
        "position": RelayPosition.objects.first(),
    }
    return render(request, "watch/ingest.html", context)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The processes' state as OpenMetrics, for whoever sends the token as ``Authorization: Bearer``; else 404.

    An address says nothing: behind a proxy that adds no headers (nginx's plain ``proxy_pass``) a visitor comes from this
    machine and asks for ``127.0.0.1`` exactly as the machine itself does.
    """
    token = settings.METRICS_TOKEN
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if not token or kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise Http404
    return HttpResponse(health.metrics(moment.now()), content_type="application/openmetrics-text; version=1.0.0; charset=utf-8")


def _whole(acting: Acting) -> bool:
    """Whether the acting sees the whole region; then names that are no site's are shown too."""
    known = scope(acting)
    return known.territorial and known.place_path.count("/") <= 2 and "*" in known.duties
