"""Chance, from one seed: names, telephone numbers, places inside a county."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from fengsui import shipped
from fengsui.region.geography import Shape, county_shapes
from fengsui.science.geo import bounds


def data(name: str) -> Any:
    """data/demo/NAME.yaml."""
    return yaml.safe_load(shipped.file(f"demo/{name}.yaml").read_text(encoding="utf-8"))


class Chance:
    """Everything drawn comes from one generator, so that a seed gives one region."""

    def __init__(self, seed: int) -> None:
        people = data("people")
        self.random = random.Random(seed)  # noqa: S311 (made-up data, no secret)
        self._family: list[str] = people["family"].split()
        self._given: list[str] = people["given"].split()
        self._mongolian: list[str] = people["mongolian"].split()
        self._area: Mapping[str, str] = people["area"]
        self._phone = 0

    def name(self) -> str:
        """A person's name; one in five of the Mongolian kind, which has no family name."""
        if self.random.random() < 0.2:
            return self.random.choice(self._mongolian)
        return self.random.choice(self._family) + self.random.choice(self._given)

    def phone(self, place: str) -> str:
        """A number out of the block 555-0100 to 555-0199, which belongs to nobody."""
        self._phone = (self._phone + 1) % 100
        area = self._area.get(f"{place[:4]}00", "0471")
        return f"{area}-555-{100 + self._phone:04d}"

    def spot(self, county: str) -> tuple[float, float]:
        """Longitude and latitude inside the county's outline, towards its middle."""
        shape = county_shapes()[county]
        biggest = max(shape.polygons, key=lambda rings: len(rings[0]))
        west, south, east, north = bounds(biggest)
        for _ in range(500):
            lon = self.random.triangular(west, east)
            lat = self.random.triangular(south, north)
            if shape.holds(lon, lat):
                return round(lon, 5), round(lat, 5)
        return self._corner(shape)

    def _corner(self, shape: Shape) -> tuple[float, float]:
        lon, lat = shape.polygons[0][0][0][:2]
        return lon, lat

    def pick(self, weights: Mapping[str, float]) -> str:
        """One key, by weight."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def between(self, ends: Sequence[float]) -> float:
        """A number between the two ends, three significant figures."""
        return float(f"{self.random.uniform(*ends):.3g}")
