"""The small drawings with a meaning: levels, phases, rings, the mark of the house.

Each function gives SVG markup as a safe string. The four levels keep their shape in every size and
theme, so that colour is never the only sign.
"""

from __future__ import annotations

from math import pi

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

LEVELS = ("red", "orange", "yellow", "blue")

_LEVEL = {
    "red": (
        '<path class="fs-level-r" d="M5.1.9h5.8l4.2 4.2v5.8l-4.2 4.2H5.1L.9 10.9V5.1z"/>'
        '<path class="fs-level-white" d="M7.1 3.6h1.8l-.3 5.6H7.4zM8 10.4a1.1 1.1 0 1 1 0 2.2 1.1 1.1 0 0 1 0-2.2z"/>'
    ),
    "orange": (
        '<path class="fs-level-o" stroke-linejoin="round" d="M8 1.2 15.3 14.4H.7z"/>'
        '<path class="fs-level-ink" d="M7.2 5.6h1.6l-.3 4.3h-1zM8 10.8a1 1 0 1 1 0 2 1 1 0 0 1 0-2z"/>'
    ),
    "yellow": (
        '<path class="fs-level-y" stroke-linejoin="round" d="M8 .8 15.2 8 8 15.2.8 8z"/>'
        '<path class="fs-level-ink" d="M4.6 7.1h6.8v1.8H4.6z"/>'
    ),
    "blue": '<circle class="fs-level-b" cx="8" cy="8" r="7.1"/><circle class="fs-level-dot" cx="8" cy="8" r="2.4"/>',
}

PHASES = ("new", "doing", "review", "paused", "verified", "ended", "system")

_PHASE = {
    "new": '<circle cx="8" cy="8" r="6.4" stroke-dasharray="2.5 2.5"/>',
    "doing": '<circle cx="8" cy="8" r="6.4"/><path class="fs-solid" d="M8 4a4 4 0 0 1 0 8z"/>',
    "review": '<circle cx="8" cy="8" r="6.4"/><path class="fs-solid" d="M8 4a4 4 0 1 1-4 4h4z"/>',
    "paused": '<circle cx="8" cy="8" r="6.4"/><path d="M6.4 5.6v4.8M9.6 5.6v4.8"/>',
    "verified": '<circle class="fs-solid" cx="8" cy="8" r="7"/><path class="fs-hole" d="m4.9 8.2 2.2 2.2 4-4.3"/>',
    "ended": '<circle cx="8" cy="8" r="6.4"/><path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4"/>',
    "system": '<circle class="fs-solid" cx="8" cy="8" r="3.4"/>',
}

LOGO = mark_safe(
    '<svg width="20" height="22" viewBox="0 0 20 22" aria-hidden="true">'
    '<path fill="currentColor" d="M4.6 9.2h2V7.6h2v1.6h2.8V7.6h2v1.6'
    'h2v3.2l-1 .8.9 7.6H4.7l.9-7.6-1-.8z"/>'
    '<path class="fs-logo-smoke" fill="none" stroke="currentColor" stroke-width="1.3" '
    'stroke-linecap="round" d="M8.4 5.6c-1.2-1.5 1-2.3 0-4M11.6 5.6c-1.2-1.5 1-2.3 0-4"/></svg>'
)


def level_shape(level: str, size: int = 16, label: str = "") -> SafeString:
    """The octagon, triangle, diamond or circle of a level; ``label`` names it where no word stands beside it."""
    named = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg width="{0}" height="{0}" viewBox="0 0 16 16" {1}>{2}</svg>', size, named, SafeString(_LEVEL[level]))


def phase_shape(phase: str) -> SafeString:
    """The icon of a phase of a case's life."""
    return format_html(
        '<svg class="fs-phase" viewBox="0 0 16 16" aria-hidden="true">{}</svg>', SafeString(_PHASE.get(phase, _PHASE["doing"]))
    )


def ring(share: float, size: int = 16) -> SafeString:
    """A ring showing the share (0–1) of the time that is left, clockwise from twelve."""
    radius = 6.6
    around = 2 * pi * radius
    left = around * min(1.0, max(0.0, share))
    return format_html(
        '<svg class="fs-ring" width="{0}" height="{0}" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="{1}"/>'
        '<circle cx="8" cy="8" r="{1}" stroke-dasharray="{2} {3}"/></svg>',
        size,
        radius,
        f"{left:.2f}",
        f"{around:.2f}",
    )
