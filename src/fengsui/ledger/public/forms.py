"""The public's forms: plain words, and for every mistake a sentence that says what to do.

In: what somebody typed, and photos. Out: cleaned values with the enterprise and the place found; nothing here writes.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.ledger import widgets
from fengsui.ledger.evidence import LIMITS
from fengsui.ledger.reporters import LONGEST
from fengsui.numerals import whole
from fengsui.region.models import Place, Site
from fengsui.textboxes import Textarea

MOST_PHOTOS = 6
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class Photos(forms.FileField):
    """Several photos; ``clean`` gives the list. ``refused`` is the HTTP status of the first that is not taken."""

    widget = widgets.Photos

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refused = 0

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        found = [one for one in (data or []) if one]
        if len(found) > MOST_PHOTOS:
            raise forms.ValidationError(gettext("At most %(n)s photos; leave some out.") % {"n": MOST_PHOTOS})
        for one in found:
            self._judge(one)
        return found

    def _judge(self, file: UploadedFile) -> None:
        most = LIMITS["image"]
        if (file.size or 0) > most:
            self.refused = 413
            said = {"name": file.name, "size": f"{(file.size or 0) / 1e6:.0f}", "most": most // 1_000_000}
            raise forms.ValidationError(
                gettext("“%(name)s” has %(size)s MB; a photo may have at most %(most)s MB. Take it again or choose another.")
                % said
            )
        head = file.read(12)
        file.seek(0)
        if not (head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")):
            self.refused = 415
            raise forms.ValidationError(
                gettext("“%(name)s” is not a photo that can be taken: choose JPEG, PNG or WebP.") % {"name": file.name}
            )


class Report(forms.Form):
    """A hazard as somebody saw it. Only what and where must be there."""

    photos = Photos(required=False, label=_("Photos"))
    county = forms.ChoiceField(label=_("Where is it"), error_messages={"required": _("Choose the banner, county or district.")})
    township = forms.CharField(required=False, max_length=12)
    where = forms.CharField(required=False, max_length=200, label=_("Street, village or landmark"))
    site_name = forms.CharField(required=False, max_length=100, label=_("Which enterprise"))
    site = forms.CharField(required=False, max_length=12)
    finding = forms.CharField(
        max_length=2000, label=_("What do you see"), widget=Textarea,
        error_messages={
            "required": _("Say what you see, for example “the valve leaks, it smells of ammonia”."),
            "max_length": _("At most 2,000 characters; leave some out."),
        },
    )  # fmt: skip
    lon = forms.CharField(required=False, max_length=24)
    lat = forms.CharField(required=False, max_length=24)
    name = forms.CharField(required=False, max_length=60, label=_("Your name"))
    phone = forms.CharField(required=False, max_length=40, label=_("Your phone number"))
    website = forms.CharField(required=False)  # nobody sees it; machines that fill in everything do

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leagues = counties()
        known = [(code, name) for _league, rows in self.leagues for code, name in rows]
        self.fields["county"].choices = [("", ""), *known]  # type: ignore[attr-defined]
        self.fields["county"].error_messages["invalid_choice"] = gettext("Choose the banner, county or district.")

    @property
    def refused(self) -> int:
        """The status of the answer to a form with mistakes: 413 or 415 for a photo, else 422."""
        photos = self.fields["photos"]
        return (photos.refused if isinstance(photos, Photos) else 0) or 422

    def clean_phone(self) -> str:
        said = str(self.cleaned_data["phone"]).strip()
        digits = [letter for letter in said if letter.isdigit()]
        if said and (len(digits) < 7 or any(letter not in "0123456789+-() 　" for letter in said)):
            raise forms.ValidationError(_("A phone number has digits only, like 0471-1234567. You may also leave it empty."))
        return said

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise forms.ValidationError(_("This form was filled in by a machine. Open the page again and type it yourself."))
        return ""

    def clean(self) -> dict[str, Any]:
        known = super().clean() or self.cleaned_data
        county = known.get("county")
        if county:
            known["place"] = _township(known.get("township", ""), county) or county
            known["found_site"] = _site(known, county)
        known["position"] = _position(known.get("lon", ""), known.get("lat", ""))
        return known

    def words(self) -> str:
        """What is written into the matter: what was seen, then where and at whom in the reporter's words."""
        known = self.cleaned_data
        lines = [known["finding"].strip()]
        if known["where"].strip():
            lines.append(f"地点：{known['where'].strip()}")
        if known["site_name"].strip() and known["found_site"] is None:
            lines.append(f"单位（举报人所述）：{known['site_name'].strip()}")
        return "\n".join(lines)

    def title(self) -> str:
        """The first words of what was seen."""
        first = str(self.cleaned_data["finding"]).strip().splitlines()[0]
        return first if len(first) <= 60 else first[:59] + "…"


class Follow(forms.Form):
    """A receipt's code and its secret."""

    code = forms.CharField(
        max_length=40, label=_("Receipt code"), help_text=_("Sixteen letters and digits, as on the receipt"),
        error_messages={"required": _("Enter the receipt code.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )  # fmt: skip
    secret = forms.CharField(
        max_length=40, label=_("Query password"), help_text=_("Twelve letters and digits, shown to you once"),
        error_messages={"required": _("Enter the query password.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )  # fmt: skip


class Message(forms.Form):
    """A message to the handling office, or from it."""

    text = forms.CharField(
        max_length=LONGEST, label=_("Add something"), widget=Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what you want to say."), "max_length": _("At most 1,000 characters.")},
    )  # fmt: skip


# ------------------------------------------------------------------------ places


def counties() -> list[tuple[str, list[tuple[str, str]]]]:
    """Leagues with their counties in the order of sound: [(league, [(code, name)])]."""
    from fengsui.ledger.titles import here

    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    rows = Place.objects.filter(level="county").select_related("parent").order_by("parent__code", "pinyin")
    for one in rows:
        league = here({"zh": one.parent.name_zh, "en": one.parent.name_en}) if one.parent else ""
        found.setdefault(one.parent_id or "", (league, []))[1].append((one.pk, here({"zh": one.name_zh, "en": one.name_en})))
    return list(found.values())


def townships(county: str) -> list[tuple[str, str]]:
    """The townships of a county: [(code, name)]."""
    from fengsui.ledger.titles import here

    rows = Place.objects.filter(level="township", parent_id=county).order_by("pinyin")
    return [(one.pk, here({"zh": one.name_zh, "en": one.name_en})) for one in rows]


def _township(code: str, county: str) -> str:
    return code if code and Place.objects.filter(pk=code, level="township", parent_id=county).exists() else ""


def sites(county: str, text: str, most: int) -> list[Site]:
    """Enterprises of a county by name: only what its sign at the gate says, never its data."""
    from django.db.models import Q

    found = Site.objects.unscoped("the public names an enterprise by the name at its gate").filter(place_id=county)
    if text:
        found = found.filter(Q(name_zh__icontains=text) | Q(name_en__icontains=text) | Q(pinyin__startswith=text.lower()))
    return list(found.order_by("pinyin")[:most])


def _site(known: dict[str, Any], county: str) -> Site | None:
    """The enterprise chosen from the list, or the one whose whole name was typed."""
    in_county = Site.objects.unscoped("the public names an enterprise by the name at its gate").filter(place_id=county)
    if (number := whole(known.get("site"))) is not None:
        found = in_county.filter(pk=number).first()
        if found is not None:
            return found
    named = known.get("site_name", "").strip()
    return (in_county.filter(name_zh=named).first() or in_county.filter(name_en=named).first()) if named else None


def _position(lon: str, lat: str) -> dict[str, float] | None:
    """What the device measured; a position that makes no sense is left out, for the place is chosen anyway."""
    try:
        found = {"lon": round(float(lon), 6), "lat": round(float(lat), 6)}
    except ValueError:
        return None
    return found if -180 <= found["lon"] <= 180 and -90 <= found["lat"] <= 90 else None
