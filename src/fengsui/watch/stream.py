"""The streams the watch lives on: their names, subjects and limits.

``TELE``
    What devices sent, as they sent it, with configuration and heartbeats in between. A device publishes
    to ``tele.SITE.KIND`` (MQTT topic ``tele/SITE/KIND``); the stream itself stores it as
    ``part.PARTITION.SITE.KIND``, so that no site can write into another's partition.
``ALARM``
    The engine's events, in order and each once; the relay applies them.
``LATEST``
    The newest values of each site, in memory; lost and made again at will.
``ENGINE``
    A key-value store: which engine worker owns which partition, and each partition's newest snapshot.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Sequence

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import (
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
    SubjectTransform,
)
from nats.js.errors import BucketNotFoundError, NotFoundError
from nats.js.kv import KeyValue

log = logging.getLogger(__name__)

PARTITIONS = 64
"""For ever: a site's partition is part of every event's id."""
TELE, ALARM, LATEST = "TELE", "ALARM", "LATEST"
ENGINE = "ENGINE"
EPOCH = "fengsui-epoch"
"""A stream's metadata: its epoch before it went through a backup (`epoch`)."""
CONFIG, BEAT = "watch.config", "watch.beat"
DAY = 86_400.0

_GIB = 1024**3
_TELE_BYTES = int(os.environ.get("FENGSUI_TELE_BYTES", 8 * _GIB))
_TELE_AGE = float(os.environ.get("FENGSUI_TELE_SECONDS", DAY))


def partition(site: str) -> int:
    """The partition of a site: NATS's own ``partition(64, 1)``, FNV-1a over the site's code.

    >>> partition("s1") == partition("s1") < PARTITIONS
    True
    """
    return _partition(site)


@functools.lru_cache(maxsize=65_536)
def _partition(site: str) -> int:
    value = 2166136261
    for byte in site.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value % PARTITIONS


def partition_of(subject: str) -> int:
    """The partition that a message of TELE belongs to: a sample's own, or its site's; heartbeats belong to all (-1)."""
    words = subject.split(".")
    if words[0] == "part":
        return int(words[1])
    return partition(words[2]) if subject.startswith(f"{CONFIG}.") else -1


def heard_by(partitions: Sequence[int]) -> list[str] | None:
    """The subjects of TELE that a worker with these partitions reads; None for all of them."""
    if len(partitions) == PARTITIONS:
        return None
    return [*(f"part.{number}.>" for number in sorted(partitions)), f"{CONFIG}.*", BEAT]


def configs() -> list[StreamConfig]:
    """The three streams as they must be."""
    return [
        StreamConfig(
            name=TELE,
            subjects=["tele.*.*", f"{CONFIG}.*", BEAT],
            subject_transform=SubjectTransform(
                src="tele.*.*",
                dest=f"part.{{{{partition({PARTITIONS},1)}}}}.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}",
            ),
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=_TELE_AGE,
            max_bytes=_TELE_BYTES,
        ),
        StreamConfig(
            name=ALARM,
            subjects=["alarm.*"],
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=30 * DAY,
            max_bytes=2 * _GIB,
            duplicate_window=600.0,
        ),
        StreamConfig(
            name=LATEST,
            subjects=["latest.*"],
            storage=StorageType.MEMORY,
            max_msgs_per_subject=1,
            max_bytes=_GIB // 4,
            allow_direct=True,
        ),
    ]


async def connect(url: str, name: str) -> Client:
    """A connection that reconnects for ever; waits with growing pauses until the first one stands."""
    pause = 0.2
    while True:
        try:
            return await nats.connect(
                url,
                name=name,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.3,
                connect_timeout=3,
                ping_interval=5,
                max_outstanding_pings=2,
                error_cb=_quiet,
            )
        except (OSError, NatsError, TimeoutError) as error:
            log.warning("%s: no stream server yet (%s)", name, type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


async def _quiet(error: Exception) -> None:
    log.debug("stream connection: %s", error)


async def ensure(client: Client) -> dict[str, StreamInfo]:
    """Make the streams that are missing and bring the others' limits up to date; waits until that worked."""
    js = client.jetstream()
    pause = 0.2
    while True:
        try:
            found = {}
            for config in configs():
                assert config.name is not None
                try:
                    found[config.name] = await js.stream_info(config.name)
                except NotFoundError:
                    found[config.name] = await js.add_stream(config)
                    log.info("made the stream %s", config.name)
                    continue
                kept = found[config.name].config
                config.metadata = kept.metadata  # its epoch, where a backup brought one
                if (kept.max_bytes, kept.subjects) != (config.max_bytes, config.subjects):
                    found[config.name] = await js.update_stream(config)
            return found
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("streams not ready (%s)", error or type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


async def engine_store(client: Client) -> KeyValue:
    """The workers' key-value store, made where it is missing; waits until it stands."""
    js = client.jetstream(timeout=5)
    pause = 0.2
    while True:
        try:
            try:
                return await js.key_value(ENGINE)
            except (NotFoundError, BucketNotFoundError):
                return await js.create_key_value(bucket=ENGINE, history=3, storage=StorageType.FILE)
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("the workers' store is not ready (%s)", error or type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(5.0, pause * 2)


def epoch(info: StreamInfo) -> str:
    """When the stream was made, in hex seconds: sequences start anew with a new stream, event ids must not.

    A stream that a backup brought has the sequences of the one it was made of, and that one's epoch.
    """
    if (kept := (info.config.metadata or {}).get(EPOCH)) is not None:
        return kept
    assert info.created is not None
    return f"{int(info.created.timestamp()):x}"
