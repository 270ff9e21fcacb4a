"""Small multiples of live values as SVG paths: pure arithmetic, no database.

A chart is 240 × 100 units. A gap in the data is a gap in the line, never a joined line; only what lies
beyond the limit of a raised alarm is drawn a second time, in the colour of its level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 100.0
RIGHT = 62.0  # room at the right for the limits' names
TOP, FOOT = 8.0, 6.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit line: ``kind`` hh, h, l or ll; ``y`` on the chart; ``label`` where its words stand (kept apart)."""

    kind: str
    value: float
    y: float
    label: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template needs to draw one chart."""

    line: str
    beyond: str  # the part beyond the raised alarm's limit
    gaps: tuple[tuple[float, float], ...]  # (x, width) of spans without data
    limits: tuple[Limit, ...]
    end: tuple[float, float] | None  # where the latest good sample lies
    low: float
    high: float


def span(values: Iterable[float], limits: Iterable[float]) -> tuple[float, float]:
    """The shown range: values and limits, with a tenth of air; a flat line gets a unit of room."""
    all_of = [*values, *limits]
    if not all_of:
        return 0.0, 1.0
    low, high = min(all_of), max(all_of)
    air = (high - low) * 0.1 or max(abs(high) * 0.05, 0.5)
    return low - air, high + air


def _apart(limits: list[tuple[str, float, float]], least: float = 13.0) -> tuple[Limit, ...]:
    """Label heights at least ``least`` units apart, in the order of the lines."""
    found: list[Limit] = []
    last = -least
    for kind, value, y in sorted(limits, key=lambda one: one[2]):
        label = max(y, last + least)
        found.append(Limit(kind, value, round(y, 1), round(label, 1)))
        last = label
    return tuple(found)


def _pieces(points: Sequence[tuple[float, float, float] | None]) -> Iterable[list[tuple[float, float, float]]]:
    run: list[tuple[float, float, float]] = []
    for point in points:
        if point is None:
            if run:
                yield run
            run = []
        else:
            run.append(point)
    if run:
        yield run


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)


def _beyond(run: Sequence[tuple[float, float, float]], limit: float, upward: bool, at: float) -> list[list[tuple[float, float]]]:
    """The parts of a run beyond ``limit``; ``at`` is the limit's y, where the line crosses it."""
    parts: list[list[tuple[float, float]]] = []
    part: list[tuple[float, float]] = []
    for before, here in zip([run[0], *run], run, strict=False):
        out = (here[2] >= limit) if upward else (here[2] <= limit)
        was = (before[2] >= limit) if upward else (before[2] <= limit)
        if out != was:
            share = (limit - before[2]) / (here[2] - before[2])
            crossing = (before[0] + (here[0] - before[0]) * share, at)
            if out:
                part = [crossing]
            else:
                parts.append([*part, crossing])
                part = []
        if out:
            part.append((here[0], here[1]))
    if part:
        parts.append(part)
    return [one for one in parts if len(one) > 1]


def chart(
    times: Sequence[float],
    values: Sequence[float],
    good: Sequence[bool],
    start: float,
    end: float,
    limits: dict[str, float],
    raised: str = "",
    silence: float = 60.0,
) -> Chart:
    """A chart of samples between ``start`` and ``end`` (seconds).

    ``limits`` maps hh, h, l, ll to values in the point's unit; ``raised`` names the limit of a standing
    alarm; spans longer than ``silence`` seconds without a good sample are gaps.
    """
    kept = [(t, v) for t, v, ok in zip(times, values, good, strict=True) if ok and start <= t <= end and v == v]
    low, high = span((v for _, v in kept), limits.values())
    width = WIDTH - RIGHT

    def x(t: float) -> float:
        return (t - start) / (end - start) * width

    def y(v: float) -> float:
        return TOP + (high - v) / (high - low) * (HEIGHT - TOP - FOOT)

    points: list[tuple[float, float, float] | None] = []
    gaps: list[tuple[float, float]] = []
    last = start
    for t, v in kept:
        if t - last > silence:
            gaps.append((round(x(last), 1), round(x(t) - x(last), 1)))
            points.append(None)
        points.append((x(t), y(v), v))
        last = t
    if end - last > silence:
        gaps.append((round(x(last), 1), round(width - x(last), 1)))
    runs = list(_pieces(points))
    beyond = ""
    if raised in limits:
        limit = limits[raised]
        parts = [part for run in runs for part in _beyond(run, limit, raised in ("hh", "h"), y(limit))]
        beyond = "".join(_path(part) for part in parts)
    tail = runs[-1][-1] if runs else None
    return Chart(
        line="".join(_path([(px, py) for px, py, _ in run]) for run in runs if len(run) > 1),
        beyond=beyond,
        gaps=tuple(gaps),
        limits=_apart([(kind, value, y(value)) for kind, value in limits.items()]),
        end=(round(tail[0], 1), round(tail[1], 1)) if tail else None,
        low=low,
        high=high,
    )
