"""The rooms' Chinese catalogues together: one page reads them all, and the first room's words win."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import polib

from fengsui.services import assets

CATALOGUES = sorted((assets.ROOT / "src/fengsui").rglob("locale/zh_Hans/LC_MESSAGES/django.po"))


def room(catalogue: Path) -> str:
    """The folder that a catalogue belongs to."""
    return catalogue.parents[3].name


def test_every_string_is_translated() -> None:
    owed = [
        f"{room(file)}: {entry.msgid}"
        for file in CATALOGUES
        for entry in polib.pofile(str(file))
        if not entry.obsolete and (not entry.translated() or entry.fuzzy)
    ]
    assert CATALOGUES
    assert not owed


def test_no_two_rooms_translate_one_string_differently() -> None:
    """Where one English word means two things, each use gives its context."""
    said: dict[tuple[str | None, str], dict[str, str]] = defaultdict(dict)
    for file in CATALOGUES:
        for entry in polib.pofile(str(file)):
            if not entry.obsolete:
                said[entry.msgctxt, entry.msgid][room(file)] = entry.msgstr or str(entry.msgstr_plural)
    assert not {key: rooms for key, rooms in said.items() if len(set(rooms.values())) > 1}
