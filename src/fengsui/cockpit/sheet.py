"""What the sketch map has besides the places' outlines: rivers, graticule, scale; base layers as JSON.

In: ``region.geography`` and the rivers of ``data/geo``. Out: SVG paths in the drawing's units and GeoJSON
bytes. The files never change while a process runs, so everything here is made once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import orjson

from fengsui import shipped
from fengsui.region import geography

MARGIN = 20


def _line(positions: Iterable[Any]) -> str:
    steps: list[tuple[float, float]] = []
    for position in positions:
        here = geography.draw(position[0], position[1])
        if not steps or here != steps[-1]:
            steps.append(here)
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in steps) if len(steps) > 1 else ""


def _lines(geometry: dict[str, Any]) -> Iterator[Any]:
    if geometry["type"].startswith("Multi"):
        yield from geometry["coordinates"]
    else:
        yield geometry["coordinates"]


@cache
def _rivers() -> dict[str, Any]:
    return dict(json.loads(shipped.file("geo/rivers.geojson").read_text(encoding="utf-8")))


@cache
def rivers() -> str:
    """All rivers as one SVG path (source: WDBII)."""
    return "".join(_line(line) for feature in _rivers()["features"] for line in _lines(feature["geometry"]))


@cache
def graticule() -> tuple[tuple[str, str, float, float], ...]:
    """``(words, path, x, y)`` of the meridians and parallels every five degrees; x, y place the label."""
    lines: list[tuple[str, str, float, float]] = []
    for lon in range(95, 131, 5):
        lines.append((f"{lon}°E", _line((lon, 36.5 + step / 4) for step in range(72)), *geography.draw(lon, 53.6)))
    for lat in range(40, 55, 5):
        lines.append((f"{lat}°N", _line((94 + step / 2, lat) for step in range(68)), *geography.draw(127.0, lat)))
    return tuple(lines)


@cache
def height() -> float:
    """How far down the drawing reaches, in its units."""
    return max(
        geography.draw(lon, lat)[1] for shape in geography.county_shapes().values() for p in shape.polygons for lon, lat in p[0]
    )


@cache
def hundred_km() -> float:
    """The length of 100 km in drawing units, measured along the parallel of 43° N in the middle of the region."""
    degrees = 100 / (6371.0088 * math.radians(1) * math.cos(math.radians(43)))
    (ax, ay), (bx, by) = geography.draw(111.5, 43), geography.draw(111.5 + degrees, 43)
    return math.dist((ax, ay), (bx, by))


def _leagues() -> bytes:
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "MultiPolygon", "coordinates": polygons}}
        for code, polygons in geography.league_shapes().items()
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


BASES = {
    "counties": lambda: geography.counties_geojson().encode(),
    "leagues": _leagues,
    "rivers": lambda: orjson.dumps(_rivers()),
}
"""The base layers by the name in their address, as GeoJSON bytes."""
