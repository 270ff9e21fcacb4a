"""The names that a mechanism file may use: roles, guards, effects, events, law numbers, ladders.

``data/registry.yaml`` holds what every installation knows; rooms add theirs with ``Names.plus``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fengsui.law.numbers import LawNumber
from fengsui.ledger.kernel.document import Document, MechanismError, read_document
from fengsui.ledger.kernel.rungs import read_ladder
from fengsui.ledger.kernel.shapes import Frozen, Rung


@dataclass(frozen=True, slots=True)
class GuardName:
    """A registered guard: ``person`` where the actor can make it true, ``fact`` where only the world can.

    ``given`` are the kinds of the act's own fields that its facts are read from: a page asks for them first.
    """

    name: str
    kind: Literal["person", "fact"]
    facts: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    title: Frozen = field(default_factory=dict)
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectName:
    """``inner`` happens in the act's transaction and can refuse it; ``outer`` goes through the outbox.

    ``carried`` is whether any code carries it out: no file may name one that nobody does, stored versions may.
    """

    name: str
    kind: Literal["inner", "outer"]
    title: Frozen = field(default_factory=dict)
    carried: bool = True


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
    sent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Event → the mechanisms whose open cases the platform tells of it, whether or not they say that they hear it."""
    law: Mapping[str, LawName] = field(default_factory=dict)
    ladders: Mapping[str, tuple[Rung, ...]] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """``ladders.NAME`` → ``registry.yaml:LINE``, for whoever has to mend it."""

    def with_old_effects(self) -> Names:
        """The same for reading stored versions, which may name effects that nobody carries out any more."""
        return replace(self, effects={name: replace(known, carried=True) for name, known in self.effects.items()})

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
        sent={name: _sent(name, body, document) for name, body in _section(data, "events")},
        law={name: _law(name, body) for name, body in _section(data, "law")},
        ladders={name: read_ladder(body, f"ladders.{name}", document) for name, body in _section(data, "ladders")},
        lines={path: f"{file}:{line}" for path, line in document.lines.items() if path.startswith("ladders.")},
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


def _sent(name: str, body: Any, document: Document) -> tuple[str, ...]:
    to = body.get("to", []) if isinstance(body, dict) else []
    if not isinstance(to, list) or not all(isinstance(one, str) for one in to):
        document.fault(f"events.{name}.to", "it is told to a list of mechanisms", "Write to: [warning]")
        return ()
    return tuple(to)


def _guard(name: str, body: Any, document: Document) -> GuardName:
    body = body if isinstance(body, dict) else {}
    kind = body.get("kind")
    if kind not in ("person", "fact"):
        document.fault(f"guards.{name}.kind", f"{kind!r} is no kind of guard", "Write person or fact")
        kind = "fact"
    facts, fields, given = (tuple(body.get(key) or ()) for key in ("facts", "fields", "given"))
    return GuardName(name, kind, facts, fields, _title(body), given)


def _effect(name: str, body: Any, document: Document) -> EffectName:
    kind: Any = body.get("kind") if isinstance(body, dict) else body
    if kind not in ("inner", "outer"):
        document.fault(f"effects.{name}", f"{kind!r} is no kind of effect", "Write inner or outer")
        kind = "outer"
    return EffectName(name, kind, _title(body), carried=not isinstance(body, dict) or body.get("carried") is not False)


def _law(name: str, body: Any) -> LawName:
    body = body if isinstance(body, dict) else {}
    return LawName(
        name, body.get("kind", "each"), body.get("table"), tuple(body.get("runs_by") or ()), int(body.get("signatures") or 1)
    )
