"""A process's one line to the stream server, for pages and the HTTP door: on a thread of its own, away at times."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from nats.aio.client import Client
from nats.errors import Error as NatsError

from fengsui.watch import stream

log = logging.getLogger(__name__)

T = TypeVar("T")
_PATIENCE = 1.5


class Away(ConnectionError):
    """The stream server does not answer; try again."""


class Line:
    """Asks and stores; reconnects by itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Client | None = None
        self._away_until = 0.0

    def newest(self, words: Sequence[str]) -> dict[str, tuple[bytes, datetime]]:
        """The last message of ``latest.WORD`` for each word, with the time it was stored; empty while the server is away."""
        try:
            return self._do(self._ask(words))
        except Away as error:
            log.warning("newest values are not to be had: %s", error)
            return {}

    def store(self, subject: str, data: bytes) -> int:
        """Put a message into its stream and give its sequence once it is kept. Raises ``Away``."""
        return self._do(self._store(subject, data))

    def use(self) -> list[tuple[str, int, int, int]]:
        """(stream, messages, bytes, most bytes) of the streams on disk; empty while the server is away."""
        try:
            return self._do(self._use())
        except Away:
            return []

    async def _use(self) -> list[tuple[str, int, int, int]]:
        js = (await self._connected()).jetstream(timeout=_PATIENCE)
        infos = [await js.stream_info(name) for name in (stream.TELE, stream.ALARM)]
        return [(i.config.name or "", i.state.messages, i.state.bytes, i.config.max_bytes or 0) for i in infos]

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        if time.monotonic() < self._away_until:
            work.close()
            raise Away("asked a moment ago")
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="stream line", daemon=True).start()
        asking = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asking.result(2 * _PATIENCE)
        except (TimeoutError, NatsError, OSError) as error:
            asking.cancel()
            self._away_until = time.monotonic() + 1.0  # a page must not wait for each of its points
            raise Away(str(error) or type(error).__name__) from error

    async def _connected(self) -> Client:
        if self._client is None or self._client.is_closed:
            self._client = await asyncio.wait_for(stream.connect(settings.NATS_URL, "fengsui pages"), _PATIENCE)
        return self._client

    async def _store(self, subject: str, data: bytes) -> int:
        client = await self._connected()
        return (await client.jetstream().publish(subject, data, timeout=_PATIENCE)).seq

    async def _ask(self, words: Sequence[str]) -> dict[str, tuple[bytes, datetime]]:
        client = await self._connected()

        async def one(word: str) -> tuple[str, bytes, str] | None:
            message = await client.request(f"$JS.API.DIRECT.GET.{stream.LATEST}.latest.{word}", b"", timeout=_PATIENCE)
            stamp = (message.headers or {}).get("Nats-Time-Stamp")
            return (word, message.data, stamp) if stamp else None

        found = await asyncio.gather(*(one(word) for word in words))
        return {word: (data, _stamp(text)) for word, data, text in filter(None, found)}


def _stamp(text: str) -> datetime:
    """The server's RFC 3339 with nanoseconds."""
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")


line = Line()
