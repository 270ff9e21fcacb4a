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
    "a rule to look up; the room that will read it is not shipped": (
        "accident.circular", "accident.fine_aggravated", "accident.on_site", "accident.phone_ministry", "accident.reported_to",
        "investigation.reply_extension", "investigation.upgrade", "investigation.upgrade_report", "supervision.finish",
        "supervision.lists", "hazard.statistics", "reward.verify_extension", "gb18218.exposed_radius", "gb18218.identify",
        "gb18218.not_named", "monitoring.enterprise_grade", "monitoring.gathering_evacuate", "monitoring.park_grade",
        "monitoring.positioning", "monitoring.positioning_quality", "warning.escalate", "warning.risk",
        "mine.air_speed", "mine.calibrate", "mine.crew", "mine.keep_data", "mine.methane_range",
        "mine.methane_stop_fan", "mine.must_report", "mine.order_100", "mine.shift", "mine.trolley_cut", "metal.bypass",
        "metal.connected", "slope.colour", "slope.monitored", "slope.radar", "slope.reference", "tailings.orange",
        "tailings.roll_up", "tailings.roll_up_dam", "response.decided_by", "response.phone", "response.reported_to",
        "response.written", "disaster.first", "disaster.verify", "disaster.zero", "plan.drill", "plan.evaluate", "plan.file",
        "plan.unit_drill", "plan.unit_evaluate", "plan.unit_file", "flood.national", "flood.region", "earthquake.dense",
        "earthquake.first_guess", "earthquake.first_guess_dense", "earthquake.grades", "earthquake.region", "freeze.region",
        "fire.border", "fire.continued", "fire.danger", "fire.danger_flag", "fire.danger_warning", "fire.forest_grades",
        "fire.grassland_grades", "fire.grassland_least", "fire.hotspot", "fire.report_nation", "fire.response",
        "relief.arrive", "relief.arrive_elsewhere", "relief.load", "relief.national_first", "relief.national_fourth",
        "relief.national_middle", "relief.quota", "relief.region", "relief.scale", "relief.sign", "relief.stock",
        "relief.stock_check", "relief.tent_sizes", "weather.black", "weather.blizzard", "weather.cold", "weather.cold_blue",
        "weather.white", "weather.white_practice", "team.collapse", "team.mine", "team.mine_depart", "team.readiness",
        "assessment.cuts", "assessment.deduction", "assessment.full", "assessment.innovation", "assessment.mend",
        "assessment.veto", "assessment.weights", "event.classes", "event.codes", "event.warning_types", "cap.identifier",
        "rules.versions", "rules.versions_from_memory",
    ),
    "its mechanism is not shipped yet": (
        "weekly.due", "weekly.check", "resettlement.whole", "resettlement.step", "inspection.prepare", "inspection.onsite",
        "inspection.write", "assessment.draft", "assessment.objection", "assessment.decide", "assessment.whole", "order.answer",
        "order.arrive", "order.contact", "order.shift", "order.return", "order.whole", "permit.special", "permit.validity",
        "permit.reading", "permit.gas", "permit.wind", "permit.prepare", "permit.close", "permit.decide", "permit.approver",
        "permit.confined_log", "permit.distance", "permit.fence", "permit.height", "permit.height_raise", "permit.hot_grade",
        "permit.keep", "permit.lifting", "permit.power_special", "permit.resample", "permit.upgrade",
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
