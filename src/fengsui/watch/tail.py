"""Reads a stream in order from a known sequence on, for ever.

An ordered consumer that acknowledges nothing: the position is the reader's own. A gap in the consumer's
numbers, silence of its heartbeats or a server that forgot it: subscribe again after the last message given.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

log = logging.getLogger(__name__)

_HEARTBEAT = 1.0
_PATIENCE = 4.0


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
        self._pause = 0.1
        self._silence = 0.0
        self._reconnects = 0

    async def fetch(self, most: int, wait: float) -> list[Stored]:
        """Up to ``most`` messages: those that lie ready, or the first that come within ``wait`` seconds (may be none)."""
        deadline = asyncio.get_running_loop().time() + wait
        got: list[Stored] = []
        while len(got) < most:
            if self._subscription is not None and self._client.stats["reconnects"] != self._reconnects:
                await self._drop("the server was away")
            if self._subscription is None and not await self._subscribe():
                return got
            assert self._subscription is not None
            left = deadline - asyncio.get_running_loop().time()
            if got and not self._subscription.pending_msgs:
                break
            try:
                message = await self._subscription.next_msg(timeout=max(0.001, min(left, _PATIENCE)))
            except TimeoutError:
                if asyncio.get_running_loop().time() >= deadline:
                    self._silence += wait
                    if self._silence > _PATIENCE:
                        await self._drop("its heartbeats stopped")
                    break
                await self._drop("its heartbeats stopped")
                continue
            except NatsError as error:
                await self._drop(str(error))
                continue
            self._silence = 0.0
            if message.headers and message.headers.get("Status"):
                await self._control(message)
            elif (stored := await self._accept(message)) is not None:
                got.append(stored)
            if not got and asyncio.get_running_loop().time() >= deadline:
                break
        return got

    async def _subscribe(self) -> bool:
        inbox = self._client.new_inbox()
        self._reconnects = self._client.stats["reconnects"]
        try:
            self._subscription = await self._client.subscribe(inbox, pending_bytes_limit=-1, pending_msgs_limit=-1)
            info = await self._client.jetstream(timeout=3).add_consumer(
                self._stream,
                ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=self.seq + 1,
                    ack_policy=AckPolicy.NONE,
                    deliver_subject=inbox,
                    flow_control=True,
                    idle_heartbeat=_HEARTBEAT,
                    mem_storage=True,
                    num_replicas=1,
                    inactive_threshold=30.0,
                    filter_subjects=self._subjects,
                ),
            )
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("%s: no consumer yet (%s)", self._stream, error)
            await self._drop("")
            await asyncio.sleep(self._pause)
            self._pause = min(2.0, self._pause * 2)
            return False
        self._consumer, self._expected, self._silence, self._pause = info.name, 1, 0.0, 0.1
        return True

    async def _accept(self, message: Msg) -> Stored | None:
        words = message.reply.split(".")
        # $JS.ACK.[domain.account.]stream.consumer.delivered.stream-seq.consumer-seq.time.pending[.token]
        stream_seq, consumer_seq, time_ns, pending = (int(word) for word in (words[5:9] if len(words) == 9 else words[7:11]))
        if consumer_seq != self._expected:
            await self._drop(f"message {consumer_seq} came where {self._expected} was due")
            return None
        self._expected += 1
        if stream_seq <= self.seq:
            return None
        if not self._subjects and stream_seq != self.seq + 1 and self.seq:
            self.lost += stream_seq - self.seq - 1
            log.error("%s: messages %d to %d are gone", self._stream, self.seq + 1, stream_seq - 1)
        self.seq, self.pending = stream_seq, pending
        return Stored(message.subject, stream_seq, time_ns, message.data)

    async def _control(self, message: Msg) -> None:
        """Answer flow control, so that the server goes on sending."""
        headers = message.headers or {}
        if message.reply:
            await self._client.publish(message.reply)
        elif stalled := headers.get("Nats-Consumer-Stalled"):
            await self._client.publish(stalled)
        if headers.get("Status") not in ("100", None):
            await self._drop(headers.get("Description", "the server ended it"))

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
