"""Notices about one case in the same words are one line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture(scope="module")
def gathered() -> Any:
    import django

    django.setup()
    from fengsui.ledger import casepage

    return casepage.gathered


def line(case: int, text: str, seen: bool = False) -> dict[str, Any]:
    """A line as `casepage.notice_lines` gives it."""
    notice = SimpleNamespace(seen=seen)
    return {"notice": notice, "case": SimpleNamespace(pk=case), "text": text, "mechanism": "预警", "times": 1}


def test_repeats_are_counted_and_the_newest_stays(gathered: Any) -> None:
    lines = [line(1, "late", seen=True), line(2, "late"), line(1, "late"), line(1, "ended", seen=True)]
    found = gathered(lines)
    assert [(one["case"].pk, one["text"], one["times"], one["unseen"]) for one in found] == [
        (1, "late", 2, True),
        (2, "late", 1, True),
        (1, "ended", 1, False),
    ]
    assert found[0]["notice"] is lines[0]["notice"]


def test_nothing_is_gathered_from_nothing(gathered: Any) -> None:
    assert gathered([]) == []
