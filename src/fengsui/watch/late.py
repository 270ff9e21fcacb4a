"""Late samples that were beyond a limit, gathered by rule: one record for many, and only so many at a time.

A gateway that hands in a day's buffer may bring thousands of them in a second; people need to know that a limit was
passed, when and by how much, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fengsui.watch.engine import Kind, Level

MOST = 20
"""Records of a site at one time; the rules with the most late samples speak, the others are only counted as late."""


class LateBeyond:
    """What came late and beyond a limit since it was last told."""

    def __init__(self, gathered: dict[int, list[Any]] | None = None) -> None:
        self._of: dict[int, list[Any]] = gathered or {}
        """Rule → [point, level, number, worst value, first time ns, last time ns]."""

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, rows: NDArray[np.void]) -> None:
        """Gather the LATE_BEYOND rows of a step."""
        late = rows[rows["kind"] == Kind.LATE_BEYOND]
        for time_ns, value, point, rule, _, level in late.tolist():
            known = self._of.get(rule)
            if known is None:
                self._of[rule] = [point, level, 1, value, time_ns, time_ns]
                continue
            known[2] += 1
            known[3] = max(known[3], value) if level <= Level.H else min(known[3], value)
            known[4], known[5] = min(known[4], time_ns), max(known[5], time_ns)

    def tell(self, site_of: Callable[[int], str]) -> list[dict[str, Any]]:
        """One record a rule, at most ``MOST`` a site; nothing is gathered afterwards."""
        told: list[dict[str, Any]] = []
        number: dict[str, int] = {}
        for rule, (point, level, count, worst, first, last) in sorted(self._of.items(), key=lambda item: (-item[1][2], item[0])):
            site = site_of(point)
            number[site] = number.get(site, 0) + 1
            if number[site] <= MOST:
                told.append(
                    {
                        "kind": Kind.LATE_BEYOND.name, "rule": rule, "point": point, "level": level, "site": site,
                        "at": first, "until": last, "times": count, "value": worst,
                    }
                )  # fmt: skip
        self._of.clear()
        return told

    def plain(self) -> dict[str, list[Any]]:
        """For a snapshot."""
        return {str(rule): row for rule, row in self._of.items()}

    @classmethod
    def of(cls, plain: dict[str, list[Any]]) -> LateBeyond:
        """From a snapshot."""
        return cls({int(rule): row for rule, row in plain.items()})
