"""The ledger's pages: list, case, act, export, notices."""

from __future__ import annotations

import io
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from fengsui import moment
from fengsui.kept import taken
from fengsui.ledger import casepage, doing, filters, forms, mechanisms, reading, receipts, sentences, tables, titles
from fengsui.ledger import notices as sight
from fengsui.ledger.doors import calling
from fengsui.ledger.doors.shapes import Refused
from fengsui.ledger.models import CallLine, Case, Entry, SavedView
from fengsui.ledger.reading.sealed import hidden_in, keeps_receipt
from fengsui.numerals import whole
from fengsui.region.acting import Acting, acting_of, mine

PAGE = 50
VIEWS = 40
"""So many saved views stand beside the list."""
WAITING = "waiting=1"
"""The view of the desk's cases; the bar above every page counts them already."""
LAST_PAGE = 200
"""How far notices are paged back."""


def _page(request: HttpRequest, last: int) -> int:
    """The page asked for, within 1 … ``last``."""
    return max(1, min(whole(request.GET.get("page")) or 1, last))


def office_ids(posts: list[Acting]) -> frozenset[int]:
    """The offices acted for."""
    return frozenset(one.office_id for one in posts)


# ----------------------------------------------------------------------- list


def _narrowed(posts: list[Acting], wanted: filters.Filter, now: datetime) -> Any:
    """The cases of a list; where words are asked for, those that hold them or the one of this number."""
    found = _asked(posts, wanted, now)
    if wanted.q:
        exact = _numbered(found, wanted.q)
        found = found.filter(pk__in=exact) if exact else reading.search(found, wanted.q)
    return found


def _asked(posts: list[Acting], wanted: filters.Filter, now: datetime) -> Any:
    """The same without looking at the words."""
    found = wanted.apply(reading.cases(posts), office_ids(posts), now)
    if wanted.waiting:
        found = found.filter(pk__in=reading.waiting(posts, now).values("pk"))
    return found


def _numbered(found: Any, text: str) -> list[uuid.UUID]:
    """The cases of this very number, as typed or in capitals: where there is one, no words are looked for."""
    return list(found.filter(number__in={text, text.upper()}).values_list("pk", flat=True))


@require_safe
@login_required
def case_list(request: HttpRequest) -> HttpResponse:
    """The ledger: filtered, sorted, paged; the address is the list."""
    now = moment.now()
    posts = mine(request, now)
    bare = not {*filters.NAMES, "order"} & {*request.GET}
    wanted = filters.Filter.read({"duty": filters.charge(posts)} if bare else request.GET)
    found = _asked(posts, wanted, now)
    part = bool(request.headers.get("HX-Request")) and request.GET.get("part") == "rows"
    views = [] if part else saved_views(posts)
    # a view that searches words is not counted beside every list: it costs as much as the list itself
    queries = [] if part else [*system_views(posts), *(view.query for view in views if "q" not in QueryDict(view.query))]
    counted, page, some = _page_and_counts(request, wanted, found, posts, queries, now)
    count, _ = counted[None]
    context = {
        "rows": tables.rows(some, office_ids(posts)),
        "filter": wanted,
        "chips": [chip | {"without": without(wanted, chip["name"], posts)} for chip in wanted.chips()],
        "count": count,
        "counted": filters.number_said(counted[None]),
        "page": page,
        "first": (page - 1) * PAGE + 1 if count else 0,
        "last": min(page * PAGE, count),
        "has_next": page * PAGE < count,
        "now": now,
        "here": request.get_full_path(),
        "columns": [name for name in tables.columns() if name not in left_out(request)],
    }
    if part:
        return render(request, "ledger/parts/rows.html", context)
    context |= _list_frame(posts, wanted, views, counted, now)
    return render(request, "ledger/list.html", context)


def system_views(posts: list[Acting]) -> dict[str, str]:
    """Queries of the views that everybody has → their names; a leader with a field of charge begins with that."""
    charge = filters.charge(posts)
    mine = {f"duty={charge}": gettext("In my charge"), "duty=all": gettext("All open")} if charge else {"": gettext("All open")}
    return mine | {
        WAITING: gettext("Waiting for me"),
        "mine=1": gettext("My offices'"),
        "clock=today": gettext("Due today"),
        "clock=overdue": gettext("Overdue"),
        "level=red,orange": gettext("Red and orange"),
    }


VIEW_NAME = 40
"""Characters of a saved view's name."""
VIEW_QUERY = 500
"""Characters of its filters, as the list's address writes them."""
SEARCHED = 500
"""So many hits of a search are counted; "500+" asks for more words."""
Counts = dict[str | None, tuple[int, bool]]


def saved_views(posts: list[Acting]) -> list[SavedView]:
    """The reader's own views and those shared with their offices."""
    mine_or_ours = Q(person_id=posts[0].person_id) | Q(office_id__in=office_ids(posts))
    return list(SavedView.objects.filter(mine_or_ours).order_by("name")[:VIEWS])


def _page_and_counts(
    request: HttpRequest, wanted: filters.Filter, found: Any, posts: list[Acting], queries: list[str], now: datetime
) -> tuple[Counts, int, list[Case]]:
    """The counts of the list and of the views, the page asked for (the last one, where it lies beyond) and its cases."""
    if wanted.q:
        page = _page(request, reading.COUNTED // PAGE)
        at_most = max(SEARCHED, page * PAGE + PAGE) + 1
        ids = _numbered(found, wanted.q) or reading.searched(found, filters.ORDERS[wanted.order], wanted.q, at_most)
        page = max(1, min(page, -(-len(ids) // PAGE)))  # beyond the last page all ids are known
        some = tables.rows_of(ids[(page - 1) * PAGE : page * PAGE])
        number_said = (min(len(ids), at_most - 1), len(ids) == at_most)
        return _counted(None, posts, queries, now) | {None: number_said}, page, some
    counted = _counted(found, posts, queries, now)
    page = _page(request, max(1, -(-counted[None][0] // PAGE)))
    return counted, page, tables.page(wanted.sort(found), (page - 1) * PAGE, page * PAGE)


def _counted(found: Any, posts: list[Acting], queries: list[str], now: datetime) -> Counts:
    """How many cases the list (``None``, unless it is counted elsewhere) and each view hold, by its query: one statement."""
    asked: dict[str | None, Any] = {None: found} if found is not None else {}
    for query in queries:
        if query != WAITING:
            asked[query] = _narrowed(posts, filters.Filter.read(QueryDict(query)), now)
    counted: Counts = reading.counts(asked)
    return counted | ({WAITING: reading.waiting_number(posts, now)} if WAITING in queries else {})


def _list_frame(
    posts: list[Acting], wanted: filters.Filter, views: list[SavedView], counted: Counts, now: datetime
) -> dict[str, Any]:
    """What stands round the table: the views with their counts and the choices of the filter."""
    said = {query: filters.number_said(number) for query, number in counted.items()}
    person = posts[0].person_id
    known = mechanisms.names_in_use()
    states: list[tuple[str, str]] = []
    if wanted.mechanism:
        try:
            found = mechanisms.current(wanted.mechanism)
            states = [(name, titles.state(found, name)) for name in (*found.states, *found.ends)]
        except LookupError:
            states = []
    return {
        "system_views": [(query, name, said[query]) for query, name in system_views(posts).items()],
        "own_views": [(view, said.get(view.query, "")) for view in views if view.person_id == person and not view.office_id],
        "shared_views": [(view, said.get(view.query, "")) for view in views if view.office_id],
        "person": person,
        "mechanisms": [(name, filters.mechanism_title(name)) for name in known],
        "states": states,
        "levels": filters.LEVELS,
        "clocks": [(name, filters.clock_title(name)) for name in filters.CLOCKS],
        "places": casepage.places_below(posts),
        "can_raise": bool(reading.openings(posts, now)),
        "query": urlencode(request_query(wanted), safe=","),
        "kept": kept(wanted, posts),
        "choices": tables.columns(),
    }


def kept(wanted: filters.Filter, posts: list[Acting]) -> list[tuple[str, str]]:
    """What the form carries on that no control of it shows."""
    duty = wanted.duty or (filters.ALL if filters.charge(posts) else "")
    yes = {name: "1" if getattr(wanted, name) else "" for name in ("waiting", "signing")}
    parts = {"duty": duty, "running": wanted.running, **yes}
    return [(name, value) for name, value in parts.items() if value]


def without(wanted: filters.Filter, name: str, posts: list[Acting]) -> str:
    """The list's address without one part of its filter; without the field of charge, or any part, it says so: ``duty=all``."""
    gone = {name, "state"} if name == "mechanism" else {name}
    parts = {one: value for one, value in request_query(wanted).items() if one not in gone}
    if name == "duty" or (not parts and filters.charge(posts)):
        parts["duty"] = filters.ALL
    return urlencode(parts, safe=",")


def request_query(wanted: filters.Filter) -> dict[str, str]:
    """The filter's own parts for an address."""
    parts = {name: getattr(wanted, name) for name in filters.NAMES}
    for name in ("mine", "waiting", "signing"):
        parts[name] = "1" if parts[name] else ""
    parts["open"] = "" if wanted.open == "1" else wanted.open
    parts["order"] = "" if wanted.order == filters.usual_order(wanted.open) else wanted.order
    return {name: value for name, value in parts.items() if value}


@require_safe
@login_required
def export(request: HttpRequest) -> HttpResponse:
    """The list as xlsx, with its filter in the head and who and when on each sheet."""
    now = moment.now()
    posts = mine(request, now)
    wanted = filters.Filter.read(request.GET)
    who = casepage.who(posts[0])
    book = tables.workbook(wanted.sort(_narrowed(posts, wanted, now)), office_ids(posts), wanted.words(), who, now)
    file = io.BytesIO()
    book.save(file)
    name = f"cases-{now.astimezone(moment.LEGAL_ZONE):%Y%m%d-%H%M}.xlsx"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = HttpResponse(file.getvalue(), content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


LEFT_OUT = "fs_left_out"
"""The cookie that names the list's columns that this browser leaves out."""


def left_out(request: HttpRequest) -> set[str]:
    """The columns that this browser leaves out of the list."""
    return {*request.COOKIES.get(LEFT_OUT, "").split(".")} & {*tables.columns()}


@require_POST
@login_required
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Keep in this browser which columns the list shows."""
    mine(request, moment.now())  # refuses whoever holds no post, as the list does
    shown = {*request.POST.getlist("column")}
    response = redirect(_back(request, reverse("ledger:list")))
    away = ".".join(name for name in tables.columns() if name not in shown)
    response.set_cookie(LEFT_OUT, away, max_age=400 * 86_400, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


@require_POST
@login_required
def keep_view(request: HttpRequest) -> HttpResponse:
    """Save the present list under a name, for me or for my office; or forget a view of mine."""
    now = moment.now()
    posts = mine(request, now)
    if (forget := whole(request.POST.get("forget"))) is not None:
        SavedView.objects.filter(pk=forget, person_id=posts[0].person_id).delete()
        return redirect("ledger:list")
    name = request.POST.get("name", "").strip()
    query = request.POST.get("query", "")
    if len(name) > VIEW_NAME:
        said = gettext("The name of a view has at most %(most)s characters: shorten it. Nothing was saved.")
        messages.error(request, said % {"most": VIEW_NAME})
    elif len(query) > VIEW_QUERY:
        said = gettext("The filters of a view have at most %(most)s characters as an address: leave some out. Nothing was saved.")
        messages.error(request, said % {"most": VIEW_QUERY})
    elif name:
        office = posts[0].office_id if request.POST.get("share") == "1" else None
        SavedView.objects.update_or_create(
            person_id=posts[0].person_id, name=name, defaults={"query": query, "office_id": office, "at": now}
        )
    return redirect(f"{reverse('ledger:list')}?{query}")


# ----------------------------------------------------------------------- case


@require_safe
@login_required
def by_number(request: HttpRequest, number: str) -> HttpResponse:
    """A case by its number."""
    found = reading.case_or_404(mine(request, moment.now()), number)
    return redirect("ledger:case", case=found.pk)


def acting_for(case: Case, posts: list[Acting], request: HttpRequest, now: datetime) -> Acting:
    """The post that the page speaks for: the one named, else the owning office's that deals with it, else the first."""
    if request.GET.get("post") or request.POST.get("post"):
        return acting_of(request, now)
    own = [one for one in posts if one.office_id in (case.owner_id, case.holder_id)]
    own.sort(key=lambda one: not reading.owns(one, case.version_id, case.state, now))
    return (own or posts)[0]


@require_safe
@login_required
def case_page(request: HttpRequest, case: uuid.UUID) -> HttpResponse:
    """The whole case on one page."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    acting = acting_for(found, posts, request, now)
    before = whole(request.GET.get("before"), 999_999_999)
    context = casepage.build(found, posts, acting, now, whole=request.GET.get("drawing") == "whole", before=before)
    return render(request, "ledger/case.html", context)


@login_required
def act_page(request: HttpRequest, case: uuid.UUID, act: str) -> HttpResponse:
    """The form of one act; a POST does it and returns to the case."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    acting = acting_for(found, posts, request, now)
    mechanism = mechanisms.version(found.version_id)
    state = mechanism.states.get(found.state)
    offered = dict(state.offers) if state else {}
    one = offered.get(act)
    if one is None and request.method != "POST":
        messages.info(request, gettext("The case has moved on; this act is no longer possible."))
        return redirect("ledger:case", case=found.pk)
    form_class = forms.form_for(mechanism, one, now, found.pk) if one else forms.ActForm
    form = form_class(request.POST or None, request.FILES or None)
    status, reasons = 200, []
    if request.method == "POST":
        if form.is_valid():
            try:
                values = form.values(lambda file: doing.store(file, acting, now))
                receipt = doing.act(found.pk, act, values, acting, request, now)
            except Refused as refused:
                status, reasons = refused.status, form.refuse(mechanism, refused.refusals)
                found.refresh_from_db()
            else:
                said = gettext("Signed; one more signature is needed.") if receipt.signed_only else gettext("Done and recorded.")
                messages.success(request, said)
                response = taken(request, redirect(_back(request, reverse("ledger:case", args=[found.pk]))))
                response["X-Receipt"] = receipt.leaf
                return response
        else:
            status = 422
    if status == 404:
        raise Http404
    context = {
        "case": found,
        "act": one,
        "act_title": titles.act(mechanism, act),
        "mechanism": mechanism,
        "mechanism_title": titles.mechanism(mechanism),
        "form": form,
        "reasons": reasons,
        "acting": acting,
        "acting_name": casepage.who(acting),
        "key": request.POST.get("key") if status != 412 and request.POST.get("key") else str(uuid.uuid4()),
        "stale": status == 412,
    }
    return render(request, "ledger/act.html", context, status=status)


def _back(request: HttpRequest, otherwise: str) -> str:
    """Where to return to: only our own pages."""
    asked = request.POST.get("back", "")
    return asked if asked.startswith("/") and not asked.startswith(("//", "/\\")) else otherwise


@require_POST
@login_required
def record_call(request: HttpRequest, case: uuid.UUID, line: int) -> HttpResponse:
    """Record what came of phoning one number of the call list (叫应)."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    acting = acting_for(found, posts, request, now)
    if not CallLine.objects.filter(pk=line, case=found).exists():
        raise Http404
    try:
        result, note, who = request.POST.get("result", ""), request.POST.get("note", ""), reading.actor_of(acting)
        calling.record(str(found.pk), line, result, who, now=now, note=note, key=doing.key_of(request))
    except Refused as refused:
        for sentence in sentences.all_of(mechanisms.version(found.version_id), refused.refusals):
            messages.error(request, sentence)
    return redirect(_back(request, reverse("ledger:case", args=[found.pk]) + "#calls"))


@require_safe
@login_required
def evidence_file(request: HttpRequest, case: uuid.UUID, digest: str) -> HttpResponseBase:
    """A file of a case that the reader may see; ``?small=1`` the preview of a photo."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    use = next((use for one in posts if (use := reading.file_of(found, digest, one, now)) is not None), None)
    if use is None:
        raise Http404
    from fengsui.ledger import evidence

    return evidence.response(use.evidence, small=request.GET.get("small") == "1")


@require_safe
@login_required
def receipt_page(request: HttpRequest, case: uuid.UUID, seq: int) -> HttpResponse:
    """The signed receipt of one entry: its code, a QR code, and ``?file=1`` the file that verifies without us."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    entry = Entry.objects.filter(case=found, seq=seq).first()
    if entry is None or all(keeps_receipt(found, seq, hidden_in(found, one, now)) for one in posts):
        raise Http404  # the receipt of a public report is the reporter's
    promise = receipts.give(entry.pk, now)
    proof = receipts.prove(promise)
    if request.GET.get("file") == "1":
        response = HttpResponse(receipts.to_file(promise, proof), content_type="application/json")
        response.headers["Content-Disposition"] = f'attachment; filename="receipt-{promise.code}.json"'
        return response
    context = {
        "case": found,
        "entry": entry,
        "promise": promise,
        "proof": proof,
        "qr": SafeString(receipts.qr_svg(promise, request.build_absolute_uri("/").rstrip("/"))),
        "act_title": titles.act(mechanisms.version(found.version_id), entry.act),
    }
    return render(request, "ledger/receipt.html", context)


# -------------------------------------------------------------------- notices


@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """What my offices and I were told; a POST marks all as seen."""
    now = moment.now()
    posts = mine(request, now)
    person = posts[0].person_id
    told = sight.readable(sight.of(office_ids(posts), person), reading.cases(posts))
    if request.method == "POST":
        sight.see(told, person, now)
        return redirect("ledger:notices")
    page = _page(request, LAST_PAGE)
    ids = sight.newest(office_ids(posts), person, (page - 1) * PAGE, page * PAGE + 1)
    lines = casepage.notice_lines(list(sight.marked(told, person).filter(pk__in=ids[:PAGE])))
    context = {"lines": casepage.gathered(lines), "page": page, "has_next": len(ids) > PAGE}
    return render(request, "ledger/notices.html", context)
