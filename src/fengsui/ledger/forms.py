"""Forms of acts, made from the fields that a mechanism declares.

In: a mechanism, one of its acts, who acts, when. Out: a Django form whose ``values()`` are the kernel's JSON
values (money in fen, dates as ISO strings, files as digests). The kernel checks again; the form only asks well.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.ledger import mechanisms, names, sentences, titles
from fengsui.ledger.kernel.shapes import Act, Field, Mechanism, Refusal
from fengsui.ledger.kernel.values import bounds
from fengsui.ledger.widgets import Choices, Figures, Photos, Pick, Position
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole
from fengsui.textboxes import Textarea

FEW = 6
"""As many choices are shown as buttons; more become a list."""


class Files(forms.FileField):
    """Several files; ``clean`` gives the list."""

    widget = Photos

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        found = [one for one in (data or []) if one]
        if self.required and not found:
            raise forms.ValidationError(_("Add at least one photo or file."))
        return [super(Files, self).clean(one, initial) for one in found]


class Ids(forms.CharField):
    """One id or several, chosen by a picker; a whole name typed without scripts is looked up by ``kind``."""

    def __init__(self, *, many: bool = False, number: bool = True, kind: str = "", **kwargs: Any) -> None:
        self.many, self.number, self.kind = many, number, kind
        super().__init__(**kwargs)
        self._lets_type()

    def _lets_type(self) -> None:
        if isinstance(self.widget, Pick):
            self.widget.typed = bool(self.kind)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        ids = self._typed(text[1:]) if text.startswith("=") else [one for one in text.split(",") if one]
        if self.number and any(whole(one) is None for one in ids):
            raise forms.ValidationError(_("Choose one from the list."))
        if len(ids) > 1 and not self.many:
            raise forms.ValidationError(_("Choose one only."))
        found = [int(one) if self.number else one for one in dict.fromkeys(ids)]
        return found if self.many else (found[0] if found else None)

    def _typed(self, text: str) -> list[str]:
        """The ids of whole names; each must be known and the only one."""
        ids = []
        for name in filter(None, (one.strip() for one in re.split("[,，、;；\n]", text))):
            known = names.called(self.kind, name) if self.kind else []
            if len(known) != 1:
                said = _("“%(name)s”: choose it from the list.") if not known else _("“%(name)s” is not the only one: choose it.")
                raise forms.ValidationError(said % {"name": name})
            ids.append(str(known[0]))
        return ids

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class FiguresField(forms.Field):
    """Numbers by name, as the kernel's mapping."""

    def __init__(self, *, of: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(widget=Figures(of), **kwargs)
        self.of = of

    def clean(self, value: Any) -> dict[str, int | float]:
        given = value if isinstance(value, dict) else dict(self._lines(str(value or "")))
        found = {name: self._number(name, text) for name, text in given.items() if str(text).strip()}
        if self.required and not found:
            raise forms.ValidationError(self.error_messages["required"])
        return found

    def _lines(self, text: str) -> Iterator[tuple[str, str]]:
        for line in filter(None, (one.strip() for one in text.splitlines())):
            name, sign, number = line.replace("＝", "=").replace("：", "=").replace(":", "=").partition("=")
            if not sign or not name.strip():
                raise forms.ValidationError(_("“%(line)s”: write name = number.") % {"line": line})
            yield name.strip(), number.strip()

    def _number(self, name: str, text: str) -> int | float:
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise forms.ValidationError(_("“%(name)s”: enter a number.") % {"name": dict(self.of).get(name, name)}) from error
        if not value.is_finite() or abs(value) >= 10**15:
            raise forms.ValidationError(_("“%(name)s”: enter a number.") % {"name": dict(self.of).get(name, name)})
        return int(value) if value == value.to_integral_value() else float(value)


class Week(forms.CharField):
    """A week of the year as ISO 8601 writes it, 2026-W48."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "week", "pattern": "\\d{4}-W\\d{2}"}), max_length=8, **kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value).upper()
        try:
            if text:
                dt.date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
        except ValueError as error:
            raise forms.ValidationError(_("Give a week such as 2026-W48.")) from error
        if text and text[4:6] != "-W":
            raise forms.ValidationError(_("Give a week such as 2026-W48."))
        return text


class Point(forms.Field):
    """A position {lon, lat} in degrees (CGCS2000)."""

    widget = Position

    def clean(self, value: Any) -> dict[str, float] | None:
        lon, lat = value or ("", "")
        if not lon or not lat:
            if self.required:
                raise forms.ValidationError(_("Give the position: press the button, or choose a site."))
            return None
        try:
            found = {"lon": round(float(lon), 6), "lat": round(float(lat), 6)}
        except ValueError as error:
            raise forms.ValidationError(_("Longitude and latitude are numbers.")) from error
        if not (-180 <= found["lon"] <= 180 and -90 <= found["lat"] <= 90):
            raise forms.ValidationError(_("This position does not exist."))
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a form: ``name`` in the form, the field, whether it must be answered, the child it is for."""

    name: str
    field: Field
    required: bool
    child: str = ""


def asked(mechanism: Mechanism, act: Act) -> list[Asked]:
    """Everything that an act asks for: its own fields, then those of the children that it opens."""
    found = [Asked(name, mechanism.fields[name], True) for name in act.sets if name in mechanism.fields]
    found += [Asked(name, mechanism.fields[name], False) for name in act.may_set if name in mechanism.fields]
    for kind in act.opens:
        found += _child_asks(mechanism, kind)
    return found


def _child_asks(mechanism: Mechanism, kind: str) -> list[Asked]:
    """What a child's opening by this parent needs and the parent does not give by itself."""
    try:
        child = mechanisms.current(kind)
    except LookupError:
        return []
    word = f"parent.{mechanism.name}"
    opening = next((one for one in child.opening.values() if word in one.by), None)
    declared = mechanism.children.get(kind)
    if opening is None or declared is None:
        return []
    given = set(declared.gives) | {name for each in declared.each.values() for name in each}
    return [Asked(f"{kind}-{name}", child.fields[name], True, kind) for name in opening.sets if name not in given]


class ActForm(forms.Form):
    """The base of a generated form; ``questions`` says what each field is."""

    questions: list[Asked] = []

    def values(self, store: Callable[[Any], str]) -> dict[str, Any]:
        """The kernel's values. ``store`` keeps an uploaded file and gives its digest."""
        values: dict[str, Any] = {}
        for one in self.questions:
            value = plain(one.field.kind, self.cleaned_data.get(one.name), store)
            if value in (None, "", []):
                continue
            if one.child:
                values.setdefault(one.child, {})[one.field.name] = value
            else:
                values[one.field.name] = value
        return values

    def refuse(self, mechanism: Mechanism, refusals: Iterable[Refusal]) -> list[str]:
        """Put every refusal that names one of these fields beside it; the sentences of the others, each once."""
        files = [one.name for one in self.questions if one.field.kind == "files"]
        rest: dict[str, None] = {}
        for one in refusals:
            sentence = sentences.of(mechanism, one)
            name = files[0] if one.about == "file" and len(files) == 1 else one.about
            if name not in self.fields:
                rest[sentence] = None
            elif sentence not in self.errors.get(name, []):
                self.add_error(name, sentence)
        return list(rest)


def plain(kind: str, value: Any, store: Callable[[Any], str]) -> Any:
    """A cleaned value as the JSON value that the kernel keeps."""
    if value is None:
        return None
    if kind == "files":
        return [store(one) for one in value]
    if kind == "point":
        return [value["lon"], value["lat"]]
    if kind == "money":
        return int((Decimal(value) * 100).to_integral_value())
    if kind == "number":
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if kind == "list":
        return [line.strip() for line in str(value).splitlines() if line.strip()]
    return value


def initial_of(field: Field, value: Any) -> Any:
    """A kept value as its control shows it: the way back of ``plain``."""
    if value in (None, "", []):
        return None
    if field.kind == "money":
        return Decimal(value) / 100
    if field.kind == "point":
        return {"lon": value[0], "lat": value[1]}
    if field.kind == "time":
        return dt.datetime.fromisoformat(value).astimezone(LEGAL_ZONE)
    if field.kind == "list":
        return "\n".join(str(one) for one in value)
    return value


def form_for(mechanism: Mechanism, act: Act, now: dt.datetime, case: object = "") -> type[ActForm]:
    """The form class of one act, on the case of this id; its pickers ask for what that act may name there."""
    questions = asked(mechanism, act)
    fields = {one.name: control(one, now) for one in questions}
    for one in questions:
        picker = fields[one.name].widget
        if isinstance(picker, Pick) and one.field.acts_as and not one.child:
            wanted = {"mechanism": mechanism.name, "act": act.name, "field": one.field.name, "case": str(case)}
            picker.address = f"{picker.address}?{urlencode(wanted)}"
    return type("GeneratedActForm", (ActForm,), {**fields, "questions": questions})


def control(one: Asked, now: dt.datetime) -> forms.Field:
    """The form field of one declared field."""
    common: dict[str, Any] = {
        "label": titles.field(one.field),
        "required": one.required,
        "help_text": titles.here(one.field.says) or HINTS.get(one.field.kind, ""),
    }
    made = KINDS.get(one.field.kind, _text)(one.field, common, now)
    made.error_messages["required"] = gettext("Fill in “%(field)s”.") % {"field": common["label"]}
    return made


HINTS = {
    "money": _("In yuan, for example 186000"),
    "list": _("One per line"),
    "week": _("A week of the year, for example 2026-W48"),
    "people": _("Several persons, one after another"),
    "offices": _("Several offices, one after another"),
}
FREE = _("One per line: name = number")
"""The hint of figures whose names no mechanism declares."""


def _text(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    return forms.CharField(max_length=4000, strip=True, widget=Textarea(attrs={"rows": 3}), **common)


def _money(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    box = forms.DecimalField(min_value=0, max_digits=15, decimal_places=2, widget=widget, **common)
    box.error_messages["invalid"] = gettext("Enter a number, for example 186000")
    return box


def _number(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    return forms.DecimalField(max_digits=18, decimal_places=6, widget=forms.TextInput(attrs={"inputmode": "decimal"}), **common)


def _date(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    today = now.astimezone(LEGAL_ZONE).date().isoformat()
    attrs = {"type": "date", "data-today": today, **_least_and_most(field, now)}
    return forms.DateField(widget=forms.DateInput(format="%Y-%m-%d", attrs=attrs), **common)


def _least_and_most(field: Field, now: dt.datetime) -> dict[str, str]:
    """The bounds that the browser can keep to; those that depend on the case's own fields the kernel alone knows."""
    declared = replace(field, at_most=None, after="now" if field.at_most else field.after)
    within = bounds(declared, {}, None, now)
    pattern = "%Y-%m-%d" if field.kind == "date" else "%Y-%m-%dT%H:%M"
    last = within.latest - dt.timedelta(microseconds=1) if within.latest and field.kind == "date" else within.latest
    found = {"min": within.after, "max": last}
    return {name: moment.astimezone(LEGAL_ZONE).strftime(pattern) for name, moment in found.items() if moment is not None}


def _time(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    attrs = {"type": "datetime-local", **_least_and_most(field, now)}
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs=attrs)
    return forms.DateTimeField(widget=widget, **common)


def _choice(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    choices = choices_of(field, now)
    if not choices:  # the law's table is to be supplied: the code is typed until then
        return forms.CharField(max_length=80, **common)
    widget = Choices if len(choices) <= FEW else forms.Select
    empty = [] if len(choices) <= FEW else [("", gettext("Choose…"))]
    return forms.ChoiceField(choices=[*empty, *choices], widget=widget, **common)


def choices_of(field: Field, now: dt.datetime) -> list[tuple[str, str]]:
    """The choices of a field as (code, word) on the legal day of ``now``; empty where the law's table is to be supplied."""
    if isinstance(field.of, str) and field.of:
        from fengsui.law import numbers

        try:
            found = numbers.choices(field.of.removeprefix("law."), now.astimezone(LEGAL_ZONE).date())
        except numbers.UnknownNumber:
            return []
        return [(one.code, titles.here(one.title) or one.code) for one in found]
    return [(one, titles.here(field.labels.get(one)) or titles.spaced(one)) for one in field.of]


def _picker(kind: str, many: bool, number: bool, named: Any) -> Callable[[Field, Mapping[str, Any], dt.datetime], forms.Field]:
    def made(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
        return Ids(many=many, number=number, kind=kind, widget=Pick(reverse("ledger:pick", args=[kind]), named, many), **common)

    return made


def _said(found: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): titles.here(words) if isinstance(words, Mapping) else str(words) for key, words in found.items()}


def _numbers(ids: list[str]) -> list[int]:
    return [number for one in ids if (number := whole(one)) is not None]


def _offices(ids: list[str]) -> dict[str, str]:
    return _said(names.offices(_numbers(ids)))


def _persons(ids: list[str]) -> dict[str, str]:
    return _said(names.persons(_numbers(ids)))


def _sites(ids: list[str]) -> dict[str, str]:
    return _said(names.sites(ids))


def _places(ids: list[str]) -> dict[str, str]:
    return _said(names.places(ids))


named_offices = _offices
"""Office ids → names, for a picker elsewhere."""


def _figures(field: Field, common: Mapping[str, Any], now: dt.datetime) -> forms.Field:
    named = choices_of(field, now) if field.of else []
    return FiguresField(of=named, **{**common, "help_text": common["help_text"] or ("" if named else FREE)})


KINDS: dict[str, Callable[[Field, Mapping[str, Any], dt.datetime], forms.Field]] = {
    "money": _money,
    "number": _number,
    "date": _date,
    "time": _time,
    "choice": _choice,
    "files": lambda field, common, now: Files(**common),
    "point": lambda field, common, now: Point(**common),
    "office": _picker("office", False, True, _offices),
    "offices": _picker("office", True, True, _offices),
    "person": _picker("person", False, True, _persons),
    "people": _picker("person", True, True, _persons),
    "site": _picker("site", False, True, _sites),
    "place": _picker("place", False, False, _places),
    "case": _picker("case", False, False, None),
    "reading": _figures,
    "figures": _figures,
    "week": lambda field, common, now: Week(**common),
    "year": lambda field, common, now: forms.IntegerField(min_value=2000, max_value=2100, **common),
}


class SubjectForm(forms.Form):
    """What a new case is about: a title, and the site or the place."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("One sentence: where, what"),
        error_messages={"required": _("Give the matter a title.")},
    )

    def __init__(self, *args: Any, kind: str, titled: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if not titled:  # the mechanism makes the title of its fields
            del self.fields["title"]
        if kind in ("site", "point"):
            self.fields["site"] = Ids(
                label=_("Site"),
                kind="site",
                widget=Pick(reverse("ledger:pick", args=["site"]), _sites),
                error_messages={"required": _("Choose the site from the list.")},
            )
        else:
            self.fields["place"] = Ids(
                label=_("Place"),
                number=False,
                kind="place",
                required=False,
                widget=Pick(reverse("ledger:pick", args=["place"]), _places),
                help_text=_("Left empty: the place of your own office"),
            )
