"""The steps by which what is overdue climbs, as they come with the product: shown beside the law's numbers, amended by none.

In: ``data/registry.yaml`` and the mechanisms' files. Out: each ladder with its steps and the mechanisms that climb it. A
version of a mechanism keeps the ladders that it was admitted with, so that a case climbs as it began.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from fengsui import shipped
from fengsui.law import readers

FILE = "data/registry.yaml"


@dataclass(frozen=True, slots=True)
class Step:
    """``at`` a length of time from the due as written (``-3d``), ``climbs`` a role, up or top, ``does`` effects (zh, en)."""

    at: str
    tells: tuple[str, ...] = ()
    climbs: str = ""
    opens: tuple[str, ...] = ()
    does: tuple[tuple[str, str], ...] = ()
    repeats: str = ""
    hour: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps in order of time, and the mechanisms that climb them as name → title (zh, en)."""

    name: str
    steps: tuple[Step, ...]
    used_by: Mapping[str, tuple[str, str]]


@functools.cache
def shipped_ladders() -> tuple[Ladder, ...]:
    """Once a process, in the order of the file."""
    registry = yaml.load(shipped.file("registry.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    known, effects = registry["ladders"], registry["effects"]
    users: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in known}
    for one in readers.mechanism_files():
        for ladder in set(_climbed(one.body)) & known.keys() - (one.body.get("ladders") or {}).keys():
            users[ladder][one.name] = one.title
    return tuple(Ladder(name, tuple(_step(rung, effects) for rung in rungs), users[name]) for name, rungs in known.items())


def _climbed(body: Any) -> Iterator[str]:
    """Every ladder that a mechanism's file names: its own, of clocks, states and duties, and by the choice of a field."""
    for name, chosen in (body.get("ladders") or {}).items() if isinstance(body, Mapping) else ():
        if isinstance(chosen, Mapping):
            yield from (str(one) for key, one in chosen.items() if key != "by")
        yield str(name)
    yield from _named(body)
    if isinstance(body, Mapping) and "ladder" not in body:
        yield "plain"  # the language's own default


def _named(body: Any) -> Iterator[str]:
    if isinstance(body, Mapping):
        for key, value in body.items():
            if key == "ladder" and isinstance(value, str):
                yield value
            elif key == "owes" and isinstance(value, Mapping) and any("ladder" not in (one or {}) for one in value.values()):
                yield "owed"
            yield from _named(value)
    elif isinstance(body, list):
        for one in body:
            yield from _named(one)


def _step(rung: Mapping[str, Any], effects: Mapping[str, Any]) -> Step:
    opens = rung.get("opens") or ()
    titles = [effects[name]["title"] for name in rung.get("effects") or ()]
    return Step(
        at=str(rung["at"]),
        tells=tuple(rung.get("tells") or ()),
        climbs=str(rung.get("climbs") or ""),
        opens=(opens,) if isinstance(opens, str) else tuple(opens),
        does=tuple((str(title["zh"]), str(title["en"])) for title in titles),
        repeats=str(rung.get("repeats") or ""),
        hour=str(rung.get("hour") or ""),
    )
