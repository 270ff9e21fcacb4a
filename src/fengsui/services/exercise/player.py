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

    def act(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail:
        """Do it in the user's name."""

    def refused(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail | None:
        """Try it; the reasons why it was refused, or None where it went through."""

    def direct_sql(self, case: str) -> Detail | None:
        """Try to change the case's state as the application's database role; what the database said, or None."""

    def verify(self, case: str, now: datetime) -> tuple[bool, Detail]:
        """Verify the case."""

    def tampered(self, case: str, now: datetime) -> tuple[bool, Detail]:
        """Change a byte, verify, put it back: whether the entry was named, and what verify said."""


class Player:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, world: World, folder: Path) -> None:
        self.scenario, self.world, self.folder = scenario, world, folder
        self.sheet = Sheet.of(scenario)
        self.cases: dict[str, str] = {}
        self.at = 0
        self.begun = self.step_begun = datetime.min.replace(tzinfo=UTC)
        sheets.keep(folder, self.sheet)

    def start(self, now: datetime) -> None:
        """Begin from the first step."""
        self.sheet = Sheet.of(self.scenario)
        self.sheet.phase, self.sheet.started = "running", sheets.stamp(now)
        self.cases, self.at, self.begun = {}, 0, now
        self.world.signal("", "normal", 0)
        self._enter(now)

    def stop(self, now: datetime) -> None:
        """Leave off; signals fall back to normal."""
        if self.sheet.phase == "running":
            self.sheet.phase, self.sheet.ended = "stopped", sheets.stamp(now)
            self.world.signal("", "normal", 0)
            sheets.keep(self.folder, self.sheet)

    def _enter(self, now: datetime) -> None:
        self.step_begun = now
        if self.at < len(self.scenario.steps):
            self._line.state, self._line.at = "running", sheets.stamp(now)
        else:
            self.sheet.phase, self.sheet.ended = "done", sheets.stamp(now)
        sheets.keep(self.folder, self.sheet)

    @property
    def _line(self) -> Line:
        return self.sheet.lines[self.at]

    def tick(self, now: datetime) -> None:
        """Advance as far as ``now`` allows."""
        while self.sheet.phase == "running" and self._advance(self.scenario.steps[self.at], now):
            self.at += 1
            self._enter(now)

    def _advance(self, step: Step, now: datetime) -> bool:
        """Whether the step is over."""
        line = self._line
        line.seconds = round((now - self.step_begun).total_seconds(), 1)
        if name := step.spec.get("case"):
            line.case = self.cases.get(name, "")
        met = getattr(self, f"_{step.kind}")(step, line, now)
        if met is None:
            return False
        line.state = "done" if met else "missed"
        return True

    def _waited(self, seconds: float, now: datetime) -> bool:
        return now - self.step_begun >= timedelta(seconds=seconds)

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
        if case and self._met(case, spec):
            return True
        return False if self._waited(spec.get("within", 60), now) else None

    def _met(self, case: str, spec: Any) -> bool:
        if "climbed" in spec and self.world.climbed(case) < spec["climbed"]:
            return False
        state, acted = spec.get("state", ""), spec.get("acted", "")
        return not (state or acted) or self.world.stands(case, state, acted)

    def _act(self, step: Step, line: Line, now: datetime) -> bool | None:
        case, spec = line.case, step.spec
        if not case:
            return False
        if self.world.done_by_person(case, spec["do"], step.user, self.step_begun):
            line.by = "person"
            return True
        if not self._waited(step.grace, now):
            return None
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


FIRST_LOOK = timedelta(seconds=8)
"""The demo's exercise begins by itself this long after the platform is up: a visitor sees calm first."""


def run(stop: threading.Event) -> None:
    """The demo's process: plays the scenario once by itself, then whenever the page asks."""
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
    while not stop.wait(0.5):
        close_old_connections()
        now = moment.now()
        asked = sheets.wish(folder)
        if asked == "stop":
            player.stop(now)
        elif asked == "start" or (player.sheet.phase == "idle" and now >= first):
            player.start(now)
        # a database that is away for a moment must not end the exercise: the next tick asks again
        with contextlib.suppress(ConnectionError):
            player.tick(now)
    player.stop(moment.now())
