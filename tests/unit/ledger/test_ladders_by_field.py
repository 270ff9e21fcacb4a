"""Ladders that depend on a field, ladders as part of a version, and rungs that wait for office hours."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.document import MechanismError
from fengsui.ledger.kernel.ladder import Fired, fire, next_rung, rung_at, rungs
from fengsui.ledger.kernel.rows import ladder_of
from fengsui.ledger.kernel.shapes import Case, ClockRow, Mechanism
from fengsui.ledger.proof import check
from fengsui.ledger.proof.shipped_proof import load_all, shipped_law, shipped_names

from .small import OFFICES
from .test_mechanisms import Story, warned
from .walking import facts

NAMES = shipped_names()
SHIPPED = load_all(NAMES)
WARNING = SHIPPED["warning"]


def row_of(case: Case, name: str) -> ClockRow:
    return next(row for row in case.clocks if row.name == name and row.stopped is None)


def changed(**more: Any) -> dict[str, Any]:
    source = copy.deepcopy(dict(WARNING.source))
    source["ladders"] = {**source["ladders"], **more}
    return source


# ------------------------------------------------------------------ by colour


def test_a_blue_warning_wakes_no_leader() -> None:
    """No rung of a blue warning lists a call, all above the first wait for office hours, and it ends at the top."""
    for colour in ("red", "orange", "yellow", "blue"):
        case = warned(colour).case
        for row in case.clocks:
            climbed = WARNING.ladders[ladder_of(WARNING, row, case.fields)]
            calls = {effect for rung in climbed for effect in rung.effects}
            assert calls == (set() if colour == "blue" else {"call_list"}), colour
            assert climbed[-1].climbs == "top" and climbed[-1].repeats
            if colour == "blue":
                assert all(rung.hour for rung in climbed if rung.climbs)


def test_a_blue_warning_climbs_on_the_next_working_morning() -> None:
    story = warned("blue")
    row = replace(row_of(story.case, "acknowledge"), due=datetime(2026, 11, 27, 19, tzinfo=UTC))  # Saturday 03:00 in Beijing
    told = rung_at(WARNING, row, 0, story.case.fields)
    assert told is not None and told.at == row.due and not told.rung.climbs
    monday = datetime(2026, 11, 30, 1, tzinfo=UTC)  # 09:00
    for index in (1, 2):
        climb = rung_at(WARNING, row, index, story.case.fields)
        assert climb is not None and climb.at == monday and climb.rung.climbs == "up"
    top = rung_at(WARNING, row, 3, story.case.fields)
    assert top is not None and top.at == datetime(2026, 12, 1, 1, tzinfo=UTC) and top.rung.climbs == "top"
    again = rung_at(WARNING, row, 4, story.case.fields)
    assert again is not None and again.at == datetime(2026, 12, 2, 1, tzinfo=UTC), "it repeats each working morning"
    assert rungs(WARNING, replace(row, rung=1), monday - timedelta(minutes=1), story.case.fields) == []


def test_raising_the_colour_changes_the_ladder_from_its_foot() -> None:
    story = warned("blue")
    row = row_of(story.case, "acknowledge")
    story.now = row.due + timedelta(minutes=1)
    told = rungs(WARNING, row, story.now, story.case.fields)
    assert [one.index for one in told] == [0]
    story.case = fire(WARNING, story.case, row, told[0], facts(), story.now).case
    story.does("upgrade", "duty_room", colour="red")
    fresh = row_of(story.case, "acknowledge")
    assert (fresh.n, fresh.rung, fresh.holder) == (2, 0, OFFICES["control_room"])
    assert ladder_of(WARNING, fresh, story.case.fields) == "minutes"
    assert [one.rung.at for one in rungs(WARNING, fresh, fresh.due + timedelta(minutes=10), story.case.fields)] == [
        "0",
        "5min",
        "10min",
    ]
    running = [one.name for one in story.case.clocks if one.stopped is None]
    assert sorted(running) == ["acknowledge", "feedback", "lift"], "one row each goes on"


def test_lowering_the_colour_stops_the_calls_and_the_row_keeps_its_due() -> None:
    story = warned("red")
    before = row_of(story.case, "lift")
    story.does("downgrade", "duty_room", colour="blue")
    after = row_of(story.case, "lift")
    assert (after.due, after.start, after.n, after.rung) == (before.due, before.start, 2, 0)
    assert next_rung(WARNING, after, story.case.fields) == after.due
    same = warned("red").does("downgrade", "duty_room", colour="orange")
    assert row_of(same.case, "lift").n == 1, "the same ladder: the same row"


def test_a_case_without_the_field_climbs_the_first_ladder_named() -> None:
    row = row_of(warned("blue").case, "acknowledge")
    assert ladder_of(WARNING, row, {}) == "minutes"


# ------------------------------------------------------------ the proof's part


@pytest.mark.parametrize(
    ("rungs_", "says"),
    [
        ([{"at": 0, "tells": ["holder"]}, {"at": "1d", "climbs": "up", "repeats": "1d"}], "does not end at the top office"),
        ([{"at": 0, "tells": ["holder"]}, {"at": "1d", "climbs": "top"}], "does not repeat until acted on"),
        ([{"at": "1d", "climbs": "top", "repeats": "1d"}], "does not tell the holder"),
    ],
)
def test_the_proof_holds_every_branch_of_a_ladder(rungs_: list[dict[str, Any]], says: str) -> None:
    """Property 3 for the blue branch alone: the others stay whole."""
    found = load.mechanism(changed(calm=rungs_, by_colour={**WARNING.source["ladders"]["by_colour"], "blue": "calm"}), NAMES)
    report = check({**SHIPPED, "warning": found}, NAMES, shipped_law())
    assert any(f.property == 3 and says in f.says and "colour is blue" in f.says for f in report.of("warning")), report.findings


def test_the_field_of_a_ladder_is_set_wherever_a_clock_runs() -> None:
    source = copy.deepcopy(dict(WARNING.source))
    source["open"]["by_person"]["sets"] = ["hazard_kind"]
    report = check({**SHIPPED, "warning": load.mechanism(source, NAMES)}, NAMES, shipped_law())
    assert any(f.property == 7 and "a ladder depends on field colour" in f.says for f in report.of("warning"))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"by": "colour", "red": "minutes", "orange": "minutes", "yellow": "minutes"}, "no ladder for 'blue'"),
        ({"by": "colour", "red": "m", "orange": "minutes", "yellow": "minutes", "blue": "quiet"}, "no ladder 'm'"),
        ({"by": "color", "red": "minutes"}, "no field 'color'"),
        ({"by": "hazard_kind", "fire": "minutes"}, "no ladder for 'pressure'"),
        (
            {"by": "colour", "red": "by_colour", "orange": "minutes", "yellow": "minutes", "blue": "quiet"},
            "no ladder 'by_colour'",
        ),
        (
            {"by": "colour", "purple": "minutes", "red": "minutes", "orange": "quiet", "yellow": "quiet", "blue": "quiet"},
            "'purple'",
        ),
        ({"red": "minutes"}, "names the field and a ladder for each choice"),
        ("minutes", "is no ladder"),
        ([{"at": 0, "hour": "9", "tells": ["holder"]}], "is no hour of the day"),
    ],
)
def test_a_ladder_by_a_field_that_makes_no_sense_is_refused(rows: Any, says: str) -> None:
    with pytest.raises(MechanismError, match=says):
        load.mechanism(changed(by_colour=rows), NAMES)


# --------------------------------------------------------- part of the version


def test_a_ladder_changed_in_the_registry_makes_another_version() -> None:
    climbed = NAMES.ladders["standard"]
    slower = replace(NAMES, ladders={**NAMES.ladders, "standard": (*climbed[:-1], replace(climbed[-1], repeats="60d"))})
    old, new = SHIPPED["hazard"], load_all(slower)["hazard"]
    assert old.digest != new.digest
    assert new.source["ladders"]["standard"][-1]["repeats"] == "60d"
    assert load_all(slower)["accident"].digest == SHIPPED["accident"].digest, "who does not climb it stays the same"


def test_a_stored_version_keeps_its_ladders_whatever_the_registry_says() -> None:
    gone = replace(NAMES, ladders={"plain": NAMES.ladders["owed"]})
    for name, mechanism in SHIPPED.items():
        again = load.mechanism(dict(mechanism.source), gone, titles=True)
        assert (again.digest, dict(again.ladders)) == (mechanism.digest, dict(mechanism.ladders)), name


def test_a_source_stored_without_ladders_is_read_with_those_kept_beside_it() -> None:
    source = {name: value for name, value in SHIPPED["look_back"].source.items() if name != "ladders"}
    kept = load.read_ladders({"plain": [{"at": "0", "tells": ["holder"]}, {"at": "9d", "climbs": "top", "repeats": "9d"}]}, "old")
    known = replace(NAMES, ladders={**NAMES.ladders, **kept})
    found = load.mechanism(source, known, digest="ab" * 32)
    assert found.digest == "ab" * 32 and found.ladders["plain"][-1].at == "9d" and "ladders" not in found.source


def test_an_exercise_shortens_the_ladders_of_its_version() -> None:
    quick: Mechanism = load.mechanism({**WARNING.source, "pace": 30}, NAMES)
    plain, short = WARNING.ladders["minutes"], quick.ladders["minutes"]
    assert [one.offset.seconds for one in short] == [(one.offset.seconds or 0) // 30 for one in plain]
    assert isinstance(Fired(0, short[0], datetime(2026, 11, 25, tzinfo=UTC)), Fired) and Story(quick).case.version == quick.digest
