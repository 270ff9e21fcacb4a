"""Who acts: a person, in one post, of one office; never "all my rights at once"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext

from .models import Delegation, Holding, Office
from .roles import duties
from .scoping import ALL, NOTHING, Scope

if TYPE_CHECKING:
    from .models import Account

_WHOLE = {Office.Kind.DEPARTMENT, Office.Kind.GOVERNMENT, Office.Kind.COMMISSION}


@dataclass(frozen=True, slots=True)
class Acting:
    """A person acting in a post of an office; ``principal_id`` is whose act it is where a deputy signs 代签."""

    person_id: int
    post_id: int
    office_id: int
    principal_id: int | None = None
    acts: tuple[str, ...] = ("*",)  # what a deputy was given: act names, ``mechanism.act`` or ``*``

    def may_do(self, mechanism: str, act: str) -> bool:
        """Whether the delegation covers the act; somebody acting for themselves is not narrowed here."""
        return self.principal_id is None or bool({"*", act, f"{mechanism}.{act}"} & set(self.acts))


def actings(account: Account, now: datetime) -> list[Acting]:
    """All ways in which the signed-in account may act now: own posts first, then those it deputises.

    Empty for an account without a person or without a running post.
    """
    person = getattr(account, "person", None) if account.is_authenticated and account.is_active else None
    if person is None:
        return []
    running = Q(since__lte=now) & (Q(until__isnull=True) | Q(until__gt=now))
    own = Holding.objects.filter(running, person=person).select_related("post")
    found = [Acting(person.pk, holding.post_id, holding.post.office_id) for holding in own]
    lent = Delegation.objects.filter(deputy=person, since__lte=now, until__gt=now).select_related("post")
    for line in lent:
        # a principal who left the post has nothing left to lend
        if Holding.objects.filter(running, person=line.principal_id, post=line.post_id).exists():
            found.append(Acting(person.pk, line.post_id, line.post.office_id, line.principal_id, tuple(line.acts)))
    return found


def acting_of(request: HttpRequest, now: datetime) -> Acting:
    """The acting that the request names: form or query ``post``, else header ``X-Acting-Post``.

    A deputy's choice is written ``POST:PRINCIPAL``. Without a name a GET takes the first post held. Raises
    ``PermissionDenied`` for somebody without a post, for a post not held, and for an unnamed post on a change.
    """
    mine = actings(request.user, now)  # type: ignore[arg-type]
    if not mine:
        raise PermissionDenied(gettext("You hold no post at present. Ask your office's administrator to enter one."))
    named = request.POST.get("post") or request.GET.get("post") or request.headers.get("X-Acting-Post")
    if not named:
        if request.method in {"GET", "HEAD", "OPTIONS"} or len(mine) == 1:
            return mine[0]
        raise PermissionDenied(gettext("Say in which post you act: field `post` or header X-Acting-Post."))
    post, _, principal = named.partition(":")
    for one in mine:
        if str(one.post_id) == post and (not principal or str(one.principal_id or "") == principal):
            return one
    raise PermissionDenied(gettext("You do not hold that post at present. Choose one of your own posts."))


def scope(acting: Acting) -> Scope:
    """What the acting person may see; see ``Scope``."""
    try:
        office = Office.objects.select_related("place").get(pk=acting.office_id)
    except Office.DoesNotExist:
        return NOTHING
    return office_scope(office)


def office_scope(office: Office) -> Scope:
    """The scope of an office: its subtree, and its place within its fields of work."""
    works = {ALL} if office.kind in _WHOLE else set(office.duties) & set(duties())
    if {"duty", "dispatch"} & set(office.duties):
        works = {ALL}  # a duty room must see whatever is called in
    return Scope(
        office_path=office.path,
        place_path=office.place.path,
        duties=frozenset(works),
        office_ids=frozenset({office.pk}),
        territorial=office.kind not in {Office.Kind.ENTERPRISE, Office.Kind.INSTITUTE},
    )
