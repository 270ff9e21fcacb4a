"""Rows of the region's registers by kind and id, their page, and what may be done to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext

from .acting import Acting, scope
from .models import (
    Certificate,
    Coming,
    Contact,
    Delegation,
    HazardUnit,
    Holding,
    Office,
    Person,
    Point,
    Post,
    Site,
    Substance,
    Supervision,
)
from .operations import Operation, find, known

MODELS: dict[str, Any] = {
    "office": Office,
    "post": Post,
    "holding": Holding,
    "person": Person,
    "certificate": Certificate,
    "delegation": Delegation,
    "contact": Contact,
    "site": Site,
    "hazardunit": HazardUnit,
    "substance": Substance,
    "point": Point,
    "supervision": Supervision,
    "coming": Coming,
}
_NEAR = {
    "post": ("office",),
    "holding": ("post__office", "person"),
    "person": ("account",),
    "certificate": ("person",),
    "delegation": ("post__office", "principal", "deputy"),
    "contact": ("office",),
    "site": ("office", "place"),
    "hazardunit": ("site__office",),
    "substance": ("unit__site__office",),
    "point": ("site__office",),
    "supervision": ("site__office", "office"),
    "coming": ("change__office",),
}
_LARGEST = 1 << 63
_urls: dict[type, Callable[[Any], str]] = {}
_titles: dict[type, Callable[[Any], str]] = {}
_only: dict[str, Q] = {}


def know(kind: str, model: type, url: Callable[[Any], str], title: Callable[[Any], str], only: Q | None = None) -> None:
    """Let a room above have its rows changed here too: their kind in addresses, their page, what they are called.

    With ``only``, the model's other rows are none of that kind: for nobody there, whoever asks.
    """
    MODELS[kind], _urls[model], _titles[model] = model, url, title
    _only[kind] = only or Q()


def title(subject: Any) -> str:
    """What a room above calls its row; empty for this room's own."""
    return _titles[type(subject)](subject) if type(subject) in _titles else ""


def of(kind: str, number: int, *, lock: bool = False) -> Any:
    """The row, with ``lock`` kept until the transaction ends; ``None`` where there is none of that kind and id."""
    model = MODELS.get(kind)
    if model is None or number >= _LARGEST:
        return None
    rows = model.objects
    rows = rows.unscoped("whether the asker may is judged next") if hasattr(rows, "unscoped") else rows.all()
    rows = rows.select_for_update(of=("self",)) if lock else rows
    return rows.select_related(*_NEAR.get(kind, ())).filter(_only.get(kind, Q()), pk=number).first()


def url(subject: Any) -> str:
    """The page that shows it."""
    if type(subject) in _urls:
        return _urls[type(subject)](subject)
    if isinstance(subject, Office):
        return reverse("region:office", args=[subject.pk])
    if isinstance(subject, Person):
        return reverse("region:person", args=[subject.pk])
    if isinstance(subject, Site):
        return reverse("region:register", args=[subject.code])
    if isinstance(subject, Coming):
        return url(subject.change.office)
    for name in ("site", "unit", "person", "office", "post"):
        if isinstance(subject, Holding | Delegation) and name == "person":
            continue
        if (above := getattr(subject, name, None)) is not None:
            return url(above)
    return reverse("region:offices")


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation that may be carried out: on this row, by this acting."""

    operation: Operation
    subject: Any
    acting: Acting

    @property
    def url(self) -> str:
        return reverse("region:change", args=[self.operation.on, self.subject.pk, self.operation.name])


def ready(kind: str, number: int, name: str, actings: Sequence[Acting], now: datetime) -> Ready:
    """What was asked for.

    Raises ``Http404`` for what is not there or not seen, ``PermissionDenied`` for somebody who may only look.
    """
    operation, subject = find(kind, name), of(kind, number)
    if operation is None or subject is None:
        raise Http404
    for acting in actings:
        if operation.may(acting, subject):
            return Ready(operation, subject, acting)
    if not sees(actings, operation.office(subject)):
        raise Http404
    raise PermissionDenied(gettext("Only an administrator of this office, or of one above it, may change this."))


def sees(actings: Sequence[Acting], office: int) -> bool:
    """Whether the office lies in what one of these actings may see."""
    found = Office.objects.select_related("place").filter(pk=office).first()
    if found is None:
        return False
    scopes = [scope(one) for one in actings]
    return any(found.path.startswith(one.office_path) or one.covers(found.place.path) for one in scopes)


def possible(subject: Any, actings: Sequence[Acting], now: datetime) -> list[Ready]:
    """What these actings may do to the row now, in the order of the files."""
    made = []
    for operation in known(type(subject).__name__.lower()):
        acting = next((one for one in actings if operation.may(one, subject)), None)
        if acting is not None and operation.fits(subject, now):
            made.append(Ready(operation, subject, acting))
    return made
