"""The two shapes in which a device may send samples, checked byte by byte.

``tele/SITE/json``
    One object or a list of them. ``t`` is the event time: whole milliseconds since 1970 UTC, or RFC 3339
    with its offset. ``v`` maps tags of the site's points to numbers (``null``: no valid value). ``q``, if
    given, maps tags to 0 good, 1 uncertain, 2 bad. ::

        {"t": 1795000000000, "v": {"PT-101": 1.62, "LT-102": null}, "q": {"PT-101": 1}}

``tele/SITE/cols``
    ``FSC1``, a little-endian uint32 n, then the columns point id int32[n], time in ns int64[n], value
    float64[n], quality uint8[n]: 21 bytes a sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from fengsui.watch.engine import Batch

MAX_BYTES = 256 * 1024
MAX_SAMPLES = 10_000
KINDS = ("json", "cols")
_MAGIC = b"FSC1"
_ROW = 21
_MS = 1_000_000
_LAST_MS = 9_223_372_036_000  # April 2262: later nanoseconds do not fit into 64 bits
NOT_HERE = -1


class Malformed(ValueError):
    """The message is not of the documented shape; the text names the part and the remedy."""


class Oversized(ValueError):
    """The message is larger than a device may send; split it."""


def decode(kind: str, data: bytes, tags: Mapping[str, int], ids: frozenset[int]) -> Batch:
    """The samples of a message.

    Parameters
    ----------
    kind : str
        The last word of the topic.
    tags, ids
        The sending site's points; a tag or id that is not among them gives point ``NOT_HERE``.

    Raises
    ------
    Malformed, Oversized
        Nothing of the message is taken.
    """
    if len(data) > MAX_BYTES:
        raise Oversized(f"{len(data)} bytes: a message may have {MAX_BYTES}; send smaller batches")
    if kind == "json":
        return _from_json(data, tags)
    if kind == "cols":
        return _from_columns(data, ids)
    raise Malformed(f"topic ends in {kind!r}: use 'json' or 'cols'")


def encode_columns(batch: Batch) -> bytes:
    """The bytes of a ``cols`` message."""
    columns = (batch.point, batch.time_ns, batch.value, batch.quality)
    return b"".join([_MAGIC, len(batch.point).to_bytes(4, "little"), *(column.tobytes() for column in columns)])


def _from_columns(data: bytes, ids: frozenset[int]) -> Batch:
    if data[:4] != _MAGIC or len(data) < 8:
        raise Malformed("cols: the message does not begin with FSC1 and a count")
    n = int.from_bytes(data[4:8], "little")
    if n > MAX_SAMPLES:
        raise Oversized(f"{n} samples: a message may have {MAX_SAMPLES}; send smaller batches")
    if len(data) != 8 + n * _ROW:
        raise Malformed(f"cols: {n} samples need {8 + n * _ROW} bytes, the message has {len(data)}")
    point = np.frombuffer(data, "<i4", n, 8).astype(np.int32)
    time_ns = np.frombuffer(data, "<i8", n, 8 + 4 * n).astype(np.int64)
    value = np.frombuffer(data, "<f8", n, 8 + 12 * n).astype(np.float64)
    quality = np.frombuffer(data, "u1", n, 8 + 20 * n).astype(np.uint8)
    if n and int(time_ns.min()) < 0:
        raise Malformed("cols: a time lies before 1970; send nanoseconds since 1970 UTC")
    own = np.fromiter((identity in ids for identity in point.tolist()), bool, n)
    return Batch(np.where(own, point, NOT_HERE).astype(np.int32), time_ns, value, quality)


def _from_json(data: bytes, tags: Mapping[str, int]) -> Batch:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"json: {error}") from error
    point: list[int] = []
    time_ns: list[int] = []
    value: list[float] = []
    quality: list[int] = []
    for entry in found if isinstance(found, list) else [found]:
        if not isinstance(entry, dict) or not isinstance(entry.get("v"), dict):
            raise Malformed('json: each entry is an object with "t" and "v": {TAG: number}')
        at = _time(entry.get("t"))
        said = entry.get("q") or {}
        if not isinstance(said, dict):
            raise Malformed('json: "q" maps tags to 0, 1 or 2')
        for tag, number in entry["v"].items():
            point.append(tags.get(tag, NOT_HERE))
            time_ns.append(at)
            value.append(_number(tag, number))
            quality.append(_quality(tag, said.get(tag, 0)))
        if len(point) > MAX_SAMPLES:
            raise Oversized(f"more than {MAX_SAMPLES} samples in a message; send smaller batches")
    return Batch(np.array(point, np.int32), np.array(time_ns, np.int64), np.array(value, np.float64), np.array(quality, np.uint8))


def _time(given: Any) -> int:
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given)
        except ValueError as error:
            raise Malformed(f'json: "t" {given[:40]!r} is no RFC 3339 time') from error
        if moment.tzinfo is None:
            raise Malformed(f'json: "t" {given[:40]!r} lacks its offset, such as +08:00')
        given = round(moment.timestamp() * 1000)
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= _LAST_MS:
        raise Malformed('json: "t" must be whole milliseconds since 1970 UTC, at most the year 2262')
    return given * _MS


def _number(tag: str, given: Any) -> float:
    if given is None:
        return math.nan
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Malformed(f'json: "v" of {tag[:40]!r} must be a number or null')
    return float(given)


def _quality(tag: str, given: Any) -> int:
    if isinstance(given, bool) or given not in (0, 1, 2):
        raise Malformed(f'json: "q" of {tag[:40]!r} must be 0, 1 or 2')
    return int(given)
