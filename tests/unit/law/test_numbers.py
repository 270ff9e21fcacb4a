"""The law's numbers: found by date and key, honest about their source, amended only where unsettled."""

from datetime import date
from pathlib import Path

import pytest

from fengsui.law import numbers
from fengsui.law.amounts import Duration
from fengsui.law.numbers import Amendment, UnknownNumber, WrongLawFile

TODAY = date(2026, 11, 24)


def test_a_number_carries_clause_source_and_confidence() -> None:
    found = numbers.find("accident.upward", TODAY)
    assert found.duration == Duration(seconds=7200)
    assert found.kind == "once" and found.confidence == "memory-high" and "第十一条" in found.clause
    assert not found.proposed
    assert numbers.find("hazard.sign", TODAY).proposed
    assert numbers.find("hazard.review", TODAY).signatures == 2


def test_a_table_gives_its_row() -> None:
    assert numbers.find("warning.acknowledge", TODAY, colour="red").duration == Duration(seconds=600)
    assert numbers.find("reward.concealed_death", TODAY, grade="larger").value == 40000
    whole = numbers.find("warning.acknowledge", TODAY)
    assert whole.duration == Duration(seconds=600) and len(whole.table or {}) == 4
    with pytest.raises(UnknownNumber, match="colour='green'"):
        numbers.find("warning.acknowledge", TODAY, colour="green")


def test_a_number_not_in_force_is_not_found() -> None:
    with pytest.raises(UnknownNumber, match="2007-05-31"):
        numbers.find("accident.upward", date(2007, 5, 31))
    assert numbers.find("accident.upward", date(2007, 6, 1)).duration
    with pytest.raises(UnknownNumber, match="nonsense"):
        numbers.find("nonsense", TODAY)


def test_every_shipped_number_says_where_it_comes_from() -> None:
    for number in numbers.shipped_book().all():
        assert number.source and number.title["zh"] and number.title["en"]
        if number.confidence in {"proposed", "to_be_supplied"}:
            assert number.proposed
        else:
            assert "platform default" not in number.source


def test_an_amendment_counts_from_its_day_and_leaves_the_past_alone() -> None:
    change = Amendment("hazard.sign", "12h", date(2026, 12, 1), "FX-1", source="盟市办法")
    book = numbers.shipped_book().amended([change])
    assert book.find("hazard.sign", date(2026, 11, 30)).duration == Duration(days=1)
    after = book.find("hazard.sign", date(2026, 12, 1))
    assert after.duration == Duration(seconds=43200) and after.amended == "FX-1" and after.source == "盟市办法"


def test_an_amendment_of_one_row_and_of_a_later_one() -> None:
    changes = [
        Amendment("warning.acknowledge", "5min", date(2026, 12, 1), "FX-1", row="red"),
        Amendment("warning.acknowledge", "8min", date(2026, 12, 9), "FX-2", row="red"),
    ]
    book = numbers.shipped_book().amended(changes)
    found = [book.find("warning.acknowledge", date(2026, 12, day), colour="red").written for day in (1, 8, 9)]
    assert found == ["5min", "5min", "8min"]
    assert book.find("warning.acknowledge", date(2026, 12, 9), colour="blue").written == "4h"


def test_a_settled_number_takes_no_amendment() -> None:
    change = Amendment("accident.upward", "4h", date(2026, 12, 1), "FX-1")
    assert numbers.shipped_book().amended([change]).find("accident.upward", TODAY).duration == Duration(seconds=7200)


def write(folder: Path, text: str) -> Path:
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    return folder


GOOD = "  - {name: a.b, title: {zh: 甲, en: A}, amount: 3d, confidence: proposed, source: s, effective_from: 2026-01-01}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("numbers: {}", "list `numbers`"),
        ("numbers:\n  - {name: a.b}", "title is missing"),
        ("numbers:\n" + GOOD.replace("3d", "3 moons"), "moons"),
        ("numbers:\n" + GOOD.replace("proposed", "sure"), "confidence must be one of"),
        ("numbers:\n" + GOOD.replace("amount: 3d,", ""), "exactly one of"),
        ("numbers:\n" + GOOD.replace("2026-01-01", "soon"), "write a day"),
        ("numbers:\n" + GOOD + GOOD.replace("2026-01-01", "2026-02-01"), "two contents"),
        ("numbers: [", "x.yaml"),
        ("numbers:\n" + GOOD.replace("amount: 3d,", 'kind: "", table: {by: k, rows: {a: {en: One, or two}}},'), "holds nothing"),
        ("numbers:\n" + GOOD.replace("amount: 3d,", "amount: 3d, labels: {k: {zh: 甲}},"), "labels.k needs"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(WrongLawFile, match=words):
        numbers.load([write(tmp_path, text)])


def test_a_regions_own_file_lies_over_the_shipped_one(tmp_path: Path) -> None:
    own = GOOD.replace("a.b", "hazard.sign")
    shipped = [Path(line) for line in [str(numbers.shipped.folder("law"))]]
    book = numbers.load([*shipped, write(tmp_path, "numbers:\n" + own)])
    assert book.find("hazard.sign", TODAY).duration == Duration(days=3)


def test_criteria_follow_the_date_and_say_what_was_not_obtained() -> None:
    def item(on: date) -> numbers.Choice:
        return next(one for one in numbers.choices("hazard.criteria", on) if one.code == "HC-15")

    assert item(date(2026, 9, 29)).number.confidence == "confirmed"
    after = item(date(2026, 9, 30)).number
    assert after.proposed and "AQ 3067-2026" in after.source and after.note["zh"]
    codes = [one.code for one in numbers.choices("hazard.criteria", TODAY)]
    assert len(codes) == len(set(codes)) == 70
    assert {one.code[:2] for one in numbers.choices("hazard.criteria", date(2020, 12, 31))} == {"HC"}
    with pytest.raises(UnknownNumber):
        numbers.choices("hazard.nothing", TODAY)


def test_accident_grades_are_the_decrees() -> None:
    rows = numbers.find("accident.grades", TODAY).table or {}
    assert [rows[grade]["deaths"] for grade in ("ordinary", "larger", "major", "extraordinary")] == [0, 3, 10, 30]
