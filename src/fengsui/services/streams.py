"""JetStream's own snapshots: a stream into a file, and back.

In: a connection, a stream's name, an open file. Out: the server's compressed snapshot, taken while the stream is
in use. Works with the embedded server and with the operator's cluster alike.
"""

from __future__ import annotations

import asyncio
import json
from typing import IO, Any

from fengsui.services.failure import Failure
from fengsui.watch.stream import ALARM, EPOCH, TELE, epoch

_CHUNK = 128 * 1024  # bytes
_PATIENCE = 60.0  # seconds between two chunks


async def names(client: Any) -> list[str]:
    """The streams to keep, in the order to keep them.

    Snapshots of positions (object stores, key-value) come first and the samples last, so that a position never
    lies beyond what its stream holds. MQTT's own session streams and memory streams are left out: they are
    rebuilt by use.
    """
    jetstream = client.jetstream()
    found = [info for info in await jetstream.streams_info() if str(info.config.storage).lower().endswith("file")]
    wanted = [info.config.name for info in found if not info.config.name.startswith(("$MQTT", "doctor-"))]
    return sorted(wanted, key=lambda name: (not name.startswith(("OBJ_", "KV_")), "TELE" in name.upper(), name))


async def save(client: Any, name: str, file: IO[bytes]) -> dict[str, Any]:
    """Write the stream's snapshot to ``file``; gives ``{"config", "state", "epoch"}`` for `load`. Raises `Failure` stream."""
    own_epoch = epoch(await client.jetstream().stream_info(name))
    inbox = client.new_inbox()
    chunks = await client.subscribe(inbox)
    request = {"deliver_subject": inbox, "chunk_size": _CHUNK, "no_consumers": True}
    answer = json.loads(
        (await client.request(f"$JS.API.STREAM.SNAPSHOT.{name}", json.dumps(request).encode(), timeout=_PATIENCE)).data
    )
    if "error" in answer:
        raise Failure(
            "stream", f"Stream {name} cannot be saved: {answer['error'].get('description', 'unknown')}.", "Look at the NATS log."
        )
    while True:
        message = await chunks.next_msg(timeout=_PATIENCE)
        if not message.data:  # the end; a status header tells whether it broke off
            status = (message.headers or {}).get("Status", "204")
            if status not in ("", "204", "200"):
                raise Failure("stream", f"Stream {name} broke off while it was saved ({message.headers}).", "Try again.")
            break
        file.write(message.data)
        if message.reply:
            await client.publish(message.reply, b"")  # flow control: ready for more
    await chunks.unsubscribe()
    return {"config": answer["config"], "state": answer["state"], "epoch": own_epoch}


async def load(client: Any, name: str, about: dict[str, Any], file: IO[bytes]) -> int:
    """Make the stream from its snapshot; the number of its messages. Raises `Failure` stream."""
    subject = f"$JS.API.STREAM.RESTORE.{name}"
    wanted = {"config": about["config"], "state": about["state"]}
    answer = json.loads((await client.request(subject, json.dumps(wanted).encode(), timeout=_PATIENCE)).data)
    if "error" in answer:
        raise Failure(
            "stream",
            f"Stream {name} cannot be restored: {answer['error'].get('description', 'unknown')}.",
            "Restore into an empty server.",
        )
    door = answer["deliver_subject"]
    while chunk := file.read(_CHUNK):
        said = await client.request(door, chunk, timeout=_PATIENCE)
        if said.data and "error" in json.loads(said.data):
            raise Failure(
                "archive",
                f"Stream {name} is damaged in the backup: {said.data.decode(errors='replace')[:200]}.",
                "Use another backup.",
            )
    done = json.loads((await client.request(door, b"", timeout=_PATIENCE)).data)
    if "error" in done:
        raise Failure(
            "archive",
            f"Stream {name} is damaged in the backup: {done['error'].get('description', 'unknown')}.",
            "Use another backup.",
        )
    if name in (TELE, ALARM) and "epoch" in about:  # a backup of an earlier version tells none
        await _carry_on(client, name, about["epoch"])
    return int(done.get("state", {}).get("messages", 0))


async def _carry_on(client: Any, name: str, own_epoch: str) -> None:
    """Let the restored stream have the epoch of the one that was saved: its sequences are the same, and so are its events.

    With an epoch of its own the engine would read a whole day again as late samples.
    """
    jetstream = client.jetstream()
    config = (await jetstream.stream_info(name)).config
    config.metadata = {**(config.metadata or {}), EPOCH: own_epoch}
    await jetstream.update_stream(config)


async def connect(url: str) -> Any:
    """A connection for a backup: no reconnecting, so that a lost server is told at once."""
    import nats

    async def quiet(error: Exception) -> None:
        del error

    return await nats.connect(url, connect_timeout=5, allow_reconnect=False, error_cb=quiet, pending_size=16 * 2**20)


def run(work: Any) -> Any:
    """Run a coroutine of this module to its end."""
    return asyncio.run(work)
