"""The exercise's score sheet: one JSON file in the data folder, written whole, read by the exercise page.

The page and the player meet only here: ``state.json`` is what happened, ``wish.json`` what somebody at
the page asked for, ``signals.json`` what the device simulator should show.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from fengsui.services.exercise.scenario import Scenario

State = Literal["waiting", "running", "done", "missed", "spared"]


@dataclass(slots=True)
class Line:
    """One step as it went: ``by`` is person where somebody answered in time, script where the player had to.

    A ``spared`` step was not needed: somebody had answered before, or went another way. ``acts_in``: seconds
    until the script acts or goes on, None where the platform's own clock decides; ``look``: whose screen to watch.
    """

    id: str
    kind: str
    title: dict[str, str]
    says: dict[str, str]
    user: str = ""
    state: State = "waiting"
    at: str = ""
    seconds: float = 0.0
    by: Literal["", "person", "script", "system"] = ""
    detail: dict[str, str] = field(default_factory=dict)
    case: str = ""
    number: str = ""
    look: str = ""
    acts_in: float | None = None


@dataclass(slots=True)
class Sheet:
    """The whole sheet; ``phase`` is idle, clearing (an earlier run is put away), running, done or stopped."""

    exercise: str
    title: dict[str, str]
    says: dict[str, str]
    pace: int
    phase: str = "idle"
    started: str = ""
    ended: str = ""
    paused: bool = False
    lines: list[Line] = field(default_factory=list)

    @classmethod
    def of(cls, scenario: Scenario) -> Sheet:
        """An empty sheet."""
        lines = [Line(s.id, s.kind, dict(s.title), dict(s.says), s.user, look=s.look) for s in scenario.steps]
        return cls(scenario.name, dict(scenario.title), dict(scenario.says), scenario.pace, lines=lines)

    def score(self) -> dict[str, int]:
        """Answers: by people in time, by the script in their place, missed; and steps in all."""
        acts = [line for line in self.lines if line.kind == "act"]
        return {
            "people": sum(line.by == "person" for line in acts),
            "script": sum(line.by == "script" for line in acts),
            "missed": sum(line.state == "missed" for line in self.lines),
            "done": sum(line.state in ("done", "spared") for line in self.lines),
            "steps": len(self.lines),
        }


def write(path: Path, content: Any) -> None:
    """Replace the file in one step, so that a reader never sees half of it; a crash may lose the newest, not the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False)
    half.replace(path)


def keep(folder: Path, sheet: Sheet) -> None:
    """Write the sheet with its score."""
    write(folder / "state.json", {**asdict(sheet), "score": sheet.score()})


WISHES = ("start", "stop", "pause", "go", "next", "come")
"""From the first step; leave off; the script waits; it goes on; it acts now; a visitor came (begins what has not begun)."""


def wish(folder: Path) -> str:
    """What the page asked for (one of `WISHES`), once; empty where nothing was asked."""
    path = folder / "wish.json"
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    path.unlink(missing_ok=True)
    word = asked.get("wish") if isinstance(asked, dict) else None
    return word if word in WISHES else ""


def stamp(now: datetime) -> str:
    """A moment as text."""
    return now.isoformat(timespec="milliseconds")
