"""``fresh_clone``: `make demo` in a fresh clone of this commit, from the command to the first page, in seconds.

The package cache is whatever this machine has: run it twice to measure a warm one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from fengsui.services.assets import ROOT

_PATIENCE = 600.0  # seconds
_KEPT = ("DATABASE_URL", "NATS_URL", "VIRTUAL_ENV", "PYTHONPATH", "DJANGO_SETTINGS_MODULE")


def _first_page(said: str) -> bool:
    """Whether the address that the demo printed answers with a page."""
    found = re.search(r"http://[\w.:\[\]]+/", said)
    if not found:
        return False
    try:
        with urllib.request.urlopen(found[0], timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _demo(clone: Path) -> dict[str, float]:
    """Seconds until everything is installed, and until the first page came."""
    environment = {name: value for name, value in os.environ.items() if name not in _KEPT and not name.startswith("FENGSUI_")}
    out = clone.parent / "out"
    began = time.perf_counter()
    with out.open("wb") as file:
        process = subprocess.Popen(
            ["make", "demo"],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    seen: dict[str, float] = {}
    try:
        while "page" not in seen:
            passed = time.perf_counter() - began
            if (clone / ".venv" / ".installed").exists():
                seen.setdefault("installed", passed)
            said = out.read_text(errors="replace")
            if _first_page(said):
                seen["page"] = passed
            if process.poll() is not None or passed > _PATIENCE:
                raise RuntimeError(f"the demo did not start: {said[-800:]}")
            time.sleep(0.1)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does, to make and to the demo
            process.wait(90)
    return seen


def run() -> dict[str, Any]:
    """One clone of the commit that is checked out, one demo."""
    room = Path(tempfile.mkdtemp(prefix="fengsui-bench-"))
    room.chmod(0o755)
    try:
        clone = room / "fengsui"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        seen = _demo(clone)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    value = seen["page"]
    detail = {"installed_seconds": round(seen["installed"], 1), "load": round(os.getloadavg()[0], 1)}
    return {"name": "fresh_clone", "value": round(value, 1), "unit": "s", "goal": 180, "ok": value < 180, "detail": detail}
