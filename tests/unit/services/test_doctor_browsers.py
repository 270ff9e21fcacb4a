"""``fengsui doctor`` asks the machine's browsers for their version and holds it against the floor."""

from __future__ import annotations

from pathlib import Path

import pytest

from fengsui.services import doctor


def put(folder: Path, name: str, says: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "says", "grade", "remedy"),
    [
        ("chromium", "Chromium 111.0.5563.64 built on Debian", "ok", ""),
        ("google-chrome", "Google Chrome 110.0.5481.177", "warn", "Update google-chrome to 111 or newer."),
        ("firefox-esr", "Mozilla Firefox 102.15.0esr", "warn", "Update firefox-esr to 113 or newer."),
        ("firefox", "no display", "warn", "The pages need Chromium 111"),
    ],
)
def test_each_is_held_against_its_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str, grade: str, remedy: str
) -> None:
    put(tmp_path, name, says)
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = doctor.browsers()
    assert found.grade == grade
    assert found.remedy.startswith(remedy)
    assert name in found.says


def test_none_here_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = doctor.browsers()
    assert found.grade == "ok" and "Firefox 113" in found.says
