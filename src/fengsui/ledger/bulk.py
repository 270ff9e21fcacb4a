"""The same act on several cases: choose it, fill it in once, see what came of each."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from fengsui import moment
from fengsui.ledger import doors, forms, mechanisms, reading, sentences, titles
from fengsui.ledger.doors.shapes import Refused
from fengsui.ledger.kernel.shapes import Act, Call
from fengsui.ledger.models import Case
from fengsui.ledger.reading.possible import actor_of, may
from fengsui.numerals import whole
from fengsui.region.acting import Acting, mine

AT_MOST = 50
"""Cases in one go from a page; larger batches go through the API."""


def _post_for(case: Case, posts: list[Acting]) -> Acting:
    return next((one for one in posts if one.office_id in (case.owner_id, case.holder_id)), posts[0])


def common_acts(cases: list[Case], posts: list[Acting], now: datetime) -> dict[str, Act]:
    """The acts allowed on every one of the cases; only cases of one mechanism version share acts."""
    common: dict[str, Act] | None = None
    for case in cases:
        allowed = {one.act.name: one.act for one in may(case, _post_for(case, posts), now)[0]}
        common = allowed if common is None else {name: act for name, act in common.items() if name in allowed}
    return common or {}


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """GET: the acts that fit all chosen cases, then the form of one. POST: do it to each and show the results."""
    now = moment.now()
    posts = mine(request, now)
    asked = (request.POST if request.method == "POST" else request.GET).getlist("case")[:AT_MOST]
    found = [case for case in (reading.find(posts, one) for one in asked) if case is not None and not case.ended]
    if not found:
        return redirect("ledger:list")
    one_kind = len({case.version_id for case in found}) == 1
    acts = common_acts(found, posts, now) if one_kind else {}
    name = (request.POST if request.method == "POST" else request.GET).get("act", "")
    mechanism = mechanisms.version(found[0].version_id)
    context: dict[str, Any] = {
        "cases": found,
        "one_kind": one_kind,
        "acts": [(act, titles.here(one.title) or titles.spaced(act)) for act, one in acts.items()],
        "key": request.POST.get("key") or str(uuid.uuid4()),
        "act": name if name in acts else "",
        "act_title": titles.act(mechanism, name) if name in acts else "",
    }
    status = 200
    if name in acts:
        form = forms.form_for(mechanism, acts[name], now, found[0].pk)(request.POST or None, request.FILES or None)
        context["form"] = form
        if request.method == "POST":
            status = 422
            if form.is_valid():
                try:
                    context["results"] = _do(request, found, name, form, posts, now)
                    status = 200
                except Refused as refused:  # a file that is not taken, before any case was touched
                    status, context["reasons"] = refused.status, form.refuse(mechanism, refused.refusals)
    return render(request, "ledger/bulk.html", context, status=status)


def _do(
    request: HttpRequest, cases: list[Case], name: str, form: forms.ActForm, posts: list[Acting], now: datetime
) -> list[dict[str, Any]]:
    """Each case at the version that the form showed; one that moved meanwhile is told, the others are done."""
    from fengsui.ledger import doing

    values = form.values(lambda file: doing.store(file, posts[0], now))
    key = doing.key_of(request)
    calls = []
    for case in cases:
        expects = whole(request.POST.get(f"seq-{case.pk}")) or 0
        calls.append((str(case.pk), Call(name, actor_of(_post_for(case, posts)), values, expects, f"{key}:{case.pk}")))
    return [_result(case, answer) for case, answer in zip(cases, doors.act_many(calls, now), strict=True)]


def _result(case: Case, answer: doors.Receipt | Refused) -> dict[str, Any]:
    if isinstance(answer, Refused):
        why = sentences.all_of(mechanisms.version(case.version_id), answer.refusals)
        return {"case": case, "done": False, "why": why}
    return {"case": case, "done": True, "why": []}
