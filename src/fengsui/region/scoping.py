"""Scope as a property of every query: a list without a scope is an error, not a leak.

``Site.objects.scoped(scope)`` narrows to what an acting person may see; ``Site.objects.unscoped("why")``
is the stated exception for the machine's own work. Anything else that would read rows raises
``Unscoped``. Rows reached from an instance (``site.points.all()``) are in scope as that instance was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q

ALL = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one acting person may see.

    ``territorial`` offices see their ``place_path`` within their ``duties`` (``{"*"}``: all); every office
    sees its own subtree ``office_path``; an enterprise sees that alone. ``office_ids`` are the offices
    acted for (one).
    """

    office_path: str
    place_path: str
    duties: frozenset[str]
    office_ids: frozenset[int]
    territorial: bool = True

    def q(self, *, place: str = "place__path", office: str = "office__path", duty: str | None = None) -> Q:
        """The condition for a table with these columns; ``duty`` names a text column, or an array ``NAME[]``."""
        own = Q(**{f"{office}__startswith": self.office_path})
        if not self.territorial:
            return own
        within = Q(**{f"{place}__startswith": self.place_path})
        if duty and ALL not in self.duties:
            many = duty.endswith("[]")
            look = "overlap" if many else "in"
            within &= Q(**{f"{duty.removesuffix('[]')}__{look}": sorted(self.duties)})
        return own | within

    def covers(self, place_path: str, duty: str = "") -> bool:
        """Whether a matter at this place and of this duty lies in the territory."""
        duty_fits = not duty or ALL in self.duties or duty in self.duties
        return self.territorial and place_path.startswith(self.place_path) and duty_fits


NOTHING = Scope(office_path="/none/", place_path="/none/", duties=frozenset(), office_ids=frozenset(), territorial=False)
"""The scope of somebody without a post."""


class Unscoped(Exception):
    """A query would have read rows of a scoped table without saying for whom."""


class ScopedQuerySet(models.QuerySet[Any]):
    """A queryset that refuses to read until it was scoped."""

    _opened: bool = False

    def _clone(self) -> ScopedQuerySet:
        twin = super()._clone()  # type: ignore[misc]
        twin._opened = self._opened
        return twin  # type: ignore[no-any-return]

    def _chain(self) -> ScopedQuerySet:
        twin = super()._chain()  # type: ignore[misc]
        twin._opened = self._opened
        return twin  # type: ignore[no-any-return]

    def scoped(self, *scopes: Scope) -> ScopedQuerySet:
        """Only the rows that one of these scopes may see; none without a scope."""
        columns = getattr(self.model, "objects").columns  # noqa: B009 (the stubs know no `columns`)
        duty = f"{columns['duties']}[]" if columns["duties"] else None
        seen = Q(pk__in=[])
        for scope in scopes:
            seen |= scope.q(place=columns["place"], office=columns["office"], duty=duty)
        found = self.filter(seen)
        found._opened = True
        return found.distinct() if columns["many"] else found

    def unscoped(self, reason: str) -> ScopedQuerySet:
        """All rows, for a stated reason (the machine's own work, never a page for a person)."""
        if not reason.strip():
            raise Unscoped(f"{self.model.__name__}: say why the scope is left out")
        found = self._chain()
        found._opened = True
        return found

    def _ask(self) -> None:
        if not (self._opened or "instance" in self._hints):  # type: ignore[attr-defined]
            raise Unscoped(f"{self.model.__name__} is scoped: use .objects.scoped(scope(acting)) or .objects.unscoped('reason')")

    def _fetch_all(self) -> None:
        if self._result_cache is None:  # type: ignore[has-type]
            self._ask()
        super()._fetch_all()  # type: ignore[misc]

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._ask()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._ask()
        return super().count()

    def exists(self) -> bool:
        self._ask()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._ask()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._ask()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._ask()
        return super().delete()


class ScopedManager(models.Manager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]
    """The manager of a scoped table; says which columns hold the place path, the office path and the duties."""

    def __init__(self, place: str = "place__path", office: str = "office__path", duties: str = "", many: bool = False):
        super().__init__()
        self.columns = {"place": place, "office": office, "duties": duties, "many": many}
