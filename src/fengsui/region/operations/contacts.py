"""Call lists 叫应名单: one line each, tried in order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region.changing import Changing
from fengsui.region.models import Contact, Office

from .posts import GroundsOnly, alive
from .shape import ChangeForm, Operation, Outcome, operation, text

_FAR = 10_000
"""Lines are counted from here while they change places, since two may never stand in one."""


class ContactForm(ChangeForm):
    """Who, which number, at which place of the list."""

    name = text(_("Name"), 80)
    title_zh = text(_("Title in Chinese"), 80, required=False)
    title_en = text(_("Title in English"), 120, required=False)
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=40,
        validators=[RegexValidator(r"^\+?[0-9][0-9 \-]{4,}$", _("Write the number as 0472-555 0101 or +86 138 0000 0000."))],
    )
    order = forms.IntegerField(label=_("Place in the list"), min_value=1, max_value=99, help_text=_("1 is called first"))

    def prepare(self) -> None:
        if isinstance(self.subject, Contact):
            self.initial.update(
                {name: getattr(self.subject, name) for name in ("name", "title_zh", "title_en", "phone", "order")}
            )
        else:
            self.initial.setdefault("order", self.subject.contacts.count() + 1)


def _add(changing: Changing, office: Office, form: ChangeForm) -> Outcome:
    values = form.given("name", "title_zh", "title_en", "phone")
    made = Contact.objects.create(office=office, order=_FAR, **values)
    _settle(office, made, form.cleaned_data["order"])
    changing.note("add_contact", office, made, after=form.given("name", "phone", "order"))
    return Outcome(gettext("The line was added to the call list."), subject=made)


def _edit(changing: Changing, line: Contact, form: ChangeForm) -> None:
    order = line.order
    changing.edit("edit_contact", line.office_id, line, form.given("name", "title_zh", "title_en", "phone"))
    if form.cleaned_data["order"] != order:
        _settle(line.office, line, form.cleaned_data["order"])
        changing.note("edit_contact", line.office_id, line, before={"order": order}, after={"order": form.cleaned_data["order"]})


def _remove(changing: Changing, line: Contact, form: ChangeForm) -> Outcome:
    office = line.office
    changing.note("remove_contact", office, line, before={"name": line.name, "phone": line.phone, "order": line.order})
    line.delete()
    _settle(office)
    return Outcome(gettext("The line was taken off the call list."), subject=office)


def _settle(office: Office, moved: Contact | None = None, order: int = 0) -> None:
    """Number the list from 1, with ``moved`` at its new place."""
    lines: list[Any] = [one for one in office.contacts.order_by("order", "id") if moved is None or one.pk != moved.pk]
    if moved is not None:
        lines.insert(min(max(order - 1, 0), len(lines)), moved)
    for start in (_FAR + 1, 1):
        for place, one in enumerate(lines, start):
            one.order = place
            one.save(update_fields=["order"])


operation(
    Operation("add_contact", "office", _("Add to the call list"), ContactForm, _add, lambda one: one.pk, icon="phone", fits=alive)
)
operation(Operation("edit_contact", "contact", _("Change the line"), ContactForm, _edit, lambda one: one.office_id))
operation(
    Operation("remove_contact", "contact", _("Take the line away"), GroundsOnly, _remove, lambda one: one.office_id, icon="trash")
)
