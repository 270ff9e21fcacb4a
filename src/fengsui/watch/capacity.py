"""Whether the stream server can keep what devices send; a device's message is acknowledged either way.

In: how full the streams and the disk are, and whether a message of our own was refused. Out: what every page must say.
The relay looks, since it has both the stream and the database; pages read what it found.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from fengsui.ledger import health
from fengsui.watch import stream

PROCESS = "stream"
"""The name under which the findings lie among the processes' signs of life."""
FULL_PERCENT = 80
LEAST_FREE_PERCENT = 5
_OLD = 120.0
"""Seconds after which findings no longer count: the relay's own silence is told by itself."""


class Fill(NamedTuple):
    """A stream's fill: ``percent`` of its limit, ``hours`` back to its oldest message, ``wanted`` hours it should reach."""

    name: str
    percent: int
    hours: float
    wanted: float


def judge(fills: Sequence[Fill], free_percent: float, refused: str) -> list[dict[str, Any]]:
    """What is wrong, worst first.

    A full stream lets its oldest messages go. That is a fault only where it then reaches back less than half of what it
    is meant to: an outage of the engine longer than that loses samples unjudged.
    """
    found: list[dict[str, Any]] = []
    if refused:
        found.append({"what": "refused", "why": refused[:200]})
    if free_percent < LEAST_FREE_PERCENT:
        found.append({"what": "disk", "percent": round(free_percent, 1)})
    for fill in fills:
        if fill.percent >= FULL_PERCENT and fill.hours < fill.wanted / 2:
            found.append({"what": "short", "stream": fill.name, "percent": fill.percent, "hours": round(fill.hours, 1)})
    return found


async def look(client: Client, now: datetime) -> list[Fill]:
    """How full the streams on disk are."""
    js = client.jetstream(timeout=5)
    fills = []
    for name in (stream.TELE, stream.ALARM):
        info = await js.stream_info(name)
        hours = 0.0
        if info.state.messages:
            try:
                oldest = (await js.get_msg(name, info.state.first_seq)).time
            except NotFoundError:
                oldest = None  # gone between the two questions: there are older ones to go
            hours = (now - oldest).total_seconds() / 3600 if oldest else info.config.max_age or 0.0
        most = info.config.max_bytes or 0
        percent = round(100 * info.state.bytes / most) if most > 0 else 0
        fills.append(Fill(name, percent, hours, (info.config.max_age or 0.0) / 3600))
    return fills


def free_percent(folder: Path) -> float:
    """How much of the folder's disk is free, in percent."""
    use = shutil.disk_usage(folder)
    return 100 * use.free / use.total


def sentences(now: datetime) -> list[str]:
    """What every page must say of the stream, in the reader's language."""
    pulse = next((one for one in health.status(now).pulses if one.process == PROCESS), None)
    if pulse is None or (pulse.silent or 0.0) > _OLD:
        return []
    return [_sentence(one) for one in pulse.detail.get("troubles", ())]


def _sentence(found: Mapping[str, Any]) -> str:
    if found["what"] == "refused":
        return _("The stream server keeps no more samples, though devices are told that it does: {why}").format(**found)
    if found["what"] == "disk":
        return _("The disk has {percent} % left: soon samples will be refused. Free some space.").format(**found)
    return _(
        "The stream {stream} is {percent} % full and reaches back {hours} hours only: a longer outage loses samples. "
        "Give it more room (FENGSUI_TELE_BYTES)."
    ).format(**found)
