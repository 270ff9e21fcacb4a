"""Ladders as files write them: rungs in order of time, or one ladder for each choice of a field.

In: plain data of ``registry.yaml`` or of a mechanism. Out: the kernel's ``Rung`` and ``LadderBy``; faults collect in
the document. ``plain_ladder`` goes the other way, so that a mechanism's version can keep the ladders it climbs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fengsui.law.amounts import Duration, parse_amount
from fengsui.ledger.kernel.document import Document
from fengsui.ledger.kernel.shapes import LadderBy, Rung

_RUNG_KEYS = frozenset({"at", "hour", "tells", "climbs", "effects", "opens", "repeats"})
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def read_ladder(body: Any, path: str, document: Document) -> tuple[Rung, ...]:
    """A list of rungs, in order of time; the last may repeat."""
    if not isinstance(body, list) or not body:
        document.fault(path, "a ladder is a list of rungs", "Write - {at: 0, tells: [holder]}")
        return ()
    rungs = [_rung(item, f"{path}[{i}]", document) for i, item in enumerate(body)]
    times = [rough_seconds(rung.offset) for rung in rungs]
    if times != sorted(times):
        document.fault(path, "the rungs are not in order of time", "Put the earliest first")
    for i, rung in enumerate(rungs[:-1]):
        if rung.repeats:
            document.fault(f"{path}[{i}].repeats", "only the last rung may repeat", "Move it to the last rung")
    return tuple(rungs)


def rough_seconds(length: Duration) -> int:
    """Seconds for comparing lengths with each other: a day is 86,400 s, a working day 1.5 days."""
    if length.seconds is not None:
        return length.seconds
    if length.days is not None:
        return length.days * 86_400
    return (length.workdays or 0) * 129_600


def _rung(item: Any, path: str, document: Document) -> Rung:
    if not isinstance(item, dict):
        document.fault(path, "a rung is a mapping", "Write {at: 7d, climbs: up}")
        return Rung("0", Duration(seconds=0))
    for key in item.keys() - _RUNG_KEYS:
        document.fault(f"{path}.{key}", f"unknown key {key!r}", f"Known: {', '.join(sorted(_RUNG_KEYS))}")
    offset = _length(item.get("at"), f"{path}.at", document)
    if offset.workdays is not None and offset.workdays < 0:
        document.fault(f"{path}.at", "working days before a due time are not counted", "Write days: -3d")
    repeats = item.get("repeats")
    every = _length(repeats, f"{path}.repeats", document) if repeats is not None else None
    if every is not None and rough_seconds(every) <= 0:
        document.fault(f"{path}.repeats", "a rung repeats after a positive time", "Write 30d or 30min")
    opens = item.get("opens") or ()
    climbs = item.get("climbs")
    return Rung(
        at=str(item.get("at")),
        offset=offset,
        tells=_words(item.get("tells"), f"{path}.tells", document),
        climbs=str(climbs) if climbs is not None else None,
        effects=_words(item.get("effects"), f"{path}.effects", document),
        opens=(opens,) if isinstance(opens, str) else _words(opens, f"{path}.opens", document),
        repeats=str(repeats) if repeats is not None else None,
        hour=_hour(item.get("hour"), f"{path}.hour", document),
    )


def _hour(value: Any, path: str, document: Document) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _HOUR.fullmatch(value):
        document.fault(path, f"{value!r} is no hour of the day", 'Write "09:00", with the quotes')
        return None
    return value


def plain_ladder(rungs: Iterable[Rung]) -> list[dict[str, Any]]:
    """A ladder as a file would write it: what a mechanism's version keeps of the ladders that it climbs."""
    return [_plain_rung(rung) for rung in rungs]


def _plain_rung(rung: Rung) -> dict[str, Any]:
    told: dict[str, Any] = {
        "at": rung.at,
        "hour": rung.hour,
        "tells": list(rung.tells),
        "climbs": rung.climbs,
        "effects": list(rung.effects),
        "opens": list(rung.opens),
        "repeats": rung.repeats,
    }
    return {name: value for name, value in told.items() if value}


def read_choice(body: Mapping[str, Any], path: str, document: Document) -> LadderBy:
    """``{by: FIELD, CHOICE: LADDER, …}``: the ladder depends on a choice field."""
    field = body.get("by")
    rows = {str(choice): ladder for choice, ladder in body.items() if choice != "by"}
    if not isinstance(field, str) or not rows or not all(isinstance(ladder, str) for ladder in rows.values()):
        document.fault(
            path, "a ladder by a field names the field and a ladder for each choice", "Write {by: colour, red: minutes, …}"
        )
        return LadderBy("", {})
    return LadderBy(field, rows)


def _length(value: Any, path: str, document: Document) -> Duration:
    try:
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ValueError(f"{value!r} is no length of time: write 15min, 2h, 7d or 3wd")
        return parse_amount(value)
    except ValueError as error:
        document.fault(path, str(error), "Write -3d, 0, 5min, 7d or 2wd")
        return Duration(seconds=0)


def _words(value: Any, path: str, document: Document) -> tuple[str, ...]:
    if value is None or value == ():
        return ()
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        document.fault(path, "expected a list of names", "Write [name, name]")
        return ()
    return tuple(value)
