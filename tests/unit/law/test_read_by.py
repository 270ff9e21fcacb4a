"""Who reads each of the law's numbers: a mechanism, an obligation, or code; what nothing reads yet is named here.

A number that is stated and read by nothing says so in this list, and leaves it once something reads it, so that nobody takes
a number for applied that is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fengsui.law import numbers, readers

NOT_YET: dict[str, tuple[str, ...]] = {
    "its page states it; no shipped mechanism or code depends on it yet": (
        "accident.fine", "accident.investigated_by", "accident.near_serious", "accident.supplement_road_fire", "warning.meaning",
        "hazard.principal_check", "reward.verify",
        "reward.concealed_death", "reward.hazard_least", "reward.hazard_share", "reward.most",
        "gb18218.check_operational", "gb18218.check_technical", "gb18218.reassess", "monitoring.gathering",
        "monitoring.gathering_shape", "monitoring.mine_temperature", "monitoring.toxic_share",
    ),
    "cases under an older version of their mechanism go on by it": ("hazard.extend_longest",),
    "its mechanism is not shipped yet": (
        "weekly.due", "weekly.check", "resettlement.whole", "resettlement.step", "inspection.prepare", "inspection.onsite",
        "inspection.write", "assessment.draft", "assessment.objection", "assessment.decide", "assessment.whole", "order.answer",
        "order.arrive", "order.contact", "order.shift", "order.return", "order.whole", "permit.special", "permit.validity",
        "permit.reading", "permit.gas", "permit.wind", "permit.prepare", "permit.close", "permit.decide",
    ),
}  # fmt: skip
"""Why → the numbers that nothing reads."""


def test_what_nothing_reads_is_named_and_nothing_else() -> None:
    unread = {name for name in numbers.shipped_book().names() if not readers.of(name)}
    assert unread == {name for names in NOT_YET.values() for name in names}


def test_clocks_of_mechanisms_read_their_numbers() -> None:
    longest = [(one.kind, one.name) for one in readers.of("hazard.longest")]
    assert longest == [("mechanism", "hazard"), ("check", "hazard")]
    assert "data/mechanisms/warning.yaml" in [one.file for one in readers.of("warning.acknowledge")]
    assert [one.file for one in readers.of("alarm.shelve_longest")] == ["watch/handling.py"]


def test_a_group_that_is_named_reads_each_number_of_it() -> None:
    assert readers.of("hazard.criteria.hazchem") and readers.of("hazard.criteria.hazchem")[0].name == "hazard"


def test_a_comment_or_a_docstring_reads_nothing() -> None:
    files = {one.file for found in readers.read().values() for one in found}
    assert "law/numbers.py" not in files and "law/readers.py" not in files  # both name numbers in words about them


def test_a_region_s_own_mechanism_is_a_reader_too(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "mechanisms").mkdir()
    text = "mechanism: own\ntitle: {zh: 自有, en: Own}\nstates: {a: {clocks: [law.weekly.due]}} # law.weekly.check\n"
    (tmp_path / "mechanisms" / "own.yaml").write_text(text, "utf-8")
    (tmp_path / "mechanisms" / "broken.yaml").write_text("title: [", "utf-8")
    settings.DATA_DIR = tmp_path
    readers._all.cache_clear()
    try:
        assert [(one.name, one.title) for one in readers.of("weekly.due")] == [("own", ("自有", "Own"))]
        assert not readers.of("weekly.check") and readers.of("hazard.longest")
    finally:
        readers._all.cache_clear()
