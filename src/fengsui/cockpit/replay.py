"""The map as it was at a moment of the last day: open matters with a level, from the ledger's entries.

In: who looks, the sites in their scope, the moment. Out: counties, marks and counts as ``situation`` gives them for now.
A case was open from its opening to its end; its level then is what its entries up to that moment had set last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.urls import get_script_prefix
from django.utils.translation import get_language

from fengsui.cockpit import situation
from fengsui.ledger import reading
from fengsui.ledger.models import LEVELS, RANK
from fengsui.ledger.reading import past
from fengsui.region.acting import Acting

BACK = timedelta(hours=24)
"""How far back the map goes."""
STEP = timedelta(minutes=15)
"""From one moment of the replay to the next."""
KEPT = timedelta(seconds=30)
"""A moment of the slider is not read again so soon for the same reader: it goes to and fro over the same ones."""


def seen(actings: Sequence[Acting], sites: Callable[[], dict[str, Any]], at: datetime) -> dict[str, Any]:
    """``then``, kept a short time for whoever acts so, where the moment is one of the slider's."""
    if at.timestamp() % STEP.total_seconds():
        return then(actings, sites(), at)
    who = sorted((one.person_id, one.post_id, one.office_id) for one in actings)
    key = f"replay:{get_language()}:{get_script_prefix()}:{who}:{at.timestamp():.0f}".replace(" ", "")
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        kept = then(actings, sites(), at)
        cache.set(key, kept, KEPT.total_seconds())
    return kept


def then(actings: Sequence[Acting], sites: dict[str, Any], at: datetime) -> dict[str, Any]:
    """``{counties, marks, counts, unmarked}`` at that moment; exercise cases among them, as on the map of now.

    ``counts`` are of all, ``unmarked`` says how many of them are not among the marks: the mildest, where there are too many.
    """
    found = past.then(reading.cases(list(actings)), at, situation.MARKS)
    counties: dict[str, dict[str, Any]] = {}
    counts = dict.fromkeys(LEVELS, 0)
    for (county, level), count in sorted(found.counts.items(), key=lambda item: RANK[item[0][1]]):
        counties.setdefault(county, {"level": level, "open": 0})["open"] += count  # the worst comes first: its level stays
        counts[level] += count
    positions = {str(one["id"]): tuple(one["geometry"]["coordinates"]) for one in sites["features"]}
    marks = situation.placed(found.worst[::-1], positions)
    for mark in marks:
        del mark["due"]  # today's: what was due then, the case's row does not say
    return {"counties": counties, "marks": marks, "counts": counts, "unmarked": sum(counts.values()) - len(found.worst)}
