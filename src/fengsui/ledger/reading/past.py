"""What cases were at an earlier moment, read from their entries.

In: cases that the reader may see. Out: a column as it stood then. Never: a case that was not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fengsui.ledger.models import LEVELS, Entry

LEVEL_FIELDS = ("colour", "grade")
"""The fields that a case's level follows, as the doors read them."""


def levels(cases: Sequence[Any], at: datetime) -> dict[Any, str]:
    """Case id → its warning level at that moment, absent where it had none; who has not moved since has today's. One query."""
    found = {case.pk: case.level for case in cases if case.level in LEVELS}
    moved = [case.pk for case in cases if case.moved_at > at]
    for pk in moved:
        found.pop(pk, None)
    for entry in Entry.objects.filter(case__in=moved, at__lte=at).order_by("case_id", "seq"):
        content = entry.content()
        given = {**content.get("values", {}), **content.get("change", {}).get("fields", {}).get("+", {})}
        level = next((given[name] for name in LEVEL_FIELDS if given.get(name) in LEVELS), None)
        if level:
            found[entry.case_id] = level
    return found
