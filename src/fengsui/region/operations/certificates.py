"""Certificates of people: enter, correct, withdraw."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region.acting import Acting
from fengsui.region.changing import Changing
from fengsui.region.filters import here
from fengsui.region.models import Certificate, Person
from fengsui.region.widgets import Boxes

from .people import _may, register_of
from .posts import GroundsOnly
from .shape import ChangeForm, Operation, Outcome, day, duty_choices, operation, several, text, with_known

KINDS = {kind.value: words for kind, words in Certificate.NAMES.items()}


def _others(acting: Acting, person: Person) -> bool:
    """Nobody enters a certificate for themselves: two certified officers sign what it stands for."""
    return person.pk not in (acting.person_id, acting.principal_id) and _may(acting, person)


class CertificateForm(ChangeForm):
    """Kind, number, fields, from and to."""

    kind = forms.ChoiceField(label=_("Kind"))
    number = text(_("Number of the certificate"), 40)
    fields_of = several(_("Good for"), says=_("None ticked: for every field of work"))
    issued = day(_("Issued on"))
    expires = day(_("Valid to"), _("Its last day"))

    def prepare(self) -> None:
        present = self.subject if isinstance(self.subject, Certificate) else None
        kind: Any = self.fields["kind"]
        kind.choices = [(name, here(words)) for name, words in KINDS.items()]
        box: Any = self.fields["fields_of"]
        box.widget, box.choices = Boxes(), with_known(duty_choices(), present.fields if present else [])
        if present:
            self.initial.update(
                {
                    "kind": present.kind,
                    "number": present.number,
                    "fields_of": present.fields,
                    "issued": present.issued,
                    "expires": present.expires,
                }
            )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("issued") and found.get("expires") and found["expires"] < found["issued"]:
            raise forms.ValidationError({"expires": _("The last day lies before the day of issue.")})
        return found

    def values(self) -> dict[str, Any]:
        """The columns."""
        return {**self.given("kind", "number", "issued", "expires"), "fields": self.cleaned_data["fields_of"]}


def _add(changing: Changing, person: Person, form: Any) -> Outcome:
    made = Certificate.objects.create(person=person, **form.values())
    changing.note("add_certificate", register_of(person), person, after=form.values(), since=made.issued)
    return Outcome(gettext("The certificate was entered."), subject=made)


def _edit(changing: Changing, certificate: Certificate, form: Any) -> None:
    changing.edit("edit_certificate", register_of(certificate.person), certificate, form.values())


def _withdraw(changing: Changing, certificate: Certificate, form: ChangeForm) -> Outcome:
    from datetime import timedelta

    last = changing.today - timedelta(days=1)
    changing.edit(
        "withdraw_certificate", register_of(certificate.person), certificate, {"expires": min(certificate.expires, last)}
    )
    return Outcome(gettext("The certificate no longer holds."))


operation(
    Operation(
        "add_certificate", "person", _("Enter a certificate"), CertificateForm, _add, register_of, icon="certificate", own=_others
    )
)
operation(
    Operation(
        "edit_certificate",
        "certificate",
        _("Correct the certificate"),
        CertificateForm,
        _edit,
        lambda one: register_of(one.person),
        own=lambda acting, one: _others(acting, one.person),
    )
)
operation(
    Operation(
        "withdraw_certificate",
        "certificate",
        _("Withdraw the certificate"),
        GroundsOnly,
        _withdraw,
        lambda one: register_of(one.person),
        icon="x",
        fits=lambda one, now: one.expires >= now.date(),
        own=lambda acting, one: _others(acting, one.person),
    )
)
