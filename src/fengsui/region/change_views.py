"""The pages where the region's registers are changed: one form for each operation, a person, a site's register, the record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.numerals import whole

from . import changerecord, pending, subjects
from .acting import Acting, mine, scope
from .changing import Changing, NotPossible, change, today
from .filters import name_of
from .matters import open_matters
from .models import Certificate, Change, Coming, Delegation, Holding, Person, Post, Site
from .operations import ChangeForm, Outcome
from .operations.people import offices_of
from .views import duty_words

PAGE = 50
FOUND = 12


def run(ready: subjects.Ready, form: ChangeForm, now: datetime) -> Outcome | None:
    """Carry out what a valid form asks; ``None`` where it does not fit, and the form then says why."""
    operation, subject = ready.operation, ready.subject

    def work(changing: Changing) -> Outcome | None:
        # Read anew at every try: what an undone one has set in memory is not in the database.
        row = subjects.of(operation.on, subject.pk, lock=True)
        if row is None or not operation.fits(row, now):
            raise NotPossible(operation_over(operation))
        return operation.run(changing, row, form)

    try:
        done = change(ready.acting, now, form.cleaned_data["grounds"], work)
    except NotPossible as wrong:
        form.add_error(wrong.field if wrong.field in form.fields else None, str(wrong))
        return None
    return done or Outcome()


@login_required
def change_page(request: HttpRequest, kind: str, number: int, name: str) -> HttpResponse:
    """The form of one operation; a POST does it, and returns to the row's page."""
    now = moment.now()
    posts = mine(request, now)
    ready = subjects.ready(kind, number, name, posts, now)
    operation, subject = ready.operation, ready.subject
    given = {key: value for key, value in request.GET.items() if key != "post"}
    form = operation.form(request.POST or None, subject=subject, acting=ready.acting, now=now, initial=given)
    status = 200
    if not operation.fits(subject, now):
        messages.info(request, operation_over(operation))
        return redirect(subjects.url(subject))
    if request.method == "POST":
        done = run(ready, form, now) if form.is_valid() else None
        if done is not None and done.secret:
            response = render(
                request, "region/secret.html", {"secret": done.secret, "person": subject, "back": subjects.url(subject)}
            )
            response["Cache-Control"] = "no-store"
            return response
        if done is not None:
            messages.success(request, done.said or str(operation_done()))
            return redirect(subjects.url(done.subject or subject))
        status = 422
    context = {
        "operation": operation,
        "subject": subject,
        "title": subject_title(subject),
        "form": form,
        "matters": operation.matters(subject, posts),
        "back": subjects.url(subject),
    }
    return render(request, "region/change.html", context, status=status)


def operation_done() -> Any:
    """What is said where the operation has nothing special to say."""
    from django.utils.translation import gettext

    return gettext("Changed and recorded.")


def operation_over(operation: Any) -> str:
    """What is said where the row has moved on."""
    from django.utils.translation import gettext

    return gettext("“%(what)s” is no longer possible here.") % {"what": operation.title}


def subject_title(subject: Any) -> str:
    """What the row is called, in the reader's language."""
    if named := subjects.title(subject):
        return named
    if isinstance(subject, Coming):
        return next(f"{one.what} · {one.subject} · {today(subject.due)}" for one in changerecord.lines([subject.change]))
    if isinstance(subject, Holding):
        return f"{subject.person.name} · {title_of(subject.post)}"
    if isinstance(subject, Delegation):
        return f"{subject.deputy.name} · {title_of(subject.post)}"
    if isinstance(subject, Post):
        return f"{title_of(subject.office)} · {title_of(subject)}"
    return title_of(subject)


def title_of(thing: Any) -> str:
    """``name`` or ``title`` in the reader's language."""
    if hasattr(thing, "name_zh"):
        return name_of(thing)
    if hasattr(thing, "title_zh") and not hasattr(thing, "phone"):
        from .filters import here

        return here({"zh": thing.title_zh, "en": thing.title_en or thing.title_zh})
    return str(getattr(thing, "name", "") or getattr(thing, "number", "") or thing)


# --------------------------------------------------------------------- people


def _person_or_404(posts: list[Acting], number: int, now: datetime) -> Person:
    person = subjects.of("person", number)
    if person is None or not any(subjects.sees(posts, office) for office in offices_of(person, now)):
        raise Http404
    found: Person = person
    return found


@require_safe
@login_required
def person_page(request: HttpRequest, number: int) -> HttpResponse:
    """A person: posts with terms, certificates, deputies, account, and what they have in hand."""
    now = moment.now()
    posts = mine(request, now)
    person = _person_or_404(posts, number, now)
    terms = [
        {
            "holding": one,
            "running": one.since <= now and (one.until is None or one.until > now),
            "duties": duty_words(one.post.duties),
            "ready": subjects.possible(one, posts, now),
        }
        for one in Holding.objects.filter(person=person).select_related("post__office", "person").order_by("-since")
    ]
    certificates = Certificate.objects.unscoped("the person was found in the reader's scope").filter(person=person)
    lent = Delegation.objects.filter(Q(principal=person) | Q(deputy=person), until__gt=now)
    ready = subjects.possible(person, posts, now)
    context = {
        "person": person,
        "terms": terms,
        "certificates": [
            {
                "one": one,
                "fields": duty_words(one.fields),
                "over": one.expires < now.date(),
                "ready": subjects.possible(one, posts, now),
            }
            for one in certificates.select_related("person").order_by("-expires")
        ],
        "delegations": [
            {"one": one, "acts": changerecord.acts_words(one.acts), "ready": subjects.possible(one, posts, now)}
            for one in lent.select_related("principal", "deputy", "post__office")
        ],
        "ready": ready,
        "administered": bool(ready),
        "matters": open_matters("person", person.pk, posts),
    }
    return render(request, "region/person.html", context)


@require_safe
@login_required
def people_found(request: HttpRequest) -> JsonResponse:
    """Suggestions of people in the reader's scope, at most twelve."""
    now = moment.now()
    words = request.GET.get("q", "").strip()[:60]
    scopes = [scope(one) for one in mine(request, now)]
    found = Person.objects.scoped(*scopes)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(pinyin__startswith=words.lower()))
    people = list(found.order_by("pinyin", "pk")[:FOUND])
    where: dict[int, str] = {}
    for held in Holding.running(now).filter(person__in=people).select_related("post__office"):
        where.setdefault(held.person_id, f"{title_of(held.post.office)} · {title_of(held.post)}")
    return JsonResponse({"found": [{"id": one.pk, "name": one.name, "more": where.get(one.pk, "")} for one in people]})


# ---------------------------------------------------------------------- sites


@require_safe
@login_required
def register(request: HttpRequest, code: str) -> HttpResponse:
    """A site's register: who supervises it, hazard units and what they hold, points with design limits."""
    now = moment.now()
    posts = mine(request, now)
    scopes = [scope(one) for one in posts]
    site = Site.objects.scoped(*scopes).select_related("place", "office").filter(code=code).first()
    if site is None:
        raise Http404
    units = site.units.prefetch_related("substances").select_related("site__office")
    points = site.points.select_related("unit", "site__office")
    given = site.supervisions.filter(Q(until__isnull=True) | Q(until__gt=now.date())).select_related("office", "site__office")
    context = {
        "site": site,
        "duties": duty_words(site.duties),
        "ready": subjects.possible(site, posts, now),
        "supervised": changerecord.supervised(site, now),
        "coming": pending.shown(pending.of_site(site, posts), posts, now),
        "given": [{"one": one, "duty": duty_words([one.duty])[0], "ready": subjects.possible(one, posts, now)} for one in given],
        "units": [
            {
                "unit": unit,
                "ready": subjects.possible(unit, posts, now),
                "held": [{"one": one, "ready": subjects.possible(one, posts, now)} for one in unit.substances.all()],
            }
            for unit in units
        ],
        "points": [{"point": point, "ready": subjects.possible(point, posts, now)} for point in points],
    }
    return render(request, "region/register.html", context)


# -------------------------------------------------------------------- record


@require_safe
@login_required
def record(request: HttpRequest) -> HttpResponse:
    """What was changed in the reader's offices, newest first; for administrators and auditors."""
    now = moment.now()
    posts = changerecord.readers(mine(request, now))
    scopes = [changerecord.own_subtree(one) for one in posts]
    found = Change.objects.scoped(*scopes).select_related("office")
    if (office := whole(request.GET.get("office"))) is not None:
        found = found.filter(office__path__contains=f"/{office}/")
    kind = request.GET.get("kind", "")
    if kind in changerecord.kinds():
        found = found.filter(kind=kind)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "count": page.paginator.count,
        "lines": changerecord.lines(page.object_list),
        "kinds": changerecord.kinds().items(),
        "kind": kind,
        "office": office,
    }
    return render(request, "region/record.html", context)
