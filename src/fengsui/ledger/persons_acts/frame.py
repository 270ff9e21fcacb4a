"""What every such page does alike: the case in scope, the post, the form sent once, a refusal said in words."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from fengsui import moment
from fengsui.ledger import casepage, doing, mechanisms, reading, sentences, titles, views
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.doors.persons_acts import GROUNDS
from fengsui.ledger.doors.shapes import Receipt, Refused
from fengsui.ledger.kernel.shapes import Actor, Mechanism
from fengsui.ledger.models import Case
from fengsui.region.acting import Acting, mine
from fengsui.textboxes import Textarea


class Grounds(forms.Form):
    """Grounds, as every such act states them."""

    grounds = forms.CharField(
        label=_("Grounds"),
        max_length=GROUNDS,
        widget=Textarea(attrs={"rows": 3}),
        help_text=_("Recorded with the act and read by everybody who reads the case"),
        error_messages={"required": _("Say why.")},
    )


@dataclass(slots=True)
class Page:
    """One request about one case."""

    request: HttpRequest
    case: Case
    posts: list[Acting]
    acting: Acting
    mechanism: Mechanism
    now: datetime

    @property
    def held(self) -> Held:
        """The case as the doors see it, unlocked."""
        return read([str(self.case.pk)], lock=False)[str(self.case.pk)]

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return reading.actor_of(self.acting)

    @property
    def sent(self) -> dict[str, Any]:
        """What the doors want of a form besides its values."""
        return {"expects": doing.seq_of(self.request), "key": doing.key_of(self.request), "now": self.now}


def opened(request: HttpRequest, case: uuid.UUID) -> Page:
    """The page for whoever may see the case; 404 for others."""
    now = moment.now()
    posts = mine(request, now)
    found = reading.case_or_404(posts, case)
    acting = views.acting_for(found, posts, request, now)
    return Page(request, found, posts, acting, mechanisms.version(found.version_id), now)


def answer(
    page: Page, form: forms.Form, do: Callable[[], Receipt], title: str, button: str, said: str, **more: Any
) -> HttpResponse:
    """Show the form, or do it and go back to the case; ``more`` goes to the template, ``show`` in the form's place."""
    request, status, reasons = page.request, 200, []
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                receipt = do()
            except Refused as refused:
                status, reasons = refused.status, sentences.all_of(page.mechanism, refused.refusals)
                page.case.refresh_from_db()
            else:
                messages.success(request, said)
                response = redirect("ledger:case", case=page.case.pk)
                response["X-Receipt"] = receipt.leaf
                return response
    context = {
        "case": page.case,
        "form": more.pop("show", form),
        "reasons": reasons,
        "title": title,
        "button": button,
        "mechanism_title": titles.mechanism(page.mechanism),
        "acting": page.acting,
        "acting_name": casepage.who(page.acting),
        "key": request.POST.get("key") if status not in (200, 412) and request.POST.get("key") else str(uuid.uuid4()),
        **more,
    }
    return render(request, more.get("template", "ledger/persons_acts/act.html"), context, status=status)
