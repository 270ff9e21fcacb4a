"""Text into bigrams, for searching without a word list."""

from __future__ import annotations

import re
import unicodedata

_PIECE = re.compile(r"\w+", re.UNICODE)
LONGEST = 4000
"""Characters of one case that are searched, so that a long text cannot fill the index."""


def bigrams(*texts: str) -> list[str]:
    """All pairs of neighbouring letters, folded in case and width; a single letter stands for itself."""
    found: set[str] = set()
    left = LONGEST
    for text in texts:
        folded = unicodedata.normalize("NFKC", text[:left]).casefold()
        left -= len(folded)
        for piece in _PIECE.findall(folded):
            found.update(piece[at : at + 2] for at in range(len(piece) - 1))
            if len(piece) == 1:
                found.add(piece)
        if left <= 0:
            break
    return sorted(found)
