"""Copying what the pages take from npm, on small made-up packages."""

from __future__ import annotations

import gettext
import json
from pathlib import Path

import pytest

from fengsui.services import assets


def test_a_source_map_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.mjs").write_text("export const x = 1;\n//# sourceMappingURL=a.mjs.map")
    (tmp_path / "b.css").write_text("a{}/*# sourceMappingURL=b.css.map */b{}")
    for name in ("a.mjs", "b.css"):
        assets._copy(tmp_path / name, tmp_path / "out" / name)
    assert (tmp_path / "out/a.mjs").read_text().strip() == "export const x = 1;"
    assert (tmp_path / "out/b.css").read_text() == "a{}b{}"


def test_a_sprite_names_what_is_missing(tmp_path: Path) -> None:
    icons = tmp_path / "@tabler/icons/icons/outline"
    icons.mkdir(parents=True)
    (icons / "bell.svg").write_text(
        '<!-- tags -->\n<svg width="24"><path stroke="none" d="M0 0h24v24H0z" fill="none"/><path d="M1 1" /></svg>'
    )
    assert '<symbol id="bell" viewBox="0 0 24 24"><path d="M1 1" /></symbol>' in assets.sprite(tmp_path, ["bell"])
    with pytest.raises(RuntimeError, match="bel, filled/bell"):
        assets.sprite(tmp_path, ["bel", "filled/bell"])


def test_catalogues_are_compiled_once(tmp_path: Path) -> None:
    folder = tmp_path / "src/fengsui/room/locale/zh_Hans/LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "django.po").write_text(head + 'msgid "Case"\nmsgstr "事项"\n', encoding="utf-8")
    assert assets.compile_catalogues(tmp_path) == [folder / "django.mo"]
    with (folder / "django.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Case") == "事项"
    assert assets.compile_catalogues(tmp_path) == []
    (folder / "django.po").write_text('msgid "a"\nnonsense\n')
    (folder / "django.mo").unlink()
    with pytest.raises(RuntimeError, match=r"django\.po"):
        assets.compile_catalogues(tmp_path)


def test_the_lock_names_no_registry() -> None:
    lock = (assets.ROOT / "package-lock.json").read_text()
    packages = json.loads(lock)["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)
    assert "omit-lockfile-registry-resolved=true" in (assets.ROOT / ".npmrc").read_text()
