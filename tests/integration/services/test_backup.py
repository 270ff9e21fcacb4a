"""A platform goes into one file and comes back whole: tables, streams, evidence, keys."""

from __future__ import annotations

import asyncio
import json
import socket
import tarfile
from pathlib import Path

import psycopg
import pytest

from fengsui.services import backup, folder, foundation, streams
from fengsui.services.failure import EXIT_CODES, Failure
from fengsui.services.folder import Folder
from fengsui.watch import stream
from tests.integration.services.conftest import fengsui, new_folder

pytestmark = pytest.mark.platform


def quiet(words: str) -> None:
    del words


async def publish(url: str, number: int) -> None:
    """Make a stream on file and one in memory, and put messages into them."""
    from nats.js.api import StorageType, StreamConfig

    client = await streams.connect(url)
    jetstream = client.jetstream()
    await jetstream.add_stream(StreamConfig(name="TELE", subjects=["tele.>"], storage=StorageType.FILE))
    await jetstream.add_stream(StreamConfig(name="LATEST", subjects=["latest.>"], storage=StorageType.MEMORY))
    for index in range(number):
        await jetstream.publish("tele.s1.raw", index.to_bytes(4, "big") * 500)
    await client.close()


async def epoch(url: str) -> str:
    """What the events of the stream are numbered under."""
    client = await streams.connect(url)
    try:
        return stream.epoch(await client.jetstream().stream_info("TELE"))
    finally:
        await client.close()


async def messages(url: str) -> tuple[int, bytes, list[str]]:
    """How many messages the stream holds, the last one's first bytes, and all streams' names."""
    client = await streams.connect(url)
    jetstream = client.jetstream()
    state = (await jetstream.stream_info("TELE")).state
    last = await jetstream.get_msg("TELE", state.last_seq)
    found = [info.config.name for info in await jetstream.streams_info()]
    await client.close()
    assert state.first_seq == 1
    return state.messages, (last.data or b"")[:4], found


@pytest.fixture
def filled(room: Path, without_servers: None) -> Folder:
    """A platform with a row, 300 messages, a photograph and an overlay, and nothing running."""
    made = new_folder(room / "data")
    with foundation.standing(made) as environment:
        with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE position (stream text, sequence bigint)")
            connection.execute("INSERT INTO position VALUES ('TELE', 150)")
        asyncio.run(publish(environment["NATS_URL"], 300))
    (made.path / "evidence" / "ab").mkdir()
    (made.path / "evidence" / "ab" / "abcd").write_bytes(bytes(range(256)) * 40)
    (made.path / "law").mkdir()
    (made.path / "law" / "own.yaml").write_text("numbers: []\n")
    return made


@pytest.mark.slow
def test_everything_comes_back(filled: Folder, room: Path) -> None:
    target = room / "whole.tar"
    backup.backup(filled.path, target, quiet)
    with foundation.standing(filled) as environment:
        first = asyncio.run(epoch(environment["NATS_URL"]))
    assert target.stat().st_mode & 0o777 == 0o600
    backup.restore(target, room / "other", quiet)
    other = folder.find(room / "other")
    for name in ("evidence/ab/abcd", "law/own.yaml", "keys/database", "keys/nats_token"):
        assert (other.path / name).read_bytes() == (filled.path / name).read_bytes()
    with foundation.standing(other) as environment:
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT sequence FROM position").fetchone()
            assert row == (150,)
            assert connection.execute("SELECT count(*) FROM ledger_entry").fetchone() == (0,)
            may = connection.execute("SELECT has_table_privilege('fengsui_app', 'ledger_entry', 'DELETE')").fetchone()
            assert may == (False,)
        assert asyncio.run(messages(environment["NATS_URL"])) == (300, (299).to_bytes(4, "big"), ["TELE"])
        assert asyncio.run(epoch(environment["NATS_URL"])) == first, "its events would be others"


def test_a_backup_is_restored_beside_the_running_platform(filled: Folder, room: Path) -> None:
    """The file brings the ports of the platform that still runs: the copy takes others, and says so."""
    target, said = room / "whole.tar", []
    own = (filled.path / "config.toml").read_text() + "# our own words\n"
    (filled.path / "config.toml").write_text(own)
    with foundation.standing(filled), socket.socket() as web:
        web.bind(("127.0.0.1", filled.config.web))
        web.listen()
        backup.backup(filled.path, target, quiet)
        backup.restore(target, room / "other", said.append)
    before, now = filled.config, folder.find(room / "other").config
    ports = [{getattr(one, name) for name in ("web", "database", "stream", "mqtt", "monitor")} for one in (before, now)]
    assert len(ports[1]) == 5 and not ports[0] & ports[1]
    assert f"port {before.database} (database) is taken here: config.toml now names {now.database}" in said
    text = (room / "other" / "config.toml").read_text()
    assert "# our own words" in text and (filled.path / "config.toml").read_text() == own


def test_a_backup_never_overwrites_and_a_restore_wants_an_empty_folder(room: Path, without_servers: None) -> None:
    made = new_folder(room / "data")
    (room / "there.tar").write_text("")
    with pytest.raises(Failure, match="exists already"):
        backup.backup(made.path, room / "there.tar", quiet)
    before = sorted(made.path.rglob("*"))
    with pytest.raises(Failure, match="not empty"):
        backup.restore(room / "there.tar", made.path, quiet)
    assert sorted(made.path.rglob("*")) == before


def archive(room: Path, *, change: str = "", cut: bool = False, format_: int = folder.FORMAT, name: str = "files/a") -> Path:
    """A small backup file with one member, broken as told."""
    import hashlib
    import io

    content = b"content"
    manifest = {"format": format_, "streams": {}, "sha256": {name: hashlib.sha256(content).hexdigest()}}
    path = room / "broken.tar"
    with tarfile.open(path, "w") as tar:
        for member, data in (
            (name, (change or "content").encode()),
            *([] if cut else [("manifest.json", json.dumps(manifest).encode())]),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("broken", "kind", "says"),
    [
        ({"change": "c0ntent"}, "archive", "is damaged: files/a differs"),
        ({"cut": True}, "archive", "no manifest"),
        ({"format_": 99}, "format", "layout 99"),
        ({"name": "files/../../etc/x"}, "archive", "which no backup has"),
        ({"name": "/etc/x"}, "archive", "which no backup has"),
    ],
)
def test_a_damaged_backup_writes_nothing(room: Path, broken: dict[str, object], kind: str, says: str) -> None:
    path = archive(room, **broken)  # type: ignore[arg-type]
    done = fengsui("restore", str(path), "--data", str(room / "new"))
    assert done.returncode == EXIT_CODES[kind][0]
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (room / "new").exists()


def test_a_restore_that_fails_midway_leaves_the_folder_empty(room: Path, without_servers: None) -> None:
    with pytest.raises(Failure):
        backup.restore(archive(room), room / "new", quiet)  # whole, but without a database
    assert not list((room / "new").iterdir())


def test_the_database_named_must_be_empty(filled: Folder, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = room / "whole.tar"
    backup.backup(filled.path, target, quiet)
    with foundation.standing(filled, stream=False) as environment:
        monkeypatch.setenv("DATABASE_URL", environment["DATABASE_URL"])
        with pytest.raises(Failure, match="is not empty"):
            backup.restore(target, room / "new", quiet)
