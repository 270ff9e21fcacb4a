"""The ledger's hand on the law's unsettled numbers: the guard and the effect of whatever mechanism amends one.

The fields read are ``number``, ``row`` (of a table), ``content``, ``since`` (a day) and ``basis``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.translation import gettext_noop

from fengsui.law import edits
from fengsui.ledger.registry import EffectCall, Hindered, Sight, register_effect, register_guard
from fengsui.moment import LEGAL_ZONE


def _asked(value: Callable[[str], Any]) -> tuple[str, str, str, date]:
    return str(value("number") or ""), str(value("row") or ""), str(value("content") or ""), date.fromisoformat(value("since"))


@register_guard(
    "law_fits",
    "person",
    fields=("number", "content", "since"),
    why=gettext_noop(
        "Only a proposed number may be amended, from today on, with a content of its kind: "
        "a length such as 3wd, a number, or a row of its table"
    ),
)
def law_fits(sight: Sight) -> bool:
    """The content can stand in place of the number from the day on."""
    try:
        edits.check(*_asked(sight.value), sight.now.astimezone(LEGAL_ZONE).date())
    except (ValueError, TypeError):
        return False
    return True


@register_effect("amend_law", "inner")
def amend_law(call: EffectCall) -> None:
    """Record the amendment; its case and the persons of both acts stand beside it."""

    def value(name: str) -> Any:
        return call.values[name] if name in call.values else call.case.fields.get(name)

    proposers = sorted(call.case.persons.get("opened", ()))
    try:
        edits.apply(
            *_asked(value),
            basis=str(value("basis") or ""),
            reference=str(call.row.get("number") or call.case.id),
            case=call.case.id,
            persons=(proposers[0] if proposers else None, call.actor.person),
            now=call.now,
        )
    except ValueError as wrong:
        raise Hindered(str(wrong)) from wrong
