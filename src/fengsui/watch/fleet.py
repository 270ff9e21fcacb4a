"""Which worker owns which partition: one document in the stream server's key-value store, changed by compare-and-set.

Every worker reads it, adds its own sign of life and writes it back each second; who was silent for ``LEASE`` seconds of
the readers' own clocks loses its partitions to the others. Whenever a partition changes hands it gets a higher token.
The lease only says who should work: that a worker which slept through the loss of its lease changes nothing is the
doing of the token, at the door of the ALARM stream (``outlet``) and at the snapshots (``snapshots``).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from fengsui.watch.stream import PARTITIONS

log = logging.getLogger(__name__)

LEASE = float(os.environ.get("FENGSUI_LEASE_SECONDS", "8"))
"""A worker silent for so long is taken for dead; it beats each second."""
_KEY = "fleet"
_TRIES = 8


@dataclass(frozen=True)
class Roll:
    """The document: workers with their beat and their word, each partition's owner ('' for none) and token.

    ``beats`` counts every worker's beats together and never goes back, so that whoever leaves and comes again is not
    taken for the silent one that it was.
    """

    members: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    owner: Sequence[str] = ("",) * PARTITIONS
    token: Sequence[int] = (0,) * PARTITIONS
    beats: int = 0

    def encode(self) -> bytes:
        """The document's bytes."""
        return orjson.dumps({"members": self.members, "owner": list(self.owner), "token": list(self.token), "beats": self.beats})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """From the document's bytes."""
        found = orjson.loads(data)
        return cls(found["members"], tuple(found["owner"]), tuple(found["token"]), found["beats"])

    def of(self, member: str) -> dict[int, int]:
        """A member's partitions with their tokens."""
        return {number: self.token[number] for number, owner in enumerate(self.owner) if owner == member}

    def without(self, gone: set[str]) -> Roll:
        """The same after these have left; their partitions belong to nobody."""
        members = {name: word for name, word in self.members.items() if name not in gone}
        return Roll(members, tuple("" if owner in gone else owner for owner in self.owner), self.token, self.beats)

    def joined(self, member: str, word: Mapping[str, Any]) -> Roll:
        """The same with the member's next beat and its word."""
        beat = self.beats + 1
        return Roll({**self.members, member: {**word, "beat": beat}}, self.owner, self.token, beat)

    def shared(self) -> Roll:
        """Every partition with one of the members, evenly, moving as few as that takes; what moves gets the next token."""
        if not self.members:
            return self
        least, more = divmod(len(self.owner), len(self.members))
        has = {name: [n for n, owner in enumerate(self.owner) if owner == name] for name in self.members}
        # Those who have most already keep the odd ones.
        ranked = sorted(has, key=lambda name: (-len(has[name]), name))
        due = {name: least + (place < more) for place, name in enumerate(ranked)}
        owner = [name if name in self.members else "" for name in self.owner]
        for name, numbers in has.items():
            for number in numbers[due[name] :]:
                owner[number] = ""
        free = iter([number for number, name in enumerate(owner) if not name])
        token = list(self.token)
        for name in ranked:
            for _ in range(due[name] - min(due[name], len(has[name]))):
                number = next(free)
                owner[number] = name
                token[number] += 1
        return Roll(self.members, tuple(owner), tuple(token), self.beats)


class Fleet:
    """One worker's membership. ``mine`` is what it owned when it last heard."""

    def __init__(self, store: KeyValue, member: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self.member, self._clock = store, member, clock
        self._heard: dict[str, tuple[int, float]] = {}
        self._renewed = -LEASE
        self.mine: dict[int, int] = {}
        self.roll = Roll()

    @property
    def valid(self) -> bool:
        """Whether the lease surely still runs: nobody can have taken this worker for dead yet."""
        return self._clock() - self._renewed < LEASE

    async def beat(self, word: Mapping[str, Any], before: Callable[[str], bool] = lambda _: False) -> None:
        """Join or stay: renew the lease, expel the dead, share what is free. ``before`` names former selves, dead for sure.

        Raises the stream's errors; the lease then simply runs on.
        """
        for _ in range(_TRIES):
            begun = self._clock()
            roll, revision = await self._read()
            dead = {name for name in roll.members if name != self.member and (before(name) or self._silent(roll, name, begun))}
            if dead:
                log.warning("workers taken for dead: %s", ", ".join(sorted(dead)))
            fresh = roll.without(dead).joined(self.member, word).shared()
            if await self._write(fresh, revision):
                self._renewed, self.roll, self.mine = begun, fresh, fresh.of(self.member)
                return

    async def outbid(self, partition: int, token: int) -> None:
        """Take a token above ``token`` for an own partition: the document is older than what the streams hold (a backup's)."""
        for _ in range(_TRIES):
            roll, revision = await self._read()
            if roll.owner[partition] != self.member or roll.token[partition] > token:
                self.roll, self.mine = roll, roll.of(self.member)
                return
            tokens = [*roll.token[:partition], token + 1, *roll.token[partition + 1 :]]
            fresh = Roll(roll.members, roll.owner, tokens, roll.beats)
            if await self._write(fresh, revision):
                self.roll, self.mine = fresh, fresh.of(self.member)
                return

    async def leave(self) -> None:
        """Give everything up; the others share it at their next beat."""
        for _ in range(_TRIES):
            roll, revision = await self._read()
            if self.member not in roll.members or await self._write(roll.without({self.member}), revision):
                self.mine = {}
                return

    def _silent(self, roll: Roll, name: str, moment: float) -> bool:
        beat = roll.members[name].get("beat", 0)
        known = self._heard.get(name)
        if known is None or known[0] != beat:
            self._heard[name] = (beat, moment)
            return False
        return moment - known[1] >= LEASE

    async def _read(self) -> tuple[Roll, int]:
        try:
            entry = await self._store.get(_KEY)
        except KeyNotFoundError:
            return Roll(), 0
        return Roll.decode(entry.value or b""), entry.revision or 0

    async def _write(self, roll: Roll, revision: int) -> bool:
        try:
            await self._store.update(_KEY, roll.encode(), last=revision)
        except KeyWrongLastSequenceError:
            return False
        return True


def word_of(roll: Roll) -> dict[str, int]:
    """What the workers together say: the slowest's time and position, the sum of what waits and is watched."""
    owners = set(roll.owner)
    words = [word for name, word in roll.members.items() if name in owners and "now_ns" in word]
    if not words:
        return {}
    told = {name: min(int(word[name]) for word in words) for name in ("now_ns", "seq")}
    told |= {name: sum(int(word[name]) for word in words) for name in ("pending", "lost", "points", "sites")}
    return told | {"workers": len(roll.members), "partitions": sum(bool(owner) for owner in roll.owner)}
