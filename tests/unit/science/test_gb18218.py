"""GB 18218 against the rulebook's example, and its rules for names, classes and bands."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.law.gb18218 import tables
from fengsui.science.gb18218 import Amount, Limit, alpha, assess, grade, limit

TABLES = tables(date(2026, 11, 24))
CHLORINE, AMMONIA, METHANOL = "12", "1", "65"


def test_the_rulebooks_example() -> None:
    found = assess([Amount(5, CHLORINE), Amount(5, AMMONIA)], 60, TABLES)
    assert (found.s, found.r, found.alpha, found.grade) == (1.5, 7.5, 1.5, 4)


def test_all_rows_are_there() -> None:
    assert (len(TABLES.named), len(TABLES.classes), len(TABLES.beta_named)) == (85, 24, 14)
    assert TABLES.classes["J2"] == Limit(50, 1)


def test_a_name_goes_before_a_class_and_beta_comes_from_the_class() -> None:
    assert limit(Amount(1, METHANOL, ("W5.3",)), TABLES) == Limit(500, 1)
    with pytest.raises(ValueError, match="needs its class"):
        limit(Amount(1, METHANOL), TABLES)


def test_of_several_classes_the_lowest_critical_quantity_counts() -> None:
    assert limit(Amount(1, "", ("W5.3", "J5", "W2")), TABLES) == Limit(10, 1.5)
    assert limit(Amount(1, "CO", ("W2", "J3")), TABLES) == Limit(10, 2)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Amount(1), "needs its number"),
        (Amount(1, "99"), "no number '99'"),
        (Amount(1, "", ("X9",)), "no class 'X9'"),
    ],
)
def test_what_is_unknown_is_named(amount: Amount, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        limit(amount, TABLES)


@pytest.mark.parametrize("mass", [-1.0, float("nan"), float("inf")])
def test_an_impossible_mass_is_refused(mass: float) -> None:
    with pytest.raises(ValueError, match="mass"):
        assess([Amount(mass, AMMONIA)], 0, TABLES)


@pytest.mark.parametrize(("people", "factor"), [(0, 0.5), (1, 1), (29, 1), (30, 1.2), (49, 1.2), (50, 1.5), (99, 1.5), (100, 2)])
def test_bands_of_exposed_people(people: int, factor: float) -> None:
    assert alpha(people, TABLES) == factor


@pytest.mark.parametrize(("r", "level"), [(0, 4), (9.99, 4), (10, 3), (49.9, 3), (50, 2), (99.9, 2), (100, 1), (1e6, 1)])
def test_bands_of_r(r: float, level: int) -> None:
    assert grade(r, TABLES) == level


def test_below_one_it_is_no_major_hazard_installation() -> None:
    assert assess([Amount(9.99, AMMONIA)], 500, TABLES).grade is None
    assert assess([Amount(10, AMMONIA)], 0, TABLES).grade == 4


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=6), st.integers(0, 500), st.floats(1, 10))
def test_more_of_it_is_never_less_dangerous(masses: list[float], people: int, factor: float) -> None:
    few = assess([Amount(mass, CHLORINE) for mass in masses], people, TABLES)
    many = assess([Amount(mass * factor, CHLORINE) for mass in masses], people, TABLES)
    assert many.s >= few.s and many.r >= few.r
    assert (many.grade or 5) <= (few.grade or 5)
