"""kill -9 of engine, relay and stream server under load: the same alarms as an uninterrupted replay, none doubled."""

import asyncio
import json
import random
import threading
import time
from collections import defaultdict

import pytest
from django.db import connection

from fengsui.region.models import Point
from fengsui.watch import rules, stream
from fengsui.watch.models import Alarm, AlarmEvent, RelayPosition, Rule
from fengsui.watch.shard import Shard
from fengsui.watch.tail import Tail
from tests.integration.watch.conftest import ABOUT_NO_ALARM, NOW, Child, ask, until
from tests.small_region import build

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def plant():
    site = build(NOW).site
    common = {"site": site, "quantity": "pressure", "measure": "MPa", "range_low": 0, "range_high": 3}
    limits = {"low": 0.5, "high": 1.6, "high_high": 1.8}
    points = [Point.objects.create(tag=f"PT-{n}", name_zh="压力", name_en="P", **limits, **common) for n in range(20)]
    made = rules.derive(points, NOW)
    for rule in made:
        rule.off_delay_ms = 30
        rule.on_delay_ms = min(rule.on_delay_ms, 30) if rule.level != "SILENT" else rule.on_delay_ms
    Rule.objects.bulk_create(made)
    return site


class Load:
    """Publishes as a device would, again where the server did not answer."""

    def __init__(self, server, site):
        self.server, self.site = server, site
        self.stop, self.acknowledged = threading.Event(), 0
        self.thread = threading.Thread(target=lambda: asyncio.run(self.publish()))
        self.thread.start()

    async def publish(self):
        client = await stream.connect(self.server.url, "load")
        js, chance = client.jetstream(), random.Random(7)
        while not self.stop.is_set():
            values = {f"PT-{n}": round(chance.choice([1.0] * 60 + [1.7, 1.9, 0.4]), 2) for n in range(20)}
            body = json.dumps({"t": int(time.time() * 1000), "v": values}).encode()
            while not self.stop.is_set():
                try:
                    await js.publish(f"tele.{self.site}.json", body, timeout=1)
                    self.acknowledged += 1
                    break
                except Exception:
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.04)
        await client.close()


def everything(server):
    """All messages of both streams, and the events' ids by partition in the order in which they stand there."""

    async def reading(client, js):
        found = {}
        for name in (stream.TELE, stream.ALARM):
            info = await js.stream_info(name)
            tail, found[name] = Tail(client, name, 0), []
            while tail.seq < info.state.last_seq:
                found[name] += await tail.fetch(2000, 1.0)
            await tail.close()
            found["epoch"] = found.get("epoch") or stream.epoch(info)
        return found

    found = ask(server, reading)
    ids, tokens = defaultdict(list), defaultdict(list)
    for message in found[stream.ALARM]:
        number, body = int(message.subject.rpartition(".")[2]), json.loads(message.data)
        ids[number] += [event["id"] for event in body["events"] if event["kind"] not in ABOUT_NO_ALARM]
        tokens[number].append(body["token"])
    return found | {"ids": ids, "tokens": tokens}


def test_kills_neither_lose_nor_double(server, folder):
    site = plant()
    settings = connection.settings_dict
    database = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    engine, relay = (Child(f"fengsui.watch.{name}", folder, server.url, database) for name in ("engine_worker", "relay"))
    load = Load(server, site.code)
    try:
        until(lambda: AlarmEvent.objects.count() > 20, 120)
        for victim in (engine, relay, server, engine):
            before = AlarmEvent.objects.count()
            victim.kill()
            time.sleep(0.3)
            victim.start()
            until(lambda before=before: AlarmEvent.objects.count() > before + 20, 120)
        load.stop.set()
        load.thread.join()
        found = {}

        def settled():
            found.update(everything(server))
            position = RelayPosition.objects.get(pk=stream.ALARM).seq
            number = sum(len(ids) for ids in found["ids"].values())
            return AlarmEvent.objects.count() >= number and position >= len(found[stream.ALARM])

        time.sleep(2)
        until(settled, 180)
    finally:
        load.stop.set()
        for child in (engine, relay):
            child.stop()
    stored = compare(found)
    assert len(stored) > 100
    assert sorted(AlarmEvent.objects.filter(event_id__in=stored).values_list("event_id", flat=True)) == sorted(stored)
    opened = Alarm.objects.unscoped("test").filter(closed_at__isnull=True).values_list("point_id", "rule_id")
    assert len(opened) == len(set(opened))


def compare(found):
    """What the stream holds is, partition by partition, what an engine says that was never interrupted; all ids."""
    stored = [one for ids in found["ids"].values() for one in ids]
    assert len(stored) == len(set(stored))
    for number, ids in found["ids"].items():
        replayed = Shard(found["epoch"], number)
        heard = [message for message in found[stream.TELE] if replayed.hears(message.subject)]
        replayed.prepare([message for message in heard if message.subject.startswith(stream.CONFIG)])
        said = [event for message in heard for event in replayed.take(message)]
        expected = [event.id for event in said if event.body["kind"] not in ABOUT_NO_ALARM]
        # The last moments may be under way.
        assert ids == expected[: len(ids)] and len(expected) - len(ids) <= 40
    return stored
