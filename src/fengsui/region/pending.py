"""What is to come in the region's registers, as pages and endpoints show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from . import changerecord, subjects
from .acting import Acting
from .filters import here
from .models import Coming, Office, Site


def seen(posts: Sequence[Acting]) -> QuerySet[Coming]:
    """What is still to come in the registers whose record of changes these posts read; nothing for others."""
    scopes = [changerecord.own_subtree(one) for one in posts if changerecord.reads(one)]
    return Coming.objects.scoped(*scopes).filter(outcome=Coming.Outcome.OPEN)


def of_office(office: Office, posts: Sequence[Acting]) -> QuerySet[Coming]:
    """Changes to come of the office's own register, and offices that are to become part of it."""
    return seen(posts).filter(Q(change__office=office) | Q(change__kind="merge", change__after__successor=office.pk))


def of_site(site: Site, posts: Sequence[Acting]) -> QuerySet[Coming]:
    """Changes to come of who supervises the site."""
    return seen(posts).filter(change__subject_kind="site", change__subject_id=site.pk)


def why(one: Coming) -> str:
    """Why the last try could not carry it out, in the reader's language; empty where none failed."""
    return here({"zh": one.failed, "en": one.failed_en or one.failed})


def shown(rows: QuerySet[Coming], posts: Sequence[Acting], now: datetime) -> list[dict[str, Any]]:
    """Each in words, from when, why it could not be done so far, and what the reader may do about it."""
    found = list(rows.select_related("change__office").order_by("due", "pk"))
    lines = changerecord.lines([one.change for one in found])
    return [
        {"one": one, "line": line, "failed": why(one), "ready": subjects.possible(one, posts, now)}
        for one, line in zip(found, lines, strict=True)
    ]
