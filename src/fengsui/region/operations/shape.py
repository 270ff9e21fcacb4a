"""The shape of an operation: on what, which form, who may, what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region.acting import Acting
from fengsui.region.changing import Changing, may_administer, today
from fengsui.region.filters import here
from fengsui.region.matters import Found
from fengsui.region.roles import duties, functions
from fengsui.textboxes import Textarea

_DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class ChangeForm(forms.Form):
    """The base of an operation's form: every one asks for the grounds, last."""

    grounds = forms.CharField(
        label=_("Grounds"),
        max_length=1000,
        help_text=_("Why, and on what paper: for example “appointed by document No. 12 of 2026”"),
        widget=Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say why, and on what paper.")},
    )

    def __init__(self, *args: Any, subject: Any, acting: Acting, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subject, self.acting, self.now = subject, acting, now
        self.prepare()
        self.order_fields([*(name for name in self.fields if name != "grounds"), "grounds"])
        for name, box in self.fields.items():
            if name != "grounds":
                box.error_messages["required"] = gettext("Fill in “%(field)s”.") % {"field": box.label}
            if isinstance(box, forms.ChoiceField):
                box.error_messages["invalid_choice"] = _unknown(box)

    def prepare(self) -> None:
        """Fill in choices and what stands there now; for the forms that need it."""

    @property
    def today(self) -> date:
        return today(self.now)

    def given(self, *names: str) -> dict[str, Any]:
        """The cleaned values of these fields."""
        return {name: self.cleaned_data[name] for name in names}


def _unknown(box: forms.ChoiceField) -> str:
    """What is said of a value that is none of the choices: it, the field, and the values that programs may send."""
    choices: Any = box.choices
    known = [str(name) for name, words in choices if name and not isinstance(words, list | tuple)]
    field = str(box.label).replace("%", "%%")
    if not known or len(known) > _NAMED:
        return gettext("“%(value)s” is no choice for “%(field)s”: choose one from its list.") % {
            "value": "%(value)s",
            "field": field,
        }
    said = gettext("“%(value)s” is no choice for “%(field)s”. Known are: %(known)s.")
    return said % {"value": "%(value)s", "field": field, "known": ", ".join(known).replace("%", "%%")}


_NAMED = 40
"""So many choices at most are named in an error: all fields of work, never all places."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the page shows next: the subject's own page, or, once, a secret."""

    said: str = ""
    secret: Mapping[str, str] = field(default_factory=dict)  # user name and one-time password: shown once, never kept
    subject: Any = None  # what was made


Run = Callable[[Changing, Any, ChangeForm], Outcome | None]
Office = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing an administrator may do to a subject.

    ``office`` gives the office whose register the subject is in; ``may`` says who besides its administrators;
    ``matters`` which open matters to list above the form; ``fits`` whether the subject is in a state for it.
    """

    name: str
    on: str
    title: Any  # lazy
    form: type[ChangeForm]
    run: Run
    office: Office
    says: Any = ""  # lazy: what follows from it
    icon: str = "edit"
    fits: Callable[[Any, datetime], bool] = lambda subject, now: True
    matters: Callable[[Any, Sequence[Acting]], Found] = lambda subject, actings: Found()
    own: Callable[[Acting, Any], bool] | None = None  # who may instead of the administrators

    def may(self, acting: Acting, subject: Any) -> bool:
        """Whether this acting may do it."""
        if self.own is not None:
            return self.own(acting, subject)
        return may_administer(acting, self.office(subject))


_operations: dict[tuple[str, str], Operation] = {}


def operation(one: Operation) -> Operation:
    """Keep the operation under its subject and name."""
    if (one.on, one.name) in _operations:
        raise ValueError(f"the operation {one.on} {one.name} is there twice")
    _operations[one.on, one.name] = one
    return one


def find(on: str, name: str) -> Operation | None:
    """The operation of this name on such a subject."""
    return _operations.get((on, name))


def known(on: str = "") -> list[Operation]:
    """All operations, or those on one kind of subject, in the order of their files."""
    return [one for (subject, _name), one in _operations.items() if not on or subject == on]


# ------------------------------------------------------------------ form fields


def day(label: Any, says: Any = "", *, required: bool = True) -> forms.DateField:
    """A day, as browsers ask for it."""
    return forms.DateField(
        label=label,
        help_text=says,
        required=required,
        widget=_DAY,
        error_messages={"invalid": _("Write the day as 2026-09-30.")},
    )


def text(label: Any, most: int, says: Any = "", *, required: bool = True) -> forms.CharField:
    """One line."""
    return forms.CharField(
        label=label,
        max_length=most,
        help_text=says,
        required=required,
        error_messages={"max_length": _("This is too long: at most %(limit_value)d characters.")},
    )


def number(label: Any, says: Any = "", *, required: bool = True, least: float | None = None) -> forms.FloatField:
    """A number with a decimal point."""
    return forms.FloatField(
        label=label,
        help_text=says,
        required=required,
        min_value=least,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": _("Enter a number, for example 2.5")},
    )


class Several(forms.MultipleChoiceField):
    """Several of a list, each once however often it was sent."""

    def clean(self, value: Any) -> list[str]:
        return list(dict.fromkeys(super().clean(value)))


def several(label: Any, choices: Sequence[tuple[str, str]] = (), says: Any = "", *, required: bool = False) -> Any:
    """Several of a list, as boxes to tick."""
    return Several(label=label, choices=choices, help_text=says, required=required, widget=forms.CheckboxSelectMultiple)


def duty_choices() -> list[tuple[str, str]]:
    """Fields of work in the reader's language."""
    return [(name, here(words)) for name, words in duties().items()]


def function_choices() -> list[tuple[str, str]]:
    """Functions in the reader's language."""
    return [(name, here(words)) for name, words in functions().items()]


def with_known(choices: Sequence[tuple[str, str]], present: Sequence[str]) -> list[tuple[str, str]]:
    """The choices, and whatever stands there now besides: an edit must not drop what the list does not know."""
    listed = {name for name, _word in choices}
    return [*choices, *((name, name) for name in present if name not in listed)]
