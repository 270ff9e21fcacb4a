"""How an entry says what changed: a case as plain data, the difference of two, and its application.

``apply(before, diff(before, after)) == after`` for every pair of plain cases, so that folding a case's
entries in order gives the case back (``fengsui rebuild``).

A difference holds only what changed. Maps (``fields``, ``counts``, ``persons``, ``signed``, ``row``) are
``{"+": {key: value}, "-": [keys gone]}``; rows (``clocks``, ``kids``) are
``{"len": how many, "at": {index: row}}``; anything else is the new value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fengsui.ledger.kernel.shapes import Case, ClockRow, Kid

Plain = dict[str, Any]

MAPS = frozenset({"fields", "counts", "persons", "signed", "row"})
ROWS = frozenset({"clocks", "kids"})
COMPOSED = MAPS | ROWS
ELSEWHERE = frozenset({"id", "seq"})
"""What the entry states outside the difference."""


def stamp(moment: datetime) -> str:
    """A moment as entries write it: UTC, microseconds, ``Z``."""
    return _written(moment if moment.tzinfo is UTC else moment.astimezone(UTC))


@lru_cache(maxsize=8192)
def _written(there: datetime) -> str:
    """Of a moment in UTC, where equal moments are the same one; it stands in many places of an act and of a batch."""
    return there.isoformat(timespec="microseconds")[:-6] + "Z"


def moment_of(text: str) -> datetime:
    """The moment that ``stamp`` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


_SAME = frozenset({str, int, bool, float, type(None)})
"""What is plain already; asked first, since nearly every value is."""


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _SAME:
        return value
    if kind is dict:
        return {str(key): item if type(item) in _SAME else _plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (ClockRow, Kid)):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value


_CASE = tuple(item.name for item in fields(Case))
_STATED = tuple(name for name in _CASE if name not in ELSEWHERE)


def plain(case: Case, row: Mapping[str, Any] | None = None) -> Plain:
    """A kernel case as JSON values; ``row`` is what the ledger keeps of it besides (number, title, place …)."""
    known: Plain = {name: _plain(getattr(case, name)) for name in _CASE}
    known["row"] = _plain(dict(row or {}))
    return known


def case_of(known: Mapping[str, Any]) -> Case:
    """The kernel case that ``plain`` described."""
    values = {name: known[name] for name in _CASE}
    values["clocks"] = tuple(clock_of(row) for row in known["clocks"])
    values["kids"] = tuple(Kid(**{**kid, "persons": frozenset(kid["persons"])}) for kid in known["kids"])
    values["persons"] = {act: frozenset(who) for act, who in known["persons"].items()}
    values["signed"] = {act: tuple(map(tuple, who)) for act, who in known["signed"].items()}
    values["unverified"] = frozenset(known["unverified"])
    values["verified"] = frozenset(known["verified"])
    values["overseers"] = tuple(known["overseers"])
    values["opened"] = moment_of(known["opened"]) if known["opened"] else None
    return Case(**values)


def clock_of(row: Mapping[str, Any]) -> ClockRow:
    """A clock's row out of its plain form."""
    times = {name: moment_of(row[name]) if row[name] else None for name in ("start", "due", "first", "stopped", "paused_at")}
    return ClockRow(**{**row, **times})


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> Plain:
    """What changed from ``before`` (empty at the opening) to ``after``."""
    change: Plain = {}
    for key, new in after.items():
        if key in ELSEWHERE or (key in before and before[key] is new):
            continue
        if key in MAPS:
            if step := _map_diff(before.get(key, {}), new):
                change[key] = step
        elif key in ROWS:
            if step := _row_diff(before.get(key, []), new):
                change[key] = step
        elif key not in before or before[key] != new:
            change[key] = new
    return change


def step(before: Case, row_before: Mapping[str, Any], after: Case, row_after: Mapping[str, Any]) -> Plain:
    """``diff`` of the two in plain form, composing only what is not the same object in both."""
    change: Plain = {}
    for name in _STATED:
        old, new = getattr(before, name), getattr(after, name)
        if old is new or (type(new) in _SAME and type(old) is type(new) and old == new):
            continue
        if name == "clocks":
            found: Any = _clock_diff(old, new)
        elif name in MAPS:
            found = _map_step(old, new)
        elif name in ROWS:
            found = _row_diff(_plain(old), _plain(new))
        else:
            found = _plain(new)
            if found == _plain(old):
                continue
        if found or name not in COMPOSED:
            change[name] = found
    if row_before is not row_after and (found := _map_step(row_before, row_after)):
        change["row"] = found
    return change


def _map_step(old: Mapping[str, Any], new: Mapping[str, Any]) -> Plain:
    """``_map_diff`` of the two in plain form; what equals needs no plain form."""
    found: Plain = {}
    put = {}
    for key, value in new.items():
        if key not in old:
            put[str(key)] = _plain(value)
        elif (was := old[key]) is not value and was != value and (now := _plain(value)) != _plain(was):
            put[str(key)] = now
    if put:
        found["+"] = put
    if gone := sorted(str(key) for key in old if key not in new):
        found["-"] = gone
    return found


def _clock_diff(old: tuple[ClockRow, ...], new: tuple[ClockRow, ...]) -> Plain:
    put = {str(at): _plain(row) for at, row in enumerate(new) if at >= len(old) or (old[at] is not row and old[at] != row)}
    return {"len": len(new), "at": put} if put or len(old) != len(new) else {}


def _map_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> Plain:
    step: Plain = {}
    if put := {key: value for key, value in new.items() if key not in old or old[key] != value}:
        step["+"] = put
    if gone := sorted(key for key in old if key not in new):
        step["-"] = gone
    return step


def _row_diff(old: list[Any], new: list[Any]) -> Plain:
    put = {str(at): row for at, row in enumerate(new) if at >= len(old) or old[at] != row}
    return {"len": len(new), "at": put} if put or len(old) != len(new) else {}


def apply(known: Plain, change: Mapping[str, Any]) -> Plain:
    """Carry a difference out on ``known`` itself, and return it."""
    for key, step in change.items():
        if key in MAPS:
            kept = known.setdefault(key, {})
            kept.update(step.get("+", ()))
            for gone in step.get("-", ()):
                kept.pop(gone, None)
        elif key in ROWS:
            rows = known.setdefault(key, [])
            del rows[step["len"] :]
            for at, row in sorted(step["at"].items(), key=lambda item: int(item[0])):
                rows[int(at) : int(at) + 1] = [row]
        else:
            known[key] = step
    for key in MAPS:
        known.setdefault(key, {})
    for key in ROWS:
        known.setdefault(key, [])
    return known


def places(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where an entry's record keeps values by field name: as given, as set, as waiting, corrected, or the case restated."""
    values, step, besides = record.get("values", {}), record.get("change", {}), record.get("besides", {})
    whole = besides.get("whole", {})
    found: list[Any] = [values, step.get("fields", {}).get("+", {}), step.get("pending", {})]
    found += [values.get("was"), values.get("becomes"), whole.get("fields"), whole.get("pending")]
    return [place for place in found if isinstance(place, Mapping)]
