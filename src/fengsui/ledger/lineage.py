"""Where a case comes from and what came out of it, over all steps, drawn from left to right.

In: a case that the reader may see, their posts. Out: SVG markup; cases that they may not see are not in it, nor is what
lies beyond them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from fengsui.ledger import mechanisms, reading, titles
from fengsui.ledger.drawing import shortened
from fengsui.ledger.models import Case, Link
from fengsui.region.acting import Acting

MOST = 40
"""Cases in one drawing; a matter with more is read in the list."""
STEPS = 12

WIDTH, HEIGHT, ACROSS, DOWN = 176, 44, 40, 12


@dataclass(slots=True)
class Graph:
    """Cases by id and the edges between them, from what opened to what was opened."""

    cases: dict[Any, Case]
    edges: set[tuple[Any, Any]] = field(default_factory=set)


def gathered(case: Case, posts: Sequence[Acting], now: datetime) -> Graph:
    """The case with all it is linked to, step by step; two queries a step, none beyond what is not to be seen."""
    graph, fresh = Graph({case.pk: case}), {case.pk}
    for _ in range(STEPS):
        pairs = _pairs(fresh, graph)
        unknown = {one for pair in pairs for one in pair} - graph.cases.keys()
        visible = reading.cases(posts, now).filter(pk__in=unknown).defer("fields", "core", "raiser") if unknown else []
        found = {one.pk: one for one in list(visible)[: MOST - len(graph.cases)]}
        graph.cases.update(found)
        graph.edges |= {(above, below) for above, below in pairs if above in graph.cases and below in graph.cases}
        fresh = set(found)
        if not fresh:
            break
    return graph


def _pairs(fresh: set[Any], graph: Graph) -> set[tuple[Any, Any]]:
    """(from, to) of every link and every parent and child at these cases."""
    linked = Link.objects.filter(Q(from_case__in=fresh) | Q(to_case__in=fresh)).values_list("from_case_id", "to_case_id")
    children = Case.objects.filter(parent__in=fresh).order_by().values_list("parent_id", "pk")
    found = set(linked.union(children, all=True)[: MOST * 4])
    return found | {(graph.cases[one].parent_id, one) for one in fresh if graph.cases[one].parent_id}


def columns(graph: Graph) -> dict[Any, int]:
    """How far each case stands from the first: one more than the farthest that led to it; a circle is cut."""
    column = dict.fromkeys(graph.cases, 0)
    for _ in range(len(graph.cases)):
        moved = False
        for above, below in graph.edges:
            if column[below] <= column[above] < len(graph.cases):
                column[below], moved = column[above] + 1, True
        if not moved:
            break
    return column


def drawn(case: Case, posts: Sequence[Acting], now: datetime) -> SafeString:
    """The drawing; empty where the case stands alone."""
    graph = gathered(case, posts, now)
    if not graph.edges:
        return SafeString("")
    column = columns(graph)
    used = sorted(set(column.values()))
    rows: dict[int, int] = {}
    at: dict[Any, tuple[int, int]] = {}
    for one in sorted(graph.cases.values(), key=lambda one: (column[one.pk], one.opened_at)):
        place = used.index(column[one.pk])
        at[one.pk] = (4 + place * (WIDTH + ACROSS), 4 + rows.get(place, 0) * (HEIGHT + DOWN))
        rows[place] = rows.get(place, 0) + 1
    parts = [_edge(at[above], at[below]) for above, below in sorted(graph.edges, key=str)]
    parts += [_box(one, at[one.pk], one.pk == case.pk) for one in graph.cases.values()]
    width, height = 8 + len(used) * (WIDTH + ACROSS) - ACROSS, 8 + max(rows.values()) * (HEIGHT + DOWN) - DOWN
    return format_html(
        '<svg class="fs-mechanism fs-lineage-map" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">'
        "{3}</svg>",
        width,
        height,
        gettext("Where this case comes from and what came out of it"),
        mark_safe("".join(parts)),  # noqa: S308 (each part escapes its texts)
    )


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = start, end
    middle = x2 - ACROSS // 2
    path = f"M{x1 + WIDTH} {y1 + HEIGHT // 2}H{middle}V{y2 + HEIGHT // 2}H{x2 - 7}"
    tip = f"M{x2 - 7} {y2 + HEIGHT // 2 - 4}l6 4-6 4z"
    return f'<g class="fs-m-edge fs-m-done"><path d="{path}"/><path class="fs-m-ink" d="{tip}"/></g>'


def _box(case: Case, at: tuple[int, int], present: bool) -> str:
    found = mechanisms.version(case.version_id)
    x, y = at
    name, number = titles.mechanism(found), case.number or ""
    second = "·".join(part for part in (number, titles.state(found, case.state)) if part)
    mark = "present" if present else "walked" if case.ended else "ahead"
    drawn_box = (
        f'<g class="fs-m-box fs-m-{mark}"><title>{escape(case.title)}</title>'
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text class="fs-m-name" x="{x + WIDTH / 2}" y="{y + 19}">{escape(shortened(name, WIDTH - 12))}</text>'
        f'<text class="fs-m-second" x="{x + WIDTH / 2}" y="{y + 35}">{escape(shortened(second, WIDTH - 10, 11))}</text></g>'
    )
    return drawn_box if present else f'<a class="fs-m-link" href="{reverse("ledger:case", args=[case.pk])}">{drawn_box}</a>'
