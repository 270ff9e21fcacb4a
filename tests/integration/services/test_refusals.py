"""What `fengsui up` refuses: one sentence, its own exit code, and nothing changed."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fengsui.services import folder as folders
from fengsui.services import nats, postgres
from fengsui.services.failure import EXIT_CODES, Failure
from tests.integration.services.conftest import environment, fengsui, free_ports, mount_little, new_folder, wait_for


def listing(path: Path) -> dict[str, bytes]:
    """Every file below ``path`` with its bytes."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def refused(kind: str, *words: str, says: str, **more: str) -> None:
    """The command ends with that failure's code and a sentence, without a traceback."""
    done = fengsui(*words, seconds=60, **more)
    assert done.returncode == EXIT_CODES[kind][0], done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(r"(?m)^fengsui: ", done.stderr)


def test_a_foreign_folder_is_left_alone(room: Path) -> None:
    (room / "thesis.txt").write_text("mine")
    refused("foreign", "up", "--data", str(room), says="is not a Fengsui data folder")
    assert listing(room) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize(("format_", "age"), [(0, "an older"), (2, "a newer")])
def test_another_layout_is_left_alone(room: Path, format_: int, age: str) -> None:
    (room / folders.MARKER).write_text(json.dumps({"format": format_}))
    before = listing(room)
    refused("format", "up", "--data", str(room), says=age)
    assert listing(room) == before


def test_what_a_power_cut_left_of_the_first_start_is_no_obstacle(room: Path) -> None:
    """A marker or a password that was being written is none: never "damaged", never an empty password."""
    (room / "data").mkdir()
    (room / "data" / f"{folders.MARKER}.0f0f.new").write_text('{"for')
    folder = folders.make(room / "data")
    assert json.loads((folder.path / folders.MARKER).read_text())["format"] == folders.FORMAT
    asked = {"database": postgres.password, "database_app": postgres.application_password, "nats_token": nats.own_token}
    for name, ask in asked.items():
        (folder.path / "keys" / name).write_text("")
        first = ask(folder.path)
        assert len(first) == 64 and ask(folder.path) == first
        assert (folder.path / "keys" / name).stat().st_mode & 0o777 == 0o600
    assert {one.name for one in (folder.path / "keys").iterdir()} == set(asked)


def test_a_number_that_now_is_another_programs_is_left_alone(room: Path) -> None:
    """After a power cut postmaster.pid may name another PostgreSQL of this machine."""
    (room / "ours").mkdir()
    (room / "others").mkdir()
    shown = (
        "import os, signal, sys, time; signal.signal(2, signal.SIG_DFL); os.chdir(sys.argv[1]); print(flush=True); time.sleep(60)"
    )
    program = room / "postgres"
    program.symlink_to(sys.executable)
    server = subprocess.Popen([str(program), "-c", shown, str(room / "others")], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None and server.stdout.readline()
        (room / "ours" / "postmaster.pid").write_text(f"{server.pid}\n")
        assert postgres.stop_left_over(room / "ours", patience=0.1) is None
        assert server.poll() is None
        (room / "others" / "postmaster.pid").write_text(f"{server.pid}\n")
        assert postgres.stop_left_over(room / "others", patience=0.1) == server.pid
        server.wait(10)
    finally:
        server.kill()
        server.wait()


def test_a_killed_server_is_waited_for_until_its_end_was_taken_note_of(room: Path) -> None:
    """Killed, yet its number still known: PostgreSQL takes it for one at work and would not start beside it."""
    program = room / "postgres"
    shutil.copy("/bin/sleep", program)
    (room / "pg").mkdir()
    server = subprocess.Popen([str(program), "60"], cwd=room / "pg")
    (room / "pg" / "postmaster.pid").write_text(f"{server.pid}\n")
    server.kill()
    wait_for(lambda: psutil.Process(server.pid).status() == psutil.STATUS_ZOMBIE, 10, 0.01)
    noted = threading.Timer(0.5, server.wait)
    noted.start()
    assert postgres.stop_left_over(room / "pg") is None
    assert server.returncode is not None, "it was not waited for"
    noted.join()


def test_a_damaged_marker_and_a_damaged_configuration(room: Path) -> None:
    folder = new_folder(room / "data")
    ports = (folder.path / "config.toml").read_text()
    (folder.path / "config.toml").write_text("[ports]\nweb = 'eight thousand'\n")
    refused("foreign", "up", "--data", str(folder.path), says="lacks a number")
    (folder.path / "config.toml").write_text(ports + '[map]\ntiles = "https://example.org/tile.png"\n')
    refused("foreign", "up", "--data", str(folder.path), says="[map] tiles must be a list")
    (folder.path / folders.MARKER).write_text("{")
    refused("foreign", "up", "--data", str(folder.path), says="damaged")


def test_a_taken_port_is_named(room: Path) -> None:
    folder = new_folder(room / "data")
    with socket.socket() as door:
        door.bind(("127.0.0.1", folder.config.mqtt))
        door.listen()
        refused("port", "up", "--data", str(folder.path), says=f"Port {folder.config.mqtt} (mqtt) is taken")
    assert not (folder.path / "pg").exists()


def test_a_file_in_place_of_the_folder(room: Path) -> None:
    (room / "file").write_text("")
    done = fengsui("up", "--data", str(room / "file"))
    assert done.returncode == 2
    assert "is a file" in done.stderr


def test_a_folder_that_cannot_be_made(room: Path) -> None:
    refused("readonly", "up", "--data", "/proc/fengsui", says="cannot be written")


def test_a_path_too_long_for_the_system(room: Path) -> None:
    refused("path", "up", "--data", str(room / ("x" * 300)), says="too long")


def test_a_socket_folder_too_long(room: Path) -> None:
    folder = new_folder(room / "data")
    url = f"postgresql://postgres@/fengsui?host=/{'s' * 100}"
    refused("path", "up", "--data", str(folder.path), says="Unix socket's path", DATABASE_URL=url)


def test_too_little_room_is_told_before_anything_starts(room: Path) -> None:
    with pytest.raises(Failure, match="at least") as failure:
        folders.check_room(room, least=1 << 60)
    assert failure.value.exit_code == EXIT_CODES["disk"][0]


def test_a_disk_that_fills_up_on_the_way_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fengsui.services.cli", "check"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == EXIT_CODES["disk"][0], done.stderr
    assert "disk is full" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def little_disk(room: Path) -> Iterator[Path]:
    """A real disk of 4 MB, where this machine lets a test mount one."""
    disk = room / "disk"
    disk.mkdir()
    mount_little(disk, 4)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_little_disk_is_refused(little_disk: Path) -> None:
    refused("disk", "up", "--data", str(little_disk / "data"), says="MiB free")
    assert not (little_disk / "data" / "pg").exists()


def test_a_backup_onto_a_full_disk_leaves_nothing(room: Path, little_disk: Path) -> None:
    folder = new_folder(room / "data")
    (folder.path / "evidence").mkdir(exist_ok=True)
    (folder.path / "evidence" / "photo").write_bytes(os.urandom(8 << 20))
    target = little_disk / "backup.tar"
    before = listing(folder.path)
    refused("disk", "backup", "--data", str(folder.path), str(target), says="is full")
    assert list(little_disk.iterdir()) == []
    assert {name: data for name, data in listing(folder.path).items() if name in before and name.startswith("evidence")} == {
        name: data for name, data in before.items() if name.startswith("evidence")
    }


def test_unreachable_servers_are_named_without_their_password(room: Path) -> None:
    folder = new_folder(room / "data")
    port = free_ports(1)[0]
    done = fengsui("up", "--data", str(folder.path), DATABASE_URL=f"postgresql://me:secret@127.0.0.1:{port}/x")
    assert done.returncode == EXIT_CODES["database"][0]
    assert "secret" not in done.stderr and str(port) in done.stderr
    done = fengsui("up", "--data", str(folder.path), NATS_URL=f"nats://me:secret@127.0.0.1:{port}")
    assert done.returncode == EXIT_CODES["stream"][0]
    assert "secret" not in done.stderr and str(port) in done.stderr


def test_root_without_a_way_to_make_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_USER", "fengsui-nobody-here")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Failure, match="refuses to run as root") as failure:
        postgres.own_user()
    assert failure.value.exit_code == EXIT_CODES["user"][0]


def test_a_single_process_needs_a_folder(room: Path) -> None:
    refused("notready", "clock", "--data", str(room / "nothing"), says="There is no data folder")


def test_the_lock_names_who_runs(room: Path) -> None:
    folder = new_folder(room / "data")
    with folders.Lock(folder):
        assert folders.running(folder)["pid"] == os.getpid()
        refused("running", "up", "--data", str(folder.path), says=f"process {os.getpid()}")
    assert not folders.running(folder)


def test_a_look_at_who_runs_is_no_obstacle(room: Path) -> None:
    """`fengsui doctor` locks for an instant to look; a start at that moment waits for it."""
    folder = new_folder(room / "data")
    with (folder.path / "up.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(0.2, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        with folders.Lock(folder):
            assert folders.running(folder)["pid"] == os.getpid()
