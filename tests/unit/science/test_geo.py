"""Distances and projections against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.science.geo import albers, bounds, great_circle_m, inside

LON, LAT = st.floats(-179, 179), st.floats(-85, 85)
SQUARE = [[(0, 0), (4, 0), (4, 4), (0, 4)], [(1, 1), (2, 1), (2, 2), (1, 2)]]


def test_a_known_distance() -> None:
    # Nashville to Los Angeles airports, 36.12 N 86.67 W to 33.94 N 118.40 W: 2886.4 km
    assert great_circle_m(-86.67, 36.12, -118.40, 33.94) == pytest.approx(2_886_400, rel=1e-3)


@given(LON, LAT, LON, LAT)
def test_distance_is_symmetric_and_bounded(a: float, b: float, c: float, d: float) -> None:
    found = great_circle_m(a, b, c, d)
    assert found == pytest.approx(great_circle_m(c, d, a, b), abs=1e-3)
    assert 0 <= found <= 20_015_200


def test_inside_knows_holes() -> None:
    assert inside(3, 3, SQUARE) and inside(0.5, 0.5, SQUARE)
    assert not inside(1.5, 1.5, SQUARE) and not inside(5, 1, SQUARE)
    assert bounds(SQUARE) == (0, 0, 4, 4)


def test_albers_against_snyders_example() -> None:
    # Snyder 1987, p. 291: sphere of radius 1, parallels 29.5° and 45.5°, centre 23° N 96° W, point 35° N 75° W
    x, y = albers(-75, 35, centre=(-96, 23), parallels=(29.5, 45.5))
    assert (x / 6_371_008.8, y / 6_371_008.8) == pytest.approx((0.2952720, 0.2416774), abs=1e-6)
