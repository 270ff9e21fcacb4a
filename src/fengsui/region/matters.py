"""Open matters that hang on an office, a site or a person, as rooms above tell them.

The ledger registers its finder; this room only asks, and shows what it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .acting import Acting

Kind = Literal["office", "site", "person"]


@dataclass(frozen=True, slots=True)
class Matter:
    """One open matter: its number, name and state in the reader's language, its page, when it falls due."""

    number: str
    title: str
    state: str
    url: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """The most urgent ones and how many there are in all."""

    first: tuple[Matter, ...] = ()
    count: int = 0


Finder = Callable[[Kind, int, Sequence[Acting], int], Found]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask ``finder(kind, id, actings, most)`` from now on; it gives only what these actings may see."""
    _finders.append(finder)


def open_matters(kind: Kind, subject: int, actings: Sequence[Acting], most: int = 10) -> Found:
    """What is open there, of all finders."""
    found = [finder(kind, subject, actings, most) for finder in _finders]
    return Found(tuple(one for some in found for one in some.first)[:most], sum(some.count for some in found))


_any: list[Callable[[Kind, int], bool]] = []


def register_any(asks: Callable[[Kind, int], bool]) -> None:
    """Ask ``asks(kind, id)`` from now on: whether anything at all is open there, whoever may see it."""
    _any.append(asks)


def anything_open(kind: Kind, subject: int) -> bool:
    """Whether something is open there, also of what nobody who asks may see: no more than that is told."""
    return any(asks(kind, subject) for asks in _any)
