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
    if one.due <= changing.now:
        return Outcome(gettext("It was taken back, though its day has come; what it would have changed goes on without it."))
    return Outcome(gettext("It was taken back: nothing changes on that day."))


def _may(acting: Acting, one: Coming) -> bool:
    """Administrators; of what only those above may order, an office's end or an enterprise's supervision, those above."""
    office = one.change.office
    if one.change.kind not in _FROM_ABOVE:
        return may_administer(acting, office.pk)
    return office.parent_id is not None and may_administer(acting, office.parent_id)


_FROM_ABOVE = frozenset({"supervision", "merge", "dissolve"})


def _waits(one: Coming, now: datetime) -> bool:
    in_time = now < one.due or bool(one.failed)  # what could not be done on its day is not done either
    return one.outcome == Coming.Outcome.OPEN and in_time and coming.can_take_back(one)


def _office(one: Coming) -> int:
    return int(one.change.office_id)


operation(
    Operation(
        "take_back",
        "coming",
        _("Take it back"),
        GroundsOnly,
        _take_back,
        _office,
        icon="x",
        says=_(
            "Nothing changes on that day then; that it was entered and taken back stays on record. What could not be carried "
            "out on its day is taken back, too: a term whose end failed goes on, one whose beginning failed ends."
        ),
        own=_may,
        fits=_waits,
    )
)
