"""The region's places from data/geo: read, and written into an empty database."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fengsui import shipped
from fengsui.science.geo import albers, bounds, inside

from .models import Place
from .naming import english, sorting

REGION = ("150000", "内蒙古自治区", "Inner Mongolia Autonomous Region")
Rings = Sequence[Sequence[Sequence[float]]]


def _rows(name: str) -> list[dict[str, str]]:
    with shipped.file(f"geo/{name}").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _place(code: str, zh: str, en: str, level: str, parent: Place | None, **more: float) -> Place:
    path = f"{parent.path if parent else '/'}{code}/"
    return Place(code=code, name_zh=zh, name_en=en, pinyin=sorting(zh), level=level, parent=parent, path=path, **more)


def places() -> list[Place]:
    """All 1,149 places (1 region, 12 leagues, 103 counties, 1,033 townships), unsaved, from the top down."""
    centres = {row["code"]: row for row in _rows("centres.csv")}
    region = _place(*REGION, "region", None, lon=113.9, lat=44.1)
    found = {region.code: region}
    for row in _rows("counties.csv"):
        if row["league_code"] not in found:
            west, south, east, north = bounds(league_shapes()[row["league_code"]][0])
            found[row["league_code"]] = _place(
                row["league_code"],
                row["league_zh"],
                row["league_en"],
                "league",
                region,
                lon=round((west + east) / 2, 3),
                lat=round((south + north) / 2, 3),
            )
        centre = centres[row["code"]]
        found[row["code"]] = _place(
            row["code"],
            row["name_zh"],
            row["name_en"],
            "county",
            found[row["league_code"]],
            lon=float(centre["lon"]),
            lat=float(centre["lat"]),
            area_km2=float(centre["area_km2"]),
        )
    for row in _rows("townships.csv"):
        found[row["code"]] = _place(row["code"], row["name_zh"], english(row["name_zh"]), "township", found[row["county_code"]])
    return sorted(found.values(), key=lambda place: (LEVEL_ORDER[place.level], place.code))


LEVEL_ORDER = {"region": 0, "league": 1, "county": 2, "township": 3}


def write_places() -> int:
    """Write the places into the database where they are missing; returns how many were written."""
    known = set(Place.objects.values_list("code", flat=True))
    missing = [place for place in places() if place.code not in known]
    Place.objects.bulk_create(missing, batch_size=2000)
    return len(missing)


# ------------------------------------------------------------------- shapes


@dataclass(frozen=True, slots=True)
class Shape:
    """A place's outline: GeoJSON MultiPolygon coordinates (polygons of rings of lon, lat)."""

    code: str
    name_zh: str
    polygons: tuple[Rings, ...]

    def holds(self, lon: float, lat: float) -> bool:
        return any(inside(lon, lat, rings) for rings in self.polygons)


@functools.cache
def _topology() -> tuple[dict[str, Any], list[list[tuple[float, float]]]]:
    raw = json.loads(shipped.file("geo/counties.topo.json").read_text(encoding="utf-8"))
    (kx, ky), (dx, dy) = raw["transform"]["scale"], raw["transform"]["translate"]
    arcs = []
    for arc in raw["arcs"]:
        x = y = 0
        line = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            line.append((round(x * kx + dx, 5), round(y * ky + dy, 5)))
        arcs.append(line)
    return raw, arcs


def _ring(indexes: Sequence[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    ring: list[tuple[float, float]] = []
    for index in indexes:
        line = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(line if not ring else line[1:])
    return ring


@functools.cache
def county_shapes() -> dict[str, Shape]:
    """The outline of each county by its code (TopoJSON 1.0 decoded)."""
    raw, arcs = _topology()
    found = {}
    for one in raw["objects"]["data"]["geometries"]:
        many = one["arcs"] if one["type"] == "MultiPolygon" else [one["arcs"]]
        polygons = tuple([_ring(ring, arcs) for ring in polygon] for polygon in many)
        found[one["properties"]["code"]] = Shape(one["properties"]["code"], one["properties"]["name"], polygons)
    return found


@functools.cache
def league_shapes() -> dict[str, tuple[Rings, ...]]:
    """The outline of each league by its code."""
    raw = json.loads(shipped.file("geo/leagues.geojson").read_text(encoding="utf-8"))
    return {one["properties"]["code"]: tuple(_multi(one["geometry"])) for one in raw["features"]}


def _multi(geometry: dict[str, Any]) -> list[Rings]:
    return geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]


def county_of(lon: float, lat: float) -> str | None:
    """The code of the county that holds the point, by the simplified outlines; ``None`` outside the region."""
    for shape in county_shapes().values():
        if shape.holds(lon, lat):
            return shape.code
    return None


# ------------------------------------------------------------------ drawing

WIDTH, HEIGHT = 1200, 1000
"""The size of the SVG drawing in its own units."""


@functools.cache
def _frame() -> tuple[float, float, float]:
    """West and north edge in projected metres, and metres per drawing unit."""
    ends = [_project(*point) for shape in county_shapes().values() for rings in shape.polygons for point in rings[0]]
    west, east = min(x for x, _ in ends), max(x for x, _ in ends)
    south, north = min(y for _, y in ends), max(y for _, y in ends)
    return west, north, max((east - west) / WIDTH, (north - south) / HEIGHT)


def _project(lon: float, lat: float) -> tuple[float, float]:
    return albers(lon, lat, centre=(111.5, 45.0), parallels=(39.0, 51.0))


def draw(lon: float, lat: float) -> tuple[float, float]:
    """The point's x and y in the SVG drawing (x right, y down), Albers' equal-area conic."""
    west, north, scale = _frame()
    x, y = _project(lon, lat)
    return round((x - west) / scale, 1), round((north - y) / scale, 1)


def svg_path(polygons: Sequence[Rings]) -> str:
    """An SVG path of the outline in drawing units; points that fall together are left out."""
    parts = []
    for rings in polygons:
        for ring in rings:
            points: list[tuple[float, float]] = []
            for lon, lat, *_ in ring:
                point = draw(lon, lat)
                if not points or point != points[-1]:
                    points.append(point)
            if len(points) > 2:
                parts.append("M" + "L".join(f"{x:g},{y:g}" for x, y in points) + "Z")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Outline:
    """What the SVG map draws of a place."""

    code: str
    name_zh: str
    path: str
    x: float
    y: float


@functools.cache
def county_outlines() -> tuple[Outline, ...]:
    """All counties for the SVG map of pages without WebGL; ``x``, ``y`` is where the name goes."""
    centres = {row["code"]: row for row in _rows("centres.csv")}
    return tuple(
        Outline(shape.code, shape.name_zh, svg_path(shape.polygons), *draw(float(at["lon"]), float(at["lat"])))
        for shape in county_shapes().values()
        for at in (centres[shape.code],)
    )


@functools.cache
def league_outlines() -> tuple[Outline, ...]:
    """All leagues for the SVG map."""
    names = {row["league_code"]: row["league_zh"] for row in _rows("counties.csv")}
    found = []
    for code, polygons in league_shapes().items():
        west, south, east, north = bounds(polygons[0])
        found.append(Outline(code, names[code], svg_path(polygons), *draw((west + east) / 2, (south + north) / 2)))
    return tuple(found)


@functools.cache
def counties_geojson() -> str:
    """The counties as one GeoJSON FeatureCollection (RFC 7946), with ``code``, ``name_zh``, ``name_en``, ``league``."""
    rows = {row["code"]: row for row in _rows("counties.csv")}
    features = [
        {
            "type": "Feature",
            "id": int(shape.code),
            "properties": {
                "code": shape.code,
                "name_zh": rows[shape.code]["name_zh"],
                "name_en": rows[shape.code]["name_en"],
                "league": rows[shape.code]["league_code"],
            },
            "geometry": {"type": "MultiPolygon", "coordinates": shape.polygons},
        }
        for shape in county_shapes().values()
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
