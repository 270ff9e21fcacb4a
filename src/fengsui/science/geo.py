"""Distances and places on the globe; longitude and latitude in degrees, lengths in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the GRS 80 ellipsoid, (2a + b) / 3 (Moritz 2000, Geodetic Reference System 1980)."""

Ring = Sequence[Sequence[float]]
"""A closed or open ring of (lon, lat)."""


def great_circle_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Metres along the great circle, by the haversine formula (Sinnott 1984, Sky and Telescope 68:159).

    On a sphere: within 0.6 % of the ellipsoid's geodesic.
    """
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def inside(lon: float, lat: float, rings: Sequence[Ring]) -> bool:
    """Whether the point lies within a polygon of rings (outer, then holes), by the even–odd rule.

    Crossing count after Franklin's PNPOLY; a point exactly on an edge may fall on either side.
    """
    odd = False
    for ring in rings:
        x1, y1 = ring[-1][0], ring[-1][1]
        for x2, y2, *_ in ring:
            if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                odd = not odd
            x1, y1 = x2, y2
    return odd


def bounds(rings: Sequence[Ring]) -> tuple[float, float, float, float]:
    """West, south, east, north of the rings."""
    xs = [point[0] for ring in rings for point in ring]
    ys = [point[1] for ring in rings for point in ring]
    return min(xs), min(ys), max(xs), max(ys)


def albers(lon: float, lat: float, *, centre: tuple[float, float], parallels: tuple[float, float]) -> tuple[float, float]:
    """Albers' equal-area conic on the sphere: metres east and north of ``centre``.

    Snyder 1987, Map Projections: A Working Manual, USGS PP 1395, equations 14-1 to 14-6.
    """
    phi0, phi1, phi2 = math.radians(centre[1]), math.radians(parallels[0]), math.radians(parallels[1])
    n = (math.sin(phi1) + math.sin(phi2)) / 2
    c = math.cos(phi1) ** 2 + 2 * n * math.sin(phi1)
    rho = EARTH_RADIUS_M * math.sqrt(c - 2 * n * math.sin(math.radians(lat))) / n
    rho0 = EARTH_RADIUS_M * math.sqrt(c - 2 * n * math.sin(phi0)) / n
    theta = n * math.radians(lon - centre[0])
    return rho * math.sin(theta), rho0 - rho * math.cos(theta)
