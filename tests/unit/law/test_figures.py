"""Every figure of the rules that the platform is built on, by subject: the law's files hold each, no surer than it is known.

A line is a law number, how sure it is, and what it says: a length of time as written, a value, or a table's rows without their
words. Dropping a number, changing a figure or making it surer than its source fails here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from fengsui.law import numbers

TODAY = date(2026, 11, 30)
C, MH, MM, D, S = "confirmed", "memory-high", "memory-medium", "proposed", "to_be_supplied"
FOUR = ("ordinary", "larger", "major", "extraordinary")
WORDS = "words"
"""A row that holds words alone."""


def by_grade(*figures: Any) -> dict[str, Any]:
    return dict(zip(FOUR, figures, strict=True))


ACCIDENTS = [
    ("accident.grades", C, by_grade(
        {"deaths": 0, "injuries": 0, "loss": 0}, {"deaths": 3, "injuries": 10, "loss": 1000},
        {"deaths": 10, "injuries": 50, "loss": 5000}, {"deaths": 30, "injuries": 100, "loss": 10000})),
    ("accident.investigated_by", MH, by_grade("county", "league", "region", "state")),
    ("accident.reported_to", MH, by_grade("league", "region", "state_department", "state_council")),
    ("accident.on_site", MH, WORDS),
    ("accident.unit", MH, "1h"),
    ("accident.upward", MH, "2h"),
    ("accident.phone", C, "1h"),
    ("accident.phone_ministry", MH, "1h"),
    ("accident.continued", MH, by_grade("1d", "1d", "12h", "12h")),
    ("accident.supplement", C, "30d"),
    ("accident.supplement_road_fire", C, "7d"),
    ("accident.near_serious", C, {"at_risk": 10, "trapped_or_missing": 3, "evacuated": 500, "hospital_observation": 10}),
    ("accident.fine", MH, by_grade([30, 100], [100, 200], [200, 1000], [1000, 2000])),
    ("accident.fine_aggravated", MH, {"least": 2, "most": 5}),
    ("accident.analysis", D, "24h"),
    ("accident.circular", D, "72h"),
    ("investigation.report", MH, "60d"),
    ("investigation.extension", MH, "60d"),
    ("investigation.reply", MH, by_grade("15d", "15d", "15d", "30d")),
    ("investigation.reply_extension", MH, "30d"),
    ("investigation.upgrade", D, {
        "complex": WORDS, "concealed": WORDS, "deaths": {"least": 6, "most": 9}, "again": {"months": 24}, "listed": WORDS,
        "warned": {"months": 12}, "other": WORDS}),
    ("investigation.upgrade_report", D, "15d"),
    ("supervision.lists", C, {"major": WORDS, "larger": WORDS, "ordinary": WORDS}),
    ("supervision.finish", C, "60d"),
    ("recommendation.longest", MH, "365d"),
]  # fmt: skip

HAZARDS = [
    ("hazard.sign", D, "1d"),
    ("hazard.assign", D, "3wd"),
    ("hazard.plan", D, "7d"),
    ("hazard.ordinary", D, "15d"),
    ("hazard.longest", D, "90d"),
    ("hazard.extension_share", D, 0.5),
    ("hazard.review", D, "10d"),
    ("hazard.resumption", MM, "10d"),
    ("hazard.principal_check", MH, {"ordinary": "90d", "high_risk": "30d"}),
    ("hazard.statistics", D, {"month": "30d", "quarter": "90d"}),
    ("enforcement.officers", MH, 2),
    ("reward.hazard_share", C, 0.15),
    ("reward.hazard_least", C, 3000),
    ("reward.most", C, 300000),
    ("reward.concealed_death", C, by_grade(30000, 40000, 50000, 60000)),
    ("reward.collect", MM, "60d"),
    ("reward.verify", MM, "60d"),
    ("reward.verify_extension", MM, "30d"),
]

INSTALLATIONS = [
    ("gb18218.identify", C, 1),
    ("gb18218.exposed_radius", C, 500),
    ("gb18218.alpha", C, {"0": 0.5, "1": 1.0, "30": 1.2, "50": 1.5, "100": 2.0}),
    ("gb18218.grade", C, {"1": 100, "2": 50, "3": 10, "4": 0}),
    ("gb18218.not_named", MM, {
        "propylene": {"class": "W2", "critical": 10, "beta": 1.5}, "sodium_cyanide": {"class": "J2", "critical": 50, "beta": 1},
        "diesel": {"class": "W5.4", "critical": 5000}}),
    ("gb18218.reassess", MH, "1095d"),
    ("gb18218.check_technical", MH, "90d"),
    ("gb18218.check_operational", MH, "7d"),
]  # fmt: skip

PERMITS = [
    ("permit.special", C, "8h"),
    ("permit.validity", C, {
        "hot_special": "8h", "hot_1": "8h", "hot_2": "72h", "confined": "24h", "height": "7d", "power": "15d"}),
    ("permit.power_special", C, "30d"),
    ("permit.hot_grade", MH, {"special": WORDS, "1": WORDS, "2": WORDS}),
    ("permit.height", C, {
        "I": {"from": 2, "to": 5}, "II": {"above": 5, "to": 15}, "III": {"above": 15, "to": 30}, "IV": {"above": 30}}),
    ("permit.height_raise", C, 1),
    ("permit.lifting", C, {"1": {"above": 100}, "2": {"from": 40, "to": 100}, "3": {"below": 40}}),
    ("permit.gas", MH, {"combustible_lel_4_or_more": 0.5, "combustible_lel_below_4": 0.2, "oxygen_low": 19.5, "oxygen_high": 21.0,
                        "oxygen_never": 23.5}),
    ("permit.reading", C, "30min"),
    ("permit.resample", C, {"hot_special": "30min", "hot_1": "30min", "hot_2": "60min", "confined": "60min"}),
    ("permit.confined_log", MH, "2h"),
    ("permit.distance", MH, {
        "gas_vent": {"distance": 30}, "liquid_drain": {"distance": 15}, "solvent": {"distance": 10}, "cylinders": {"distance": 5},
        "cylinder_fire": {"distance": 10}}),
    ("permit.wind", MH, {"hot": 5, "height": 5, "lifting": 6}),
    ("permit.upgrade", MH, 1),
    ("permit.approver", S, dict.fromkeys((
            "hot_special", "hot_1", "hot_2", "confined", "blinding", "height_I", "height_II_III", "height_IV", "lifting_1",
            "lifting_2_3", "power", "excavation", "road"), WORDS)),
    ("permit.keep", MH, "365d"),
    ("permit.fence", D, {"from": 10, "to": 15}),
]  # fmt: skip

MONITORING = [
    ("monitoring.gathering_shape", C, [15, 60]),
    ("monitoring.gathering", S, {
        "mhi_1_2": {"blue": 3, "yellow": 4, "orange": 7, "red": 10},
        "mhi_3_4_or_work": {"blue": 4, "yellow": 6, "orange": 8, "red": 10},
        "other": {"blue": 10, "yellow": 15, "orange": 20, "red": 30}}),
    ("monitoring.gathering_evacuate", D, {"site": "5min", "park": "15min", "county": "30min"}),
    ("monitoring.positioning", C, {"static": 3, "dynamic": 5}),
    ("monitoring.positioning_quality", C, {"missed": {"percent": 10}, "false_alarm": {"percent": 15}, "report": {"seconds": 5}}),
    ("monitoring.combustible", MH, {"1": 25, "2": 50}),
    ("monitoring.toxic_share", MH, {"1": 100, "2": 200}),
    ("monitoring.oxygen", MH, {"low": 19.5, "high": 23.5}),
    ("monitoring.toxic", C, {
        "H2S": [10, 20], "CO": [20, 40], "NO2": [5, 10], "Cl2": [1, 2], "SO2": [5, 10], "NH3": [20, 40], "benzene": [6, 12],
        "HF": [2, 4], "HCN": [1, 2], "HCl": [7.5, 15], "phosgene": [0.5, 1], "vinyl chloride": [10, 20],
        "acrylonitrile": [1, 2], "toluene": [50, 100], "methanol": [25, 50]}),
    ("monitoring.enterprise_grade", MH, {"red": 0, "orange": 60, "yellow": 75, "blue": 90}),
    ("monitoring.park_grade", MM, {"A": 0, "B": 60, "C": 75, "D": 85}),
    ("warning.risk", C, {"red": WORDS, "orange": WORDS, "yellow": WORDS, "blue": WORDS}),
    ("warning.meaning", C, {"red": WORDS, "orange": WORDS, "yellow": WORDS, "blue": WORDS}),
    ("warning.acknowledge", S, {"red": "10min", "orange": "30min", "yellow": "1h", "blue": "4h"}),
    ("warning.feedback", S, {"red": "30min", "orange": "1h", "yellow": "4h", "blue": "24h"}),
    ("warning.offline", D, "30min"),
    ("warning.escalate", D, 1),
]  # fmt: skip

MINES = [
    ("monitoring.methane", C, {
        "return_corner": [1.0, 1.5, 1.0], "face": [1.0, 1.5, 1.0], "face_return": [1.0, 1.0, 1.0], "face_intake": [0.5, 0.5, 0.5],
        "heading": [1.0, 1.5, 1.0], "heading_return": [1.0, 1.0, 1.0], "served_fan": [0.5, 0.5, 0.5], "machine": [1.0, 1.5, 1.0],
        "trolley_road": [0.5, 0.5, 0.5]}),
    ("mine.methane_area", MH, {
        "area_return": {"alarm": 1.0, "cut": 1.0, "restore": 1.0}, "total_return": {"alarm": 0.75},
        "room_intake": {"alarm": 0.5, "cut": 0.5, "restore": 0.5}, "surface_bunker": {"alarm": 1.5, "cut": 1.5, "restore": 1.5},
        "drainage_station": {"alarm": 0.5}}),
    ("mine.methane_stop_fan", C, 1.5),
    ("mine.methane_range", C, dict.fromkeys((
            "return_corner", "face", "face_return", "face_intake", "heading", "heading_return", "served_fan", "machine",
            "trolley_road"), WORDS)),
    ("mine.trolley_cut", C, 100),
    ("monitoring.mine_co", MH, 24),
    ("monitoring.mine_temperature", MH, {"face": 30, "machine_room": 34}),
    ("mine.air_speed", MH, {"face": {"from": 0.25, "to": 4}, "area": {"from": 0.25, "to": 6}, "main": {"to": 8}}),
    ("mine.calibrate", MH, "15d"),
    ("mine.keep_data", MH, "730d"),
    ("mine.crew", MM, {
        "severe_face": {"repair": 40, "work": 25}, "severe_heading": {"repair": 18, "work": 18},
        "face": {"repair": 30, "work": 20}, "heading": {"repair": 18, "work": 16}}),
    ("mine.shift", D, {"from": 10, "to": 12}),
    ("mine.must_report", C, {
        "inflow": {"amount": 20, "unit": "%"}, "co": {"amount": 24, "unit": "ppm"}, "co_rise": {"amount": 5, "unit": "ppm"},
        "nox": {"amount": 2.5, "unit": "ppm"}, "rain": WORDS, "sudden": WORDS}),
    ("slope.monitored", C, {"coal": {"from": 0}, "noncoal": {"from": 150}}),
    ("slope.radar", C, {"range": {"amount": 4000, "unit": "m"}, "arc": {"amount": 120, "unit": "°"}}),
    ("slope.reference", C, {
        "pit": {"amount": 10, "unit": "mm/d"}, "working": {"amount": 5, "unit": "mm/h"}, "crack": {"amount": 50, "unit": "mm"},
        "dump": {"from": 25, "to": 50, "unit": "cm/d"}, "toe": WORDS}),
    ("monitoring.displacement", C, 10),
    ("slope.colour", D, {"blue": 25, "yellow": 50, "orange": 75, "red": 100}),
    ("tailings.roll_up", C, {"yellow": {"points": 4}, "orange": {"points": 3}, "red": {"points": 2}}),
    ("tailings.roll_up_dam", MH, {"yellow": {"points": 4}, "orange": {"points": 3}, "red": {"points": 2}}),
    ("tailings.orange", C, {"seepage": {"amount": 1.1}, "bank": {"amount": 0.8}}),
    ("metal.connected", C, "2025-12-31"),
    ("metal.bypass", D, 0),
]  # fmt: skip

EMERGENCIES = [
    ("response.decided_by", C, {"1": WORDS, "2": WORDS, "3": WORDS, "4": WORDS}),
    ("response.reported_to", C, {"1": WORDS, "2": WORDS, "3": WORDS, "4": WORDS}),
    ("response.phone", MM, "30min"),
    ("response.written", MM, "1h"),
    ("disaster.first", MM, "2h"),
    ("disaster.zero", MM, "24h"),
    ("disaster.verify", MM, "10d"),
    ("plan.file", C, "20wd"),
    ("plan.drill", MH, "1095d"),
    ("plan.evaluate", MH, "1095d"),
    ("plan.unit_file", MH, "20wd"),
    ("plan.unit_evaluate", MH, "1095d"),
    ("plan.unit_drill", MH, {"high_risk": "182d", "whole": "365d", "on_site": "182d"}),
    ("flood.national", C, {"1": WORDS, "2": WORDS, "3": WORDS, "4": WORDS}),
    ("earthquake.grades", C, {
        "extraordinary": {"deaths": 300, "loss_of_gdp": 1}, "major": {"deaths": 50}, "larger": {"deaths": 10},
        "ordinary": {"deaths": 0}}),
    ("earthquake.first_guess", C, by_grade(4.0, 5.0, 6.0, 7.0)),
    ("earthquake.first_guess_dense", C, {"larger": 4.0, "major": 5.0, "extraordinary": 6.0}),
    ("earthquake.dense", C, 200),
]  # fmt: skip

FIRES = [
    ("fire.forest_grades", C, by_grade(
        {"area": 0, "deaths": 1, "injuries": 1}, {"area": 1, "deaths": 3, "injuries": 10},
        {"area": 100, "deaths": 10, "injuries": 50}, {"area": 1000, "deaths": 30, "injuries": 100})),
    ("fire.grassland_grades", C, by_grade(
        {"area": 10, "injuries": 1, "loss": 0.5}, {"area": 1000, "deaths": 1, "injuries": 3, "loss": 50},
        {"area": 5000, "deaths": 3, "casualties": 10, "loss": 300}, {"area": 8000, "deaths": 10, "casualties": 20, "loss": 500})),
    ("fire.grassland_least", C, 10),
    ("fire.danger", C, {
        "1": {"colour": "green"}, "2": {"colour": "blue"}, "3": {"colour": "yellow"}, "4": {"colour": "orange"},
        "5": {"colour": "red"}}),
    ("fire.danger_flag", C, 3),
    ("fire.danger_warning", C, {"blue": WORDS, "yellow": WORDS, "orange": WORDS, "red": WORDS}),
    ("fire.report_nation", MH, {
        "grade": WORDS, "deaths": {"deaths": 3}, "injuries": {"injuries": 10}, "threat": WORDS, "border": {"border": 5},
        "province": WORDS, "virgin": WORDS, "lasting": {"hours": 24}, "help": WORDS}),
    ("fire.hotspot", D, "1h"),
    ("fire.response", D, {
        "1": {"hours": 72, "deaths": 10, "injuries": 30}, "2": {"hours": 48, "deaths": 3, "injuries": 10}, "3": {"hours": 24}}),
    ("fire.continued", D, "2h"),
    ("fire.border", D, {"red": 5, "orange": 20, "yellow": 50}),
]  # fmt: skip

RELIEF = [
    ("relief.national_first", C, {
        "1": {"deaths": 200, "relocated": 200, "houses": 30, "households": 10, "drought_share": 30, "drought": 400}}),
    ("relief.national_middle", C, {
        "2": {"deaths": 100, "relocated": 100, "houses": 20, "households": 7, "drought_share": 25, "drought": 300},
        "3": {"deaths": 50, "relocated": 50, "houses": 10, "households": 3, "drought_share": 20, "drought": 200}}),
    ("relief.national_fourth", MH, {
        "4": {"deaths": 20, "relocated": 10, "houses": 1, "households": 0.3, "drought_share": 15, "drought": 100}}),
    ("relief.region", S, {
        "1": {"deaths": 50, "relocated": 10, "houses": 2}, "2": {"deaths": 30, "relocated": 5, "houses": 1},
        "3": {"deaths": 10, "relocated": 1, "houses": 0.3}, "4": {"deaths": 5, "relocated": 0.5, "houses": 0.1}}),
    ("weather.blizzard", C, {
        "blue": {"hours": 12, "snow": 4}, "yellow": {"hours": 12, "snow": 6}, "orange": {"hours": 6, "snow": 10},
        "red": {"hours": 6, "snow": 15}}),
    ("weather.cold_blue", C, {"blue": {"hours": 48, "drop": 8, "lowest": 4, "wind": 5}}),
    ("weather.cold", MH, {
        "yellow": {"hours": 24, "drop": 10}, "orange": {"hours": 24, "drop": 12, "lowest": 0}, "red": {"hours": 24, "drop": 16}}),
    ("weather.white", MM, {
        "light": {"buried": "0.30–0.40", "days": 10, "buried_deeper": "0.41–0.50", "days_deeper": 7, "loss": "<5"},
        "medium": {"buried": "0.41–0.50", "days": 10, "buried_deeper": "0.51–0.70", "days_deeper": 7, "loss": "5–10"},
        "heavy": {"buried": "0.51–0.70", "days": 10, "buried_deeper": "0.71–0.90", "days_deeper": 7, "loss": "10–20"},
        "extreme": {"buried": "0.71–0.90", "days": 10, "buried_deeper": ">0.90", "days_deeper": 7, "loss": ">20"}}),
    ("weather.white_practice", C, {
        "medium": {"depth": "5–20", "days": 20, "buried_percent": "40–50"}, "heavy": {"days": 30, "buried_percent": ">51"}}),
    ("weather.black", C, {"light": {"from": 20, "to": 40}, "medium": {"from": 41, "to": 60}, "heavy": {"above": 60}}),
    ("relief.arrive", MH, "10h"),
    ("relief.arrive_elsewhere", D, "12h"),
    ("relief.scale", D, {"region": {"people": "12–20"}, "league": {"people": "4–6"}, "county": {"people": "0.5–0.7"}}),
    ("relief.quota", D, {
        name: {"count": n} for name, n in (
            ("tents", 2500), ("quilts", 10000), ("coats", 10000), ("beds", 10000), ("kits", 2500), ("stoves", 500),
            ("generators", 50), ("toilets", 100))}),
    ("relief.tent_sizes", D, [12, 20, 36]),
    ("relief.sign", D, "30min"),
    ("relief.load", D, "2h"),
    ("relief.stock_check", D, "30d"),
    ("relief.stock", D, {"yellow": 80, "red": 50}),
]  # fmt: skip

TEAMS_AND_ASSESSMENT = [
    ("team.collapse", C, {
        "1": {"people": 75, "sites": 2, "hours": 48, "local": "4–6", "remote": "6–12"},
        "2": {"sites": 1, "hours": 48, "local": "4–6", "remote": "6–12"}, "3": {"sites": 1, "hours": 12, "local": 4}}),
    ("team.mine", MH, {"squad": 9, "company": 3}),
    ("team.mine_depart", MH, "1min"),
    ("team.readiness", D, {"1": "5min", "2": "30min", "3": "2h"}),
    ("assessment.full", C, 100),
    ("assessment.mend", C, "30d"),
    ("assessment.cuts", D, {"excellent": 90, "good": 80, "passed": 60, "failed": 0}),
    ("assessment.veto", D, {
        "major": {"count": 1}, "score": {"below": 70}, "deaths": {"deaths": 10}, "concealed": WORDS, "larger": {"count": 2}}),
    ("assessment.weights", D, {
        name: {"points": n} for name, n in (
            ("duty", 15), ("hazards", 15), ("enforcement", 10), ("monitoring", 12), ("accidents", 18), ("fire", 10),
            ("preparedness", 10), ("reporting", 5), ("public_reports", 5))}),
    ("assessment.innovation", D, 5),
    ("assessment.deduction", D, -10),
]  # fmt: skip

CODES = [
    ("rules.versions", C, {
        "AQ3067": {"issued": "2026-03-09", "from": "2026-09-30", "topics": 53, "replaces": "安监总管三〔2017〕121号"},
        "AQ3072": {"from": "2026-09-30", "replaces": "应急厅〔2021〕12号"}, "AQ3026": {"from": "2026-09-30"},
        "AQ3064.3": {"issued": "2026-01-04", "from": "2026-07-01"},
        "hazchem_law": {"issued": "2025-12-27", "replaces": "国务院令第591号"},
        "order_100": {"issued": "2025-08-08", "from": "2025-11-01", "replaces": "矿安综〔2021〕32号"},
        "earthquake": {"issued": "2025-12-30", "replaces": "2024 edition"}, "freeze": {"issued": "2026-01-26"},
        "GB3608": {"from": "2026-05-01", "replaces": "GB/T 3608-2008"}, "order_19": {"from": "2026-06-01"}}),
    ("rules.versions_from_memory", MM, {
        "hazchem_law": {"from": "2026-05-01"}, "AQ3064.1": {"from": "2026-07-01"}, "AQ3064.2": {"from": "2026-07-01"}}),
    ("event.classes", MM, {"1": WORDS, "2": WORDS, "3": WORDS, "4": WORDS}),
    ("event.warning_types", MH, {f"11{name}": WORDS for name in (
        "A01", "B01", "B03", "B04", "B05", "B06", "B07", "B09", "B14", "B15", "B16", "B17", "B19", "B21", "B22")}),
    ("cap.identifier", C, {
        "region": {"digits": 6}, "industry": {"digits": 3}, "unit": {"digits": 3}, "extension": {"digits": 2},
        "time": {"digits": 14}, "serial": {"digits": 1}}),
]  # fmt: skip

NOT_OBTAINED = ("mine.order_100", "flood.region", "earthquake.region", "freeze.region", "event.codes")
"""Tables that stand empty until an administrator enters the paper's content."""

FIGURES = [
    *ACCIDENTS, *HAZARDS, *INSTALLATIONS, *PERMITS, *MONITORING, *MINES, *EMERGENCIES, *FIRES, *RELIEF, *TEAMS_AND_ASSESSMENT,
    *CODES,
    *((name, S, {}) for name in NOT_OBTAINED),
]  # fmt: skip


def bare(held: Any) -> Any:
    """The content without its words; a mapping of words alone becomes ``WORDS``."""
    if not isinstance(held, Mapping):
        return held
    rest = {str(key): bare(value) for key, value in held.items() if key not in {"zh", "en"}}
    return WORDS if "zh" in held and not rest else rest


@pytest.mark.parametrize(("name", "confidence", "figures"), FIGURES, ids=[line[0] for line in FIGURES])
def test_a_figure_of_the_rules_stands_in_the_law_s_files(name: str, confidence: str, figures: Any) -> None:
    number = next(one for one in numbers.shipped_book().periods[name] if one.in_force(TODAY) or name == "hazard.principal_check")
    found = number.table if number.table is not None else number.written if number.duration is not None else number.value
    assert bare(found) == figures
    assert number.confidence == confidence


def test_each_figure_is_named_once() -> None:
    named = [line[0] for line in FIGURES]
    assert len(named) == len(set(named)) and numbers.find("assessment.full", TODAY).value == sum(
        row["points"] for row in (numbers.find("assessment.weights", TODAY).table or {}).values()
    )
    assert sum(row["digits"] for row in (numbers.find("cap.identifier", TODAY).table or {}).values()) + 2 == 31


def test_every_key_of_a_table_has_words_in_both_languages() -> None:
    from fengsui.law import views

    plain = {"H2S", "CO", "NO2", "Cl2", "SO2", "NH3", "HF", "HCN", "HCl", "I", "II", "III", "IV", "A", "B", "C", "D"}
    for number in numbers.shipped_book().all():
        if number.name in {"gb18218.critical", "gb18218.classes", "gb18218.beta", "alarm.colour"}:
            continue  # sheets of the standard have their own columns of names; LEVEL-GRADE are codes
        table = number.table or {"": number.value}
        keys = {key for key, row in table.items() if key and not (isinstance(row, Mapping) and "zh" in row)}
        keys |= {str(key) for row in table.values() if isinstance(row, Mapping) for key in row} - {"zh", "en"}
        wordless = {key for key in keys if key not in number.labels and key not in views.KEYS and not key.isdigit()} - plain
        assert not wordless, (number.name, wordless)
