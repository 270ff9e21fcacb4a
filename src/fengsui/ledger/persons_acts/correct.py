"""The page that corrects what an entry gave."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext

from fengsui.ledger import doing, doors, timelines, titles
from fengsui.ledger import forms as fields
from fengsui.ledger.doors import correcting
from fengsui.ledger.doors.correcting import TITLE
from fengsui.ledger.doors.naming import takes_words
from fengsui.ledger.models import Entry, Evidence
from fengsui.ledger.persons_acts.frame import Grounds, Page, answer, opened
from fengsui.ledger.reading.sealed import hidden_in
from fengsui.ledger.widgets import Boxes

VALUE = "value"


@login_required
def page(request: HttpRequest, case: uuid.UUID, seq: int) -> HttpResponse:
    """Choose a field of the entry, give the right value and the grounds; a POST writes the correction."""
    found = opened(request, case)
    entry = Entry.objects.filter(case=found.case, seq=seq).first()
    names = choices(found, entry) if entry is not None else []
    if entry is None or not names:
        raise Http404
    asked = request.POST.get("field") or request.GET.get("field") or ""
    name = asked if asked in dict(names) else names[0][0]
    old = correcting.said_now(found.held, seq, name)
    form = _form(found, name, old)

    def do() -> doors.Receipt:
        value = _value(found, form, name, old)
        one = doors.Correction(seq, name, value, form.cleaned_data["grounds"])
        return doors.correct(str(found.case.pk), one, found.actor, **found.sent)

    return answer(
        found, form, do, gettext("Correct entry %(n)s") % {"n": seq}, gettext("Record the correction"),
        gettext("Corrected and recorded."), given=names, name=name, old=_said(found, name, old, entry), seq=seq,
        entry_title=titles.act(found.mechanism, entry.act), entry=entry, template="ledger/persons_acts/correct.html",
    )  # fmt: skip


def choices(page: Page, entry: Entry | None) -> list[tuple[str, str]]:
    """The fields of the entry that may be corrected, with their labels; the opening also gave the title."""
    if entry is None or entry.body is None or correcting.past_own(entry.act, entry.content()):
        return []
    hidden = hidden_in(page.case, page.acting, page.now)
    names = correcting.correctable(page.mechanism, entry.content(), hidden, page.now)
    found = [(name, titles.field(page.mechanism.fields[name])) for name in names]
    return found + ([(TITLE, gettext("Title"))] if entry.seq == 1 and takes_words(page.mechanism) else [])


def _form(page: Page, name: str, old: Any) -> forms.Form:
    """The field's own control, filled with what stands there, and the grounds."""
    controls: dict[str, Any] = {}
    if name == TITLE:
        controls[VALUE] = forms.CharField(label=gettext("Right title"), max_length=300, initial=old)
    else:
        asked = fields.Asked(VALUE, page.mechanism.fields[name], False)
        controls[VALUE] = fields.control(asked, page.now)
        controls[VALUE].initial = fields.initial_of(asked.field, old)
        if asked.field.kind == "files" and old:
            kept = list(Evidence.objects.filter(pk__in=old).values_list("digest", "name"))
            controls["keep"] = forms.MultipleChoiceField(
                label=gettext("Files that stay"), choices=kept, initial=old, required=False,
                widget=Boxes,
            )  # fmt: skip
            controls[VALUE].label = gettext("Files to add")
    kind = type("CorrectionForm", (Grounds,), controls)
    sent = page.request.method == "POST"
    form: forms.Form = kind(page.request.POST if sent else None, page.request.FILES if sent else None)
    form.order_fields([name for name in ("keep", VALUE, "grounds") if name in form.fields])
    return form


def _value(page: Page, form: forms.Form, name: str, old: Any) -> Any:
    given = form.cleaned_data.get(VALUE)
    if name == TITLE:
        return given
    value = fields.plain(page.mechanism.fields[name].kind, given, lambda file: doing.store(file, page.acting, page.now))
    if page.mechanism.fields[name].kind == "files":
        return [*form.cleaned_data.get("keep", []), *(value or [])]
    return None if value in ("", []) else value


def _said(page: Page, name: str, old: Any, entry: Entry) -> str:
    if name == TITLE:
        return str(old or "")
    field = page.mechanism.fields[name]
    if field.kind == "files":
        found = dict(Evidence.objects.filter(pk__in=old or []).values_list("digest", "name"))
        return titles.listed(found.get(one, one[:8]) for one in old or [])
    return timelines.said(field, old, entry.at.date()) if old not in (None, "", []) else "—"
