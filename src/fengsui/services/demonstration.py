"""`fengsui demo`: the whole synthetic region, with an exercise played into it.

In: a data folder, empty or an earlier demo's. Out: the platform running on it, and how to sign in.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from fengsui.services import folder as folders
from fengsui.services import foundation, up
from fengsui.services.failure import Failure
from fengsui.services.folder import Folder, Lock
from fengsui.services.worker import ROOMS, find_module

PACE = "40"
"""How many times shorter the exercise's clocks are; the pages mark them as shortened."""

FILLING = "filling in the made-up region, once: about a minute"

_SEEDED = "DEMO"  # beside the marker: this folder holds a demo, and it is complete
_HALF = "DEMO.half"  # its filling has not ended
_FILLED = ("pg", "pg.new", "nats", "history", "engine", "evidence", "exercise")
"""What a filling that broke off leaves; the keys and the ports stay."""


def run(path: Path, *, plain: bool, still: bool) -> None:
    """Run the demo on ``path`` until a signal comes. Raises `Failure` as `up.run` does."""
    path = path.absolute()
    if (path / folders.MARKER).exists():
        _begin_again(folders.find(path))
    folder = folders.make(path)
    if not (folder.path / _SEEDED).exists():
        (folder.path / _HALF).touch()  # from the first moment on: a start that breaks off before the filling begins again too
    os.environ["FENGSUI_DEMO"] = "1"
    os.environ.setdefault("FENGSUI_EXERCISE_PACE", PACE)
    extra = () if still else tuple(name for name in ("simulator", "exercise") if find_module(ROOMS[name]))
    up.run(path, plain=plain, after=_seed, title="Fengsui 烽燧 — demo 演练", extra=extra)


def _begin_again(folder: Folder) -> None:
    """Clear a demo whose filling broke off midway. Raises `Failure` foreign for a platform in earnest."""
    if (folder.path / _SEEDED).exists():
        return
    if (folder.path / _HALF).exists():
        with Lock(folder):
            foundation.stop_left_overs(folder)
            for name in _FILLED:
                shutil.rmtree(folder.path / name, ignore_errors=True)
    elif (folder.path / "pg").exists():
        raise Failure(
            "foreign",
            f"{folder.path} holds a platform in earnest; the demo would mix made-up offices and people into it.",
            "Name another folder with --data.",
        )


def _seed(folder: Folder, run_beside: up.Beside) -> list[str]:
    """Fill an empty folder once; give the notes to show under the table. One that was stopped midway begins again."""
    done = folder.path / _SEEDED
    if not done.exists() and run_beside([sys.executable, "-m", "fengsui.services.seeding"], FILLING):
        (folder.path / _HALF).rename(done)
    return ["Sign in with one click as any role shown there; nothing in this region is real."]
