"""Whole numbers as they come in from outside: ids, pages, versions, lengths.

Python's own ``int`` takes signs, spaces, underscores and every script's digits, ``str.isdecimal`` likewise, and both take as many
digits as are sent; a database column takes none of that. One reader for all doors.
"""

from __future__ import annotations

LARGEST = (1 << 63) - 1
"""What a ``bigint`` holds."""
_DIGITS = len(str(LARGEST))


def whole(text: object, most: int = LARGEST) -> int | None:
    """The number that ``text`` writes in ASCII digits, from 0 to ``most``; None for anything else, also for none at all.

    Leading zeros are taken, up to the length of the largest number.
    """
    written = str(text) if isinstance(text, str | int) and not isinstance(text, bool) else ""
    if not (written.isascii() and written.isdecimal() and len(written) <= _DIGITS):
        return None
    number = int(written)
    return number if number <= most else None
