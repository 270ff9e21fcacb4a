"""Pure guards and the values of fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.law import numbers
from fengsui.ledger.kernel import sections
from fengsui.ledger.kernel.guards import PURE, Look, grade_of
from fengsui.ledger.kernel.shapes import Case, Facts, Field
from fengsui.ledger.kernel.values import Wrong, blank, wrong
from tests.unit.ledger.walking import NAMES, NOW, PHOTO

LINE = {
    "4": {"below": 1, "kind": "bureau", "duty": True},
    "5": {"below": 1, "kind": "enterprise", "duty": True},  # a plant's office stands in the county, too
    "6": {"below": 1, "kind": "township", "duty": True},
    "7": {"below": None, "kind": "bureau", "duty": True},  # another county
    "8": {"below": 2, "kind": "bureau", "duty": True},
    "9": {"below": 1, "kind": "bureau", "duty": False},  # another field of work
    "10": {"below": 0, "kind": "bureau", "duty": True},
}
GRADES = numbers.find("accident.grades", NOW.date()).table
FACTS = Facts({}, frozenset(), {}, {}, given={"office.line": LINE, "law.accident.grades": GRADES})


def holds(name: str, before: dict[str, Any], **values: Any) -> bool:
    return PURE[name](Look(Case("c", "m", "v", 1, "s", before), values, FACTS, NOW))


def test_every_pure_guard_is_registered_with_what_it_reads() -> None:
    assert PURE.keys() <= NAMES.guards.keys()


@pytest.mark.parametrize(
    ("name", "before", "values", "expected"),
    [
        ("evidence_attached", {}, {"evidence": [PHOTO]}, True),
        ("evidence_attached", {"evidence": []}, {}, False),
        ("one_level_below", {"answering": 3}, {"answering": 4}, True),
        *(("one_level_below", {"answering": 3}, {"answering": office}, False) for office in (5, 6, 7, 8, 9, 10, 11)),
        ("one_level_below", {}, {}, False),
        ("colour_higher", {"colour": "blue"}, {"colour": "red"}, True),
        ("colour_higher", {"colour": "red"}, {"colour": "red"}, False),
        ("colour_higher", {"colour": "red"}, {"colour": "green"}, False),
        ("colour_lower", {"colour": "red"}, {"colour": "blue"}, True),
        ("colour_lower", {"colour": "blue"}, {}, False),
        ("grade_changed", {"deaths": 1, "injuries": 0, "loss": 0}, {"deaths": 1}, False),
        ("grade_changed", {"deaths": 1, "injuries": 0, "loss": 0}, {"deaths": 2}, True),
        ("crosses_level", {"deaths": 2, "injuries": 9, "loss": 0}, {"deaths": 3}, True),
        ("crosses_level", {"deaths": 3, "injuries": 9, "loss": 0}, {"deaths": 9}, False),
        ("larger_or_above", {"grade": "ordinary"}, {}, False),
        ("grade_ordinary", {"grade": "larger"}, {"grade": "ordinary"}, True),
        ("grade_ordinary", {"grade": "ordinary"}, {"grade": "larger"}, False),
        ("grade_by_law", {"deaths": 2, "injuries": 9, "loss": 0}, {"grade": "ordinary"}, True),
        ("grade_by_law", {"deaths": 3, "injuries": 0, "loss": 0}, {"grade": "ordinary"}, False),
        ("grade_by_law", {"deaths": 2, "injuries": 0, "loss": 0}, {"grade": "larger"}, False),
        ("grade_by_law", {"deaths": 2, "injuries": 0, "loss": 0}, {"grade": "larger", "injuries": 10}, True),
        ("grade_by_law", {"deaths": 0, "injuries": 0, "loss": 0}, {"grade": "major", "loss": 5000_0000_00}, True),
        ("grade_by_law", {"deaths": 0, "injuries": 0, "loss": 0}, {}, False),
        ("larger_or_above", {"grade": "larger"}, {}, True),
        ("larger_or_above", {"grade": "larger"}, {"grade": "ordinary"}, False),
    ],
)
def test_pure_guards(name: str, before: dict[str, Any], values: dict[str, Any], expected: bool) -> None:
    assert holds(name, before, **values) is expected


def test_five_settled_needs_all_five() -> None:
    five = {"responsibility": 1, "measures": "m", "funds": 0, "deadline": "2027-01-01", "contingency": "c"}
    assert holds("five_settled", five)
    for name in five:
        assert not holds("five_settled", {key: value for key, value in five.items() if key != name})


@pytest.mark.parametrize(
    ("deaths", "injuries", "loss", "grade"),
    [
        (0, 0, 0, "ordinary"),
        (2, 9, 999_0000_00, "ordinary"),
        (3, 0, 0, "larger"),
        (0, 10, 0, "larger"),
        (0, 0, 1000_0000_00, "larger"),
        (9, 49, 4999_0000_00, "larger"),
        (10, 0, 0, "major"),
        (0, 50, 0, "major"),
        (0, 0, 5000_0000_00, "major"),
        (30, 0, 0, "extraordinary"),
        (0, 100, 0, "extraordinary"),
        (0, 0, 10000_0000_00, "extraordinary"),
    ],
)
def test_grades_by_the_law(deaths: int, injuries: int, loss: int, grade: str) -> None:
    """国务院令第493号 art. 3; loss in fen."""
    assert grade_of({"deaths": deaths, "injuries": injuries, "loss": loss}, GRADES or {}) == grade


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", ["x"], [3, "x" * 20_001, None]),
        ("money", [0, 5], [-1, 1.5, True, "5", 10**16]),
        ("number", [0, 1.5], [-1, float("nan"), True, "1"]),
        ("date", ["2026-12-01"], ["2026-13-01", "20261201", "tomorrow", 3, "2026-12-01T00:00:00"]),
        ("time", ["2026-11-24T03:00:00+08:00"], ["2026-11-24T03:00:00", "x", 1]),
        ("choice", ["x"], [3]),
        ("office", [3], [0, -1, "3", True]),
        ("people", [[1, 2]], [[1, 1], ["1"], 1, [0]]),
        ("files", [[PHOTO]], [[], ["x"], PHOTO, [PHOTO.upper()]]),
        ("list", [["a"]], [[], "a"]),
        ("point", [[109.8, 40.6]], [[181, 0], [0, 91], [1], "x", ["1", "2"]]),
        ("reading", [{"o2": 20.9}], [{}, []]),
        ("year", [2026], [26, "2026"]),
        ("week", ["2026-W48"], ["2026-W54", "2026-48", 48]),
        ("case", ["id"], [1]),
    ],
)
def test_values_by_kind(kind: str, good: list[Any], bad: list[Any]) -> None:
    one = Field("f", kind)
    for value in good:
        assert wrong(one, value, {}, FACTS, NOW) is None
    for value in bad:
        assert wrong(one, value, {}, FACTS, NOW), value


@given(
    st.sampled_from(sorted(sections.FIELD_KINDS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    ),
)
def test_any_value_is_judged_never_an_error(kind: str, value: Any) -> None:
    assert isinstance(wrong(Field("f", kind), value, {}, FACTS, NOW), Wrong | None)
    assert isinstance(blank(value), bool)


def test_choices_come_from_the_file_or_from_the_law() -> None:
    assert wrong(Field("colour", "choice", of=("red",)), "green", {}, FACTS, NOW) == Wrong(
        "choose one of %(choices)s", {"choices": ("red",)}
    )
    law = Facts({}, frozenset(), {}, {}, choices={"criterion": frozenset({"hazchem-15"})})
    assert wrong(Field("criterion", "choice", of="hazard.criteria"), "x", {}, law, NOW)
    assert wrong(Field("criterion", "choice", of="hazard.criteria"), "hazchem-15", {}, law, NOW) is None
