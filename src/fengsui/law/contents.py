"""What an amendment's content means for the number that it changes, and what of it cannot stand.

In: a number as it stands, a row, the change and the content as a person wrote it. Out: a length of time as text, or a JSON value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from .amounts import parse_amount
from .numbers import LawNumber

CHANGES = ("replace", "add", "end", "rename")
"""What an amendment does with the row it names; a number that is no table is replaced."""

CODE = re.compile(r"\w[\w.()（）〔〕-]{0,39}")
_COLOURS = {"red", "orange", "yellow", "blue"}


class Unfit(ValueError):
    """The amendment cannot stand; the message names the field and what to write instead, for people."""


def meaning(number: LawNumber, row: str, content: str, change: str) -> Any:
    """The value to record for ``content``; of a row that ends None, of one that is renamed its new code.

    Raises ``Unfit`` for a change that the number does not bear, a row that is missing or there already, and a content of
    another kind than its neighbours.
    """
    if change not in CHANGES:
        raise Unfit(_("Change: choose one of %(known)s") % {"known": ", ".join(CHANGES)})
    if number.table is None:
        if row or change != "replace":
            raise Unfit(_("Row of its table: %(name)s is no table; leave row and change empty") % {"name": number.name})
        return _length(content) if number.duration is not None else _alike(number, value_of(content), number.value)
    _row_stands(number, row, change)
    if change == "end":
        return _ended(number, row, content)
    if change == "rename":
        return _new_code(number, content.strip())
    if number.duration is not None:
        return _length(content)
    found = value_of(content)
    others = [held for key, held in number.table.items() if key != row or change == "replace"]
    _like_rows(number, found, others)
    return found


def _row_stands(number: LawNumber, row: str, change: str) -> None:
    table = number.table or {}
    told = {"name": number.name, "row": row, "rows": ", ".join(table) or "–"}
    if change != "replace" and number.duration is not None:
        raise Unfit(
            _("Change: the rows of %(name)s are time limits that mechanisms choose by; only their content changes") % told
        )
    if change == "add":
        if row in table:
            raise Unfit(_("Row of its table: %(name)s has the row %(row)s already; choose “replace” to change it") % told)
        _code(row)
    elif row not in table:
        raise Unfit(_("Row of its table: %(name)s is a table; name one of its rows (%(rows)s), or choose “new row”") % told)


def _code(text: str) -> str:
    if not CODE.fullmatch(text):
        raise Unfit(_("Row of its table: a row's code has 1 to 40 letters, digits, points or hyphens and no blanks, as AQ-12"))
    return text


def _ended(number: LawNumber, row: str, content: str) -> None:
    if content.strip() != "null":
        raise Unfit(_("New content: a row that ends has none; write null"))
    if not set(number.table or {}) - {row}:
        raise Unfit(_("Change: the last row stays until another one is entered"))


def _new_code(number: LawNumber, code: str) -> str:
    _code(code)
    if code in (number.table or {}):
        raise Unfit(
            _("New content: %(name)s has the row %(row)s already; write another code") % {"name": number.name, "row": code}
        )
    return code


def _length(content: str) -> str:
    try:
        length = parse_amount(content)
    except ValueError as wrong:
        raise Unfit(_("New content: %(text)s is no length of time; write 15min, 2h, 7d or 3wd") % {"text": content}) from wrong
    if (length.seconds or length.days or length.workdays or 0) <= 0:
        raise Unfit(_("New content: a time limit must be longer than nothing"))
    return content.strip()


def value_of(content: str) -> Any:
    """The JSON that a person wrote, of finite numbers and of texts that can be kept. Raises ``Unfit``."""

    def refuse(text: str) -> NoReturn:
        raise ValueError(text)

    try:
        value = json.loads(content, parse_constant=refuse)
        for one in _leaves(value):
            if (isinstance(one, float) and not math.isfinite(one)) or (isinstance(one, str) and "\x00" in one):
                raise ValueError(one)
            str(one).encode()
    except (ValueError, RecursionError) as wrong:
        told = {"text": content[:80].encode("utf-8", "replace").decode()}
        raise Unfit(_("New content: %(text)s is no value; write a number, or JSON for a list or a mapping") % told) from wrong
    return value


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def _like_rows(number: LawNumber, found: Any, others: list[Any]) -> None:
    """The row has the shape of its neighbours; in a table without rows it has words in both languages."""
    if not others:
        others = [{"zh": "", "en": ""} | dict.fromkeys(number.labels)]
        needed = {"zh", "en"}
    else:
        columns = [set(one) for one in others if isinstance(one, Mapping)]
        needed = set.intersection(*columns) if columns else set()
    _alike(number, found, others[0])
    if isinstance(found, str) and set(others) <= _COLOURS and found not in _COLOURS:
        raise Unfit(_("New content: write one of the colours %(known)s") % {"known": ", ".join(sorted(_COLOURS))})
    if isinstance(found, Mapping):
        known: dict[str, Any] = {}
        for one in others:
            known |= {str(key): held for key, held in one.items()}
        _columns(number, found, known, needed)


def _columns(number: LawNumber, found: Mapping[str, Any], known: Mapping[str, Any], needed: set[str]) -> None:
    if missing := sorted(needed - set(found)):
        raise Unfit(_("New content: a row of %(name)s needs %(keys)s") % {"name": number.name, "keys": ", ".join(missing)})
    if strange := sorted(set(found) - set(known)):
        told = {"name": number.name, "keys": ", ".join(strange), "known": ", ".join(known)}
        raise Unfit(_("New content: a row of %(name)s has no %(keys)s; it has %(known)s") % told)
    for key, value in found.items():
        if key in ("zh", "en") and not (isinstance(value, str) and value.strip()):
            raise Unfit(_("New content: %(key)s must be a text; write it in both languages") % {"key": key})
        if known[key] is None and not isinstance(value, str | int | float):
            raise Unfit(_("New content: %(key)s must be a text or a number") % {"key": key})
        if known[key] is not None and key not in ("zh", "en"):
            _alike(number, value, known[key])


def _alike(number: LawNumber, value: Any, known: Any) -> Any:
    if type(value) is type(known) or _both_numbers(value, known):
        return value
    told = {"name": number.name, "known": _kind(known), "given": _kind(value)}
    raise Unfit(_("New content: %(name)s holds a %(known)s, not a %(given)s") % told)


def _both_numbers(value: Any, known: Any) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, known))


def _kind(value: Any) -> str:
    kinds = {
        dict: _("mapping"), list: _("list"), str: _("text"), bool: _("truth"), int: _("figure"), float: _("figure"),
    }  # fmt: skip
    return kinds.get(type(value), _("nothing"))
