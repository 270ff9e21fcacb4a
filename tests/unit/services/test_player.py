"""The exercise's player: it waits for people, steps aside for them, holds where asked, and begins anew cleanly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fengsui.services.exercise import sheet as sheets
from fengsui.services.exercise.player import Player
from fengsui.services.exercise.scenario import Scenario, Step

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
WORDS = {"zh": "一", "en": "one"}


class Stage:
    """A world whose answers the test sets."""

    def __init__(self) -> None:
        self.done: set[tuple[str, str]] = set()
        self.acted: list[str] = []
        self.clocks = {"acknowledge"}
        self.acts = {"acknowledge", "pass"}
        self.high = 0
        self.quiet = True

    def signal(self, point: str, to: float | str, over: float) -> None: ...

    def find(self, mechanism: str, since: datetime) -> tuple[str, str] | None:
        return ("case-1", "YJ-1")

    def climbed(self, case: str) -> int:
        return self.high

    def stands(self, case: str, state: str, acted: str) -> bool:
        return True

    def done_by_person(self, case: str, act: str, user: str, since: datetime) -> bool:
        return (act, user) in self.done

    def offered(self, case: str, act: str) -> bool:
        return act in self.acts

    def runs(self, case: str, clock: str) -> bool:
        return clock in self.clocks

    def calm(self, now: datetime) -> bool:
        return self.quiet

    def act(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> dict[str, str]:
        self.acted.append(act)
        return {}

    def refused(self, case: str, act: str, user: str, values: Any, photo: str, now: datetime) -> dict[str, str] | None:
        return {"zh": "不行", "en": "no"}

    def direct_sql(self, case: str) -> dict[str, str] | None:
        return {"zh": "不行", "en": "no"}

    def verify(self, case: str, now: datetime) -> tuple[bool, dict[str, str]]:
        return True, {"zh": "好", "en": "good"}

    def tampered(self, case: str, now: datetime) -> tuple[bool, dict[str, str]]:
        return True, {"zh": "第 2 条", "en": "entry 2"}


def step(name: str, kind: str, spec: dict[str, Any], **more: Any) -> Step:
    return Step(name, kind, WORDS, WORDS, spec, **more)


STEPS = (
    step("warned", "expect", {"case": "w", "mechanism": "warning", "within": 60}, hold=2),
    step("climbs", "expect", {"case": "w", "climbed": 1, "within": 90}, clock="acknowledge"),
    step("acknowledges", "act", {"case": "w", "do": "acknowledge"}, user="demo.county", grace=6, clock="acknowledge"),
    step("passes", "act", {"case": "w", "do": "pass"}, user="demo.inspector", grace=4),
    step("sql", "direct_sql", {"case": "w"}, hold=5),
)


class Play:
    """A player with its world and the time."""

    def __init__(self, folder: Path, steps: tuple[Step, ...] = STEPS) -> None:
        self.world, self.now = Stage(), NOW
        self.player = Player(Scenario("x", WORDS, WORDS, "HC-1", 40, steps), self.world, folder)
        self.player.start(self.now)

    def run(self, seconds: float) -> None:
        """Let the time pass in half seconds."""
        for _ in range(int(seconds * 2)):
            self.now += timedelta(seconds=0.5)
            self.player.tick(self.now)

    def states(self) -> list[tuple[str, str]]:
        return [(line.state, line.by) for line in self.player.sheet.lines]

    def wish(self, word: str) -> None:
        self.player.wish(word, self.now)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_the_script_acts_where_nobody_did(play: Play) -> None:
    play.world.high = 1
    play.run(30)
    assert play.player.sheet.phase == "done"
    assert play.states() == [
        ("done", "system"),
        ("done", "system"),
        ("done", "script"),
        ("done", "script"),
        ("done", "system"),
    ]


def test_it_steps_aside_where_a_person_has_acted_before_or_in_time(play: Play) -> None:
    play.world.high = 1
    play.world.done.add(("pass", "demo.inspector"))
    play.run(4)
    play.world.done.add(("acknowledge", "demo.county"))
    play.run(8)
    assert play.world.acted == []
    assert [by for _, by in play.states()][2:4] == ["person", "person"]
    assert play.player.sheet.score()["people"] == 2


def test_an_early_answer_spares_the_climb_and_the_answers_above(play: Play) -> None:
    play.run(3)
    assert play.states()[1][0] == "running"
    play.world.clocks.clear()
    play.run(0.5)
    assert play.states()[1:3] == [("spared", "person"), ("spared", "person")]
    play.run(30)
    assert play.player.sheet.score()["missed"] == 0


def test_a_case_led_another_way_is_left_to_people(play: Play) -> None:
    play.world.high = 1
    play.run(4)
    play.world.acts.clear()
    play.run(20)
    assert play.world.acted == []
    assert play.states()[2:4] == [("spared", "person"), ("spared", "person")]


def test_a_pause_holds_the_script_not_the_people(play: Play) -> None:
    play.world.high = 1
    play.run(4)
    play.wish("pause")
    play.run(600)
    assert play.states()[2][0] == "running" and play.world.acted == []
    play.world.done.add(("acknowledge", "demo.county"))
    play.run(1)
    assert play.states()[2] == ("done", "person")
    play.run(60)
    assert play.states()[3][0] == "running"
    play.wish("next")
    play.run(1)
    assert play.states()[3] == ("done", "script") and play.player.sheet.paused
    play.wish("go")
    play.run(6)
    assert play.player.sheet.phase == "done"


def test_next_acts_at_once_and_ends_the_reading(play: Play) -> None:
    play.world.high = 1
    play.run(0.5)
    play.wish("next")
    play.run(0.5)
    assert play.states()[2][0] == "running"
    play.wish("next")
    play.run(0.5)
    assert play.states()[2] == ("done", "script")


def test_what_is_read_stands_its_time(play: Play) -> None:
    play.run(1)
    assert play.states()[0][0] == "done" and play.states()[1][0] == "waiting"
    assert play.player.sheet.lines[0].acts_in == 1.5
    play.run(2)
    assert play.states()[1][0] == "running"


def test_a_second_start_waits_until_the_first_run_is_put_away(play: Play) -> None:
    play.run(3)
    play.world.quiet = False
    play.wish("start")
    play.run(20)
    assert play.player.sheet.phase == "clearing"
    play.world.quiet = True
    play.run(1)
    assert play.player.sheet.phase == "running" and play.player.begun > NOW + timedelta(seconds=20)


def test_a_visitor_begins_what_has_not_begun_and_disturbs_nothing_else(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.player.sheet.phase = "idle"
    play.wish("come")
    assert play.player.sheet.phase == "clearing"
    play.run(3)
    at = play.player.at
    play.wish("come")
    assert play.player.sheet.phase == "running" and play.player.at == at


@pytest.mark.parametrize("word", sheets.WISHES)
def test_a_wish_is_taken_once(tmp_path: Path, word: str) -> None:
    sheets.write(tmp_path / "wish.json", {"wish": word})
    assert sheets.wish(tmp_path) == word
    assert sheets.wish(tmp_path) == ""


@pytest.mark.parametrize("content", [{"wish": "explode"}, {"wish": 3}, ["start"], "start", {}])
def test_a_wish_that_is_none_is_nothing(tmp_path: Path, content: Any) -> None:
    sheets.write(tmp_path / "wish.json", content)
    assert sheets.wish(tmp_path) == ""
