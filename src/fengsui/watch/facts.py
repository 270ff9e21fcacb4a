"""What the warning's mechanism asks the watch: is the colour higher, is the signal gone."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from fengsui.ledger import registry
from fengsui.watch.alarm_states import ACTIVE
from fengsui.watch.colours import rank


def register() -> None:
    """Give the ledger this room's facts and guards, once, at start-up."""
    registry.register_fact("warning.level")(lambda sight: sight.case.fields.get("colour"))
    registry.register_fact("alarm.state")(_active_alarms)
    registry.register_guard(
        "colour_higher",
        "fact",
        facts=("warning.level",),
        fields=("colour",),
        why=_("The new colour must be higher than the present one"),
    )(lambda sight: _given(sight) > rank(sight.case.fields.get("colour")))
    registry.register_guard(
        "colour_lower",
        "fact",
        facts=("warning.level",),
        fields=("colour",),
        why=_("The new colour must be lower than the present one"),
    )(lambda sight: 0 < _given(sight) < rank(sight.case.fields.get("colour")))
    registry.register_guard(
        "signal_gone",
        "person",
        facts=("alarm.state",),
        why=_("Alarms of this warning are still active; they must clear first"),
    )(lambda sight: not (sight.facts.get("alarm.state") or 0))


def _given(sight: registry.Sight) -> int:
    return rank(sight.values.get("colour"))


def _active_alarms(sight: registry.Sight) -> Any:
    """How many alarms of this warning are active now."""
    from fengsui.watch.models import Alarm

    rows = Alarm.objects.unscoped("a fact of a case is the same for all who see the case")
    return rows.filter(case=sight.case.id, state__in=ACTIVE).count()
