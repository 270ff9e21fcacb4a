"""The components that every room's templates use: ``{% load fs %}``.

``{% icon "phone" %}`` · ``{% level "red" %}`` · ``{% clock due start %}`` · ``{% pill "doing" word %}`` ·
``{% tag word "ink" %}`` · ``{{ office|l }}`` · ``{% when time %}`` · ``{% formfield field %}`` · ``{% empty … %}``

``now`` is read from the context (the shell's context processor puts it there).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext

from fengsui.cockpit import shapes, times
from fengsui.ledger import mechanisms, titles

register = template.Library()

LEVEL_WORDS = {"red": "Red", "orange": "Orange", "yellow": "Yellow", "blue": "Blue"}


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """An icon of the sprite (``cockpit/icons.txt`` lists the names)."""
    return format_html(
        '<svg class="fs-i" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"></use></svg>',
        size,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def logo() -> SafeString:
    """The beacon tower."""
    return shapes.LOGO


@register.simple_tag
def level(name: str | None, size: int = 16, word: bool = True) -> SafeString:
    """A level as shape and word; in dense lists (``word=False``) the shape with its name for screen readers."""
    if name not in LEVEL_WORDS:
        return SafeString("")
    said = pgettext("level", LEVEL_WORDS[name])
    if not word:
        return format_html('<span class="fs-level" title="{}">{}</span>', said, shapes.level_shape(name, size, said))
    return format_html('<span class="fs-level">{}{}</span>', shapes.level_shape(name, size), said)


@register.simple_tag
def level_mark(name: str, size: int = 18) -> SafeString:
    """The bare shape of a level, for use inside a drawing; its name is there for screen readers."""
    return shapes.level_shape(name, size, pgettext("level", LEVEL_WORDS[name]))


@register.simple_tag
def phase(name: str) -> SafeString:
    """The icon of a phase (new, doing, review, paused, verified, ended, system)."""
    return shapes.phase_shape(name)


@register.simple_tag
def pill(name: str, word: str, me: bool = False, bare: bool = False) -> SafeString:
    """A state: the phase's icon and the word; ``me`` where the next act is mine; ``bare`` in tables."""
    extra = (" fs-pill--me" if me else "") + (" fs-pill--bare" if bare else "")
    return format_html('<span class="fs-pill{}">{}{}</span>', extra, shapes.phase_shape(name), word)


@register.simple_tag
def drill(case: Any) -> SafeString:
    """The mark of an exercise's case, with how much faster its minutes and hours run; nothing for a case in earnest."""
    if not case.exercise:
        return SafeString("")
    pace = mechanisms.version(case.version_id).pace
    word = gettext("Exercise")
    if pace > 1:
        word = gettext("Exercise, clocks %(n)s times faster") % {"n": pace}
    return format_html('<span class="fs-tag fs-tag--line fs-drill-tag">◇ {}</span>', word)


@register.simple_tag
def tag(word: str, kind: str = "") -> SafeString:
    """A small label: plain, ``ink`` or ``line``."""
    return format_html('<span class="fs-tag{}">{}</span>', f" fs-tag--{kind}" if kind else "", word)


@register.simple_tag(takes_context=True)
def clock(
    context: template.Context,
    due: datetime | None,
    start: datetime | None = None,
    paused: bool = False,
    left: bool = False,
    size: int = 16,
) -> SafeString:
    """A deadline: ring and text, or the ink block once it is overdue. The text ticks by script from ``data-due``."""
    if due is None:
        return SafeString("")
    now = context["now"]
    if paused:
        return format_html('<span class="fs-clock">{}{}</span>', shapes.ring(0.5, size), gettext("Paused"))
    if due < now:
        return format_html(
            '<span class="fs-clock fs-clock--over" data-due="{}">{}<span>{}</span></span>',
            due.isoformat(),
            icon("clock", 14),
            times.remaining(due, now),
        )
    total = (due - start).total_seconds() if start and start < due else 86400.0
    share = (due - now).total_seconds() / total
    said = times.remaining(due, now)
    text = gettext("%(length)s left") % {"length": said} if left else said
    return format_html(
        '<span class="fs-clock{}" data-due="{}"{}>{}<span>{}</span></span>',
        " fs-clock--soon" if due - now < times.SOON else "",
        due.isoformat(),
        SafeString(' data-left=""') if left else "",
        shapes.ring(share, size),
        text,
    )


@register.simple_tag(takes_context=True)
def bigclock(context: template.Context, due: datetime, start: datetime, name: str = "", total: str = "") -> SafeString:
    """The large clock of a case page: ring, remaining, the day it falls due, the whole length."""
    now = context["now"]
    over = due < now
    share = 0.0 if over else (due - now).total_seconds() / max(1.0, (due - start).total_seconds())
    falls = gettext("due %(when)s") % {"when": times.due_text(due)}
    return format_html(
        '<div class="fs-big">{}<div><small>{}</small><b data-due="{}"{}>{}</b><small>{}</small></div></div>',
        shapes.ring(share, 60),
        name,
        due.isoformat(),
        SafeString(' class="fs-over"') if over else "",
        times.remaining(due, now),
        f"{falls}·{total}" if total else falls,
    )


@register.simple_tag(takes_context=True)
def when(context: template.Context, moment: datetime | None) -> SafeString:
    """A moment as ``14:36``, ``10-15 09:12`` or with its year, in a ``<time>``."""
    if moment is None:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), times.moment_text(moment, context["now"]))


@register.simple_tag(takes_context=True)
def deadline(context: template.Context, moment: datetime | None) -> SafeString:
    """A deadline's moment, midnight as ``24:00`` of the day that ends."""
    if moment is None:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), times.deadline_text(moment, context["now"]))


@register.filter
def due_day(due: datetime) -> str:
    """``10-18 (Sunday) 18:40``."""
    return times.due_text(due)


@register.filter(name="l")
def in_language(value: Any) -> str:
    """The reader's language of a ``{zh, en}`` mapping, or of an object with ``name_zh``/``title_zh`` and their ``_en``."""
    if value is None:
        return ""
    chinese = (get_language() or "zh").startswith("zh")
    first, second = ("zh", "en") if chinese else ("en", "zh")
    if isinstance(value, Mapping):
        return str(value.get(first) or value.get(second) or "")
    for stem in ("name", "title"):
        found = getattr(value, f"{stem}_{first}", "") or getattr(value, f"{stem}_{second}", "")
        if found:
            return str(found)
    return str(value)


@register.simple_tag
def mark(sign: str) -> str:
    """``{% mark "：" %}``: a full-width mark in Chinese, the half-width one with its space in English."""
    return titles.mark(sign)


@register.simple_tag
def listed(words: Iterable[str]) -> str:
    """Words in a row with the language's own comma."""
    return titles.listed(words)


@register.filter
def yuan(fen: int | None) -> str:
    """Money kept in fen, written ``¥186,000`` or ``¥186,000.50``."""
    if fen is None:
        return ""
    return f"¥{fen // 100:,}" + (f".{fen % 100:02d}" if fen % 100 else "")


@register.inclusion_tag("cockpit/parts/field.html")
def formfield(field: BoundField, short: bool = False) -> dict[str, Any]:
    """A form field: label, hint, what is wrong (between label and control), control."""
    described = [f"{field.auto_id}-hint"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}-bad")
    attrs: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    if field.errors:
        attrs["aria-invalid"] = "true"
    return {"field": field, "control": field.as_widget(attrs=attrs), "short": short}


@register.inclusion_tag("cockpit/parts/empty.html")
def empty(sentence: str, then: str = "", url: str = "", button: str = "", sign: str = "checks") -> dict[str, str]:
    """An empty place: one sentence, the next thing, one button."""
    return {"sentence": sentence, "then": then, "url": url, "button": button, "sign": sign}


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The present address's query with changes (``None`` or empty removes): ``?{% query page=2 %}``."""
    asked: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        asked.pop(name, None)
        if value not in (None, ""):
            asked[name] = str(value)
    return asked.urlencode()
