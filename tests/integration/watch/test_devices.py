"""Devices at the real server: what they may send, what is counted, what never reaches another."""

import asyncio
import json
import random
import threading
import time

import paho.mqtt.client as paho
import pytest

from fengsui.watch import stream
from fengsui.watch.configuration import SiteConfiguration
from fengsui.watch.engine import Level
from fengsui.watch.intrusions import Watch
from fengsui.watch.models import IngestCounter
from fengsui.watch.simulator import Device, Signal, Simulator
from tests.integration.watch.conftest import NOW, Child, ask, events_of, told, until
from tests.small_region import build

TAGS = {f"PT-{n}": n for n in range(20)}


def configuration(site="HC-1", base=0):
    tags = {tag: base + n for tag, n in TAGS.items()}
    rules = [
        (1 + 2 * p + k, p, level, limit, 1.0, 0, 0) for p in tags.values() for k, (level, limit) in enumerate(((0, 90), (1, 80)))
    ]
    return SiteConfiguration.of(site, tags, rules)


@pytest.fixture
def engine(server, folder):
    child = Child("fengsui.watch.engine_worker", folder, server.url)

    async def tell(client, js):
        await stream.ensure(client)
        for one in (configuration(), configuration("HC-2", 100)):
            await js.publish(f"{stream.CONFIG}.{one.site}", one.encode())

    ask(server, tell)
    yield child
    if child.process.poll() is None:
        child.stop()


def device(server, user="HC-1", token=None):
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=user)
    client.username_pw_set(user, token or server.tokens[user])
    client.connect("127.0.0.1", server.ports.mqtt)
    client.loop_start()
    return client


def message(value, at=None, tag="PT-1"):
    return json.dumps({"t": int((at or time.time()) * 1000), "v": {tag: value}})


def latest_counts(server):
    found = {}
    for event in told(server):
        if event["kind"] == "COUNTS":
            found |= event["sites"]
    return found


def test_bad_input_is_counted_and_stops_nobody(server, engine):
    gateway = device(server)
    now = time.time()
    for payload in (
        b"{broken",
        b'{"t": "soon", "v": {}}',
        b" " * (300 * 1024),
        message(95, now + 600),
        message(50, now - 5),
        message(50, now - 5),
        message(50, now - 9),
        message(1, tag="XX-9"),
        message(95),
    ):
        gateway.publish("tele/HC-1/json", payload, qos=1)
    gateway.publish("tele/HC-1/xml", b"<v/>", qos=1)
    device(server, "HC-2").publish("tele/HC-2/json", message(95), qos=1)
    raised = until(lambda: [e for e in events_of(server) if e["kind"] == "RAISED"])
    until(lambda: {e["site"] for e in events_of(server)} == {"HC-1", "HC-2"})
    assert all(event["value"] == 95 for event in raised)
    counts = until(lambda: latest_counts(server).get("HC-1"))
    accepted, duplicate, late, future, unknown, malformed, oversized, messages, _ = counts
    assert (accepted, duplicate, late, future, unknown, malformed, oversized, messages) == (2, 1, 1, 1, 1, 3, 1, 10)
    gateway.disconnect()


def test_a_device_gone_mad_stops_neither_itself_nor_others(server, engine):
    """Two hundred messages of seeded rubbish between good ones, by MQTT: every one is counted, every good sample judged."""
    chance = random.Random(11)
    mad, sane = device(server), device(server, "HC-2")
    begin, good = int(time.time() * 1000) - 5_000, 0
    for n in range(200):
        text = message(50, (begin + n) / 1000)
        place = chance.randrange(len(text))
        spoiled = [text[:place], text[:place] + chance.choice('{}[]",x9') + text[place:], text + text, chance.randbytes(40)]
        mad.publish(f"tele/HC-1/{chance.choice(['json', 'cols', 'exe'])}", chance.choice(spoiled), qos=1)
        if n % 10 == 0:
            sane.publish("tele/HC-2/json", text, qos=1)
            good += 1
    mad.publish("tele/HC-1/json", message(95), qos=1).wait_for_publish(20)
    until(lambda: [e for e in events_of(server) if e["kind"] == "RAISED" and e["site"] == "HC-1"])
    found = until(lambda: (counts := latest_counts(server)).get("HC-1", [0] * 8)[7] == 201 and counts)
    assert found["HC-2"][0] == good
    *samples, malformed, oversized, messages, _ = found["HC-1"]
    assert malformed > 100 and malformed + oversized <= messages <= malformed + oversized + sum(samples)
    for client in (mad, sane):
        client.disconnect()


@pytest.mark.django_db
def test_a_site_cannot_publish_for_another_and_it_is_counted(server, engine):
    site = build(NOW).site
    site.pk, site.code = None, "HC-2"
    site.save()
    watch = Watch(server.folder / "nats" / "nats.log")
    gateway = device(server)
    for topic in ("tele/HC-2/json", f"part/{stream.partition('HC-2')}/HC-2/json", "watch/config/HC-2", "alarm/1", "latest/HC-2"):
        gateway.publish(topic, message(99), qos=1).wait_for_publish(5)  # the server acknowledges what it refuses
    answers = []
    stranger = paho.Client(paho.CallbackAPIVersion.VERSION2)
    stranger.on_connect = lambda _client, _data, _flags, reason, _more: answers.append(str(reason))
    stranger.username_pw_set("HC-2", "0" * 64)
    stranger.connect("127.0.0.1", server.ports.mqtt)
    stranger.loop_start()
    assert "Success" not in until(lambda: answers)
    stranger.loop_stop()
    gateway.publish("tele/HC-1/json", message(95), qos=1)
    until(lambda: events_of(server))
    assert {event["site"] for event in events_of(server)} == {"HC-1"}
    watch.count(NOW)
    found = {row.site: row.total for row in IngestCounter.objects.filter(door="server", kind="unauthorised")}
    assert found["HC-1"] == 5
    assert found["HC-2"] == 1
    gateway.disconnect()


@pytest.mark.django_db
def test_names_that_are_no_site_s_are_counted_together(tmp_path):
    build(NOW)
    log = tmp_path / "nats.log"
    log.touch()
    watch = Watch(log)
    lines = [f'[1] [ERR] 127.0.0.1:{n} - authentication error - User "guess{n}"' for n in range(50)]
    lines += ['[1] [ERR] 127.0.0.1 - authentication error - User "HC-1"', '[1] [ERR] "bot" - Publish Violation - JWT']
    log.write_text("\n".join(lines) + "\n")
    watch.count(NOW)
    found = {(row.site, row.kind): row.total for row in IngestCounter.objects.all()}
    assert found == {("?", "unauthorised"): 51, ("HC-1", "unauthorised"): 1}


@pytest.mark.django_db
def test_what_the_server_itself_finds_too_large_is_counted_for_its_site(server):
    build(NOW)
    watch = Watch(server.folder / "nats" / "nats.log")
    gateway = device(server)
    gateway.publish("tele/HC-1/json", b" " * (5 << 20), qos=0)

    def counted():
        watch.count(NOW)
        return {(row.site, row.kind) for row in IngestCounter.objects.all()}

    assert until(counted) == {("HC-1", "oversized")}
    gateway.loop_stop()


def test_the_stream_s_own_partition_is_ours(server, engine):
    gateway = device(server)
    gateway.publish("tele/HC-1/json", message(95), qos=1)
    until(lambda: events_of(server))

    async def last(client, js):
        return (await js.get_last_msg(stream.TELE, f"part.{stream.partition('HC-1')}.HC-1.json")).subject

    assert ask(server, last)
    gateway.disconnect()


def test_the_simulator_speaks_each_second_and_obeys(server, engine, tmp_path):
    devices = [Device("HC-1", {tag: Signal(tag, 50.0, 1.0, n) for tag, n in TAGS.items()})]
    simulator = Simulator("127.0.0.1", server.ports.mqtt, devices, server.tokens)
    stop, orders = threading.Event(), tmp_path / "signals.json"
    playing = threading.Thread(target=lambda: asyncio.run(simulator.play(stop, orders)))
    playing.start()
    try:
        until(lambda: simulator.lines["HC-1"].acknowledged > 2)
        orders.write_text(json.dumps({"HC-1": {"PT-3": {"to": 95, "over": 1}}}))
        until(lambda: [e for e in events_of(server) if e["kind"] == "RAISED" and e["point"] == 3 and e["level"] == Level.HH])
        server.kill()
        server.start()
        orders.write_text("{}")
        until(lambda: [e for e in events_of(server) if e["kind"] == "CLEARED" and e["point"] == 3], 120)
        assert not [e for e in events_of(server) if e["point"] != 3]
    finally:
        stop.set()
        playing.join()


def test_a_signal_depends_on_seed_and_second_alone():
    one, two = (Signal("T", 50.0, 1.0, 7) for _ in range(2))
    assert [one.value(s) for s in range(100)] == [two.value(s) for s in range(100)]
    assert all(abs(one.value(s) - 50) <= 1 for s in range(5000))
    one.order(60, 10, 100)
    assert one.shift(105) == 5 and one.shift(111) == 10
    one.order(None, 20, 120)
    assert one.shift(130) == 5 and one.shift(141) == 0
