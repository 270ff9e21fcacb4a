"""``startup``: `fengsui up` on an existing folder, from the command until all parts are ready, in seconds.

The folder is the demo's: the whole region, its open cases, alarms and streams are in it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fengsui.services import folder as folders

_PORTS = ("web", "database", "stream", "mqtt", "monitor")
_PATIENCE = 600.0  # seconds; the demo fills its region first


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "NATS_URL")}
    return {**kept, "PYTHONPATH": str(Path(folders.__file__).parents[2])}


def _free_ports() -> dict[str, int]:
    doors = [socket.socket() for _ in _PORTS]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [int(door.getsockname()[1]) for door in doors]
    for door in doors:
        door.close()
    return dict(zip(_PORTS, ports, strict=True))


def _start_and_stop(path: Path, command: str = "up") -> dict[str, float]:
    """Seconds to the web server's first page, and to all parts ready."""
    out = path.parent / "out"
    began = time.perf_counter()
    with out.open("wb") as file:
        words = [sys.executable, "-m", "fengsui.services.cli", command, "--plain", "--data", str(path)]
        process = subprocess.Popen(words, env=_environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    seen: dict[str, float] = {}
    try:
        while "all" not in seen:
            said = out.read_text(errors="replace")
            passed = time.perf_counter() - began
            if "web: ready" in said:
                seen.setdefault("page", passed)
            if "Open http://" in said:
                seen.setdefault("all", passed)
            if process.poll() is not None or passed > _PATIENCE:
                raise RuntimeError(f"it did not start: {said[-800:]}")
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    return seen


def run() -> dict[str, Any]:
    """The middle one of three starts on the demo's folder, which was started before."""
    room = Path(tempfile.mkdtemp(prefix="fengsui-bench-"))
    room.chmod(0o711)
    try:
        folder = folders.make(room / "data")
        folders.write_config(folder.path / "config.toml", "127.0.0.1", _free_ports())
        _start_and_stop(folder.path, "demo")
        new = folders.make(room / "new")
        folders.write_config(new.path / "config.toml", "127.0.0.1", _free_ports())
        first = _start_and_stop(new.path)
        starts = sorted((_start_and_stop(folder.path) for _ in range(3)), key=lambda one: one["all"])
    finally:
        shutil.rmtree(room, ignore_errors=True)
    value = starts[1]["all"]
    detail = {
        "first_page_seconds": round(starts[1]["page"], 2),
        "new_folder_seconds": round(first["all"], 2),
        "load_before": round(os.getloadavg()[0], 1),
    }
    return {"name": "startup", "value": round(value, 2), "unit": "s", "goal": 10, "ok": value < 10, "detail": detail}
