"""Who acts: a person, in one post, of one office; never "all my rights at once"."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext

from .models import Delegation, Holding, Office
from .roles import duties
from .scoping import ALL, NOTHING, Scope
from .tree import once, tree

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from .models import Account

WHOLE = frozenset({Office.Kind.DEPARTMENT, Office.Kind.GOVERNMENT, Office.Kind.COMMISSION})
"""Kinds of offices that see every field of work of their place."""
PLACELESS = frozenset({Office.Kind.ENTERPRISE, Office.Kind.INSTITUTE})
"""Kinds of offices without a territory."""
ANSWERING = frozenset({"duty", "dispatch"})
"""Functions of a duty room, which must see whatever is called in."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A person acting in a post of an office; ``principal_id`` is whose act it is where a deputy signs 代签."""

    person_id: int
    post_id: int
    office_id: int
    principal_id: int | None = None
    acts: tuple[str, ...] = ("*",)  # what a deputy was given: see ``covers``

    def may_do(self, mechanism: str, act: str, *, own: bool = False) -> bool:
        """Whether the delegation covers the act (``covers``); somebody acting for themselves is not narrowed here."""
        return self.principal_id is None or covers(self.acts, mechanism, act, own=own)


def covers(lent: Iterable[str], mechanism: str, act: str, *, own: bool = False) -> bool:
    """Whether what was ``lent`` holds the act: as ``mechanism.act``, or as ``*``, which is every act of the post.

    Mechanisms share names such as ``approve``: a bare name is none of their acts. It stands for an act that is ``own`` to
    the ledger, alike in every mechanism and declared by none (``correct``, ``look``).
    """
    return bool({"*", f"{mechanism}.{act}", *((act,) if own else ())} & set(lent))


def actings(account: Account | AnonymousUser, now: datetime) -> list[Acting]:
    """All ways in which the signed-in account may act now: own posts first, then those it deputises.

    Empty for an account without a person or without a running post. Three queries, however many posts.
    """
    person = getattr(account, "person", None) if account.is_authenticated and account.is_active else None
    if person is None:
        return []
    return actings_of_many([person.pk], now).get(person.pk, [])


def actings_of_many(persons: Collection[int], now: datetime) -> dict[int, list[Acting]]:
    """Person id → all ways in which they may act now, as ``actings`` gives them. Two queries, however many persons."""
    found: dict[int, list[Acting]] = {}
    for one in Holding.running(now).filter(person__in=persons).select_related("post"):
        found.setdefault(one.person_id, []).append(Acting(one.person_id, one.post_id, one.post.office_id))
    lent = Delegation.in_force(now).filter(deputy__in=persons).select_related("post")
    for row in lent:
        acting = Acting(row.deputy_id, row.post_id, row.post.office_id, row.principal_id, tuple(row.acts))
        found.setdefault(row.deputy_id, []).append(acting)
    return found


def posts_of(request: HttpRequest, now: datetime) -> list[Acting]:
    """``actings`` of whoever asks, read once for a request; empty for a visitor."""
    known: list[Acting] | None = getattr(request, _KEPT, None)
    if known is None:
        user = getattr(request, "user", None)
        known = actings(user, now) if user is not None else []
        setattr(request, _KEPT, known)
    return known


_KEPT = "_fengsui_posts"


def mine(request: HttpRequest, now: datetime) -> list[Acting]:
    """The reader's posts. Raises ``PermissionDenied`` for somebody without one, who sees nothing."""
    found = posts_of(request, now)
    if not found:
        raise PermissionDenied(gettext("You hold no post at present. Ask your office's administrator to enter one."))
    return found


def acting_of(request: HttpRequest, now: datetime) -> Acting:
    """The acting that the request names: form or query ``post``, else header ``X-Acting-Post``.

    A deputy's choice is written ``POST:PRINCIPAL``. Without a name a GET takes the first post held. Raises
    ``PermissionDenied`` for somebody without a post, for a post not held, and for an unnamed post on a change.
    """
    held = mine(request, now)
    named = request.POST.get("post") or request.GET.get("post") or request.headers.get("X-Acting-Post")
    if not named:
        if request.method in {"GET", "HEAD", "OPTIONS"} or len(held) == 1:
            return held[0]
        raise PermissionDenied(gettext("Say in which post you act: field `post` or header X-Acting-Post."))
    post, _, principal = named.partition(":")
    for one in held:
        if str(one.post_id) == post and (not principal or str(one.principal_id or "") == principal):
            return one
    raise PermissionDenied(gettext("You do not hold that post at present. Choose one of your own posts."))


def scope(acting: Acting) -> Scope:
    """What the acting person may see; see ``Scope``."""
    return scope_at(acting.office_id)


def scope_at(office_id: int) -> Scope:
    """The scope of an office by id, from the picture of the region: no query but ``tree``'s own."""
    picture = tree()
    office = picture.offices.get(office_id)
    place = picture.places.get(office.place) if office else None
    if office is None or place is None:
        return NOTHING
    return _scope(office.id, office.kind, office.path, place.path, office.duties)


def beyond(office_id: int, place_path: str, duty: str) -> bool:
    """Whether a matter lies outside what the office, or one above it in the tree, sees by territory and duties.

    Such a matter they see only because the office takes part in it. An enterprise has no territory: it sees what it takes
    part in anyway, so only those above it count.
    """
    return once(("beyond", office_id, place_path, duty), lambda: _beyond(office_id, place_path, duty))


def _beyond(office_id: int, place_path: str, duty: str) -> bool:
    picture = tree()
    office = picture.offices.get(office_id)
    while office is not None:
        known = scope_at(office.id)
        if known.territorial and not (place_path and known.covers(place_path, duty)):
            return True
        office = picture.offices.get(office.parent) if office.parent is not None else None
    return False


def office_scope(office: Office) -> Scope:
    """The scope of an office: its subtree, and its place within its fields of work."""
    return _scope(office.pk, office.kind, office.path, office.place.path, office.duties)


def _scope(number: int, kind: str, path: str, place_path: str, held: Iterable[str]) -> Scope:
    works = {ALL} if kind in WHOLE else set(held) & set(duties())
    if ANSWERING & set(held):
        works = {ALL}
    return Scope(
        office_path=path,
        place_path=place_path,
        duties=frozenset(works),
        office_ids=frozenset({number}),
        territorial=kind not in PLACELESS,
    )
