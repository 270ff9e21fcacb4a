"""Who reads each of the law's numbers: a mechanism, an obligation, or code; what nothing reads yet is named here.

A number that is stated and read by nothing says so in this list, and leaves it once something reads it, so that nobody takes
a number for applied that is not.
"""

from __future__ import annotations

import re
from pathlib import Path

from fengsui.law import numbers

SOURCE = Path(__file__).resolve().parents[3] / "src" / "fengsui"
NOT_YET: dict[str, tuple[str, ...]] = {
    "its page states it; no shipped mechanism or code depends on it yet": (
        "accident.fine", "accident.investigated_by", "accident.near_serious", "accident.supplement_road_fire", "warning.meaning",
        "hazard.principal_check", "hazard.resumption", "reward.verify",
        "reward.concealed_death", "reward.hazard_least", "reward.hazard_share", "reward.most",
        "gb18218.check_operational", "gb18218.check_technical", "gb18218.reassess", "monitoring.gathering",
        "monitoring.gathering_shape", "monitoring.mine_temperature", "monitoring.toxic_share",
    ),
    "stated as a share; `hazard.extend_longest` keeps it as an amount": ("hazard.extension_share",),
    "its mechanism is not shipped yet": (
        "weekly.due", "weekly.check", "resettlement.whole", "resettlement.step", "inspection.prepare", "inspection.onsite",
        "inspection.write", "assessment.draft", "assessment.objection", "assessment.decide", "assessment.whole", "order.answer",
        "order.arrive", "order.contact", "order.shift", "order.return", "order.whole", "permit.special", "permit.validity",
        "permit.reading", "permit.gas", "permit.wind", "permit.prepare", "permit.close", "permit.decide",
    ),
}  # fmt: skip
"""Why → the numbers that nothing reads."""


def readers() -> dict[str, list[str]]:
    """Number → the files that name it, or the group that it belongs to (``law.hazard.criteria``)."""
    files = {
        str(path.relative_to(SOURCE)): path.read_text("utf-8")
        for path in SOURCE.rglob("*")
        if path.suffix in (".py", ".yaml", ".html")
        and path.relative_to(SOURCE).parts[:2] not in (("data", "law"), ("data", "demo"))
    }
    return {name: sorted(file for file, text in files.items() if _names(text, name)) for name in _all()}


def _all() -> set[str]:
    return {number.name for number in numbers.shipped_book().all()}


def _names(text: str, name: str) -> bool:
    group = name.rpartition(".")[0]
    wanted = [name] if "." not in group else [name, group]
    return any(one in text and re.search(rf"(?<![\w.])(law\.)?{re.escape(one)}(?![\w])", text) for one in wanted)


def test_what_nothing_reads_is_named_and_nothing_else() -> None:
    unread = {name for name, files in readers().items() if not files}
    assert unread == {name for names in NOT_YET.values() for name in names}


def test_clocks_of_mechanisms_read_their_numbers() -> None:
    read = readers()
    assert "data/mechanisms/hazard.yaml" in read["hazard.longest"]
    assert "data/mechanisms/warning.yaml" in read["warning.acknowledge"]
    assert any(file.endswith(".py") for file in read["alarm.shelve_longest"])
