"""Reads a stream in order from a known sequence on, for ever.

A pull consumer that acknowledges nothing: the position is the reader's own. The next batch is asked for while the
last one is worked on. A gap in the consumer's numbers, silence of its heartbeats or a server that forgot it: subscribe
again after the last message given.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import NamedTuple

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

log = logging.getLogger(__name__)

_BATCH = 2_000
_PATIENCE = 4.0
_REQUEST = {"batch": _BATCH, "max_bytes": 16 << 20, "expires": 10_000_000_000, "idle_heartbeat": 1_000_000_000}


class Stored(NamedTuple):
    """A message of a stream: its subject, sequence, the time it was stored (ns) and its bytes."""

    subject: str
    seq: int
    time_ns: int
    data: bytes


class Tail:
    """``stream`` after sequence ``after``; ``lost`` counts messages that were deleted before they could be read."""

    def __init__(self, client: Client, stream: str, after: int, subjects: list[str] | None = None) -> None:
        self.seq = after
        self.lost = 0
        self.pending = 0
        """How many messages the stream holds beyond the last one given."""
        self._client = client
        self._stream = stream
        self._subjects = subjects
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._expected = 1
        self._asked = 0  # messages that running requests may still bring
        self._queue: deque[Msg] = deque()
        self._some = asyncio.Event()
        self._heard = 0.0
        self._reconnects = 0
        self._pause = 0.1

    async def fetch(self, most: int, wait: float) -> list[Stored]:
        """Up to ``most`` messages: those that lie ready, or the first that come within ``wait`` seconds (may be none)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        got: list[Stored] = []
        while not got:
            if self._subscription is not None and self._client.stats["reconnects"] != self._reconnects:
                await self._drop("the server was away")
            if self._subscription is None and not await self._subscribe():
                return got
            if not self._queue:
                self._some.clear()
                try:
                    await asyncio.wait_for(self._some.wait(), max(0.001, min(deadline - loop.time(), 1.0)))
                except TimeoutError:
                    if loop.time() - self._heard > _PATIENCE:
                        await self._drop("its heartbeats stopped")
            while self._queue and len(got) < most and self._subscription is not None:
                await self._take(self._queue.popleft(), got)
            if self._subscription is not None and self._asked < _BATCH // 2:
                await self._ask()
            if loop.time() >= deadline:
                break
        return got

    async def _subscribe(self) -> bool:
        inbox = self._client.new_inbox()
        self._reconnects = self._client.stats["reconnects"]
        self._queue.clear()
        try:
            self._subscription = await self._client.subscribe(inbox, cb=self._hear, pending_bytes_limit=-1, pending_msgs_limit=-1)
            js = self._client.jetstream(timeout=3)
            await self._look_for_gap(js)
            info = await js.add_consumer(
                self._stream,
                ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=self.seq + 1,
                    ack_policy=AckPolicy.NONE,
                    mem_storage=True,
                    num_replicas=1,
                    inactive_threshold=30.0,
                    filter_subjects=self._subjects,
                ),
            )
            self._consumer, self._expected, self._asked, self._pause = info.name, 1, 0, 0.1
            self._heard = asyncio.get_running_loop().time()
            await self._ask()
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("%s: no consumer yet (%s)", self._stream, error)
            await self._drop("")
            await asyncio.sleep(self._pause)
            self._pause = min(2.0, self._pause * 2)
            return False
        return True

    async def _look_for_gap(self, js: JetStreamContext) -> None:
        """A reader of some subjects alone cannot see a gap in the numbers; what the stream has deleted, it can."""
        if self._subjects and self.seq:
            first = (await js.stream_info(self._stream)).state.first_seq
            if first > self.seq + 1:
                self.lost += first - self.seq - 1
                log.error("%s: messages %d to %d are gone", self._stream, self.seq + 1, first - 1)
                self.seq = first - 1

    async def _hear(self, message: Msg) -> None:
        self._queue.append(message)
        self._heard = asyncio.get_running_loop().time()
        self._some.set()

    async def _ask(self) -> None:
        """Ask for another batch."""
        assert self._subscription is not None
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        try:
            await self._client.publish(subject, orjson.dumps(_REQUEST), reply=self._subscription.subject)
        except (NatsError, OSError) as error:
            await self._drop(str(error))
            return
        self._asked += _BATCH

    async def _take(self, message: Msg, got: list[Stored]) -> None:
        if message.headers and (status := message.headers.get("Status")):
            await self._status(status, message.headers)
            return
        words = message.reply.split(".")
        # $JS.ACK.[domain.account.]stream.consumer.delivered.stream-seq.consumer-seq.time.pending[.token]
        stream_seq, consumer_seq, time_ns, pending = (int(word) for word in (words[5:9] if len(words) == 9 else words[7:11]))
        if consumer_seq != self._expected:
            await self._drop(f"message {consumer_seq} came where {self._expected} was due")
            return
        self._expected += 1
        self._asked -= 1
        if stream_seq <= self.seq:
            return
        if not self._subjects and stream_seq != self.seq + 1 and self.seq:
            self.lost += stream_seq - self.seq - 1
            log.error("%s: messages %d to %d are gone", self._stream, self.seq + 1, stream_seq - 1)
        self.seq, self.pending = stream_seq, pending
        got.append(Stored(message.subject, stream_seq, time_ns, message.data))

    async def _status(self, status: str, headers: dict[str, str]) -> None:
        """A heartbeat (100), or the end of a request with what it has not brought."""
        if status == "100":
            return
        left = headers.get("Nats-Pending-Messages", "")
        if status in ("404", "408", "409") and left.isdigit():
            self._asked = max(0, self._asked - int(left))
            return
        await self._drop(headers.get("Description", f"the server ended it with {status}"))

    async def _drop(self, reason: str) -> None:
        if reason:
            log.warning("%s: reading again after %d: %s", self._stream, self.seq, reason)
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            try:
                await subscription.unsubscribe()
            except (NatsError, OSError) as error:
                log.debug("%s: %s", self._stream, error)

    async def close(self) -> None:
        """Give the subscription back; the server forgets the consumer by itself."""
        await self._drop("")
