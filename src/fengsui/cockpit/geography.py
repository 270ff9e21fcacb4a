"""The sketch map's shapes: counties, leagues and rivers, as GeoJSON for MapLibre and as paths for SVG.

The files of ``data/geo`` never change while a process runs, so everything here is read once. Positions
are degrees (CGCS2000); the SVG is drawn in an Albers equal-area conic projection so that a county's
size on the page tells its size on the ground, which Mercator at 37°–53° N would not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fengsui import shipped

Position = tuple[float, float]
Ring = list[Position]

WIDTH, HEIGHT = 1000.0, 720.0
"""The SVG's own units."""

_PARALLELS = (40.0, 50.0)
_ORIGIN = (111.5, 45.0)


def arcs_of(topology: dict[str, Any]) -> list[Ring]:
    """The arcs of a TopoJSON topology with quantisation undone (TopoJSON 1.0, section 2.1.3)."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    found: list[Ring] = []
    for arc in topology["arcs"]:
        x = y = 0
        ring: Ring = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            ring.append((round(x * kx + dx, 5), round(y * ky + dy, 5)))
        found.append(ring)
    return found


def _joined(indices: Iterable[int], arcs: list[Ring]) -> Ring:
    """One ring out of arcs; a negative index means the arc of ``~index`` backwards; shared ends are kept once."""
    ring: Ring = []
    for index in indices:
        piece = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(piece[1:] if ring else piece)
    return ring


def polygons_of(geometry: dict[str, Any], arcs: list[Ring]) -> list[list[Ring]]:
    """The polygons (each a list of rings, the outer first) of a TopoJSON ``Polygon`` or ``MultiPolygon``."""
    many = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    return [[_joined(ring, arcs) for ring in polygon] for polygon in many]


@lru_cache(maxsize=1)
def counties() -> dict[str, Any]:
    """The 103 banners and counties as a GeoJSON collection; ``id`` is the code as a number."""
    topology = json.loads(shipped.file("geo/counties.topo.json").read_text(encoding="utf-8"))
    arcs = arcs_of(topology)
    features = [
        {
            "type": "Feature",
            "id": int(geometry["properties"]["code"]),
            "properties": {
                "code": geometry["properties"]["code"],
                "name": geometry["properties"]["name"],
                "league": geometry["properties"]["city_code"],
            },
            "geometry": {"type": "MultiPolygon", "coordinates": polygons_of(geometry, arcs)},
        }
        for geometry in topology["objects"]["data"]["geometries"]
    ]
    return {"type": "FeatureCollection", "features": features}


@lru_cache(maxsize=1)
def leagues() -> dict[str, Any]:
    """The 12 leagues and cities as a GeoJSON collection."""
    return dict(json.loads(shipped.file("geo/leagues.geojson").read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def rivers() -> dict[str, Any]:
    """The rivers of the sketch as a GeoJSON collection (source: WDBII)."""
    return dict(json.loads(shipped.file("geo/rivers.geojson").read_text(encoding="utf-8")))


# ------------------------------------------------------------------- the sheet


def albers(lon: float, lat: float) -> Position:
    """Albers equal-area conic on the sphere (Snyder 1987, eqs. 14-1 to 14-6), in radii; y grows northward."""
    first, second = (math.radians(parallel) for parallel in _PARALLELS)
    n = (math.sin(first) + math.sin(second)) / 2
    c = math.cos(first) ** 2 + 2 * n * math.sin(first)
    rho = math.sqrt(c - 2 * n * math.sin(math.radians(lat))) / n
    rho0 = math.sqrt(c - 2 * n * math.sin(math.radians(_ORIGIN[1]))) / n
    theta = n * math.radians(lon - _ORIGIN[0])
    return rho * math.sin(theta), rho0 - rho * math.cos(theta)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The fit of the region onto the SVG: ``at(lon, lat)`` gives units of the page."""

    scale: float
    left: float
    top: float

    def at(self, lon: float, lat: float) -> Position:
        """A position on the page, in SVG units from the upper left."""
        x, y = albers(lon, lat)
        return round((x - self.left) * self.scale + 20, 1), round((self.top - y) * self.scale + 20, 1)


def _positions(collection: dict[str, Any]) -> Iterator[Position]:
    for feature in collection["features"]:
        geometry = feature["geometry"]
        many = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        for polygon in many:
            for ring in polygon:
                yield from ((position[0], position[1]) for position in ring)


@lru_cache(maxsize=1)
def sheet() -> Sheet:
    """The fit: the whole region with a margin of twenty units."""
    flat = [albers(lon, lat) for lon, lat in _positions(counties())]
    left, right = min(x for x, _ in flat), max(x for x, _ in flat)
    bottom, top = min(y for _, y in flat), max(y for _, y in flat)
    scale = min((WIDTH - 40) / (right - left), (HEIGHT - 40) / (top - bottom))
    return Sheet(scale, left, top)


def _path(rings: Iterable[Iterable[Any]], *, closed: bool) -> str:
    fit = sheet()
    pieces = []
    for ring in rings:
        steps: list[str] = []
        last: Position | None = None
        for position in ring:
            here = fit.at(position[0], position[1])
            if here != last:
                steps.append(f"{here[0]:g} {here[1]:g}")
                last = here
        if len(steps) > 1:
            pieces.append("M" + "L".join(steps) + ("Z" if closed else ""))
    return "".join(pieces)


def _rings(geometry: dict[str, Any]) -> Iterator[Any]:
    many = geometry["coordinates"] if geometry["type"].startswith("Multi") else [geometry["coordinates"]]
    for part in many:
        yield from part if geometry["type"].endswith("Polygon") else [part]


@lru_cache(maxsize=1)
def county_paths() -> tuple[tuple[str, str], ...]:
    """``(code, path)`` of every county, for the SVG map."""
    return tuple((f["properties"]["code"], _path(_rings(f["geometry"]), closed=True)) for f in counties()["features"])


@lru_cache(maxsize=1)
def league_paths() -> tuple[tuple[str, str], ...]:
    """``(code, path)`` of every league."""
    return tuple((str(f["properties"]["code"]), _path(_rings(f["geometry"]), closed=True)) for f in leagues()["features"])


@lru_cache(maxsize=1)
def river_path() -> str:
    """All rivers as one path."""
    return "".join(_path(_rings(f["geometry"]), closed=False) for f in rivers()["features"])


@lru_cache(maxsize=1)
def graticule() -> tuple[tuple[str, str, float, float], ...]:
    """``(words, path, x, y)`` of the meridians and parallels every five degrees; x, y place the label."""
    fit = sheet()
    lines: list[tuple[str, str, float, float]] = []
    for lon in range(95, 131, 5):
        ring = [(float(lon), 37 + step / 4) for step in range(66)]
        x, y = fit.at(lon, 53.4)
        lines.append((f"{lon}°E", _path([ring], closed=False), x, y))
    for lat in range(40, 55, 5):
        ring = [(95 + step / 2, float(lat)) for step in range(64)]
        x, y = fit.at(126.6, lat)
        lines.append((f"{lat}°N", _path([ring], closed=False), x, y))
    return tuple(lines)


def hundred_km() -> float:
    """The length of 100 km on the SVG map (mean Earth radius 6,371.0088 km), in SVG units."""
    return 100 / 6371.0088 * sheet().scale
