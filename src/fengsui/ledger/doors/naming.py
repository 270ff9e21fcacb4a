"""What a case is called, in both languages: the mechanism's pattern, filled with the names of what it is about.

In: a mechanism, the words given at the opening (if any), the case's subject and fields. Out: (Chinese, English).
A pattern's words are ``{title}`` (the words given, else the mechanism's own title), ``{subject}`` (the site, place or
office), ``{place}``, and the mechanism's fields.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from fengsui.ledger import names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.numerals import whole
from fengsui.region.tree import tree

LONGEST = 300
_CLIPPED = 60
"""How much of a text field a title repeats."""

Words = Mapping[str, str]
NOTHING: Words = {"zh": "", "en": ""}


def titles_of(mechanism: Mechanism, row: Mapping[str, Any], fields: Mapping[str, Any], given: Words) -> tuple[str, str]:
    """The title of a case about ``row``'s subject, Chinese and English.

    ``given``: the words of whoever opened it, empty where none. Typed words stand as they are; where they name no site,
    or not in the reader's language, the pattern puts the site's name and the mechanism's own title before them. A pattern
    without ``{title}`` takes none.
    """
    typed = (given.get("zh") or given.get("en") or "") if takes_words(mechanism) else ""
    given = given if typed else {}
    said = {"zh": typed, "en": given.get("en") or ("" if _chinese(typed) else typed)}
    zh, en = (_in(mechanism, row, fields, said[language], typed, language) for language in ("zh", "en"))
    return zh[:LONGEST], en[:LONGEST]


def takes_words(mechanism: Mechanism) -> bool:
    """Whether whoever opens a case may call it something: not where the pattern makes the title of fields alone."""
    patterns = [str(one) for one in mechanism.case_title.values()]
    return not patterns or any("{title}" in one for one in patterns)


def _chinese(text: str) -> bool:
    return any("\u3400" <= sign <= "\u9fff" for sign in text)


def _in(mechanism: Mechanism, row: Mapping[str, Any], fields: Mapping[str, Any], words: str, typed: str, language: str) -> str:
    own = str(mechanism.title.get(language) or mechanism.name)
    pattern = mechanism.case_title.get(language)
    token = tree().token
    subject = _subject(str(row["about_kind"]), str(row["about_id"]), row["place_code"] or "", token)
    if words and (not pattern or row["about_kind"] != "site" or any(name and name in words for name in subject.values())):
        return words  # it says what it is about already
    known = {"title": words or own, "subject": subject[language], "place": _place(row["place_code"] or "", token)[language]}
    known |= {name: _said(mechanism, name, value, language) for name, value in fields.items() if name in mechanism.fields}
    made = _tidy(pattern.format_map(_Blank(known))) if pattern else own
    return f"{made} · {typed}" if typed and not words else made


class _Blank(dict[str, str]):
    """A word that the case does not have is left out."""

    def __missing__(self, key: str) -> str:
        return ""


def _tidy(text: str) -> str:
    """Without the marks beside a word that was left out."""
    return " ".join(text.split()).strip(" :：,，·")


def _said(mechanism: Mechanism, name: str, value: Any, language: str) -> str:
    labels = mechanism.fields[name].labels.get(value) if isinstance(value, str) else None
    text = str(labels.get(language) if labels else value)
    return text if len(text) <= _CLIPPED else text[: _CLIPPED - 1] + "…"


@functools.lru_cache(maxsize=4096)
def _subject(kind: str, id: str, place: str, token: str) -> Words:
    """The name of the site, office or place that a case is about; ``token`` changes with the region's records."""
    if kind == "site":
        return names.sites([id]).get(whole(id), NOTHING)
    if kind == "office" and (number := whole(id)) is not None:
        return names.offices([number]).get(number, NOTHING)
    return _place(place, token)


@functools.lru_cache(maxsize=4096)
def _place(code: str, token: str) -> Words:
    return names.places([code]).get(code, NOTHING)
