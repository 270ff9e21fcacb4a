"""The relay's sign of life does not hang on what else it does every two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from nats.errors import Error as NatsError

from fengsui.ledger import health
from fengsui.watch import relay as relays
from fengsui.watch.relay import Relay


def test_it_lives_while_the_stream_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream server with a full disk refuses each publish: the relay applies alarms all the same and is not ended for it."""
    beats: list[str] = []
    monkeypatch.setattr(health, "beat", lambda process, *rest: beats.append(process))
    monkeypatch.setattr(relays, "_HOUSEKEEPING", 0.0)
    relay = Relay("nats://127.0.0.1:1")

    async def refused(*_: object) -> None:
        raise NatsError("insufficient storage")

    class Client:
        def jetstream(self, **_: object) -> Client:
            return self

        publish = get_last_msg = stream_info = refused

    async def without_database(work: Callable[[], Any]) -> Any:
        with suppress(SynchronousOnlyOperation, RuntimeError):  # what asks the database; not the beats, which are ours
            return work()

    monkeypatch.setattr(relay, "_tell", refused)
    monkeypatch.setattr(relays, "_in_database", without_database)

    async def work() -> None:
        keeping = asyncio.create_task(relay._keep(Client()))  # type: ignore[arg-type]
        while beats.count("relay") < 2:
            assert not keeping.done(), keeping.result()
            await asyncio.sleep(0.01)
        keeping.cancel()

    asyncio.run(asyncio.wait_for(work(), 60))
