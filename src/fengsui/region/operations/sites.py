"""Sites: add, change, close and open again, give their supervision to another office."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region import coming, naming
from fengsui.region.changing import Changing, NotPossible, midnight, plain, today
from fengsui.region.filters import INDUSTRIES, here, name_of
from fengsui.region.matters import anything_open, open_matters
from fengsui.region.models import Coming, Office, Place, Site, Supervision
from fengsui.region.roles import duties
from fengsui.region.supervision import supervisor_id
from fengsui.region.widgets import Boxes

from .offices import _alive, places_within
from .posts import GroundsOnly
from .shape import ChangeForm, Operation, Outcome, day, duty_choices, number, operation, several, text, with_known
from .units import above


class SiteForm(ChangeForm):
    """An enterprise's names, place, industry, fields of work and position."""

    name_zh = text(_("Name in Chinese"), 120)
    name_en = text(_("Name in English"), 200)
    industry = forms.ChoiceField(label=_("Industry"))
    duties = several(_("Supervised for"), says=_("The office of the place with this field of work supervises it"), required=True)
    lon = number(_("Longitude"), _("Degrees east, CGCS2000"))
    lat = number(_("Latitude"), _("Degrees north, CGCS2000"))

    columns = ("name_zh", "name_en", "industry", "duties", "lon", "lat")

    def prepare(self) -> None:
        present = self.subject if isinstance(self.subject, Site) else None
        industry: Any = self.fields["industry"]
        industry.choices = with_known(
            [(name, here(words)) for name, words in INDUSTRIES.items()], [present.industry] if present else []
        )
        box: Any = self.fields["duties"]
        box.widget, box.choices = Boxes(), with_known(duty_choices(), present.duties if present else [])
        if present:
            self.initial.update({name: getattr(present, name) for name in self.columns})

    def clean_lon(self) -> float:
        return _within(float(self.cleaned_data["lon"]), 73.0, 136.0)

    def clean_lat(self) -> float:
        return _within(float(self.cleaned_data["lat"]), 18.0, 54.0)


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise forms.ValidationError(
            gettext("This lies outside China: between %(low)g and %(high)g degrees.") % {"low": low, "high": high}
        )
    return value


class AddForm(SiteForm):
    """Besides: the code of its device topics, and its county."""

    code = forms.CharField(
        label=_("Code"),
        max_length=24,
        help_text=_("The word in its devices' topics; it never changes"),
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9\-]*$", _("Use letters, figures and hyphens."))],
    )
    place = forms.ChoiceField(label=_("Place"))

    def prepare(self) -> None:
        super().prepare()
        place: Any = self.fields["place"]
        place.choices = places_within(self.subject.place)
        self.order_fields(["code", "name_zh", "name_en", "place", *self.fields])

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if Site.objects.unscoped("a code is taken or not, whoever asks").filter(code__iexact=code).exists():
            raise forms.ValidationError(_("This code is taken; choose another."))
        return code


def _add(changing: Changing, above: Office, form: ChangeForm) -> Outcome:
    said = form.given(*SiteForm.columns)
    place = Place.objects.get(pk=form.cleaned_data["place"])
    names = {"name_zh": said["name_zh"], "name_en": said["name_en"], "pinyin": naming.sorting(said["name_zh"])}
    office = Office(kind=Office.Kind.ENTERPRISE, place=place, parent=above, duties=[], **names)
    office.save()
    site = Site.objects.create(code=form.cleaned_data["code"], place=place, office=office, **said | names)
    changing.note("add_office", office, office, after={"name_zh": office.name_zh, "parent": above.pk})
    changing.note("add_site", office, site, after={**said, "code": site.code, "place": place.pk})
    return Outcome(gettext("The site was added. Enter its posts and people, its hazard units and points."), subject=site)


def _edit(changing: Changing, site: Site, form: ChangeForm) -> None:
    line = changing.edit("edit_site", site.office_id, site, form.given(*SiteForm.columns))
    if line and "name_zh" in line.after:
        Site.objects.unscoped("the site in hand").filter(pk=site.pk).update(pinyin=naming.sorting(site.name_zh))
    if line and "duties" in line.after:
        changing.note(
            "supervision", site.office_id, site, before={"duties": line.before["duties"]}, after={"duties": site.duties}
        )


class CloseForm(ChangeForm):
    """Closed from which day."""

    since = day(_("Closed from"), _("Its points are no longer watched, its tokens no longer taken; records stay"))

    def prepare(self) -> None:
        self.initial.setdefault("since", self.today)

    def clean_since(self) -> date:
        since: date = self.cleaned_data["since"]
        if since != self.today:
            raise forms.ValidationError(_("A site is closed on the day itself: choose today."))
        return since


def _close(changing: Changing, site: Site, form: ChangeForm) -> Outcome:
    found = open_matters("site", site.pk, [changing.acting])
    if found.count:
        raise NotPossible(gettext("%(n)s matters are open at this site: bring them to their end first.") % {"n": found.count})
    if anything_open("site", site.pk):
        raise NotPossible(gettext("There are open matters at this site: it is closed once they have ended."))
    changing.edit("close_site", site.office_id, site, {"closed_on": form.cleaned_data["since"]})
    return Outcome(gettext("The site is closed."))


def _reopen(changing: Changing, site: Site, form: ChangeForm) -> Outcome:
    changing.edit("reopen_site", site.office_id, site, {"closed_on": None})
    return Outcome(gettext("The site is supervised again. Its points that were taken away stay away until they are added."))


class SuperviseForm(ChangeForm):
    """Which office supervises it for which field of work, from when."""

    duty = forms.ChoiceField(label=_("Field of work"))
    office = forms.ChoiceField(label=_("Supervising office"))
    since = day(_("From"))

    def prepare(self) -> None:
        words = duties()
        duty: Any = self.fields["duty"]
        duty.choices = [(name, here(words[name]) if name in words else name) for name in self.subject.duties]
        office: Any = self.fields["office"]
        office.choices = [("", gettext("Choose…")), *((str(one.pk), name_of(one)) for one in _supervisors(self))]
        self.initial.setdefault("since", self.today)

    def clean_since(self) -> date:
        since: date = self.cleaned_data["since"]
        if since < self.today:
            raise forms.ValidationError(_("What was decided until today stands: choose today or a later day."))
        return since


def _supervisors(form: ChangeForm) -> list[Office]:
    """Living offices with a field of work of the site, at its place or at one above: those that see it anyway."""
    path = form.subject.place.path.strip("/").split("/")
    found = Office.objects.filter(place__in=path, duties__overlap=form.subject.duties).exclude(kind=Office.Kind.ENTERPRISE)
    return list(found.exclude(dissolved_on__lte=form.today).order_by("place", "path")[:200])


def _supervise(changing: Changing, site: Site, form: ChangeForm) -> Outcome:
    duty, since = form.cleaned_data["duty"], form.cleaned_data["since"]
    office = Office.objects.get(pk=int(form.cleaned_data["office"]))
    if duty not in office.duties:
        raise NotPossible(gettext("This office does not have that field of work: give it to the office first."), "office")
    before = {"duty": duty, "office": supervisor_id(site.pk, duty, "county", changing.now)}
    stood = _end_running(site, duty, since)
    Supervision.objects.create(site=site, duty=duty, office=office, since=since)
    after = {"duty": duty, "office": office.pk}
    line = changing.note("supervision", site.office_id, site, before=before, after=after, since=since)
    coming.overtake(_key(site, duty), line, midnight(since) if since > changing.today else None)
    if since > changing.today:
        coming.keep(line, _key(site, duty), site=site.pk, duty=duty, stood=stood)
        said = gettext("%(office)s supervises the site for this from %(day)s on; open matters follow on that day.")
        return Outcome(said % {"office": name_of(office), "day": since})
    return Outcome(
        gettext("%(office)s supervises the site for this from %(day)s on; open matters follow.")
        % {"office": name_of(office), "day": since}
    )


def _key(site: Site, duty: str) -> str:
    return f"supervision:{site.pk}:{duty}"


def _end_running(site: Site, duty: str, since: date) -> list[list[Any]]:
    """Let nothing given before count from ``since`` on: what runs ends then, what would begin later does not.

    Gives the rows that it touched as they stood, as [id, office, since, until].
    """
    given = Supervision.objects.filter(site=site, duty=duty).filter(Q(until__isnull=True) | Q(until__gt=since))
    columns = given.order_by("since").values_list("pk", "office_id", "since", "until")
    stood = [[pk, office, plain(begins), plain(until)] for pk, office, begins, until in columns]
    given.filter(since__gte=since).delete()
    given.update(until=since)
    return stood


def _stood(one: Coming) -> list[list[Any]]:
    """What the order touched, as it stood before: see ``_end_running``.

    Orders entered before that was kept whole say only which rows they ended and when those would have ended without them;
    office and first day of such a row never change.
    """
    if "stood" in one.how:
        return list(one.how["stood"])
    ends = dict(one.how.get("ended", ()))
    rows = Supervision.objects.filter(pk__in=ends).order_by("since").values_list("pk", "office_id", "since")
    return [[pk, office, plain(begins), ends[pk]] for pk, office, begins in rows]


def _not_given(changing: Changing, one: Coming) -> None:
    """Taken back before its day: all stands as if it had not been given.

    What stood before it is put back, and what was given since, always for later days (else it would have overtaken this
    one), is given anew upon that in the same order.
    """
    site, duty = Site.objects.unscoped("the order's own site").select_for_update().get(pk=one.how["site"]), one.how["duty"]
    given = supervisor_id(site.pk, duty, "county", changing.now)
    Supervision.objects.filter(site=site, duty=duty, since__gte=today(one.due)).delete()
    for pk, office, begins, until in _stood(one):
        Supervision.objects.update_or_create(
            pk=pk, defaults={"site": site, "duty": duty, "office_id": office, "since": begins, "until": until}
        )
    since_then = Coming.objects.unscoped("orders for the same site").filter(key=one.key, change__gt=one.change_id)
    for later in since_then.exclude(outcome=Coming.Outcome.TAKEN_BACK).select_related("change").order_by("change"):
        begins = today(later.due)
        later.how["stood"] = _end_running(site, duty, begins)
        later.save(update_fields=["how"])
        Supervision.objects.create(site=site, duty=duty, office_id=later.change.after["office"], since=begins)
        coming.overtake(one.key, later.change, later.due)
    back = supervisor_id(site.pk, duty, "county", changing.now)
    if back != given:  # its day had come already, and what follows from it could not be done
        before, after = {"duty": duty, "office": given}, {"duty": duty, "office": back}
        changing.note("supervision", site.office_id, site, before=before, after=after)


def _by_place(changing: Changing, one: Supervision, form: ChangeForm) -> Outcome:
    site, duty, before = one.site, one.duty, one.office_id
    _end_running(site, duty, changing.today)
    after = {"duty": duty, "office": supervisor_id(site.pk, duty, "county", changing.now)}
    line = changing.note("supervision", site.office_id, site, before={"duty": duty, "office": before}, after=after)
    coming.overtake(_key(site, duty), line)
    return Outcome(gettext("The office of the place supervises the site again."), subject=site)


def _open(site: Site, now: datetime) -> bool:
    return site.closed_on is None


def _office(site: Site) -> int:
    return int(site.office_id)


operation(
    Operation(
        "add_site",
        "office",
        _("Add a site"),
        AddForm,
        _add,
        lambda one: one.pk,
        icon="building-factory-2",
        fits=lambda one, now: _alive(one, now) and one.kind in ("bureau", "department", "division"),
        says=_("An enterprise under supervision; it gets an office of its own for its posts and people."),
    )
)
operation(Operation("edit_site", "site", _("Change the site"), SiteForm, _edit, _office, fits=_open, own=above))
operation(
    Operation(
        "supervise",
        "site",
        _("Give its supervision to an office"),
        SuperviseForm,
        _supervise,
        _office,
        icon="shield-check",
        fits=_open,
        own=above,
        says=_("Without this the office of the place with the field of work supervises it."),
    )
)
operation(
    Operation(
        "close_site",
        "site",
        _("Close the site"),
        CloseForm,
        _close,
        _office,
        icon="ban",
        fits=_open,
        own=above,
        matters=lambda site, actings: open_matters("site", site.pk, actings),
    )
)
operation(
    Operation(
        "reopen_site",
        "site",
        _("Open the site again"),
        GroundsOnly,
        _reopen,
        _office,
        icon="refresh",
        own=above,
        fits=lambda site, now: site.closed_on is not None,
    )
)
operation(
    Operation(
        "by_place",
        "supervision",
        _("Back to the office of the place"),
        GroundsOnly,
        _by_place,
        lambda one: one.site.office_id,
        icon="refresh",
        own=lambda acting, one: above(acting, one.site),
    )
)
coming.on_the_day("supervision", undo=_not_given)
