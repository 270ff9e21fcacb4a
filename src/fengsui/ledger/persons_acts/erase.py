"""The law office's page: what must go by law, and where it stands."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.ledger import doors, erasure, titles
from fengsui.ledger.doors.correcting import steering
from fengsui.ledger.erasure import Erasure
from fengsui.ledger.models import EvidenceUse, Reporter
from fengsui.ledger.persons_acts.frame import Grounds, Page, answer, opened
from fengsui.ledger.widgets import Boxes


class Erase(Grounds):
    """What goes, and by which clause."""

    clause = forms.CharField(
        label=_("Clause of the law"), max_length=200, help_text=_("For example: 个人信息保护法第四十七条"),
        error_messages={"required": _("Name the clause that demands it.")},
    )  # fmt: skip
    sure = forms.BooleanField(
        label=_("I know that nobody can bring it back"), error_messages={"required": _("Confirm that it is final.")}
    )

    def __init__(self, data: Any, page: Page) -> None:
        super().__init__(data)
        closed = steering(page.mechanism, page.now) if not page.case.ended else frozenset()
        named = [(name, titles.field(page.mechanism.fields[name])) for name in page.case.fields
                 if name in page.mechanism.fields and name not in closed]  # fmt: skip
        named.append((TITLE, gettext("Title")))
        if Reporter.objects.filter(case=page.case).exists():
            named.append((REPORTER, gettext("Who reported, and the letters")))
        uses = EvidenceUse.objects.filter(case=page.case).select_related("evidence").order_by("id")
        files = list({use.evidence_id: (use.evidence_id, use.evidence.name or use.evidence_id[:8]) for use in uses}.values())
        self.fields["what"] = _boxes(gettext("What must go"), named)
        self.fields["files"] = _boxes(gettext("Files"), files)
        self.order_fields(["what", "files", "grounds", "clause", "sure"])
        if not files:
            del self.fields["files"]

    def erasure(self) -> Erasure:
        """As the door wants it."""
        what = set(self.cleaned_data["what"])
        fields = tuple(sorted(what - {TITLE, REPORTER}))
        return Erasure(fields, TITLE in what, tuple(self.cleaned_data.get("files", ())), REPORTER in what)


TITLE, REPORTER = "case.title", "case.reporter"


def _boxes(label: str, choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=Boxes)


@login_required
def page(request: HttpRequest, case: uuid.UUID) -> HttpResponse:
    """For the law office only; nobody else learns that the page exists."""
    found = opened(request, case)
    for one in found.posts:
        found.acting = one
        if erasure.may_erase(found.held, found.actor, found.now) and one.may_do(found.case.mechanism, erasure.ACT, own=True):
            break
    else:
        raise Http404
    form = Erase(request.POST if request.method == "POST" else None, found)

    def do() -> doors.Receipt:
        grounds, clause = form.cleaned_data["grounds"], form.cleaned_data["clause"]
        return erasure.erase(str(found.case.pk), form.erasure(), grounds=grounds, clause=clause, actor=found.actor, **found.sent)

    return answer(
        found, form, do, gettext("Erase by law"), gettext("Erase for ever"), gettext("Erased, and recorded that it was."),
        warning=gettext(
            "The content leaves entries, title, search, files and related cases. That it was erased, by whom and why, stays."
        ),
    )  # fmt: skip
