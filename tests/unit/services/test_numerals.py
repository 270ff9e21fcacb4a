"""The one reader of whole numbers that come in from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fengsui.numerals import LARGEST, whole

SOURCE = Path(__file__).resolve().parents[3] / "src" / "fengsui"


@given(st.integers(0, LARGEST), st.integers(0, 3))
def test_a_number_is_read_back(number: int, zeros: int) -> None:
    written = "0" * zeros + str(number)
    assert whole(written) == (number if len(written) <= 19 else None)
    assert whole(number) == number


@given(st.text() | st.binary() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()))
@example("１２")
@example("٣")
@example("²")
@example("+1")
@example("-1")
@example("1_0")
@example(" 1")
@example("1\n")
@example("")
@example(str(LARGEST + 1))
@example("9" * 100_000)
def test_anything_else_is_none(given_: object) -> None:
    found = whole(given_)
    if found is None:
        return
    assert 0 <= found <= LARGEST
    assert re.fullmatch("[0-9]{1,19}", str(given_)) and not isinstance(given_, bool | float | bytes)


@pytest.mark.parametrize(("text", "most", "found"), [("7", 7, 7), ("8", 7, None), ("0", 0, 0), ("00", 7, 0)])
def test_a_bound_of_ones_own(text: str, most: int, found: int | None) -> None:
    assert whole(text, most) == found


def test_nobody_reads_digits_in_another_way() -> None:
    """Only where the digits are a code's (place, telephone) or our own files' may another reader stand."""
    allowed = {"numerals.py", "watch/history.py", "watch/tail.py", "services/exercise/world.py", "ledger/public/forms.py"}
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if re.search(r"\.is(decimal|digit|numeric)\(", path.read_text(encoding="utf-8"))
    }
    assert found <= allowed | {"region/filters.py"}
