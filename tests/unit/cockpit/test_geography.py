"""The sketch map's shapes."""

import math

import pytest

from fengsui.cockpit import geography


def test_every_county_has_a_shape_and_a_path() -> None:
    assert len(geography.counties()["features"]) == 103
    paths = dict(geography.county_paths())
    assert len(paths) == 103
    assert all(path.startswith("M") and path.endswith("Z") for path in paths.values())
    assert len(geography.league_paths()) == 12


def test_rings_are_closed() -> None:
    for feature in geography.counties()["features"]:
        for polygon in feature["geometry"]["coordinates"]:
            assert all(ring[0] == ring[-1] for ring in polygon)


def test_the_projection_keeps_areas() -> None:
    """A degree cell at 42° and one at 52° have the areas that the sphere gives them (Snyder: equal-area)."""

    def area(lat: float) -> float:
        corners = [geography.albers(lon, y) for lon, y in ((110, lat), (110.1, lat), (110.1, lat + 0.1), (110, lat + 0.1))]
        return 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, corners[1:] + corners[:1], strict=True)))

    def sphere(lat: float) -> float:
        return math.radians(0.1) * (math.sin(math.radians(lat + 0.1)) - math.sin(math.radians(lat)))

    for lat in (38.0, 42.0, 52.0):
        assert area(lat) == pytest.approx(sphere(lat), rel=1e-4)


def test_the_scale_bar_is_true_between_two_towns() -> None:
    """Hohhot and Baotou lie about 150 km apart; on the page within 3 % of the great circle."""
    fit = geography.sheet()
    (ax, ay), (bx, by) = fit.at(111.67, 40.82), fit.at(109.84, 40.66)
    shown = math.dist((ax, ay), (bx, by)) / geography.hundred_km() * 100
    assert shown == pytest.approx(155.2, rel=0.03)
