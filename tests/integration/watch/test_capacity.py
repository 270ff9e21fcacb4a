"""A stream that keeps nothing more says "acknowledged" to MQTT all the same: so every page must say it."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.utils import translation
from nats.js.api import DiscardPolicy

from fengsui.ledger import health
from fengsui.watch import capacity, stream
from fengsui.watch.relay import Relay
from tests.integration.watch.conftest import NOW, ask
from tests.integration.watch.test_pages import browser, no_stream, plant  # noqa: F401


def test_a_full_stream_is_noticed_by_what_it_refuses(server):
    relay = Relay(server.url)

    async def filling(client, js):
        await stream.ensure(client)
        config = (await js.stream_info(stream.TELE)).config
        config.discard, config.max_bytes = DiscardPolicy.NEW, 2_000
        await js.update_stream(config)
        pulse = asyncio.create_task(relay._pulse(client))
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(20):
                while not relay._refused:
                    await client.publish("tele.HC-1.json", b" " * 500)
                    await asyncio.sleep(0.05)
        pulse.cancel()
        return await capacity.look(client, datetime.now(UTC) + timedelta(hours=1))

    tele, alarm = ask(server, filling)
    assert "maximum bytes" in relay._refused
    assert tele.percent > 50 and 0.9 < tele.hours < 1.1 and tele.wanted == 24
    assert alarm.percent == 0


@pytest.mark.django_db
def test_every_page_says_it_in_the_reader_s_language(plant, monkeypatch):  # noqa: F811
    troubles = capacity.judge([capacity.Fill("TELE", 93, 3.1, 24)], 2.0, "maximum bytes exceeded")
    health.beat(capacity.PROCESS, NOW, 0.0, {"troubles": troubles})
    assert capacity.sentences(NOW + timedelta(minutes=3)) == []
    with translation.override("zh-hans"):
        assert "93" in "".join(capacity.sentences(NOW))
    cache.clear()
    monkeypatch.setattr("fengsui.cockpit.frame.capacity.sentences", lambda now: ["the stream is short"])
    assert "the stream is short" in browser(plant, "county").get("/alarms/").content.decode()
