"""The ledger's hand on the law's unsettled numbers: the guard and the effect of whatever mechanism amends one.

The fields read are ``number``, ``row`` (of a table), ``content``, ``since`` (a day), ``change`` (of the row) and ``basis``.
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
    name, row, content = (str(value(one) or "") for one in ("number", "row", "content"))
    return name, row.strip(), content, date.fromisoformat(value("since"))


def _change(value: Callable[[str], Any]) -> str:
    return str(value("change") or "replace")


@register_guard(
    "law_fits",
    "person",
    fields=("number", "content", "since"),
    why=gettext_noop(
        "Only a proposed number may be amended, from today on, with a content of its kind: "
        "a length such as 3wd, a number, or a row of its table"
    ),
)
def law_fits(sight: Sight) -> bool | str:
    """The content can stand in place of the number from the day on; else the sentence that names field and remedy."""
    try:
        edits.check(*_asked(sight.value), sight.now.astimezone(LEGAL_ZONE).date(), _change(sight.value))
    except edits.Unfit as wrong:
        return str(wrong)
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
            change=_change(value),
            basis=str(value("basis") or ""),
            reference=str(call.row.get("number") or call.case.id),
            case=call.case.id,
            persons=(proposers[0] if proposers else None, call.actor.person),
            now=call.now,
        )
    except ValueError as wrong:
        raise Hindered(str(wrong)) from wrong
