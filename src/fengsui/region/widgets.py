"""The search box that fills a hidden id."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext


class Pick(forms.Widget):
    """A search box that fills a hidden id. ``address`` answers ``?q=`` with ``{found: [{id, name, more}]}``.

    ``named`` gives the names of ids that are filled in already; ``many`` takes several, shown as chips. With ``typed`` the box
    also takes whole names (several with commas) where no script runs: they come marked with a leading ``=``.
    """

    def __init__(self, address: Any, named: Any = None, many: bool = False, *, typed: bool = False) -> None:
        super().__init__()
        self.address, self.named, self.many, self.typed = address, named, many, typed

    def id_for_label(self, id_: str) -> str:
        return f"{id_}-text"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = str(data.get(f"{name}-text", "")).strip() if self.typed else ""
        return data.get(name, "") or (f"={text}" if text else "")

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        said = ",".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value or "")
        text = said[1:] if said.startswith("=") else ""
        ids = [one for one in said.split(",") if one] if not text else []
        named = self.named(ids) if self.named and ids else {}
        given = attrs or {}
        return format_html(
            '<span class="fs-combo"{many}>{chips}<input type="hidden" name="{name}" value="{value}"><input type="text" '
            'id="{id}-text"{typed} role="combobox" aria-expanded="false" aria-autocomplete="list" autocomplete="off" '
            'value="{shown}" data-pick="{address}" placeholder="{hint}"{described}{invalid}>'
            '<span class="fs-combo-list" role="listbox" hidden></span></span>',
            many=format_html(' data-many data-remove="{}"', gettext("Remove")) if self.many else "",
            chips=self._chips(ids, named) if self.many else "",
            name=name,
            value=",".join(ids),
            id=given.get("id", name),
            typed=format_html(' name="{}-text"', name) if self.typed else "",
            shown=text or ("" if self.many else "".join(str(named.get(one, one)) for one in ids)),
            address=self.address,
            hint=gettext("Type a name, choose one after another") if self.many else gettext("Type a name, choose from the list"),
            described=format_html(' aria-describedby="{}"', given["aria-describedby"]) if "aria-describedby" in given else "",
            invalid=SafeString(' aria-invalid="true"') if given.get("aria-invalid") else "",
        )

    def _chips(self, ids: list[str], named: Any) -> SafeString:
        chip = '<span class="fs-chip">{}<button type="button" data-unpick="{}" aria-label="{} {}">×</button></span>'
        rows = ((named.get(one, one), one, gettext("Remove"), named.get(one, one)) for one in ids)
        return format_html('<span class="fs-chips" data-chips>{}</span>', format_html_join("", chip, rows))


class Boxes(forms.CheckboxSelectMultiple):
    """Several of a list as large boxes to tick; choices in groups fold under the group's name."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        ticked = {str(one) for one in value or ()}
        base = (attrs or {}).get("id", name)
        parts, at = [], 0
        for key, word in self.choices:
            rows = list(word) if isinstance(word, list | tuple) else [(key, word)]
            boxes = format_html_join(
                "",
                '<label class="fs-choice"><input type="checkbox" name="{}" id="{}" value="{}"{}>{}</label>',
                (
                    (name, f"{base}_{at + place}", one, SafeString(" checked") if str(one) in ticked else "", said)
                    for place, (one, said) in enumerate(rows)
                ),
            )
            at += len(rows)
            if rows and isinstance(word, list | tuple):
                held = any(str(one) in ticked for one, _said in rows)
                line = '<details{}><summary>{}</summary><div class="fs-choices">{}</div></details>'
                parts.append(format_html(line, SafeString(" open") if held else "", key, boxes))
            else:
                parts.append(boxes)
        grouped = any(isinstance(word, list | tuple) for _key, word in self.choices)
        return format_html(
            '<div class="{}">{}</div>', "fs-stack fs-stack--tight" if grouped else "fs-choices", SafeString("".join(parts))
        )
