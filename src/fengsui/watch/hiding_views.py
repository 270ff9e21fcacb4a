"""A point's alarms hidden and shown again (ISA-18.2): shelved, out of service, suppressed by design; the list of all."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fengsui import moment
from fengsui.ledger import casepage, names
from fengsui.numerals import whole
from fengsui.region.acting import Acting, acting_of, mine
from fengsui.region.models import Point
from fengsui.watch import handling, listing
from fengsui.watch.models import Concealment, Rule
from fengsui.watch.rule_views import point_of

SHOWN = 50
"""Hidden rules that one page lists."""


def page(posts: Sequence[Acting], number: str | None) -> Any:
    """One page of what is hidden in scope; ``lines``: each with who hid it and the reader's post that may show it again."""
    found: Any = Paginator(listing.concealed(posts), SHOWN).get_page(number)
    people = names.persons(who for one in found for who in (one.person, one.principal))
    found.lines = [
        {
            "line": one,
            "by": people.get(one.person, ""),
            "principal": people.get(one.principal or 0, ""),
            "post": next((listing.named(post) for post in posts if listing.may_bring_back(post, one)), ""),
        }
        for one in found
    ]
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def hide(request: HttpRequest, code: str, point: int) -> HttpResponse:
    """The form with which a point's alarms are hidden or shown again; a POST does it and returns to the list.

    ``?rule=`` puts that alarm first, ``?post=`` chooses the post; without one it is the first of the reader's that may.
    """
    now = moment.now()
    posts = mine(request, now)
    site, found = point_of(posts, code, point)
    able = [post for post in posts if listing.handler([post], site, *handling.HIDING)]
    acting = _acting(request, able, now)
    rows = running(found, now)
    wrong = _done(request, acting, rows, now) if request.method == "POST" else ""
    if request.method == "POST" and not wrong:
        return redirect(request.get_full_path())
    chosen = _chosen(found, request.POST.get("rule") or request.GET.get("rule") or "", rows)
    context = {
        "site": site,
        "point": found,
        "rows": sorted(rows, key=lambda row: row[0].pk != chosen),
        "chosen": chosen,
        "wrong": wrong,
        "said": request.POST,
        "post": listing.named(acting),
        "who": casepage.who(acting),
        "others": [(listing.named(one), casepage.who(one)) for one in able if one != acting],
        "may": {what: listing.may_handle(acting, site, what) for what in (*handling.HIDING, "bring_back")},
        "longest": int(handling.longest_shelf(now).total_seconds() // 60),
        "key": uuid.uuid4().hex,
    }
    return render(request, "watch/hide.html", context, status=422 if wrong else 200)


def _acting(request: HttpRequest, able: Sequence[Acting], now: datetime) -> Acting:
    named = request.POST.get("post") or request.GET.get("post") or request.headers.get("X-Acting-Post")
    return able[0] if able and not named and request.method != "POST" else acting_of(request, now)


def _chosen(point: Point, asked: str, rows: Iterable[tuple[Rule, Concealment | None]]) -> int | None:
    """The running rule that is meant: the one asked for, or that which has replaced it since."""
    identity = whole(asked, (1 << 31) - 1)
    if identity is None:
        return None
    level = (
        Rule.objects.unscoped("the site was found in the reader's scope")
        .filter(point=point, pk=identity)
        .values_list("level", flat=True)
        .first()
    )
    return next((rule.pk for rule, _hidden in rows if rule.level == level), None)


def running(point: Point, now: datetime) -> list[tuple[Rule, Concealment | None]]:
    """The point's rules that run, each with what hides its alarms now."""
    rules = list(
        Rule.objects.unscoped("the site was found in the reader's scope")
        .filter(point=point, since__lte=now)
        .exclude(until__lte=now)
    )
    hidden = Concealment.objects.unscoped("the site was found in the reader's scope").filter(
        rule__in=rules, ended_at__isnull=True
    )
    of = {one.rule_id: one for one in hidden.select_related("rule__point__site__office")}
    return [(rule, of.get(rule.pk)) for rule in rules]


def _done(request: HttpRequest, acting: Acting, rows: Sequence[tuple[Rule, Concealment | None]], now: datetime) -> str:
    """Do what the form asks; why it cannot be done, else nothing."""
    said, known = request.POST, {rule.pk: (rule, hidden) for rule, hidden in rows}
    chosen = _chosen(rows[0][0].point, said.get("rule", ""), rows) if rows else None
    if chosen is None:
        return str(_("Choose which of the point's alarms"))
    (rule, hidden), what, key = known[chosen], said.get("what", ""), said.get("key") or uuid.uuid4().hex
    needed = "suppress" if what == "bring_back" and hidden is not None and hidden.kind == "suppressed" else what
    if what not in (*handling.HIDING, "bring_back"):
        return str(_("Choose how the alarms are to be hidden"))
    if not listing.may_handle(acting, rule.point.site, needed):
        raise PermissionDenied(_("Alarms are hidden by the site's own posts: control room or safety management"))
    minutes = said.get("minutes", "")
    try:
        if what == "bring_back":
            may = listing.may_handle(acting, rule.point.site, "suppress")
            handling.bring_back(rule.pk, handling.Doer.of(acting), key=key, now=now, suppressed=may)
        else:
            until = now + timedelta(minutes=whole(minutes, 99_999) or 0)
            handling.hide(what, rule.pk, handling.Doer.of(acting), until, said.get("reason", ""), key=key, now=now)
    except handling.NotPossible as error:
        return str(error)
    messages.success(request, _("Done and recorded."))
    return ""
