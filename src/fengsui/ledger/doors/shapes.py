"""What goes in and out of the doors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fengsui.ledger.kernel.shapes import Refusal

OLD_WORLD = "历史导入，本系统未核验"
"""How the past of an adopted case is marked, in its entries and on every page."""


@dataclass(frozen=True, slots=True)
class About:
    """What a new case is about. ``kind`` site: ``id`` is the site's; ``duty`` the field of work.

    ``exercise`` cases stay out of figures and outside notices; ``external_number`` is the national system's. ``title``
    are the words of whoever opens it (``title_en`` the same in English, where they are not typed by a person).
    """

    kind: str
    id: str = ""
    place_code: str = ""
    duty: str = ""
    title: str = ""
    external_number: str = ""
    exercise: bool = False
    title_en: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the caller gets: where the case stands after the entry, and the leaf that will be sealed."""

    case: str
    number: str | None
    mechanism: str
    seq: int
    act: str
    state: str
    ended: bool
    signed_only: bool  # a signature was kept, more are needed
    entry: int
    leaf: str  # hex
    at: str
    opened: tuple[str, ...] = ()  # cases opened with it

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "opened": list(self.opened)}

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Receipt:
        """Back from ``plain``."""
        return cls(**{**known, "opened": tuple(known["opened"])})


class Refused(Exception):
    """A door did nothing. ``status`` as in HTTP: 403, 404, 409, 412, 422; ``refusals`` say why, each with a remedy."""

    def __init__(self, status: int, refusals: Iterable[Refusal]) -> None:
        self.status = status
        self.refusals = tuple(refusals)
        super().__init__(f"{status}: " + "; ".join(f"{one.code} {one.about}".strip() for one in self.refusals))


def refused(status: int, code: str, about: str = "", needs: str = "", **args: Any) -> Refused:
    """One reason; ``needs`` is an English msgid where it is for people, ``args`` its parameters."""
    return Refused(status, (Refusal(code, about, needs, args),))


@dataclass(frozen=True, slots=True)
class Past:
    """One line of an old record: what was done, when, by whom as it was written down."""

    act: str
    at: Any  # datetime
    by: str = ""
    text: str = ""
    state: str = ""  # the state it led to, in the mechanism's words; empty: the adopted one


@dataclass(frozen=True, slots=True)
class Adoption:
    """A case from the old world, entering in ``state`` with its old number and record."""

    mechanism: str
    state: str
    about: About
    number: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    opened_at: Any = None  # datetime; now unless told
    ended: bool = False
    source: str = ""  # which system it comes from
    past: tuple[Past, ...] = ()
    evidence: tuple[str, ...] = ()  # digests in the evidence store
    raiser: Mapping[str, Any] = field(default_factory=dict)
