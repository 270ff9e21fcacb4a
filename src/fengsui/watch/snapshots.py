"""Each partition's newest snapshot, in the stream server's key-value store: any worker can go on from it.

A snapshot is stored whole or not at all, and only over the one that its writer knows: a worker that lost the partition
is refused. The one before is kept, for the day when a byte of the newest is wrong.
"""

from __future__ import annotations

import logging

import pyarrow as pa
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue

from fengsui.watch.engine import SnapshotError
from fengsui.watch.shard import Shard

log = logging.getLogger(__name__)

_HEAD = 16  # the token, then the size unpacked


class Overtaken(RuntimeError):
    """Another worker owns the partition now, under a newer ``token``."""

    def __init__(self, what: str, token: int) -> None:
        super().__init__(f"{what} belongs to token {token}")
        self.token = token


class Snapshots:
    """The store of all partitions' snapshots."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def claim(self, partition: int, token: int) -> tuple[Shard | None, int]:
        """Make the partition's snapshot this token's; the shard it holds (None: none yet) and its revision.

        From then on ``save`` with an older token is refused. Raises ``Overtaken`` where a newer token was here.
        """
        while True:
            kept, revision = await self._read(partition)
            if token_of(kept) > token:
                raise Overtaken(f"partition {partition}", token_of(kept))
            try:
                revision = await self._store.update(_key(partition), token.to_bytes(8, "little") + kept[8:], last=revision)
            except KeyWrongLastSequenceError:
                continue
            shard = _unpacked(kept, partition)
            if shard is None and len(kept) > _HEAD:
                shard = await self._older(partition)
            return shard, revision

    async def save(self, partition: int, token: int, packed: bytes, revision: int) -> int:
        """Store ``pack``'s bytes over ``revision``; the new revision. Raises ``Overtaken`` where another wrote meanwhile."""
        data = token.to_bytes(8, "little") + packed
        while True:
            try:
                return await self._store.update(_key(partition), data, last=revision)
            except KeyWrongLastSequenceError as error:
                kept, revision = await self._read(partition)
                if token_of(kept) > token:
                    raise Overtaken(f"partition {partition}", token_of(kept)) from error
                # An answer of our own that got lost, or a store that was restored: ours is the newer one.

    async def _read(self, partition: int) -> tuple[bytes, int]:
        try:
            entry = await self._store.get(_key(partition))
        except KeyNotFoundError:
            return b"", 0
        return entry.value or b"", entry.revision or 0

    async def _older(self, partition: int) -> Shard | None:
        try:
            entries = await self._store.history(_key(partition))
        except NoKeysError:
            return None
        for entry in sorted(entries, key=lambda one: -(one.revision or 0)):
            if (shard := _unpacked(entry.value or b"", partition)) is not None:
                return shard
        return None


def pack(snapshot: bytes) -> bytes:
    """The bytes of ``Shard.snapshot`` made small, for ``save``. 20,000 points over all partitions come to about 1 MB."""
    packed: bytes = pa.compress(snapshot, codec="zstd", asbytes=True)
    return len(snapshot).to_bytes(8, "little") + packed


def token_of(kept: bytes) -> int:
    """The token of whoever wrote a snapshot; 0 for none."""
    return int.from_bytes(kept[:8], "little")


def _unpacked(kept: bytes, partition: int) -> Shard | None:
    if len(kept) <= _HEAD:
        return None
    try:
        plain = pa.decompress(kept[_HEAD:], decompressed_size=int.from_bytes(kept[8:_HEAD], "little"), codec="zstd", asbytes=True)
        return Shard.restore(plain)
    except (SnapshotError, OSError, ValueError, pa.ArrowException) as error:
        log.error("the snapshot of partition %d cannot be read: %s", partition, error)
        return None


def _key(partition: int) -> str:
    return f"state.{partition}"
