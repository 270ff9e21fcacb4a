"""The names that a mechanism file may use: roles, guards, effects, events, law numbers, ladders.

``data/registry.yaml`` holds what every installation knows; rooms add theirs with ``Names.plus``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fengsui.law.amounts import Duration, parse_amount
from fengsui.law.numbers import LawNumber
from fengsui.ledger.kernel.document import Document, MechanismError, read_document
from fengsui.ledger.kernel.shapes import Frozen, Rung


@dataclass(frozen=True, slots=True)
class GuardName:
    """A registered guard: ``person`` where the actor can make it true, ``fact`` where only the world can."""

    name: str
    kind: Literal["person", "fact"]
    facts: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EffectName:
    """``inner`` happens in the act's transaction and can refuse it; ``outer`` goes through the outbox."""

    name: str
    kind: Literal["inner", "outer"]
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LawName:
    """A law number's kind (``once`` in a case's life, or ``each`` time) and the field that keys its table."""

    name: str
    kind: Literal["once", "each"] = "each"
    table: str | None = None
    runs_by: tuple[str, ...] = ()
    signatures: int = 1


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that may be named."""

    roles: Mapping[str, Frozen] = field(default_factory=dict)  # name → title
    guards: Mapping[str, GuardName] = field(default_factory=dict)
    effects: Mapping[str, EffectName] = field(default_factory=dict)
    events: Mapping[str, Frozen] = field(default_factory=dict)  # name → title
    law: Mapping[str, LawName] = field(default_factory=dict)
    ladders: Mapping[str, tuple[Rung, ...]] = field(default_factory=dict)

    def plus(
        self,
        *,
        roles: Mapping[str, Frozen] | None = None,
        guards: Mapping[str, GuardName] | None = None,
        effects: Mapping[str, EffectName] | None = None,
        events: Mapping[str, Frozen] | None = None,
        law: Mapping[str, LawName] | None = None,
    ) -> Names:
        """The same names and some more; a later one replaces an earlier one of the same name."""
        return replace(
            self,
            roles={**self.roles, **(roles or {})},
            guards={**self.guards, **(guards or {})},
            effects={**self.effects, **(effects or {})},
            events={**self.events, **(events or {})},
            law={**self.law, **(law or {})},
        )


def law_names(numbers: Iterable[LawNumber]) -> dict[str, LawName]:
    """What mechanisms may name of the law's numbers: those that are lengths of time, with the last period's kind."""
    return {
        number.name: LawName(number.name, number.kind, number.keyed_by or None, number.runs_by, number.signatures)
        for number in numbers
        if number.kind
    }


def read_names(text: str, file: str = "registry.yaml") -> Names:
    """``registry.yaml``'s text → ``Names``. Raises ``MechanismError`` with every fault."""
    document = read_document(text, file)
    data = document.data if isinstance(document.data, dict) else {}
    known = {"roles", "guards", "effects", "events", "ladders", "law"}
    for key in data.keys() - known:
        document.fault(key, f"unknown section {key!r}", f"Known: {', '.join(sorted(known))}")
    names = Names(
        roles={name: _title(body) for name, body in _section(data, "roles")},
        guards={name: _guard(name, body, document) for name, body in _section(data, "guards")},
        effects={name: _effect(name, body, document) for name, body in _section(data, "effects")},
        events={name: _title(body) for name, body in _section(data, "events")},
        law={name: _law(name, body) for name, body in _section(data, "law")},
        ladders={name: read_ladder(body, f"ladders.{name}", document) for name, body in _section(data, "ladders")},
    )
    if document.faults:
        raise MechanismError(document.faults)
    return names


def _section(data: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    body = data.get(key) or {}
    return list(body.items()) if isinstance(body, dict) else [(name, {}) for name in body]


def _title(body: Any) -> Frozen:
    if not isinstance(body, dict):
        return {}
    return body["title"] if isinstance(body.get("title"), dict) else {k: body[k] for k in ("zh", "en") if k in body}


def _guard(name: str, body: Any, document: Document) -> GuardName:
    body = body if isinstance(body, dict) else {}
    kind = body.get("kind")
    if kind not in ("person", "fact"):
        document.fault(f"guards.{name}.kind", f"{kind!r} is no kind of guard", "Write person or fact")
        kind = "fact"
    return GuardName(name, kind, tuple(body.get("facts") or ()), tuple(body.get("fields") or ()), _title(body))


def _effect(name: str, body: Any, document: Document) -> EffectName:
    kind: Any = body.get("kind") if isinstance(body, dict) else body
    if kind not in ("inner", "outer"):
        document.fault(f"effects.{name}", f"{kind!r} is no kind of effect", "Write inner or outer")
        kind = "outer"
    return EffectName(name, kind, _title(body))


def _law(name: str, body: Any) -> LawName:
    body = body if isinstance(body, dict) else {}
    return LawName(
        name, body.get("kind", "each"), body.get("table"), tuple(body.get("runs_by") or ()), int(body.get("signatures") or 1)
    )


_RUNG_KEYS = frozenset({"at", "tells", "climbs", "effects", "opens", "repeats"})


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
    )


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
