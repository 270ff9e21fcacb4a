"""Offices: add, change, rename from a day, merge into another, dissolve."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region import coming, naming, officenames
from fengsui.region.changing import Changing, NotPossible, may_give, midnight, today
from fengsui.region.filters import name_of
from fengsui.region.matters import open_matters
from fengsui.region.models import Change, Coming, Contact, Holding, Office, Place, Post
from fengsui.region.tree import tree
from fengsui.region.widgets import Boxes

from .posts import alive as _alive
from .posts import pass_on
from .shape import ChangeForm, Operation, Outcome, day, duty_choices, function_choices, operation, several, text, with_known

KINDS = {
    "division": _("Division of a department"),
    "bureau": _("Bureau"),
    "government": _("Government"),
    "commission": _("Commission or command"),
    "township": _("Township office"),
    "institute": _("Technical institute"),
    "department": _("Department"),
    "enterprise": _("Enterprise"),
}


def works() -> list[tuple[str, str]]:
    """What an office may do: fields of work first, then functions."""
    return [*duty_choices(), *function_choices()]


class AddForm(ChangeForm):
    """A new office below this one."""

    name_zh = text(_("Name in Chinese"), 120)
    name_en = text(_("Name in English"), 200)
    kind = forms.ChoiceField(label=_("Kind of office"))
    place = forms.ChoiceField(label=_("Place"), help_text=_("The administrative division it works for"))
    duties = several(_("Field of work"), says=_("Matters of this place and field of work come to it by themselves"))
    phone = text(_("Telephone"), 40, required=False)

    def prepare(self) -> None:
        kind: Any = self.fields["kind"]
        kind.choices = [(name, KINDS[name]) for name in kinds_below(self.subject)]
        place: Any = self.fields["place"]
        place.choices = places_within(self.subject.place)
        box: Any = self.fields["duties"]
        box.widget, box.choices = Boxes(), works()


_BELOW = {
    "department": ("division", "bureau", "government", "commission", "township", "institute"),
    "government": ("bureau", "government", "commission", "township", "institute"),
    "commission": ("division",),
    "bureau": ("division", "bureau", "township", "institute"),
    "township": ("division",),
    "division": ("division",),
}
"""What may stand below an office of each kind: a government or a commission sees every field of work of its place."""


def kinds_below(office: Office) -> list[str]:
    """The kinds that may be added below: by the office's kind, and a commission or government by its own work."""
    given = [one for one in ("government", "commission") if one in office.duties and office.kind == Office.Kind.BUREAU]
    return [*_BELOW.get(office.kind, ()), *given]


def _demand_given(changing: Changing, works: Iterable[str]) -> None:
    if not may_give(changing.acting, works):
        text = gettext("Your own office does not have this field of work: an administrator above gives it.")
        raise NotPossible(text, "duties")


def places_within(place: Place) -> list[tuple[str, str]]:
    """A place and the divisions one level below it."""
    below = Place.objects.filter(Q(pk=place.pk) | Q(parent=place)).order_by("path")
    return [(one.pk, ("" if one.pk == place.pk else "　") + name_of(one)) for one in below]


def _add(changing: Changing, above: Office, form: ChangeForm) -> Outcome:
    said = form.given("name_zh", "name_en", "kind", "duties", "phone")
    _demand_given(changing, said["duties"])
    office = Office(place_id=form.cleaned_data["place"], parent=above, pinyin=naming.sorting(said["name_zh"]), **said)
    office.save()
    changing.note("add_office", office, office, after={**said, "place": office.place_id, "parent": above.pk})
    return Outcome(gettext("The office was added. Give it posts and people: until then it counts as vacant."), subject=office)


class EditForm(ChangeForm):
    """Field of work and telephone."""

    duties = several(_("Field of work"), says=_("Matters of this place and field of work come to it by themselves"))
    phone = text(_("Telephone"), 40, required=False)

    def prepare(self) -> None:
        box: Any = self.fields["duties"]
        box.widget, box.choices = Boxes(), with_known(works(), self.subject.duties)
        wanted = self.initial.pop("add", None)  # the page of sites nobody answers for leads here with the missing field
        ticked = [*self.subject.duties, *([wanted] if wanted and wanted not in self.subject.duties else [])]
        self.initial.update({"duties": ticked, "phone": self.subject.phone})


def _edit(changing: Changing, office: Office, form: ChangeForm) -> None:
    _demand_given(changing, set(form.cleaned_data["duties"]) - set(office.duties))
    lost = set(office.duties) - set(form.cleaned_data["duties"])
    changing.edit("edit_office", office, office, form.given("duties", "phone"))
    if lost:
        changing.note("duties_moved", office, office, before={"duties": sorted(lost)})


class RenameForm(ChangeForm):
    """The new names and from when."""

    name_zh = text(_("New name in Chinese"), 120)
    name_en = text(_("New name in English"), 200)
    since = day(_("Called so from"), _("What was recorded before keeps the old name"))

    def prepare(self) -> None:
        self.initial.setdefault("since", self.today)


def _rename(changing: Changing, office: Office, form: ChangeForm) -> Outcome:
    since: date = form.cleaned_data["since"]
    said = form.given("name_zh", "name_en")
    if since < changing.today and office.changes.filter(kind="rename", since__gt=midnight(since)).exists():
        raise NotPossible(gettext("It got another name after that day; choose a later one."), "since")
    if since > changing.today and office.names.filter(since=since).exists():
        raise NotPossible(gettext("It gets another name on that day already: take that back first."), "since")
    before = {"name_zh": office.name_zh, "name_en": office.name_en}
    officenames.give(office, said["name_zh"], said["name_en"], since, changing.today)
    title = (before["name_zh"], before["name_en"])
    line = changing.note("rename", office, office, before=before, after=said, since=since, title=title)
    if since > changing.today:
        coming.keep(line, _key(office), office=office.pk)
        return Outcome(gettext("From %(day)s on the office is called %(name)s.") % {"day": since, "name": name_of_form(said)})
    return Outcome(gettext("The office has its new name; earlier records keep the old one."))


def _renamed(changing: Changing, one: Coming) -> None:
    officenames.take_effect(changing.today, [one.change.office_id])


def _not_renamed(changing: Changing, one: Coming) -> None:
    officenames.withhold(one.change.office_id, today(one.due))
    officenames.take_effect(changing.today, [one.change.office_id])  # its day may have come, if the rest failed


def _key(office: Office) -> str:
    return f"office:{office.pk}"


def name_of_form(said: dict[str, Any]) -> str:
    """The reader's language of the two names typed."""
    from fengsui.region.filters import here

    return here({"zh": said["name_zh"], "en": said["name_en"]})


class MergeForm(ChangeForm):
    """Into which office, from which day, and whether posts and people go along."""

    into = forms.ChoiceField(label=_("Into"), help_text=_("It takes over the field of work and every open matter"))
    since = day(_("From"))
    along = forms.BooleanField(
        label=_("Posts, people and call list go along"),
        required=False,
        initial=True,
        help_text=_("Not ticked: the terms end; who goes where is entered at the other office"),
    )

    def prepare(self) -> None:
        self.initial.setdefault("since", self.today)
        into: Any = self.fields["into"]
        into.choices = [("", gettext("Choose…")), *((str(one.pk), name_of(one)) for one in _others(self))]


def _others(form: ChangeForm) -> list[Office]:
    """Offices in the administrator's subtree that last and are not below this one."""
    top = Office.objects.get(pk=form.acting.office_id)
    found = Office.objects.filter(path__startswith=top.path).exclude(path__startswith=form.subject.path)
    living = found.filter(dissolved_on__isnull=True).exclude(kind=Office.Kind.ENTERPRISE)
    near = living.filter(Q(parent=form.subject.parent_id) | Q(place=form.subject.place_id) | Q(pk=form.subject.parent_id))
    return list(near.order_by("path")[:300])


def _merge(changing: Changing, office: Office, form: ChangeForm) -> Outcome:
    into = Office.objects.select_for_update().get(pk=int(form.cleaned_data["into"]))
    since: date = form.cleaned_data["since"]
    _demand_ahead(changing, office, since)
    if into.dissolved_on is not None or into.path.startswith(office.path):  # since the form was judged, behind the lock
        raise NotPossible(gettext("This office is merged or dissolved itself by now: choose another."), "into")
    if not may_give(changing.acting, _missing(office, into)):
        text = gettext("Your own office does not have this field of work: an administrator above gives it.")
        raise NotPossible(text, "into")
    office.successor, office.dissolved_on = into, since
    office.save(update_fields=["successor", "dissolved_on"])
    after = {"successor": into.pk, "dissolved_on": since, "along": form.cleaned_data["along"]}
    line = changing.note("merge", office, office, after=after, since=since)
    names = {"old": name_of(office), "new": name_of(into), "day": since}
    if since > changing.today:
        coming.keep(line, _key(office), office=office.pk)
        said = gettext("%(old)s is part of %(new)s from %(day)s on: everything goes there on that day, and stays until then.")
        return Outcome(said % names)
    _join(changing, office, into, form.cleaned_data["along"], changing.now, line)
    return Outcome(gettext("%(old)s is part of %(new)s from %(day)s on; open matters go there.") % names)


def _missing(office: Office, into: Office) -> set[str]:
    """What the office that takes over does not do yet; of another place, it is not given that."""
    return set(office.duties) - set(into.duties) if office.place_id == into.place_id else set()


def _join(changing: Changing, office: Office, into: Office, along: bool, begins: datetime, by: Change) -> None:
    """Put everything of a merged office where it belongs from its day on, as that change ordered.

    The authority of whoever ordered it is asked anew: what either office does may have changed since. A field of work beyond
    it is given up on record, and an administrator above gives it.
    """
    for child in Office.objects.filter(parent=office).exclude(dissolved_on__lte=changing.today):
        _place_under(changing, child, into)
    _end_terms(changing, office, into if along else None, begins, by)
    if along:
        _call_list(office, into)
    missing = _missing(office, into)
    given = {work for work in missing if may_give(changing.acting, [work])}
    changing.edit("edit_office", into, into, {"duties": [*into.duties, *sorted(given)]})
    if missing > given:
        changing.note("duties_moved", office, office, before={"duties": sorted(missing - given)})


def _place_under(changing: Changing, child: Office, parent: Office) -> None:
    before = child.parent_id
    child.parent = parent
    child.save()
    changing.note("move_office", child, child, before={"parent": before}, after={"parent": parent.pk})


def _merged(changing: Changing, one: Coming) -> None:
    """The day of a merger has come. Who was to take over may have been merged itself: then its heir does."""
    office = Office.objects.select_for_update().get(pk=one.change.office_id)
    _join(changing, office, _heir(changing, office), bool(one.change.after.get("along")), one.due, one.change)


def _heir(changing: Changing, office: Office) -> Office:
    living = tree().living(office.successor_id, changing.today) or tree().living(office.parent_id, changing.today)
    if living is None:
        raise NotPossible(gettext("Neither the office that was to take over nor the one above exists any more."))
    return Office.objects.select_for_update().get(pk=living.id)


def _lives_on(changing: Changing, one: Coming) -> None:
    """A merger or dissolution is taken back before its day."""
    _demand_above(changing, one.change.office_id)
    office = Office.objects.select_for_update().get(pk=one.change.office_id)
    office.successor = office.dissolved_on = None
    office.save(update_fields=["successor", "dissolved_on"])


def _demand_ahead(changing: Changing, office: Office, since: date) -> None:
    if since < changing.today:
        raise NotPossible(
            gettext("What was decided until today was decided by this office: choose today or a later day."), "since"
        )
    _demand_above(changing, office.pk)


def _demand_above(changing: Changing, office: int) -> None:
    if changing.acting.office_id == office:
        raise NotPossible(gettext("An administrator of the office above does this: you act for this office yourself."))


def _end_terms(changing: Changing, office: Office, into: Office | None, begins: datetime, by: Change) -> None:
    """End the terms with the office; with ``into``, begin the same ones in like posts there, and what was to come of them."""
    running = Holding.objects.filter(post__office=office).filter(Q(until__isnull=True) | Q(until__gt=begins))
    twins: dict[int, Post] = {}
    for holding in running.select_related("post"):
        twin = None
        if into is not None:
            post = holding.post
            if post.pk not in twins:
                twins[post.pk] = Post.objects.create(
                    office=into, title_zh=post.title_zh, title_en=post.title_en, duties=post.duties, charges=post.charges
                )
            twin = Holding.objects.create(
                post=twins[post.pk], person_id=holding.person_id, since=max(begins, holding.since), until=holding.until
            )
        pass_on(changing, holding, twin, by)
        if holding.since >= begins:
            holding.delete()
            continue
        holding.until = begins
        holding.save(update_fields=["until"])


def _call_list(office: Office, into: Office) -> None:
    known = set(into.contacts.values_list("phone", flat=True))
    last = max(into.contacts.values_list("order", flat=True), default=0)
    for line in office.contacts.exclude(phone__in=known).order_by("order"):
        last += 1
        Contact.objects.create(
            office=into,
            person_id=line.person_id,
            name=line.name,
            title_zh=line.title_zh,
            title_en=line.title_en,
            phone=line.phone,
            order=last,
        )


class DissolveForm(ChangeForm):
    """From which day."""

    since = day(_("Dissolved from"), _("Matters in hand go to whoever answers for them then, in the end to the office above"))

    def prepare(self) -> None:
        self.initial.setdefault("since", self.today)


def _dissolve(changing: Changing, office: Office, form: ChangeForm) -> Outcome:
    since: date = form.cleaned_data["since"]
    _demand_ahead(changing, office, since)
    if Office.objects.filter(parent=office).exclude(dissolved_on__lte=changing.today).exists():
        raise NotPossible(gettext("Offices stand below this one: merge it into another, so that they have one above them."))
    if office.sites.filter(closed_on__isnull=True).exists():
        raise NotPossible(gettext("This is the office of a site: close the site first."))
    line = changing.edit("dissolve", office, office, {"dissolved_on": since}, since=since)
    assert line is not None, "it was not dissolved before"
    if since > changing.today:
        coming.keep(line, _key(office), office=office.pk)
        return Outcome(gettext("The office is dissolved from %(day)s on; until then it works on.") % {"day": since})
    _end_terms(changing, office, None, changing.now, line)
    return Outcome(gettext("The office is dissolved from %(day)s on.") % {"day": since})


def _dissolved(changing: Changing, one: Coming) -> None:
    """The day has come. What was placed below it since goes to the office above."""
    office = Office.objects.select_for_update().get(pk=one.change.office_id)
    for child in Office.objects.filter(parent=office).exclude(dissolved_on__lte=changing.today):
        _place_under(changing, child, _heir(changing, office))
    _end_terms(changing, office, None, one.due, one.change)


def _matters(office: Office, actings: Any) -> Any:
    return open_matters("office", office.pk, actings)


def _governs(office: Office, now: datetime) -> bool:
    """An office with a territory: below a plant none may stand that would supervise its county."""
    return office.dissolved_on is None and office.kind not in (Office.Kind.ENTERPRISE, Office.Kind.INSTITUTE)


def _whole(office: Office, now: datetime) -> bool:
    """Neither the region's top office nor an enterprise's own is merged or dissolved here, nor one whose day is set."""
    return office.dissolved_on is None and office.parent_id is not None and office.kind != Office.Kind.ENTERPRISE


operation(
    Operation("edit_office", "office", _("Change field of work or telephone"), EditForm, _edit, lambda one: one.pk, fits=_alive)
)
operation(Operation("rename", "office", _("Rename"), RenameForm, _rename, lambda one: one.pk, icon="pencil", fits=_alive))
operation(
    Operation("add_office", "office", _("Add an office below"), AddForm, _add, lambda one: one.pk, icon="plus", fits=_governs)
)
operation(
    Operation(
        "merge",
        "office",
        _("Merge into another office"),
        MergeForm,
        _merge,
        lambda one: one.pk,
        icon="layers-intersect",
        fits=_whole,
        matters=_matters,
    )
)
operation(
    Operation(
        "dissolve",
        "office",
        _("Dissolve"),
        DissolveForm,
        _dissolve,
        lambda one: one.pk,
        icon="ban",
        fits=_whole,
        matters=_matters,
    )
)
coming.on_the_day("rename", _renamed, _not_renamed)
coming.on_the_day("merge", _merged, _lives_on)
coming.on_the_day("dissolve", _dissolved, _lives_on)
