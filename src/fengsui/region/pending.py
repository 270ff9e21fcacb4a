"""What is to come in the region's registers, as pages and endpoints show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from . import changerecord, coming, subjects
from .acting import Acting
from .models import Coming, Office, Site


def of_office(office: Office) -> QuerySet[Coming]:
    """Changes to come of the office's own register, and offices that are to become part of it."""
    return coming.waiting().filter(Q(change__office=office) | Q(change__kind="merge", change__after__successor=office.pk))


def of_site(site: Site) -> QuerySet[Coming]:
    """Changes to come of who supervises the site."""
    return coming.waiting().filter(change__subject_kind="site", change__subject_id=site.pk)


def shown(rows: QuerySet[Coming], posts: Sequence[Acting], now: datetime) -> list[dict[str, Any]]:
    """Each in words, from when, why it could not be done so far, and what the reader may do about it."""
    found = list(rows.select_related("change__office").order_by("due", "pk"))
    lines = changerecord.lines([one.change for one in found])
    return [
        {"one": one, "line": line, "ready": subjects.possible(one, posts, now)} for one, line in zip(found, lines, strict=True)
    ]
