"""The four colours of warnings and which one an alarm calls for."""

from __future__ import annotations

from datetime import date

from fengsui.law import numbers

COLOURS = ("blue", "yellow", "orange", "red")


def rank(colour: str | None) -> int:
    """1 blue … 4 red; 0 for none.

    >>> rank("red") > rank("orange")
    True
    """
    return COLOURS.index(colour) + 1 if colour in COLOURS else 0


def of_alarm(level: str, grade: int | None, own: str, on: date) -> str:
    """The colour an alarm of this level at a unit of this grade calls for; '' where it calls for none.

    ``own`` is the rule's own colour, which goes before the table ``alarm.colour``.
    """
    if own:
        return own if own in COLOURS else ""
    try:
        number = numbers.find("alarm.colour", on, level_grade=f"{level}-{grade or 0}")
    except numbers.UnknownNumber:
        return ""
    return str(number.value)
