"""A mechanism drawn with a case's walked path: pure, from the frozen mechanism to SVG.

In: the mechanism, the states walked so far, the words for owners and lengths of time. Out: a layout
(``plan``) and its SVG (``svg``). Never: the database, the clock, the request.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from fengsui.ledger.kernel.shapes import Act, Mechanism

WIDTH, HEIGHT, GAP, DROP = 132, 46, 78, 66
"""Box, gap between boxes and drop to the row of other ends, in px of the drawing."""

SIDE = 40
"""More room above the first row of other ends, for the ways back."""

AT_MOST = 5
"""More boxes than this on the main road are folded round the present one."""


@dataclass(frozen=True, slots=True)
class Box:
    """A state or an end: ``mark`` is walked, present, ahead; ``column`` and ``row`` its place in the grid."""

    name: str
    title: str
    second: str
    mark: str
    end: bool
    column: int
    row: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """An act from one box to another: ``kind`` is road, side or back."""

    source: str
    target: str
    title: str
    kind: str
    walked: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A laid-out drawing."""

    boxes: tuple[Box, ...] = ()
    edges: tuple[Edge, ...] = ()
    folded: bool = False
    road: tuple[str, ...] = field(default_factory=tuple)


Words = Callable[[str], tuple[str, str]]
"""From a state's or end's name to its title and its second line (who owes, within what)."""


def _targets(mechanism: Mechanism, state: str, always: bool = False) -> list[tuple[str, Act]]:
    """Where the acts of a state lead, in file order; the acts possible everywhere only when asked."""
    if state not in mechanism.states:
        return []
    acts = mechanism.states[state].actions
    found = []
    for act in acts:
        if act.name in mechanism.always and not always:
            continue
        found += [(target, act) for target in (act.to, act.then) if target and target != state]
    return found


def _way(mechanism: Mechanism, start: str, avoid: set[str]) -> list[str]:
    """The shortest way from a state to the first declared end that it can reach, without going back."""
    before: dict[str, str | None] = {start: None}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        for target, _ in _targets(mechanism, at):
            if target not in before and target not in avoid:
                before[target] = at
                queue.append(target)
    for end in mechanism.ends:
        if end in before:
            way, last = [end], before[end]
            while last is not None:
                way.append(last)
                last = before[last]
            return way[::-1]
    return [start]


def main_road(mechanism: Mechanism, walked: Sequence[str]) -> list[str]:
    """The states walked so far without loops, then the shortest way on to the mechanism's first end."""
    road: list[str] = []
    for state in walked:
        if state in road:
            road = road[: road.index(state) + 1]
        else:
            road.append(state)
    if not road:
        first = next((act.to for act in mechanism.opening.values() if act.to), None)
        road = [first] if first else []
    if road and road[-1] in mechanism.states:
        road += _way(mechanism, road[-1], set(road[:-1]))[1:]
    return road


def _fold(road: list[str], present: str) -> list[str]:
    at = road.index(present) if present in road else 0
    first = min(max(1, at - 2), len(road) - AT_MOST + 1)
    return [road[0], *road[first : first + AT_MOST - 2], road[-1]]


def plan(mechanism: Mechanism, walked: Sequence[str], words: Words, *, whole: bool = False) -> Plan:
    """Lay the drawing out. ``walked`` is every state in order, the present one last; empty draws the bare mechanism."""
    full = main_road(mechanism, walked)
    present = walked[-1] if walked else ""
    folded = len(full) > AT_MOST and not whole
    road = _fold(full, present) if folded else full
    column = {state: index for index, state in enumerate(road)}
    seen = set(walked)
    boxes = [_box(mechanism, state, words, seen, present, index) for index, state in enumerate(road)]
    edges = [_road_edge(mechanism, left, right, seen) for left, right in itertools.pairwise(road)]
    edges += _ways_back(mechanism, column)
    sides, side_boxes = _side_ends(mechanism, column, words)
    return Plan((*boxes, *side_boxes), (*edges, *sides), folded, tuple(full))


def _box(mechanism: Mechanism, state: str, words: Words, seen: set[str], present: str, index: int) -> Box:
    title, second = words(state)
    mark = "present" if state == present else "walked" if state in seen else "ahead"
    return Box(state, title, second, mark, state in mechanism.ends, index)


def _title(act: Act, english: str = "") -> str:
    from django.utils.translation import get_language

    own = (get_language() or "zh").startswith("zh")
    return str(act.title.get("zh" if own else "en") or act.title.get("en") or act.name.replace("_", " "))


def _road_edge(mechanism: Mechanism, left: str, right: str, seen: set[str]) -> Edge:
    found = next((act for target, act in _targets(mechanism, left, always=True) if target == right), None)
    return Edge(left, right, _title(found) if found else "…", "road", left in seen and right in seen)


def _ways_back(mechanism: Mechanism, column: Mapping[str, int]) -> list[Edge]:
    found: dict[tuple[str, str], Edge] = {}
    for state, at in column.items():
        for target, act in _targets(mechanism, state):
            if target in column and column[target] < at and (state, target) not in found:
                bound = f" ≤ {act.at_most}" if act.at_most else ""
                found[state, target] = Edge(state, target, _title(act) + bound, "back")
    return list(found.values())[:3]


def _side_ends(mechanism: Mechanism, column: Mapping[str, int], words: Words) -> tuple[list[Edge], list[Box]]:
    edges: list[Edge] = []
    boxes: list[Box] = []
    columns = max(column.values(), default=0) + 1
    for state, at in column.items():
        for target, act in _targets(mechanism, state):
            if target in column or target not in mechanism.ends or any(box.name == target for box in boxes):
                continue
            taken = {(box.column, box.row) for box in boxes}
            slots = ((c, row) for row in range(1, 9) for c in range(at, columns) if (c, row) not in taken)
            where, row = next(slots, (at, 9))
            title, second = words(target)
            boxes.append(Box(target, title, second, "ahead", True, where, row))
            edges.append(Edge(state, target, _title(act), "side"))
    return edges, boxes


# ------------------------------------------------------------------------ SVG


def shortened(text: str, px: float, size: float = 13) -> str:
    """The text cut so that it fits ``px``, its … included."""
    if _wide(text, size) <= px:
        return text
    kept = text
    while kept and _wide(kept, size) > px - size:
        kept = kept[:-1]
    return kept.rstrip(" ·") + "…"


def _wide(text: str, size: float) -> float:
    """How wide a text is in Noto Sans SC: CJK and its marks are one size wide, the rest about .54."""
    return sum(size if ord(sign) > 0x2E7F or sign in "·“”…" else size * 0.54 for sign in text)


def _place(box: Box) -> tuple[float, float]:
    shift = 36 if box.row else 0
    return 6 + box.column * (WIDTH + GAP) + shift, 8 + box.row * DROP + (SIDE if box.row else 0)


def _draw_box(box: Box) -> str:
    x, y = _place(box)
    outer = ""
    if box.mark == "present":
        outer = f'<rect class="fs-m-halo" x="{x - 3}" y="{y - 3}" width="{WIDTH + 6}" height="{HEIGHT + 6}" rx="9"/>'
    inner = ""
    if box.end:
        inner = f'<rect class="fs-m-inner" x="{x + 3}" y="{y + 3}" width="{WIDTH - 6}" height="{HEIGHT - 6}" rx="4"/>'
    title = ("✓ " if box.mark == "walked" else "") + shortened(box.title, WIDTH - (26 if box.mark == "walked" else 12))
    return (
        f'<g class="fs-m-box fs-m-{box.mark}"><title>{escape(box.title)} · {escape(box.second)}</title>{outer}'
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>{inner}'
        f'<text class="fs-m-name" x="{x + WIDTH / 2}" y="{y + 20}">{escape(title)}</text>'
        f'<text class="fs-m-second" x="{x + WIDTH / 2}" y="{y + 36}">{escape(shortened(box.second, WIDTH - 10, 11))}</text></g>'
    )


def _draw_edge(edge: Edge, boxes: Mapping[str, Box], lane: int) -> str:
    (x1, y1), (x2, y2) = _place(boxes[edge.source]), _place(boxes[edge.target])
    kind = f"fs-m-edge fs-m-{edge.kind}" + (" fs-m-done" if edge.walked else "")
    head = "url(#fs-m-ink)" if edge.walked else "url(#fs-m-tip)"
    label: tuple[float, float, str, float]
    if edge.kind == "road":
        path = f"M{x1 + WIDTH} {y1 + HEIGHT / 2}H{x2 - 4}"
        label = (x1 + WIDTH + GAP / 2, y1 + HEIGHT / 2 - 7, "middle", GAP - 6)
    elif edge.kind == "side":
        if boxes[edge.source].column == boxes[edge.target].column:
            path = f"M{x1 + 14} {y1 + HEIGHT}V{y2 + HEIGHT / 2 - 8}q0 8 8 8H{x2 - 4}"
        else:
            low = y2 - 24
            path = f"M{x1 + 14} {y1 + HEIGHT}V{low - 8}q0 8 8 8H{x2 + 12}q8 0 8 8V{y2 - 5}"
        label = (x2 + (26 if x2 - x1 > WIDTH else -12), y2 - 7, "start", WIDTH + 20)
    else:
        low = y1 + HEIGHT + 16 + lane * 12
        path = f"M{x1 + WIDTH / 2} {y1 + HEIGHT}V{low - 8}q0 8 -8 8H{x2 + WIDTH / 2 + 8}q-8 0 -8 -8V{y2 + HEIGHT + 5}"
        label = ((x1 + x2 + WIDTH) / 2, low - 4, "middle", abs(x1 - x2) - 10)
    x, y, anchor, room = label
    return (
        f'<g class="{kind}"><title>{escape(edge.title)}</title><path d="{path}" marker-end="{head}"/>'
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(shortened(edge.title, room, 11))}</text></g>'
    )


def svg(drawn: Plan, label: str) -> SafeString:
    """The drawing as SVG markup; every text of the mechanism is escaped."""
    boxes = {box.name: box for box in drawn.boxes}
    if not boxes:
        return SafeString("")
    columns = 1 + max(box.column for box in drawn.boxes)
    rows = max(box.row for box in drawn.boxes)
    shifted = any(box.row for box in drawn.boxes if box.column == columns - 1)
    width = columns * WIDTH + (columns - 1) * GAP + 12 + (36 if shifted else 0)
    backs = [edge for edge in drawn.edges if edge.kind == "back"]
    height = max(HEIGHT + 16 + rows * DROP + (SIDE if rows else 0), HEIGHT + 24 + 20 * bool(backs) + 12 * len(backs))
    lanes = {id(edge): lane for lane, edge in enumerate(backs)}
    parts = [_draw_edge(edge, boxes, lanes.get(id(edge), 0)) for edge in drawn.edges]
    parts += [_draw_box(box) for box in drawn.boxes]
    return format_html(
        '<svg class="fs-mechanism" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}"><defs>'
        '<marker id="fs-m-tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="fs-m-tip" d="M0 .8 7 4 0 7.2z"/></marker>'
        '<marker id="fs-m-ink" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path class="fs-m-ink" d="M0 .8 7 4 0 7.2z"/></marker></defs>{}</svg>',
        width,
        height,
        width,
        height,
        label,
        mark_safe("".join(parts)),  # noqa: S308 (each part escapes its texts)
    )


def phase(mechanism: Mechanism, state: str, paused: bool = False) -> str:
    """Which phase of life a state is: new, doing, review, paused, verified or ended."""
    if state in mechanism.ends:
        return "verified" if _verified(mechanism, state) else "ended"
    if state == "merged" and state not in mechanism.states:
        return "ended"  # an end of the ledger's own
    if paused:
        return "paused"
    if state not in mechanism.states:
        return "doing"
    own = [act for act in mechanism.states[state].actions if act.name not in mechanism.always]
    if any(set(act.verifies) - {"opened"} for act in own):
        return "review"
    if any(act.to == state for act in mechanism.opening.values()):
        return "new"
    return "doing"


def _verified(mechanism: Mechanism, end: str) -> bool:
    """Whether the end is the one that the work was for: nobody gets there by setting the opening itself aside."""
    acts = [act for state in mechanism.states.values() for act in state.actions]
    aside = any(end in (act.to, act.then) and "opened" in act.verifies for act in acts)
    return mechanism.ends[end].unverified is None and not aside
