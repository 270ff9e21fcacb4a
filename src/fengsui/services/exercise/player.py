"""Plays a scenario: one step after another, giving people time to answer before the script does.

``Player.tick(now)`` advances as far as the moment allows and never waits, so that tests play an exercise
with a simulated time; ``run`` ticks it for the demo.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from fengsui.services.exercise import sheet as sheets
from fengsui.services.exercise.scenario import Scenario, Step
from fengsui.services.exercise.sheet import Line, Sheet

Detail = dict[str, str]


class World(Protocol):
    """What the player does to the running system (``world.Region`` does it for real)."""

    def signal(self, point: str, to: float | str, over: float) -> None:
        """Steer the simulator."""

    def find(self, mechanism: str, since: datetime) -> tuple[str, str] | None:
        """The exercise's case of this mechanism opened since: its id and number."""

    def climbed(self, case: str) -> int:
        """To how many offices the case has climbed."""

    def stands(self, case: str, state: str, acted: str) -> bool:
        """Whether the case is in the state, or has had the act."""

    def done_by_person(self, case: str, act: str, user: str, since: datetime) -> bool:
        """Whether somebody did the act themselves since; with signatures, this user."""

    def offered(self, case: str, act: str) -> bool:
        """Whether the case's state knows the act at all."""

    def runs(self, case: str, clock: str) -> bool:
        """Whether a clock of this name runs for anybody."""

    def calm(self, now: datetime) -> bool:
        """Put away what an earlier run left open; whether nothing of it is left, and the site's alarms are gone."""

    def act(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail:
        """Do it in the user's name."""

    def refused(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail | None:
        """Try it; the reasons why it was refused, or None where it went through."""

    def direct_sql(self, case: str) -> Detail | None:
        """Try to change the case's state as the application's database role; what the database said, or None."""

    def verify(self, case: str, now: datetime) -> tuple[bool, Detail]:
        """Verify the case."""

    def tampered(self, case: str, now: datetime) -> tuple[bool, Detail]:
        """Export the case, change a byte of the file and judge it: whether the entry was named, and what verify said."""


class Player:
    """One run of a scenario.

    A pause holds the script, never the case: deadlines run on, people act, and what they did is taken note of.
    """

    def __init__(self, scenario: Scenario, world: World, folder: Path) -> None:
        self.scenario, self.world, self.folder = scenario, world, folder
        self.sheet = Sheet.of(scenario)
        self.cases: dict[str, str] = {}
        self.at = 0
        self.begun = self.step_begun = self.ticked = datetime.min.replace(tzinfo=UTC)
        self.patience = 0.0  # seconds of this step (or of its being read) without those of pauses
        self.over = False  # the step is over and stands to be read
        self.pushed = False  # somebody asked to go on now
        sheets.keep(folder, self.sheet)

    def start(self, now: datetime) -> None:
        """Begin from the first step, as soon as an earlier run is put away."""
        self.sheet = Sheet.of(self.scenario)
        self.sheet.phase, self.sheet.started = "clearing", sheets.stamp(now)
        self.cases, self.at, self.begun, self.ticked = {}, 0, now, now
        self.world.signal("", "normal", 0)
        sheets.keep(self.folder, self.sheet)

    def stop(self, now: datetime) -> None:
        """Leave off; signals fall back to normal."""
        if self.sheet.phase in ("running", "clearing"):
            self.sheet.phase, self.sheet.ended = "stopped", sheets.stamp(now)
            self.world.signal("", "normal", 0)
            sheets.keep(self.folder, self.sheet)

    def wish(self, word: str, now: datetime) -> None:
        """Do what somebody at the page asked for (`sheet.WISHES`)."""
        if word == "stop":
            self.stop(now)
        elif word == "start" or (word == "come" and self.sheet.phase == "idle"):
            self.start(now)
        elif word in ("pause", "go") and self.sheet.phase == "running":
            self.sheet.paused = word == "pause"
            sheets.keep(self.folder, self.sheet)
        elif word == "next":
            self.pushed = True

    def _enter(self, now: datetime) -> None:
        self.step_begun, self.patience, self.over, self.pushed = now, 0.0, False, False
        if self.at < len(self.scenario.steps):
            self._line.state, self._line.at = "running", sheets.stamp(now)
        else:
            self.sheet.phase, self.sheet.ended, self.sheet.paused = "done", sheets.stamp(now), False
        sheets.keep(self.folder, self.sheet)

    @property
    def _line(self) -> Line:
        return self.sheet.lines[self.at]

    def tick(self, now: datetime) -> None:
        """Advance as far as ``now`` allows."""
        if not self.sheet.paused:
            self.patience += (now - self.ticked).total_seconds()
        self.ticked = now
        if self.sheet.phase == "clearing" and self.world.calm(now):
            self.sheet.phase, self.begun = "running", now
            self._enter(now)
        while self.sheet.phase == "running" and self._passed(self.scenario.steps[self.at], now):
            self.at += 1
            self._enter(now)

    def _passed(self, step: Step, now: datetime) -> bool:
        """Whether the step is over and has been read."""
        if not self.over:
            if not self._advance(step, now):
                sheets.keep(self.folder, self.sheet)
                return False
            self.over, self.patience, self.pushed = True, 0.0, False
        if self.pushed or self.patience >= step.hold:
            self._line.acts_in = None
            return True
        self._line.acts_in = round(step.hold - self.patience, 1)
        sheets.keep(self.folder, self.sheet)
        return False

    def _advance(self, step: Step, now: datetime) -> bool:
        """Whether the step is over."""
        line = self._line
        line.seconds = round((now - self.step_begun).total_seconds(), 1)
        if name := step.spec.get("case"):
            line.case = self.cases.get(name, "")
        met = getattr(self, f"_{step.kind}")(step, line, now)
        if met is None:
            return False
        if line.state == "running":
            line.state = "done" if met else "missed"
        return True

    def _spared(self, step: Step, line: Line) -> bool:
        """Whether the step is not needed: the clock that it is about runs for nobody any more."""
        if not (step.clock and line.case) or self.world.runs(line.case, step.clock):
            return False
        line.state, line.by = "spared", "person"
        return True

    def _signal(self, step: Step, line: Line, now: datetime) -> bool:
        self.world.signal(step.spec["point"], step.spec["to"], step.spec.get("over", 0))
        line.by = "system"
        return True

    def _expect(self, step: Step, line: Line, now: datetime) -> bool | None:
        spec, line.by = step.spec, "system"
        if mechanism := spec.get("mechanism"):
            found = self.world.find(mechanism, self.begun)
            if found:
                self.cases[spec["case"]], line.number = found
                line.case = found[0]
        case = self.cases.get(spec["case"], "")
        if (case and self._met(case, spec)) or self._spared(step, line):
            return True
        return False if now - self.step_begun >= timedelta(seconds=spec.get("within", 60)) else None

    def _met(self, case: str, spec: Any) -> bool:
        if "climbed" in spec and self.world.climbed(case) < spec["climbed"]:
            return False
        state, acted = spec.get("state", ""), spec.get("acted", "")
        return not (state or acted) or self.world.stands(case, state, acted)

    def _act(self, step: Step, line: Line, now: datetime) -> bool | None:
        case, spec = line.case, step.spec
        if not case:
            return False
        if self.world.done_by_person(case, spec["do"], step.user, self.begun):
            line.by, line.acts_in = "person", None
            return True
        if self._spared(step, line):
            return True
        if not self.world.offered(case, spec["do"]):
            line.state, line.by = "spared", "person"  # somebody led the case another way: the script steps aside
            return True
        if not self.pushed and self.patience < step.grace:
            line.acts_in = round(step.grace - self.patience, 1)
            return None
        self.pushed = False
        line.detail = self.world.act(case, spec["do"], step.user, dict(spec.get("values", {})), spec.get("photo", ""), now)
        line.by = "script"
        return not line.detail.get("refused")

    def _refused(self, step: Step, line: Line, now: datetime) -> bool:
        spec = step.spec
        why = line.case and self.world.refused(
            line.case, spec["do"], step.user, dict(spec.get("values", {})), spec.get("photo", ""), now
        )
        line.by, line.detail = "system", why or {}
        return bool(why)

    def _direct_sql(self, step: Step, line: Line, now: datetime) -> bool:
        why = self.world.direct_sql(line.case) if line.case else None
        line.by, line.detail = "system", why or {}
        return bool(why)

    def _verify(self, step: Step, line: Line, now: datetime) -> bool:
        line.by = "system"
        if not line.case:
            return False
        look = self.world.tampered if step.spec.get("tamper") else self.world.verify
        good, line.detail = look(line.case, now)
        return good


FIRST_LOOK = timedelta(minutes=2)
"""Where no visitor has come by then, the demo's exercise begins by itself."""


def run(stop: threading.Event) -> None:
    """The demo's process: plays the scenario once when the first visitor comes, then whenever a page asks."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import close_old_connections

    from fengsui import moment, shipped
    from fengsui.services.exercise import scenario
    from fengsui.services.exercise.world import Region

    played = scenario.load(shipped.file("exercises/jiuyuan-ammonia.yaml"))
    folder = settings.DATA_DIR / "exercise"
    player = Player(played, Region(played, folder), folder)
    first = moment.now() + FIRST_LOOK
    while not stop.wait(0.25):
        close_old_connections()
        now = moment.now()
        asked = sheets.wish(folder) or ("come" if now >= first else "")
        # a database that is away for a moment must not end the exercise: the next tick asks again
        with contextlib.suppress(ConnectionError):
            player.wish(asked, now)
            player.tick(now)
    player.stop(moment.now())
