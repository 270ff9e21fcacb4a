"""Lengths of legal or elapsed time, as the law files write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")
"""Legal days are days of this zone, whatever the server's own is."""

_WRITTEN = re.compile(r"(-?\d+)\s*(s|min|h|wd|d|working days?|days?|hours?|minutes?)?")
_SECONDS = {"s": 1, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time. Exactly one of the three is given.

    ``seconds`` is elapsed time; ``days`` are calendar days and ``workdays`` legal working days, both
    due at 24:00 of their last day in Asia/Shanghai.
    """

    seconds: int | None = None
    days: int | None = None
    workdays: int | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.seconds, self.days, self.workdays)) != 1:
            raise ValueError("give exactly one of seconds, days, workdays")


def parse_amount(text: str | int) -> Duration:
    """``"90d"``, ``"3wd"``, ``"3 working days"``, ``"15min"``, ``"2h"`` → a ``Duration``.

    Raises ``ValueError`` naming the text where it is none of these; a bare ``0`` is zero seconds.
    """
    if str(text).strip() in {"0", "+0", "-0"}:
        return Duration(seconds=0)
    found = _WRITTEN.fullmatch(str(text).strip())
    if not found or not found[2]:
        raise ValueError(f"{text!r} is no length of time: write 15min, 2h, 7d or 3wd")
    number, unit = int(found[1]), found[2]
    if unit in _SECONDS:
        return Duration(seconds=number * _SECONDS[unit])
    if unit.startswith(("wd", "working")):
        return Duration(workdays=number)
    return Duration(days=number)
