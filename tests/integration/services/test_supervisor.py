"""The supervisor with real, small child processes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fengsui.services import nats, parts, status
from fengsui.services import supervisor as supervising
from fengsui.services.failure import Failure
from fengsui.services.supervisor import Event, Part, State, Supervisor, exit_words
from tests.integration.services.conftest import new_folder, wait_for
from tests.real_parts import give_tokens

_STAYS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"


def part(room: Path, name: str, code: str = _STAYS, **more: object) -> Part:
    values: dict[str, object] = {"ready": lambda: True, "environment": {}, "patience": 5.0, **more}
    return Part(name=name, command=[sys.executable, "-c", code], log=room / f"{name}.log", **values)  # type: ignore[arg-type]


def test_a_killed_part_returns(room: Path) -> None:
    supervisor = Supervisor([part(room, "one")])
    stop = threading.Event()
    supervisor.wait_ready(["one"], 10, stop)
    first = supervisor.children["one"].pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: supervisor.tick() or (supervisor.children["one"].pid or first) != first, 10, 0.02)
    child = supervisor.children["one"]
    assert child.restarts == 1
    assert exit_words(child.last_exit) == "killed by SIGKILL"
    supervisor.stop()


def test_pauses_grow(room: Path) -> None:
    told: list[Event] = []
    supervisor = Supervisor([part(room, "one", "raise SystemExit(3)", ready=lambda: False)], told=told.append)
    wait_for(lambda: supervisor.tick() or len(told) >= 3, 20, 0.02)
    assert [event.words for event in told[:3]] == [
        f"ended (exit code 3); started again in {pause} s" for pause in ("0.2", "0.4", "0.8")
    ]


def test_what_never_starts_is_a_failure_with_its_last_words(room: Path) -> None:
    supervisor = Supervisor([part(room, "one", "raise SystemExit('no such key')", ready=lambda: False)])
    with pytest.raises(Failure, match="no such key") as failure:
        supervisor.wait_ready(["one"], 30, threading.Event())
    assert failure.value.kind == "part"


def test_upper_layers_stop_first_and_needs_start_first(room: Path) -> None:
    told: list[Event] = []
    parts = [part(room, "page", needs=("ground",), layer=2), part(room, "ground", layer=-1)]
    supervisor = Supervisor(parts, told=told.append)
    supervisor.wait_ready(["page", "ground"], 10, threading.Event())
    supervisor.stop()
    names = [(event.name, event.words.split()[0]) for event in told]
    assert names == [("ground", "ready"), ("page", "ready"), ("page", "stopped"), ("ground", "stopped")]
    assert {child.state for child in supervisor.children.values()} == {State.STOPPED}


def test_one_that_does_not_stop_is_killed(room: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    log = room / "one.log"
    supervisor = Supervisor([part(room, "one", deaf, patience=0.3, ready=lambda: b"up" in log.read_bytes())])
    supervisor.wait_ready(["one"], 10, threading.Event())
    supervisor.stop()
    assert "killed" in supervisor.recent[-1].words


def test_leftovers_of_a_killed_part_are_ended(room: Path) -> None:
    parent = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(p.pid, flush=True); time.sleep(60)"
    )
    log = room / "one.log"
    supervisor = Supervisor([part(room, "one", parent, ready=lambda: bool(log.read_bytes().strip()))])
    supervisor.wait_ready(["one"], 10, threading.Event())
    grandchild = int(log.read_bytes().split()[0])
    child = supervisor.children["one"].pid
    assert child is not None
    os.kill(child, signal.SIGKILL)

    wait_for(lambda: supervisor.tick() or _gone(grandchild), 10, 0.02)
    supervisor.stop()


def test_a_part_that_the_system_cannot_start_is_tried_again(room: Path) -> None:
    """A full disk has no room for a log; the platform must not end for it."""
    told: list[Event] = []
    child = part(room, "one")
    supervisor = Supervisor([replace(child, log=room / "missing" / "one.log")], told=told.append)
    wait_for(lambda: supervisor.tick() or len(told) >= 2, 10, 0.02)
    assert told[0].words == "could not be started (No such file or directory); tried again in 0.2 s"
    with pytest.raises(Failure, match="No such file or directory"):
        supervisor.wait_ready(["one"], 10, threading.Event())
    (room / "missing").mkdir()
    wait_for(lambda: supervisor.tick() or supervisor.ready, 10, 0.02)
    supervisor.stop()


def test_a_part_that_dies_for_hours_is_still_tried(room: Path) -> None:
    supervisor = Supervisor([part(room, "one", "raise SystemExit(3)", ready=lambda: False)])
    supervisor.children["one"].failures = 5000
    wait_for(lambda: supervisor.tick() or supervisor.recent, 10, 0.02)
    assert supervisor.recent[-1].words.endswith("started again in 10.0 s")


def test_tokens_that_cannot_be_read_leave_the_server_as_it_is(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_folder(room / "data")
    give_tokens(folder.path, "HC-1")
    parts.write_stream_configuration(folder)
    told: list[tuple[object, ...]] = []
    called: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: called.append(number))
    tokens = parts.SiteTokens(folder, lambda: 1, lambda *words, bad: told.append(words))
    nats.tokens_file(folder.path).write_text("{")
    tokens()
    tokens()
    assert len(told) == 1 and "is not JSON" in str(told[0]) and not called
    nats.tokens_file(folder.path).unlink()
    give_tokens(folder.path, "HC-1", "HC-2")
    tokens()
    assert called == [signal.SIGHUP] and "HC-2" in (folder.path / "nats" / "sites.conf").read_text()


def test_a_closed_terminal_does_not_end_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.suppress(OSError), Path("/dev/full").open("w") as full:  # closing it fails too
        monkeypatch.setattr(sys, "stdout", full)
        shown = status.Plain("title")
        shown.told(Event("web", "ready"))
        shown.show(Supervisor([]), ["Open http://"])
        told = True
    assert told


def test_a_part_that_is_slow_to_answer_holds_up_no_other() -> None:
    """The look whether the stream server is stuck took up to two seconds of the tick that starts every part anew."""
    begun, answers, asked = threading.Event(), threading.Event(), list[threading.Thread]()

    def check() -> str:
        asked.append(threading.current_thread())
        begun.set()
        answers.wait(10)
        return "it keeps nothing"

    look = parts._aside(check)
    assert look() is None and begun.wait(10) and look() is None
    assert len(asked) == 1 and asked[0] is not threading.current_thread()
    answers.set()
    asked[0].join(10)
    assert look() == "it keeps nothing", "what the thread found out"


def test_a_stuck_part_is_told_and_started_again_ever_more_patiently(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "_LOOK", 0.0)
    told: list[str] = []
    answers = ["", "it is deaf", None, "", *["it is deaf"] * 50]
    supervisor = Supervisor(
        [part(room, "one", stuck=lambda: answers.pop(0) if told else "")], told=lambda event: told.append(event.words)
    )
    supervisor.wait_ready(["one"], 10, threading.Event())
    first = supervisor.children["one"].pid
    for _ in range(4):
        supervisor.tick()
    assert told[1:] == ["is not well: it is deaf", "is well again"] and supervisor.children["one"].pid == first
    left = len(answers)
    wait_for(lambda: supervisor.tick() or (supervisor.ready and supervisor.children["one"].pid != first), 10, 0.02)
    assert [words.split(" (")[0] for words in told[3:6]] == ["is not well: it is deaf", "is stuck", "ended"]
    assert left - len(answers) == 2
    second = supervisor.children["one"].pid
    wait_for(lambda: supervisor.tick() or (supervisor.ready and supervisor.children["one"].pid != second), 10, 0.02)
    assert left - len(answers) == 2 + 4
    supervisor.stop()


def test_who_did_not_run_itself_blames_nobody(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that stood still every part was silent; none of them is ended for that."""
    monkeypatch.setattr(supervising, "_LOOK", 0.0)
    supervisor = Supervisor([part(room, "one", stuck=lambda: "it is deaf" if supervisor.ready else "")])
    supervisor.wait_ready(["one"], 10, threading.Event())
    child = supervisor.children["one"]
    for _ in range(5):
        child.complaints = 1
        supervisor._ticked -= 60
        supervisor.tick()
        assert child.complaints == 1 and child.ending is None
    supervisor.tick()
    assert child.ending is not None, "and who runs tells"
    supervisor.stop()


def test_a_part_is_left_alone_while_it_begins(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign of life that the database has is its forerunner's until then."""
    monkeypatch.setattr(supervising, "_LOOK", 0.0)
    asked: list[int] = []
    supervisor = Supervisor([part(room, "one", grace=100.0, stuck=lambda: asked.append(1) or "it is deaf")])
    supervisor.wait_ready(["one"], 10, threading.Event())
    for _ in range(5):
        supervisor.tick()
    child = supervisor.children["one"]
    assert not asked and child.stuck == ""
    child.started -= 101
    supervisor.tick()
    assert asked and child.stuck == "it is deaf"
    supervisor.stop()


def test_the_table_says_that_a_part_is_not_well(room: Path) -> None:
    from rich.console import Console

    supervisor = Supervisor([part(room, "one")])
    supervisor.children["one"].stuck = "it lets nobody in"
    with (room / "table").open("w") as file:
        Console(file=file, width=120).print(status.table(supervisor, "title"))
    assert "not well: it lets nobody in" in (room / "table").read_text()


def test_a_stopped_family_ends_and_returns(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stopped hears no other signal, and what it started in sessions of their own is not of its group."""
    monkeypatch.setattr(supervising, "_LOOK", 0.0)
    parent = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True); "
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(p.pid, flush=True); time.sleep(60)"
    )
    log = room / "one.log"
    deaf: list[bool] = []
    made = part(
        room,
        "one",
        parent,
        patience=0.3,
        ready=lambda: bool(log.read_bytes().strip()),
        stuck=lambda: "it is deaf" if deaf else "",
    )
    supervisor = Supervisor([made])
    supervisor.wait_ready(["one"], 10, threading.Event())
    first, grandchild = supervisor.children["one"].pid, int(log.read_bytes().split()[0])
    assert first is not None
    for pid in (first, grandchild):
        os.kill(pid, signal.SIGSTOP)
    deaf.append(True)
    wait_for(lambda: supervisor.tick() or supervisor.children["one"].pid not in (first, None), 10, 0.02)
    deaf.clear()
    wait_for(lambda: _gone(grandchild), 10, 0.02)
    supervisor.stop()
    _end(int(log.read_bytes().split()[-1]))


def _gone(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    return True


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
