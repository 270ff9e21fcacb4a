"""A site's hazard units with what they hold, and its measuring points."""

from __future__ import annotations

import itertools
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region import grading
from fengsui.region.acting import Acting
from fengsui.region.changing import Changing, NotPossible, may_administer
from fengsui.region.filters import here, name_of
from fengsui.region.models import HazardUnit, Point, Site, Substance

from .posts import GroundsOnly
from .shape import ChangeForm, Operation, Outcome, number, operation, text, with_known

UNIT_KINDS = {"production": {"zh": "生产单元", "en": "Production unit"}, "storage": {"zh": "储存单元", "en": "Storage unit"}}
QUANTITIES = {
    "pressure": {"zh": "压力", "en": "Pressure"},
    "temperature": {"zh": "温度", "en": "Temperature"},
    "level": {"zh": "液位", "en": "Level"},
    "flow": {"zh": "流量", "en": "Flow"},
    "combustible_gas": {"zh": "可燃气体", "en": "Combustible gas"},
    "toxic_gas": {"zh": "有毒气体", "en": "Toxic gas"},
    "oxygen": {"zh": "氧气", "en": "Oxygen"},
    "methane": {"zh": "甲烷", "en": "Methane"},
    "carbon_monoxide": {"zh": "一氧化碳", "en": "Carbon monoxide"},
    "air_speed": {"zh": "风速", "en": "Air speed"},
    "displacement": {"zh": "位移", "en": "Displacement"},
    "seepage": {"zh": "浸润线", "en": "Seepage line"},
    "state": {"zh": "状态", "en": "State"},
}
LIMITS = ("low_low", "low", "high", "high_high")


def above(acting: Acting, site: Site) -> bool:
    """Administrators above the enterprise: what loosens its limits or lowers its grade is not its own to change."""
    return site.office.parent_id is not None and may_administer(acting, site.office.parent_id)


class UnitForm(ChangeForm):
    """Code, names, kind, people around."""

    code = text(_("Code"), 32)
    name_zh = text(_("Name in Chinese"), 120)
    name_en = text(_("Name in English"), 200)
    kind = forms.ChoiceField(label=_("Kind"))
    exposed = forms.IntegerField(
        label=_("People exposed"), min_value=0, max_value=10_000_000, help_text=_("Who live or work within 500 m of the boundary")
    )

    columns = ("code", "name_zh", "name_en", "kind", "exposed")

    def prepare(self) -> None:
        kind: Any = self.fields["kind"]
        kind.choices = [(name, here(words)) for name, words in UNIT_KINDS.items()]
        if isinstance(self.subject, HazardUnit):
            self.initial.update({name: getattr(self.subject, name) for name in self.columns})

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        unit = self.subject if isinstance(self.subject, HazardUnit) else None
        rows = HazardUnit.objects.unscoped("the site in hand").filter(site=unit.site_id if unit else self.subject.pk, code=code)
        if rows.exclude(pk=unit.pk if unit else None).exists():
            raise forms.ValidationError(_("This site has such a code already; choose another."))
        return code


def _add_unit(changing: Changing, site: Site, form: ChangeForm) -> Outcome:
    unit = HazardUnit.objects.create(site=site, **form.given(*UnitForm.columns))
    _grade(changing, unit)
    changing.note("add_unit", site.office_id, unit, after=form.given(*UnitForm.columns))
    return Outcome(gettext("The unit was added. Enter what it holds: then it is graded."), subject=unit)


def _edit_unit(changing: Changing, unit: HazardUnit, form: ChangeForm) -> Outcome:
    changing.edit("edit_unit", unit.site.office_id, unit, form.given(*UnitForm.columns))
    _grade(changing, unit)
    return Outcome(_graded(unit))


def _close_unit(changing: Changing, unit: HazardUnit, form: ChangeForm) -> Outcome:
    if unit.points.filter(closed_on__isnull=True).exists():
        raise NotPossible(gettext("Points measure in this unit: take them away or move them to another unit first."))
    changing.edit("close_unit", unit.site.office_id, unit, {"closed_on": changing.today})
    return Outcome(gettext("The unit is out of use."))


def _grade(changing: Changing, unit: HazardUnit) -> None:
    """Reckon the grade anew; a changed one is on record."""
    before = unit.grade
    try:
        grading.grade(unit, changing.today)
    except ValueError as wrong:
        raise NotPossible(str(wrong)) from wrong
    if unit.grade != before:
        changing.note("grade", unit.site.office_id, unit, before={"grade": before}, after={"grade": unit.grade, "r": unit.r})


def _graded(unit: HazardUnit) -> str:
    if unit.grade is None:
        return gettext("S = %(s).2f: no major hazard installation.") % {"s": unit.s or 0.0}
    return gettext("S = %(s).2f, R = %(r).1f: major hazard installation of grade %(grade)s.") % {
        "s": unit.s or 0.0,
        "r": unit.r or 0.0,
        "grade": unit.grade,
    }


class SubstanceForm(ChangeForm):
    """What, how much at most, under which number or class of the standard."""

    name_zh = text(_("Name in Chinese"), 80)
    name_en = text(_("Name in English"), 80)
    named = forms.ChoiceField(label=_("In table 1 of GB 18218"), required=False)
    symbol = forms.ChoiceField(label=_("Class"), required=False, help_text=_("For what table 1 does not name"))
    tonnes = number(_("Tonnes at most, by design"), least=0.0)

    def prepare(self) -> None:
        standard = grading.standard()
        named: Any = self.fields["named"]
        named.choices = [("", gettext("not named there")), *standard.named(self.today)]
        symbol: Any = self.fields["symbol"]
        present = self.subject if isinstance(self.subject, Substance) else None
        classes = present.classes if present else []
        symbol.choices = [("", "—"), *with_known(standard.classes(self.today), classes)]
        if present:
            self.initial.update({name: getattr(present, name) for name in ("name_zh", "name_en", "named", "tonnes")})
            self.initial["symbol"] = classes[0] if classes else ""

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if not found.get("named") and not found.get("symbol"):
            raise forms.ValidationError({"named": _("Choose its number in table 1, or its class.")})
        return found

    def values(self) -> dict[str, Any]:
        """The columns; further classes that were entered elsewhere stay."""
        symbol = self.cleaned_data["symbol"]
        present = self.subject.classes if isinstance(self.subject, Substance) else []
        rest = [one for one in present[1:] if one != symbol]
        return {**self.given("name_zh", "name_en", "named", "tonnes"), "classes": [symbol, *rest] if symbol else []}


def _add_substance(changing: Changing, unit: HazardUnit, form: Any) -> Outcome:
    made = Substance.objects.create(unit=unit, **form.values())
    changing.note("add_substance", unit.site.office_id, made, after=form.values())
    _grade(changing, unit)
    return Outcome(_graded(unit), subject=unit)


def _edit_substance(changing: Changing, one: Substance, form: Any) -> Outcome:
    changing.edit("edit_substance", one.unit.site.office_id, one, form.values())
    _grade(changing, one.unit)
    return Outcome(_graded(one.unit))


def _remove_substance(changing: Changing, one: Substance, form: ChangeForm) -> Outcome:
    unit = one.unit
    changing.note("remove_substance", unit.site.office_id, one, before={"name_zh": one.name_zh, "tonnes": one.tonnes})
    one.delete()
    _grade(changing, unit)
    return Outcome(_graded(unit), subject=unit)


class PointForm(ChangeForm):
    """Tag, names, what it measures, its range and its design limits."""

    tag = text(_("Tag"), 40, _("As the devices send it"))
    name_zh = text(_("Name in Chinese"), 120)
    name_en = text(_("Name in English"), 200)
    quantity = forms.ChoiceField(label=_("Measures"))
    measure = text(_("Unit of measure"), 16, _("MPa, ℃, %LEL, ppm …"))
    unit = forms.ChoiceField(label=_("Hazard unit"), required=False)
    range_low = number(_("Measuring range from"), required=False)
    range_high = number(_("Measuring range to"), required=False)
    low_low = number(_("Design limit LL"), required=False)
    low = number(_("Design limit L"), required=False)
    high = number(_("Design limit H"), required=False)
    high_high = number(
        _("Design limit HH"), _("Alarm rules may be stricter than the design limits, never looser"), required=False
    )

    columns = ("tag", "name_zh", "name_en", "quantity", "measure", "range_low", "range_high", *LIMITS)

    def prepare(self) -> None:
        point = self.subject if isinstance(self.subject, Point) else None
        site = point.site_id if point else self.subject.pk
        quantity: Any = self.fields["quantity"]
        quantity.choices = [(name, here(words)) for name, words in QUANTITIES.items()]
        units = HazardUnit.objects.unscoped("the site in hand").filter(site=site, closed_on__isnull=True)
        unit: Any = self.fields["unit"]
        unit.choices = [("", "—"), *((str(one.pk), name_of(one)) for one in units)]
        if point:
            self.initial.update({name: getattr(point, name) for name in self.columns})
            self.initial["unit"] = str(point.unit_id or "")

    def clean_tag(self) -> str:
        tag, point = str(self.cleaned_data["tag"]), self.subject if isinstance(self.subject, Point) else None
        rows = Point.objects.unscoped("the site in hand").filter(site=point.site_id if point else self.subject.pk, tag=tag)
        if rows.exclude(pk=point.pk if point else None).exists():
            raise forms.ValidationError(_("This site has such a tag already; choose another."))
        return tag

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        bottom, top = found.get("range_low"), found.get("range_high")
        if bottom is not None and top is not None and bottom >= top:
            raise forms.ValidationError({"range_high": _("The range must end above where it begins.")})
        given = [(name, found[name]) for name in LIMITS if found.get(name) is not None]
        for (_name, lower), (name, upper) in itertools.pairwise(given):
            if lower >= upper:
                raise forms.ValidationError({name: _("The limits must rise: LL below L below H below HH.")})
        for name, value in given:
            if (bottom is not None and value < bottom) or (top is not None and value > top):
                raise forms.ValidationError({name: _("This lies outside the measuring range.")})
        return found

    def values(self) -> dict[str, Any]:
        """The columns."""
        return {**self.given(*self.columns), "unit_id": int(self.cleaned_data["unit"]) if self.cleaned_data["unit"] else None}


def _add_point(changing: Changing, site: Site, form: Any) -> Outcome:
    made = Point.objects.create(site=site, **form.values())
    changing.note("add_point", site.office_id, made, after=form.values())
    return Outcome(gettext("The point was added; it is watched within its design limits."), subject=made)


def _edit_point(changing: Changing, point: Point, form: Any) -> None:
    changing.edit("edit_point", point.site.office_id, point, form.values())


def _close_point(changing: Changing, point: Point, form: ChangeForm) -> Outcome:
    changing.edit("close_point", point.site.office_id, point, {"closed_on": changing.today})
    return Outcome(gettext("The point is taken away: the engine no longer watches it, its history stays."))


def _in_use(one: Site | HazardUnit | Point, now: Any) -> bool:
    return one.closed_on is None


operation(
    Operation(
        "add_unit", "site", _("Add a hazard unit"), UnitForm, _add_unit, lambda one: one.office_id, icon="plus", fits=_in_use
    )
)
operation(
    Operation(
        "edit_unit",
        "hazardunit",
        _("Change the unit"),
        UnitForm,
        _edit_unit,
        lambda one: one.site.office_id,
        fits=_in_use,
        own=lambda acting, one: above(acting, one.site),
    )
)
operation(
    Operation(
        "add_substance",
        "hazardunit",
        _("Enter what it holds"),
        SubstanceForm,
        _add_substance,
        lambda one: one.site.office_id,
        icon="plus",
        fits=_in_use,
    )
)
operation(
    Operation(
        "close_unit",
        "hazardunit",
        _("Take the unit out of use"),
        GroundsOnly,
        _close_unit,
        lambda one: one.site.office_id,
        icon="ban",
        fits=_in_use,
        own=lambda acting, one: above(acting, one.site),
    )
)
operation(
    Operation(
        "edit_substance",
        "substance",
        _("Change the substance"),
        SubstanceForm,
        _edit_substance,
        lambda one: one.unit.site.office_id,
        own=lambda acting, one: above(acting, one.unit.site),
    )
)
operation(
    Operation(
        "remove_substance",
        "substance",
        _("Take the substance away"),
        GroundsOnly,
        _remove_substance,
        lambda one: one.unit.site.office_id,
        icon="trash",
        own=lambda acting, one: above(acting, one.unit.site),
    )
)
operation(
    Operation(
        "add_point",
        "site",
        _("Add a measuring point"),
        PointForm,
        _add_point,
        lambda one: one.office_id,
        icon="plus",
        fits=_in_use,
    )
)
operation(
    Operation(
        "edit_point",
        "point",
        _("Change the point"),
        PointForm,
        _edit_point,
        lambda one: one.site.office_id,
        fits=_in_use,
        own=lambda acting, one: above(acting, one.site),
    )
)
operation(
    Operation(
        "close_point",
        "point",
        _("Take the point away"),
        GroundsOnly,
        _close_point,
        lambda one: one.site.office_id,
        icon="ban",
        fits=_in_use,
        own=lambda acting, one: above(acting, one.site),
    )
)
