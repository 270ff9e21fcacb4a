"""Changes dated ahead: taken back before their day."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region import coming
from fengsui.region.acting import Acting
from fengsui.region.changing import Changing, may_administer
from fengsui.region.models import Coming

from .posts import GroundsOnly
from .shape import ChangeForm, Operation, Outcome, operation


def _take_back(changing: Changing, one: Coming, form: ChangeForm) -> Outcome:
    coming.take_back(changing, one)
    return Outcome(gettext("It was taken back: nothing changes on that day."))


def _may(acting: Acting, one: Coming) -> bool:
    """Administrators; of what only those above may order, an office's end or an enterprise's supervision, those above."""
    office = one.change.office
    if one.change.kind not in _FROM_ABOVE:
        return may_administer(acting, office.pk)
    return office.parent_id is not None and may_administer(acting, office.parent_id)


_FROM_ABOVE = frozenset({"supervision", "merge", "dissolve"})


def _waits(one: Coming, now: datetime) -> bool:
    in_time = now < one.due or (bool(one.failed) and one.change.kind in _LATE)
    return one.outcome == Coming.Outcome.OPEN and in_time and coming.can_take_back(one)


_LATE = _FROM_ABOVE | {"rename"}
"""What may still be taken back once its day has come and it could not be done; a term is ended or begun by another change."""


def _office(one: Coming) -> int:
    return int(one.change.office_id)


operation(
    Operation(
        "take_back",
        "coming",
        _("Take back before its day"),
        GroundsOnly,
        _take_back,
        _office,
        icon="x",
        says=_("Nothing changes on that day then; that it was entered and taken back stays on record."),
        own=_may,
        fits=_waits,
    )
)
