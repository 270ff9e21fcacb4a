"""Who else reads an office's matters, as the room above tells; this room only asks, and shows what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .models.people import last_day_before


@dataclass(frozen=True, slots=True)
class Reading:
    """One sharing that holds: from which office to which, of what (in words), until when, why; ``subject`` to take it back."""

    giver: Any  # the offices
    reader: Any
    what: str
    until: datetime
    grounds: str
    subject: Any

    @property
    def last_day(self) -> date:
        """The last day on which it is read."""
        return last_day_before(self.until)


Finder = Callable[[int, datetime], list[Reading]]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask ``finder(office, now)`` from now on: what that office shares as a whole, and what is shared with it."""
    _finders.append(finder)


def of(office: int, now: datetime) -> list[Reading]:
    """All that is told of this office."""
    return [one for finder in _finders for one in finder(office, now)]
