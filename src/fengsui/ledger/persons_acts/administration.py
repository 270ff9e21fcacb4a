"""Who administers: the post that moves cases to newer versions and takes over old ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.http import Http404

from fengsui.ledger.doors.shapes import refused
from fengsui.region import roles
from fengsui.region.acting import Acting
from fengsui.region.tree import tree

ROLE = "administrator"


def administers(acting: Acting, act: str, now: datetime) -> bool:
    """Whether the post is the administrator's; a deputy needs that act lent."""
    return acting.may_do("*", act, own=True) and roles.holds(acting.person_id, acting.post_id, ROLE, tree().top, now)


def administrator(posts: Iterable[Acting], act: str, now: datetime) -> Acting:
    """The first of the posts that administers; 404 for everybody else: the page is none of theirs."""
    for one in posts:
        if administers(one, act, now):
            return one
    raise Http404


def demand(acting: Acting, act: str, now: datetime) -> None:
    """Refuse 403 for a program in any other post."""
    if not administers(acting, act, now):
        raise refused(403, "not_yours", act, ROLE)
