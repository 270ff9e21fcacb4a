"""Clocks of a case: started, resumed, restarted, rebased, extended, paused; owed reports; ladders and climbs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fengsui.law.amounts import Duration
from fengsui.ledger.kernel.decide import answer, decide
from fengsui.ledger.kernel.ladder import Fired, due_acts, fire, missed, next_rung, rungs
from fengsui.ledger.kernel.shapes import Actor, Call, Case, ClockRow, Decision, Facts, Table
from fengsui.ledger.kernel.times import NoLength, first_period, later, length_of, moment_of, next_period
from tests.unit.ledger.small import NOW, OFFICES, attempt, begun, by, codes, facts, facts_of, go, small, unopened
from tests.unit.ledger.walking import MECHANISMS

H = timedelta(hours=1)
DAY = timedelta(days=1)
HOURS = {name: Duration(seconds=3600) for name in ("hazard.sign", "hazard.plan", "warning.acknowledge", "warning.feedback")}


def row(case: Case, name: str) -> ClockRow:
    """The latest row of a clock."""
    return [one for one in case.clocks if one.name == name][-1]


def seen(role: str = "enterprise", **more: Any) -> Facts:
    return facts(holds=facts_of(OFFICES[role]).holds, law={**HOURS, **more.pop("law", {})}, **more)


def clocked(again: str = "each", **clock: Any) -> Any:
    return small(
        clocks={
            "main": {
                "amount": "law.hazard.plan",
                "starts": ["begin", "start"],
                "stops": ["stop"],
                "holder": "up",
                "again": again,
                **clock,
            }
        },
        one__stop={},
        one__start={},
        one__afresh={"restarts": ["main"]},
        one__rebase={"rebases": ["main"]},
        one__round={"to": "one"},
    )


def at(m: Any, case: Case, act: str, now: datetime, role: str = "enterprise", **values: Any) -> Case:
    result = attempt(m, case, act, role, seen(role), now, **values)
    assert isinstance(result, Decision), result
    return result.case


def opened(m: Any, **values: Any) -> Case:
    return at(m, unopened(m, "c"), "begin", NOW, **values)


# ------------------------------------------------------------ start and stop


def test_a_state_and_a_clock_start_with_their_holder_and_due() -> None:
    case = opened(clocked())
    own, main = row(case, "within:one"), row(case, "main")
    assert (own.holder, own.due, own.first, own.n) == (OFFICES["enterprise"], NOW + H, NOW + H, 1)
    assert (main.holder, main.start, main.due) == (OFFICES["up"], NOW, NOW + H)


def test_entering_a_state_again_starts_its_own_clock_afresh() -> None:
    case = at(clocked(), opened(clocked()), "round", NOW + 3 * H)
    rows = [one for one in case.clocks if one.name == "within:one"]
    assert [(one.n, one.stopped, one.due) for one in rows] == [(1, NOW + 3 * H, NOW + H), (2, None, NOW + 4 * H)]


def test_a_once_clock_resumes_its_first_due() -> None:
    m = clocked("once")
    case = at(m, at(m, opened(m), "stop", NOW + H / 2), "start", NOW + 9 * H)
    assert [(one.n, one.stopped, one.due) for one in case.clocks if one.name == "main"] == [(1, None, NOW + H)]
    assert row(at(m, case, "start", NOW + 10 * H), "main") == row(case, "main")


def test_an_each_clock_starts_a_new_row() -> None:
    m = clocked()
    case = at(m, at(m, opened(m), "stop", NOW + H / 2), "start", NOW + 9 * H)
    assert [(one.n, one.stopped, one.due) for one in case.clocks if one.name == "main"] == [
        (1, NOW + H / 2, NOW + H),
        (2, None, NOW + 10 * H),
    ]


def test_restarting_a_running_clock_keeps_the_earlier_due() -> None:
    m = clocked()
    case = at(m, opened(m), "afresh", NOW + H / 2)
    assert (row(case, "main").due, row(case, "main").n) == (NOW + H, 1)
    case = at(m, at(m, case, "stop", NOW + H / 2), "afresh", NOW + 2 * H)
    assert (row(case, "main").due, row(case, "main").n) == (NOW + 3 * H, 2)


def test_who_stopped_a_clock_is_kept() -> None:
    m = clocked()
    stopped = row(at(m, opened(m), "stop", NOW + H / 2), "main")
    assert (stopped.stopped, stopped.answered) == (NOW + H / 2, by("enterprise").person)


def test_a_clock_started_and_stopped_by_one_act_only_measures() -> None:
    m = small(
        fields={"when": {"kind": "time"}},
        open={"begin": {"by": ["enterprise"], "to": "one", "sets": ["when"]}},
        clocks={
            "unit": {"amount": "law.hazard.plan", "since": "field.when", "starts": ["begin"], "stops": ["begin"], "holder": "up"}
        },
    )
    case = opened(m, when=(NOW - 2 * H).isoformat())
    assert (row(case, "unit").start, row(case, "unit").due, row(case, "unit").stopped) == (NOW - 2 * H, NOW - H, NOW)


def test_a_field_is_a_due_day_that_ends_at_midnight_in_the_legal_zone() -> None:
    clock = {"amount": "field.day", "starts": ["plan"], "stops": ["end"], "holder": "up"}
    m = small(clocks={"main": clock}, one__plan={"sets": ["day"]})
    case = at(m, opened(m), "plan", NOW, day="2026-12-01")
    assert row(case, "main").due == datetime(2026, 12, 1, 16, tzinfo=UTC)


def test_a_table_is_looked_up_by_the_field_that_the_act_itself_sets() -> None:
    m = MECHANISMS["warning"]
    table = Table("colour", {"yellow": Duration(seconds=3600), "red": Duration(seconds=600)})
    law = {"warning.lift": table, "warning.feedback": table, "warning.acknowledge": table}
    event = Actor("event", name="warning.level")
    case = answer(m, unopened(m, "c"), event, {"hazard_kind": "leak", "colour": "yellow"}, facts(law=law), NOW).case  # type: ignore[union-attr]
    assert {row(case, name).due for name in ("acknowledge", "feedback", "lift")} == {NOW + H}
    later_on = NOW + H / 4
    up = answer(m, case, event, {"colour": "red"}, facts(law=law), later_on)
    assert isinstance(up, Decision)
    assert row(up.case, "lift").due == NOW + H / 6  # rebased: counted from the first start
    assert row(up.case, "feedback").due == later_on + H / 6  # restarted, and earlier than before


def test_a_missing_length_is_an_error_not_a_guess() -> None:
    table = Table("colour", {"red": Duration(seconds=1)})
    for law in ({}, {"x": table}):
        with pytest.raises(NoLength, match="'x' has no length"):
            length_of("x", {"colour": "blue"}, Facts({}, frozenset(), {}, law))


# -------------------------------------------------------- extensions, pauses


def test_an_extension_moves_the_due_up_to_its_limit_and_never_back() -> None:
    m = small(
        clocks={"main": {"amount": "field.day", "starts": ["plan"], "stops": ["end"], "holder": "up"}},
        children={"extension": {"joined": True, "at_once": 1}},
        one__plan={"sets": ["day"]},
        one__ask={"opens": ["extension"]},
        one__got={"by": ["child.extension.granted"], "extends": {"main": "law.hazard.extend_longest"}},
    )
    law = {"hazard.extend_longest": Duration(days=45)}
    due = moment_of("2026-12-01")
    for until, expected in (("2026-12-11", moment_of("2026-12-11")), ("2027-09-01", due + 45 * DAY), ("2026-11-25", due)):
        case = at(m, at(m, opened(m), "plan", NOW, day="2026-12-01"), "ask", NOW)
        end = Actor("child", name="extension", end="granted", kid=case.kids[0].id)
        result = decide(m, case, Call("got", end, {"until": until}), seen(law=law), NOW)
        assert isinstance(result, Decision)
        assert row(result.case, "main").due == expected


def pausing() -> Any:
    return small(
        clocks={"main": {"amount": "law.hazard.review", "starts": ["begin"], "stops": ["stop"], "holder": "up"}},
        children={"appraisal": {"joined": True, "pauses": ["main"], "pause_at_most": "law.investigation.appraisal"}},
        one__ask={"opens": ["appraisal"]},
        one__got={"by": ["child.appraisal.delivered"]},
        one__stop={},
    )


def test_an_open_joined_child_pauses_and_its_end_resumes() -> None:
    m, law = pausing(), {"hazard.review": Duration(seconds=10 * 3600), "investigation.appraisal": Duration(seconds=5 * 3600)}
    case = attempt(m, unopened(m, "c"), "begin", seen=seen(law=law)).case  # type: ignore[union-attr]
    for paused, moved in ((2 * H, 2 * H), (9 * H, 5 * H)):
        asked = attempt(m, case, "ask", seen=seen(law=law), now=NOW + H).case  # type: ignore[union-attr]
        assert row(asked, "main").paused_at == NOW + H
        end = Actor("child", name="appraisal", end="delivered", kid=asked.kids[0].id)
        back = decide(m, asked, Call("got", end), seen(law=law), NOW + H + paused).case  # type: ignore[union-attr]
        assert (row(back, "main").due, row(back, "main").paused_at) == (NOW + 10 * H + moved, None)
        assert row(back, "main").pause_used == moved.total_seconds()


def test_a_pause_that_outlasts_its_maximum_lets_the_clock_climb() -> None:
    m, law = pausing(), {"hazard.review": Duration(seconds=3600), "investigation.appraisal": Duration(seconds=7200)}
    facts_ = seen(law=law)
    case = attempt(m, unopened(m, "c"), "begin", seen=facts_).case  # type: ignore[union-attr]
    case = attempt(m, case, "ask", seen=facts_).case  # type: ignore[union-attr]
    main = row(case, "main")
    assert rungs(m, main, NOW + 2 * H, case.fields, facts_) == []
    assert [one.index for one in rungs(m, main, NOW + 4 * H, case.fields, facts_)] == [0]


# -------------------------------------------------------------- owed reports


def reporting(every: str = "week") -> Any:
    return small(
        states={
            "one": {
                "owner": "enterprise",
                "within": "law.hazard.sign",
                "owes": {"report": {"every": every, "ladder": "owed", "until": "enough"}},
                "actions": {"report": {}, "enough": {"at_most": 1}, "work": {"to": "two", "does": True}},
            },
            "two": {"owner": "up", "within": "law.hazard.plan", "actions": {"check": {"to": "done", "verifies": ["work"]}}},
        }
    )


def owed(case: Case) -> list[tuple[int, datetime, datetime | None]]:
    return [(one.n, one.due, one.stopped) for one in case.clocks if one.name == "owes:report"]


MONDAY = datetime(2026, 11, 29, 16, tzinfo=UTC)  # 24:00 of Sunday 29 November in Shanghai


def test_the_first_report_is_owed_for_the_first_whole_week() -> None:
    case = opened(reporting())  # a Tuesday
    assert owed(case) == [(1, MONDAY + 7 * DAY, None)]
    early = at(reporting(), case, "report", NOW + DAY)
    assert owed(early) == owed(case)


def test_a_report_closes_its_week_and_the_next_follows() -> None:
    m = reporting()
    case = at(m, opened(m), "report", MONDAY + DAY)
    assert owed(case) == [(1, MONDAY + 7 * DAY, MONDAY + DAY), (2, MONDAY + 14 * DAY, None)]
    assert owed(at(m, case, "report", MONDAY + 2 * DAY)) == owed(case)


def test_missed_weeks_have_rows_of_their_own_and_a_late_report_closes_them_all() -> None:
    m = reporting()
    case, now = opened(m), MONDAY + 15 * DAY
    while (decision := missed(m, case, seen(), now)) is not None:
        assert decision.act == "period" and decision.case.seq == case.seq + 1
        case = decision.case
    assert [(n, stopped) for n, _, stopped in owed(case)] == [(1, None), (2, None), (3, None)]
    case = at(m, case, "report", now)
    assert [(n, stopped) for n, _, stopped in owed(case)] == [(1, now), (2, now), (3, now), (4, None)]


def test_reports_end_with_their_act_and_with_the_state() -> None:
    m = reporting("day")
    case = at(m, opened(m), "enough", NOW)
    assert [stopped for _, _, stopped in owed(case)] == [NOW]
    assert missed(m, case, seen(), NOW + 9 * DAY) is None
    left = at(m, opened(m), "work", NOW)
    assert [stopped for _, _, stopped in owed(left)] == [NOW]


def test_periods() -> None:
    midnight = datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert first_period(NOW, "day", None) == (midnight, midnight + DAY)
    assert first_period(NOW, "law", Duration(seconds=60)) == (NOW, NOW + timedelta(seconds=60))
    assert next_period(midnight, "law", Duration(days=2)) == (midnight, midnight + 2 * DAY)
    assert next_period(midnight, "week", None) == (midnight, midnight + 7 * DAY)


# ------------------------------------------------------------------- ladders


def test_rungs_fire_in_order_each_once_after_an_outage() -> None:
    m = MECHANISMS["hazard"]
    case = at(m, unopened(m, "c"), "found_here", NOW, "site_supervisor", finding="f")
    overall = row(case, "overall")
    assert next_rung(m, overall, {}) == overall.due - 3 * DAY
    assert rungs(m, overall, overall.due - 4 * DAY, {}) == []
    due = rungs(m, overall, overall.due + 16 * DAY, {})
    assert [(one.index, one.rung.at, one.entry) for one in due] == [
        (0, "-3d", False),
        (1, "0", False),
        (2, "7d", True),
        (3, "15d", True),
    ]
    assert rungs(m, replace(overall, rung=4), overall.due + 16 * DAY, {}) == []
    assert rungs(m, replace(overall, stopped=NOW), overall.due + 16 * DAY, {}) == []


def test_the_last_rung_repeats_until_acted_on() -> None:
    m = MECHANISMS["hazard"]
    case = at(m, unopened(m, "c"), "found_here", NOW, "site_supervisor", finding="f")
    overall = replace(row(case, "overall"), rung=4)
    due = rungs(m, overall, overall.due + 95 * DAY, {})
    assert [(one.index, one.at - overall.due) for one in due] == [(4, 30 * DAY), (5, 60 * DAY), (6, 90 * DAY)]
    assert next_rung(m, replace(overall, rung=9), {}) == overall.due + 180 * DAY


def test_climbing_adds_overseers_opens_a_circular_and_a_lead_once() -> None:
    m = MECHANISMS["hazard"]
    case = at(m, unopened(m, "c"), "found_here", NOW, "site_supervisor", finding="f")
    opens: list[str] = []
    for step in range(6):
        overall = row(case, "overall")
        now = overall.due + 100 * DAY
        fired = rungs(m, overall, now, {})[0]
        decision = fire(m, case, overall, fired, seen(roles={"up": 500 + step}), now)
        assert decision.case.seq == case.seq + (1 if fired.entry else 0)
        opens += [one.mechanism for one in decision.opens]
        case = decision.case
    assert case.overseers == (502, 503, OFFICES["top"])
    assert opens == ["circular", "accountability_lead"]
    assert row(case, "overall").rung == 6
    assert row(case, "within:found").holder == OFFICES["site_supervisor"]  # the owner still owes


def test_a_rung_fires_only_as_the_next_one_of_a_running_row() -> None:
    m = MECHANISMS["hazard"]
    case = at(m, unopened(m, "c"), "found_here", NOW, "site_supervisor", finding="f")
    overall = row(case, "overall")
    with pytest.raises(ValueError, match="not the next one"):
        fire(m, case, overall, Fired(1, m.ladders["standard"][1], NOW), seen(), NOW)


def test_per_holder_rows_climb_and_each_office_stops_only_its_own() -> None:
    m = MECHANISMS["warning"]
    event = Actor("event", name="warning.level")
    values = {"hazard_kind": "leak", "colour": "red"}
    case = decide(m, unopened(m, "c"), Call("by_alarm", event, values), seen(), NOW).case  # type: ignore[union-attr]
    now = NOW + H + timedelta(minutes=6)
    for _ in range(2):
        mine = row(case, "acknowledge")
        case = fire(m, case, mine, rungs(m, mine, now, {})[0], seen(roles={"up": OFFICES["county_office"]}), now).case
    rows = {one.holder: one for one in case.clocks if one.name == "acknowledge"}
    county, room = OFFICES["county_office"], OFFICES["control_room"]
    assert set(rows) == {county, room} and case.overseers == (county,)
    assert rows[county].due == now + H
    case = at(m, case, "acknowledge", now, "county_office")
    rows = {one.holder: one.stopped for one in case.clocks if one.name == "acknowledge"}
    assert rows == {county: now, room: None}
    assert codes(attempt(m, case, "acknowledge", "county_office", seen("county_office"), now)) == [("not_yours", "acknowledge")]
    case = at(m, case, "acknowledge", now, "control_room")
    assert all(one.stopped for one in case.clocks if one.name == "acknowledge")
    refused = attempt(m, case, "acknowledge", "control_room", seen("control_room"), now)
    assert set(codes(refused)) == {("not_yours", "acknowledge"), ("clock_stopped", "acknowledge")}
    # a higher colour asks all who had to answer, anew
    up = attempt(
        m, replace(case, fields={**case.fields, "colour": "blue"}), "upgrade", "duty_room", seen("duty_room"), now, colour="red"
    )
    assert isinstance(up, Decision)
    assert {one.holder for one in up.case.clocks if one.name == "acknowledge" and one.stopped is None} == {county, room}


# ---------------------------------------------------------------- clock acts


def test_clock_acts_are_level_triggered_and_need_the_due() -> None:
    m = MECHANISMS["look_back"]
    actor = Actor("parent", name="hazard", person=1)
    case = decide(m, unopened(m, "c"), Call("scheduled", actor), seen(), NOW).case  # type: ignore[union-attr]
    due = row(case, "wait").due
    assert due_acts(m, case, seen(), due - H) == []
    early = decide(m, case, Call("fall_due", Actor("clock", name="wait")), seen(), due - H)
    assert codes(early) == [("not_due", "wait")]
    (call,) = due_acts(m, case, seen(), due + 40 * DAY)
    case = decide(m, case, call, seen(), due).case  # type: ignore[union-attr]
    assert case.state == "visiting"
    assert due_acts(m, case, seen(), due + 40 * DAY) == []
    assert due_acts(m, replace(case, ended=True), seen(), due + 40 * DAY) == []


def test_rows_follow_the_field_that_names_their_holder() -> None:
    m = MECHANISMS["hazard"]
    case = at(m, unopened(m, "c"), "found_above", NOW, "upper_supervisor", finding="f")
    top = OFFICES["upper_supervisor"]
    below = seen("upper_supervisor", given={"office.line": {top + 7: {"below": 1, "kind": "bureau", "duty": True}}})
    moved = attempt(m, case, "assign_down", "upper_supervisor", below, answering=top + 7)
    assert isinstance(moved, Decision)
    assert row(moved.case, "overall").holder == top + 7
    assert row(moved.case, "within:assigned").holder == top + 7
    wrong = attempt(m, case, "assign_down", "upper_supervisor", below, answering=top + 8)
    assert codes(wrong) == [("guard", "one_level_below")]


def test_lengths_after_a_due_time() -> None:
    midnight = datetime(2026, 11, 27, 16, tzinfo=UTC)  # 24:00 of Friday 27 November
    assert later(midnight, Duration(days=7)) == midnight + 7 * DAY
    assert later(midnight, Duration(days=-3)) == midnight - 3 * DAY
    assert later(midnight, Duration(workdays=1)) == midnight + 3 * DAY
    assert later(midnight, Duration(seconds=0)) == midnight


def test_a_running_case_keeps_its_clocks_by_go() -> None:
    m = clocked()
    case = go(m, begun(m), "round", "work")
    assert row(case, "within:one").stopped and row(case, "within:two").stopped is None
