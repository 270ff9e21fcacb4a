"""Whether a matter may be made public 公开属性: a property of every case, said alike on its page, in exports and by the API.

A mechanism whose people decide it declares the field ``openness`` (``internal``, ``open``). Every other case is internal, and
so is one that nobody decided yet. A matter for named readers alone is never public, whatever a field of it says.
"""

from __future__ import annotations

from django.utils.translation import gettext

from fengsui.ledger.models import Case

FIELD = "openness"
OPEN, INTERNAL = "open", "internal"


def of(case: Case) -> str:
    """``open`` or ``internal``; ``case`` with its fields."""
    return OPEN if case.fields.get(FIELD) == OPEN and not case.confidential else INTERNAL


def words(case: Case) -> str:
    """``of`` in the reader's language."""
    return gettext("For the public") if of(case) == OPEN else gettext("Internal")
