"""The controls that acts' forms need beyond Django's: pickers, photos, a position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from fengsui.region.widgets import Boxes, Pick

__all__ = ["Boxes", "Choices", "Figures", "Photos", "Pick", "Position"]


class Figures(forms.Widget):
    """Numbers by name: one box for each name that is known, else a line each, ``name = number``."""

    use_fieldset = True

    def __init__(self, names: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.names = names

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Name → text as it was typed; the lines as one text where no names are known."""
        if not self.names:
            return data.get(name, "")
        return {key: data.get(f"{name}-{key}", "").strip() for key, _ in self.names}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and not any(f"{name}-{key}" in data for key, _ in self.names)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        base = (attrs or {}).get("id", name)
        known = value if isinstance(value, dict) else {}
        if not self.names:
            lines = "\n".join(f"{key} = {one}" for key, one in known.items()) if known else str(value or "")
            return format_html('<textarea name="{}" id="{}" rows="4">{}</textarea>', name, base, lines)
        return format_html(
            '<div class="fs-figures">{}</div>',
            format_html_join(
                "",
                '<label for="{0}-{2}">{3}'
                '<input type="text" inputmode="decimal" name="{1}-{2}" id="{0}-{2}" value="{4}"></label>',
                ((base, name, key, word, known.get(key, "")) for key, word in self.names),
            ),
        )  # fmt: skip


class Photos(forms.ClearableFileInput):
    """Photos from the camera and files, several at once, shown before they are sent."""

    allow_multiple_selected = True

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        return format_html(
            '<div class="fs-photos" data-photos><label class="fs-photo-add">'
            '<svg class="fs-i" width="24" height="24" aria-hidden="true"><use href="{sprite}#camera"></use></svg>'
            '<span>{add}</span><input type="file" id="{id}" name="{name}" multiple '
            'accept="image/*,video/mp4,video/quicktime,audio/*,.pdf,.ofd,.docx,.xlsx,.txt"></label></div>'
            '<p class="fs-hint">{said}</p>',
            sprite=static("vendor/icons.svg"),
            add=gettext("Take or choose"),
            id=(attrs or {}).get("id", name),
            name=name,
            said=gettext(
                "Photos up to 20 MB, papers 30 MB, films 200 MB. A photo's position is kept as a fact and taken out of the file."
            ),
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Sequence[Any]:
        return files.getlist(name) if hasattr(files, "getlist") else []


class Position(forms.MultiWidget):
    """Longitude and latitude in degrees, with a button that asks the device."""

    def __init__(self) -> None:
        super().__init__([forms.HiddenInput(), forms.HiddenInput()])

    def decompress(self, value: Any) -> list[Any]:
        return [value.get("lon"), value.get("lat")] if value else [None, None]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        return [data.get("lon", ""), data.get("lat", "")]

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        lon, lat = value if isinstance(value, list) else self.decompress(value)
        boxes = format_html_join("", '<input type="hidden" name="{}" value="{}">', (("lon", lon or ""), ("lat", lat or "")))
        return format_html(
            '<span class="fs-line">{}<button type="button" class="fs-btn" data-locate>{}</button>'
            '<span class="fs-muted" data-located>{}</span></span>',
            boxes,
            gettext("Use my position"),
            f"{lon}, {lat}" if lon and lat else "",
        )


class Choices(forms.RadioSelect):
    """A few choices as large buttons; a radio group to the keyboard and the screen reader."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        base = (attrs or {}).get("id", name)
        return format_html(
            '<div class="fs-choices">{}</div>',
            format_html_join(
                "",
                '<label class="fs-choice"><input type="radio" name="{}" id="{}" value="{}"{}>{}</label>',
                (
                    (name, f"{base}_{index}", key, SafeString(" checked") if str(value) == str(key) else "", word)
                    for index, (key, word) in enumerate(self.choices)
                    if key != ""
                ),
            ),
        )
