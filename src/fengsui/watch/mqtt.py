"""A small MQTT 3.1.1 publisher for asyncio: connect, publish with QoS 1, keep alive, send again after a break.

It exists for the device simulator, which holds hundreds of connections in one thread; gateways use their own clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import OrderedDict, deque

_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _PINGREQ, _DISCONNECT = 0x10, 0x20, 0x32, 0x40, 0xC0, 0xE0
_DUP = 0x08
_KEEP_ALIVE = 30
_REPEATED = 3.0
"""What was acknowledged in the seconds before a break is sent again, since a server acknowledges a little before every
stream has stored it; what had arrived is dropped as a double or a late sample."""
_KEPT = 600
"""Messages kept while the server is away: at one a second, ten minutes."""


class Refused(ConnectionError):
    """The server answered the connection with a refusal; ``code`` as in MQTT 3.1.1 §3.2.2.3 (4, 5: not authorised)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"MQTT connection refused with code {code}")
        self.code = code


class Publisher:
    """One device's connection. ``publish`` never blocks; what is not yet acknowledged is sent again after a break."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._host, self._port, self._user, self._password = host, port, user, password
        self._waiting: OrderedDict[int, bytes] = OrderedDict()
        self._lately: deque[tuple[float, int, bytes]] = deque()  # acknowledged: when, packet number, packet
        self._writer: asyncio.StreamWriter | None = None
        self._number = 0
        self.acknowledged = 0
        self.dropped = 0

    @property
    def connected(self) -> bool:
        return self._writer is not None

    @property
    def waiting(self) -> int:
        """How many messages are not acknowledged yet."""
        return len(self._waiting)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send now if connected, else as soon as it is; the oldest is dropped beyond ten minutes' worth."""
        self._number = self._number % 65_535 + 1
        body = _text(topic) + struct.pack(">H", self._number) + payload
        if len(self._waiting) >= _KEPT:
            self._waiting.popitem(last=False)
            self.dropped += 1
        self._waiting[self._number] = body
        if self._writer is not None:
            self._writer.write(_packet(_PUBLISH, body))

    async def run(self) -> None:
        """Hold the connection for ever; cancel to end."""
        pause = 0.2
        while True:
            try:
                await self._connection()
                pause = 0.2
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                pause = min(5.0, pause * 2)
            finally:
                self._writer = None
            await asyncio.sleep(pause)

    async def _connection(self) -> None:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(self._host, self._port), 5)
        try:
            flags = 0xC2  # user name, password, clean session
            body = _text("MQTT") + bytes([4, flags]) + struct.pack(">H", _KEEP_ALIVE)
            writer.write(_packet(_CONNECT, body + _text(self._user) + _text(self._user) + _text(self._password)))
            kind, answer = await asyncio.wait_for(_read(reader), 10)
            if kind != _CONNACK or answer[1]:
                raise Refused(answer[1] if kind == _CONNACK else -1)
            self._take_back()
            for body in list(self._waiting.values()):
                writer.write(_packet(_PUBLISH | _DUP, body))
            self._writer = writer
            pinging = asyncio.create_task(self._ping(writer))
            try:
                while True:
                    kind, answer = await _read(reader)
                    if kind == _PUBACK:
                        self._acknowledge(struct.unpack(">H", answer)[0])
            finally:
                pinging.cancel()
        finally:
            self._writer = None
            with contextlib.suppress(OSError):
                writer.write(_packet(_DISCONNECT, b""))
                writer.close()

    def _acknowledge(self, number: int) -> None:
        self.acknowledged += 1
        if (body := self._waiting.pop(number, None)) is None:
            return
        now = asyncio.get_running_loop().time()
        self._lately.append((now, number, body))
        while now - self._lately[0][0] > _REPEATED:
            self._lately.popleft()

    def _take_back(self) -> None:
        """Let what was acknowledged just before the break wait again, before everything that waits already."""
        if not self._lately:
            return
        last = self._lately[-1][0]
        again = [(number, body) for at, number, body in self._lately if last - at <= _REPEATED]
        self._lately.clear()
        self._waiting = OrderedDict([*again, *self._waiting.items()])

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(_KEEP_ALIVE / 2)
            writer.write(_packet(_PINGREQ, b""))


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 0x7F) << shift
        if digit < 0x80:
            break
        shift += 7
        if shift > 21:
            raise ConnectionError("the server sent a malformed length")
    return kind & 0xF0, await reader.readexactly(size)
