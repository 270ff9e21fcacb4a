"""The map as it was at a moment of the last day: open matters with a level, from the ledger's entries.

In: who looks, the sites in their scope, the moment. Out: counties, marks and counts as ``situation`` gives them for now.
A case was open from its opening to its end; its level then is what its entries up to that moment had set last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from fengsui.cockpit import situation
from fengsui.ledger import reading
from fengsui.ledger.models import LEVELS, RANK
from fengsui.ledger.reading import past
from fengsui.region.acting import Acting

BACK = timedelta(hours=24)
"""How far back the map goes."""
MOST = 2000
"""Cases looked at for one moment, the newest first."""


def then(actings: Sequence[Acting], sites: dict[str, Any], at: datetime) -> dict[str, Any]:
    """``{counties, marks, counts}`` at that moment; exercise cases among them, as on the map of now. Four queries."""
    cases = _open_then(reading.cases(list(actings)), at)
    levels = past.levels(cases, at)
    graded = [case for case in cases if case.pk in levels]
    for case in graded:  # drawn as it was; never saved
        case.level = levels[case.pk]
    graded.sort(key=lambda case: -RANK[case.level])
    counties: dict[str, dict[str, Any]] = {}
    for case in graded:  # the worst last: its level stays
        seen = counties.setdefault(case.place_code[:6], {"level": case.level, "open": 0})
        seen["open"] += 1
        seen["level"] = case.level
    positions = {str(one["id"]): tuple(one["geometry"]["coordinates"]) for one in sites["features"]}
    return {
        "counties": counties,
        "marks": situation.placed(graded[-situation.MARKS :], positions),
        "counts": {level: sum(1 for case in graded if case.level == level) for level in LEVELS},
    }


def _open_then(cases: QuerySet[Any], at: datetime) -> list[Any]:
    """The cases with a level that were open at the moment; two queries, so that each finds its index."""
    before = cases.filter(opened_at__lte=at, level__in=LEVELS).defer("fields", "core", "raiser").order_by("-opened_at")
    still = before.filter(ended=False)[:MOST]
    since = before.filter(ended=True, moved_at__gt=at, ended_at__gt=at)[:MOST]
    return [*still, *since]
