"""What a case is called, in both languages: the mechanism's pattern, filled with the names of what it is about.

In: a mechanism, the words given at the opening (if any), the case's subject and fields. Out: (Chinese, English).
A pattern's words are ``{title}`` (the words given, else the mechanism's own title), ``{subject}`` (the site, place or
office), ``{place}``, and the mechanism's fields.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping
from typing import Any

from fengsui.ledger import names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.region.tree import tree

LONGEST = 300
_CLIPPED = 60
"""How much of a text field a title repeats."""

Words = Mapping[str, str]
NOTHING: Words = {"zh": "", "en": ""}


def titles_of(mechanism: Mechanism, row: Mapping[str, Any], fields: Mapping[str, Any], given: Words) -> tuple[str, str]:
    """The title of a case about ``row``'s subject; ``given`` are the words of whoever opened it, empty where none."""
    zh, en = (_in(mechanism, row, fields, given, language) for language in ("zh", "en"))
    return zh[:LONGEST], en[:LONGEST]


def _in(mechanism: Mechanism, row: Mapping[str, Any], fields: Mapping[str, Any], given: Words, language: str) -> str:
    words = given.get(language) or (given.get("zh") if language == "en" else given.get("en"))
    title = words or str(mechanism.title.get(language) or mechanism.name)
    pattern = mechanism.case_title.get(language)
    if not pattern:
        return title
    subject = _subject(str(row["about_kind"]), str(row["about_id"]), row["place_code"] or "", tree().token)
    if words and subject[language] and any(name and name in words for name in subject.values()):
        return words  # it names its subject already
    known: dict[str, str] = {
        "title": title,
        "subject": subject[language],
        "place": _place(row["place_code"] or "", tree().token)[language],
    }
    known |= {name: _said(mechanism, name, value, language) for name, value in fields.items() if name in mechanism.fields}
    return _tidy(string.Formatter().vformat(pattern, (), _Blank(known)), language)


class _Blank(dict[str, str]):
    """A word that the case does not have is left out."""

    def __missing__(self, key: str) -> str:
        return ""


def _tidy(text: str, language: str) -> str:
    """Without the marks around a word that was left out."""
    return " ".join(text.split()).strip(" :：,，·-" if language == "en" else " :：,，·")


def _said(mechanism: Mechanism, name: str, value: Any, language: str) -> str:
    labels = mechanism.fields[name].labels.get(value) if isinstance(value, str) else None
    text = str(labels.get(language) if labels else value)
    return text if len(text) <= _CLIPPED else text[: _CLIPPED - 1] + "…"


@functools.lru_cache(maxsize=4096)
def _subject(kind: str, id: str, place: str, token: str) -> Words:
    """The name of the site, office or place that a case is about; ``token`` changes with the region's records."""
    if kind == "site":
        return names.sites([id]).get(int(id) if id.isdecimal() else id, NOTHING)
    if kind == "office" and id.isdecimal():
        return names.offices([int(id)]).get(int(id), NOTHING)
    return _place(place, token)


@functools.lru_cache(maxsize=4096)
def _place(code: str, token: str) -> Words:
    return names.places([code]).get(code, NOTHING)
