"""One real platform as a person starts it: `fengsui up` on a data folder of its own."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys

import psutil

from fengsui.services.folder import Folder
from fengsui.services.parts import PROCESSES
from tests.integration.services.conftest import environment, wait_for


class Platform:
    """`fengsui up` (or ``command``) on a folder of its own, as a person starts it."""

    def __init__(self, folder: Folder, *, command: str = "up", **more: str) -> None:
        """Start it; ``more`` goes into its environment."""
        self.folder, self.command, self.more = folder, command, more
        self.output = folder.path.parent / "up.out"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "fengsui.services.cli", self.command, "--plain", "--data", str(self.folder.path)]
        given = {**environment(), **self.more}
        with self.output.open("wb") as out:
            return subprocess.Popen(words, env=given, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_open(self, seconds: float = 180) -> None:
        """Wait until it tells its address, or fail with what it said."""

        def opened() -> bool:
            assert self.process.poll() is None, self.said()
            return "Open http://" in self.said()

        wait_for(opened, seconds)

    def again(self) -> None:
        self.process = self._start()

    def child(self, name: str) -> int:
        """The process id of a part, from its command line."""
        marks = {"postgresql": "/bin/postgres", "nats": "nats.conf", **{process: f"cli {process}" for process in PROCESSES}}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):  # it died while we looked
                if marks[name] in " ".join(child.cmdline()):
                    return child.pid
        return 0

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.folder.config.web, timeout=5)
        try:
            connection.request("GET", "/sign-in/")
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self, *names: str) -> None:
        """``kill -9`` of parts at once, and wait until others have taken their places and pages answer."""
        first = {name: self.child(name) for name in names}
        assert all(first.values()), f"{first} do not run: {self.said()}"
        before = {name: self.said().count(f"{name}: ready") for name in names}
        for pid in first.values():
            os.kill(pid, signal.SIGKILL)
        for name in names:
            wait_for(
                lambda name=name: self.child(name) not in (0, first[name]) and self.said().count(f"{name}: ready") > before[name],
                90,
            )
        wait_for(self.answers, 60)

    def cut(self) -> None:
        """``kill -9`` of everything at once, as a power cut does, and start again on what is on disk."""
        whole = psutil.Process(self.process.pid)
        for process in (whole, *whole.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait()
        self.again()
        self.wait_open()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)
