"""What the sketch map has besides outlines."""

import math

import orjson
import pytest

from fengsui.cockpit import sheet
from fengsui.region import geography


def test_the_scale_bar_is_true_between_two_towns() -> None:
    """Hohhot and Baotou lie 155 km apart on the great circle (haversine, mean radius 6,371.0088 km)."""
    a, b = geography.draw(111.67, 40.82), geography.draw(109.84, 40.66)
    assert math.dist(a, b) / sheet.hundred_km() * 100 == pytest.approx(155.2, rel=0.03)


def test_the_drawing_has_rivers_and_a_graticule() -> None:
    assert sheet.rivers().startswith("M")
    assert {words for words, *_ in sheet.graticule()} >= {"110°E", "45°N"}
    assert 400 < sheet.height() <= geography.HEIGHT


@pytest.mark.parametrize(("name", "least"), [("counties", 103), ("leagues", 12), ("rivers", 100)])
def test_base_layers_are_geojson(name: str, least: int) -> None:
    found = orjson.loads(sheet.BASES[name]())
    assert found["type"] == "FeatureCollection"
    assert len(found["features"]) >= least
