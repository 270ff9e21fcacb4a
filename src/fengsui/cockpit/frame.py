"""Who sits in front of the page, in which post, and what must not be overlooked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Frame:
    """The changing parts of the shell for one request."""

    name: str = ""
    posts: list[Any] = field(default_factory=list)  # the posts this person holds, each with .id and names
    post: Any = None  # the post this page acts in
    desk_count: int = 0
    alarms: list[Any] = field(default_factory=list)  # unsigned red warnings that my posts must acknowledge
    lagging: list[str] = field(default_factory=list)  # processes whose last beat is older than 30 s

    @property
    def initial(self) -> str:
        """The letter in the round button."""
        return self.name[:1]


def of(request: HttpRequest, now: datetime) -> Frame:
    """The frame of a signed-in person; an empty one for a visitor."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Frame()
    return Frame(name=user.get_full_name() or user.get_username())
