"""What mechanisms may name beyond their own file: guards, effects, facts.

In: the rooms register theirs by name in their ``AppConfig.ready``. Out: the doors look the names up;
``names()`` gives the kernel's loader everything that may be named. A name registered twice, or asked for
and missing, is refused with a sentence.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from fengsui import shipped
from fengsui.law import numbers
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.names import EffectName, GuardName, Names, law_names
from fengsui.ledger.kernel.shapes import Actor, Case


class RegistryError(ValueError):
    """A name is taken, or nobody registered it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a fact is read for and a guard is judged on: one call on one case."""

    case: Case
    row: Mapping[str, Any]  # the case's other columns: about_kind, about_id, place_code, duty, level …
    act: str
    actor: Actor
    values: Mapping[str, Any]
    now: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)  # the guard's declared facts, read

    def value(self, name: str) -> Any:
        """The field as it will be after the act: given now, else known before."""
        return self.values[name] if name in self.values else self.case.fields.get(name)


@dataclass(frozen=True, slots=True)
class EffectCall:
    """One effect of one entry. Inner ones may raise ``Hindered`` to refuse the act."""

    case: Case
    row: Mapping[str, Any]
    act: str
    actor: Actor
    values: Mapping[str, Any]
    now: datetime


class Hindered(Exception):
    """An inner effect could not be carried out; says why in words for people."""


Check = Callable[[Sight], bool | str]
"""Whether the guard holds; a text says why it does not, in the reader's language, where there is more to say than its ``why``."""
Read = Callable[[Sight], Any]
Run = Callable[[EffectCall], None]


@dataclass(frozen=True, slots=True)
class GuardRule:
    """A guard with its judgement; ``why`` is the sentence (a gettext msgid) when it does not hold."""

    name: str
    kind: Literal["person", "fact"]
    check: Check
    facts: tuple[str, ...]
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class EffectRule:
    """An effect by name. An ``inner`` one runs in the act's transaction and refuses it by failing; an ``outer`` one goes to the
    outbox.
    """

    name: str
    kind: Literal["inner", "outer"]
    run: Run


_guards: dict[str, GuardRule] = {}
_effects: dict[str, EffectRule] = {}
_facts: dict[str, Read] = {}


def _add(shelf: dict[str, Any], kind: str, name: str, thing: Any) -> None:
    if name in shelf:
        raise RegistryError(f"{kind} {name!r} is registered twice; choose another name or remove one of the two")
    shelf[name] = thing
    names.cache_clear()


def _find(shelf: dict[str, Any], kind: str, name: str) -> Any:
    if name not in shelf:
        raise RegistryError(f"no room registers the {kind} {name!r}; install the room that brings it")
    return shelf[name]


def register_guard(
    name: str,
    kind: Literal["person", "fact"],
    *,
    why: str,
    facts: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
) -> Callable[[Check], Check]:
    """Decorate ``check(sight) -> bool | str`` (see ``Check``), pure over the sight; ``person`` where the actor can make it so."""

    def keep(check: Check) -> Check:
        _add(_guards, "guard", name, GuardRule(name, kind, check, facts, fields, why))
        return check

    return keep


def register_effect(name: str, kind: Literal["inner", "outer"]) -> Callable[[Run], Run]:
    """Decorate ``run(call)``: inner ones run in the act's transaction, outer ones from the outbox."""

    def keep(run: Run) -> Run:
        _add(_effects, "effect", name, EffectRule(name, kind, run))
        return run

    return keep


def register_fact(name: str) -> Callable[[Read], Read]:
    """Decorate ``read(sight)``, which returns a JSON value (None: not known)."""

    def keep(read: Read) -> Read:
        _add(_facts, "fact", name, read)
        return read

    return keep


def guard(name: str) -> GuardRule:
    """The guard of that name, or ``RegistryError``."""
    return _find(_guards, "guard", name)


def effect(name: str) -> EffectRule:
    """The effect of that name, or ``RegistryError``."""
    return _find(_effects, "effect", name)


def fact(name: str) -> Read:
    """The fact of that name, or ``RegistryError``."""
    return _find(_facts, "fact", name)


def has_guard(name: str) -> bool:
    """Whether a guard of this name is registered."""
    return name in _guards


def has_fact(name: str) -> bool:
    """Whether a fact of this name is registered."""
    return name in _facts


def has_effect(name: str) -> bool:
    """Whether an effect of this name is registered."""
    return name in _effects


@functools.cache
def names() -> Names:
    """All names a mechanism may use: ``registry.yaml`` and what the rooms registered besides."""
    shipped_names = load.load_names(shipped.folder("mechanisms").parent / "registry.yaml")
    return shipped_names.plus(
        guards={
            rule.name: GuardName(rule.name, rule.kind, rule.facts, rule.fields)
            for rule in _guards.values()
            if rule.name not in shipped_names.guards
        },
        effects={
            rule.name: EffectName(rule.name, rule.kind, getattr(shipped_names.effects.get(rule.name), "title", {}))
            for rule in _effects.values()
            if rule.name not in shipped_names.effects or not shipped_names.effects[rule.name].carried
        },
        law=law_names(numbers.book().all()),
    )
