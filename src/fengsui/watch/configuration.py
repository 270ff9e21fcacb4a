"""What the engine is told to watch: one message per site on the same stream as the samples.

It travels on the stream so that a replay meets each change at the very place where the engine met it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from fengsui.watch.engine import Level, Points, Rules

_MS = 1_000_000


@dataclass(frozen=True)
class SiteConfiguration:
    """A site's points (id by tag) and rules (id, point, level, limit, deadband, on-delay ms, off-delay ms)."""

    site: str
    tags: dict[str, int]
    rules: tuple[tuple[int, int, int, float, float, int, int], ...] = ()
    ids: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, site: str, tags: dict[str, int], rules: Iterable[Iterable[Any]]) -> SiteConfiguration:
        """Checked; ``ValueError`` names the rule that does not fit."""
        made = tuple(
            (int(rule), int(point), int(Level(level)), float(limit), float(band), int(on), int(off))
            for rule, point, level, limit, band, on, off in rules
        )
        ids = frozenset(tags.values())
        for rule in made:
            if rule[1] not in ids:
                raise ValueError(f"rule {rule[0]}: point {rule[1]} is not of site {site}")
        return cls(site, tags, made, ids)

    @functools.cached_property
    def columns(self) -> tuple[NDArray[Any], ...] | None:
        """The rules' columns in the engine's order; None without rules."""
        if not self.rules:
            return None
        made = Rules.of((*rule[:5], rule[5] * _MS, rule[6] * _MS) for rule in self.rules)
        return (made.id, made.point, made.level, made.limit, made.deadband, made.on_delay_ns, made.off_delay_ns)

    def encode(self) -> bytes:
        """The message's bytes; equal configurations have equal bytes."""
        whole = {"site": self.site, "tags": self.tags, "rules": self.rules}
        return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes) -> SiteConfiguration:
        """From the message's bytes; ``ValueError`` where they are not of that shape."""
        try:
            found = orjson.loads(data)
            return cls.of(found["site"], {str(tag): int(p) for tag, p in found["tags"].items()}, found["rules"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"configuration message is malformed: {error!r}") from error


NO_SITE = SiteConfiguration("", {})


def columns(sites: Iterable[SiteConfiguration]) -> tuple[Points, Rules]:
    """All sites' points and rules as the engine takes them."""
    known = list(sites)
    points = Points.of(point for site in known for point in site.ids)
    parts = [part for site in known if (part := site.columns) is not None]
    if not parts:
        return points, Rules.of([])
    return points, Rules(*(np.concatenate(column) for column in zip(*parts, strict=True)))
