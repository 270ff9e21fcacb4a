"""Several engine workers: partitions shared by lease; one killed, one asleep, one that replays everything: no event doubled."""

import asyncio
import json
import random
import threading
import time

import pytest

from fengsui.services import streams
from fengsui.watch import stream
from fengsui.watch.configuration import SiteConfiguration
from fengsui.watch.fleet import Roll
from tests.integration.watch.conftest import Child, StreamServer, ask, until
from tests.integration.watch.test_kills import compare, everything

pytestmark = pytest.mark.slow
SITES = [f"S{n}" for n in range(12)]


def configure(server):
    async def tell(client, js):
        await stream.ensure(client)
        for n, site in enumerate(SITES):
            rules = [(2 * n + 1, n + 1, 0, 90.0, 1.0, 0, 0), (2 * n + 2, n + 1, 1, 80.0, 1.0, 0, 30)]
            one = SiteConfiguration.of(site, {"T": n + 1}, rules)
            await js.publish(f"{stream.CONFIG}.{site}", one.encode())

    ask(server, tell)


class Load:
    def __init__(self, server):
        self.server, self.stop = server, threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.publish()))
        self.thread.start()

    async def publish(self):
        client, chance = await stream.connect(self.server.url, "load"), random.Random(5)
        while not self.stop.is_set():
            for site in SITES:
                body = {"t": int(time.time() * 1000), "v": {"T": chance.choice([50, 60, 70, 75, 85, 95])}}
                await client.publish(f"tele.{site}.json", json.dumps(body).encode())
            await asyncio.sleep(0.05)
        await client.close()

    def end(self):
        self.stop.set()
        self.thread.join()


def worker(server, folder, name):
    return Child("fengsui.watch.engine_worker", folder, server.url, FENGSUI_ENGINE=name, FENGSUI_LEASE_SECONDS="2")


def shares(server):
    """How many partitions each worker of this machine owns, by its name."""

    async def reading(client, js):
        store = await stream.engine_store(client)
        return Roll.decode((await store.get("fleet")).value)

    try:
        roll = ask(server, reading)
    except Exception:
        return {}
    return {member.rpartition(".")[0].rpartition("-")[2]: len(roll.of(member)) for member in roll.members}


def events(server):
    async def reading(client, js):
        return (await js.stream_info(stream.ALARM)).state.messages

    return ask(server, reading)


def more(server, number=30):
    before = events(server)
    until(lambda: events(server) > before + number)


def position(server):
    async def reading(client, js):
        told = json.loads((await js.get_last_msg(stream.LATEST, "latest.-engine")).data)
        return told.get("seq", 0), (await js.stream_info(stream.TELE)).state.last_seq

    try:
        return ask(server, reading)
    except Exception:
        return 0, 1


def test_workers_share_die_sleep_and_replay_without_a_doubled_event(server, folder):
    configure(server)
    one, two = worker(server, folder, "1"), worker(server, folder, "2")
    load = Load(server)
    try:
        until(lambda: shares(server) == {"1": 32, "2": 32})
        more(server)
        one.kill()
        until(lambda: shares(server) == {"2": 64})
        more(server)
        one.start()
        until(lambda: shares(server) == {"1": 32, "2": 32})
        more(server)
        two.pause()
        until(lambda: shares(server) == {"1": 64})
        more(server)
        two.wake()
        until(lambda: shares(server) == {"1": 32, "2": 32})
        more(server)
        two.stop()
        until(lambda: shares(server) == {"1": 64})
        one.kill()
        forget_everything(server)
        one.start()
        more(server, 5)
        forget_everything(server)  # under a worker that lives: it makes the store anew and outbids its own former tokens
        until(lambda: shares(server) == {"1": 64})
        more(server, 5)
        load.end()
        last = position(server)[1]
        until(lambda: position(server)[0] >= last)
    finally:
        load.end()
        for child in (one, two):
            child.wake()
            child.kill()
    found = everything(server)
    assert len(compare(found)) > 200
    for tokens in found["tokens"].values():
        assert tokens == sorted(tokens)  # once a newer owner has spoken, no older one is heard


def test_a_restored_backup_goes_on_where_the_engine_was(server, folder, tmp_path):
    configure(server)
    engine, load = worker(server, folder, "1"), Load(server)
    try:
        more(server)
        engine.stop()
        before = position(server)[0]
        time.sleep(0.5)
    finally:
        load.end()
        engine.kill()

    async def saving(client, js):
        kept = {}
        for name in await streams.names(client):
            with (tmp_path / name).open("wb") as file:
                kept[name] = await streams.save(client, name, file)
        return kept

    kept = ask(server, saving)
    assert list(kept) == ["KV_ENGINE", "ALARM", "TELE"]  # a position never lies beyond what its streams hold
    other = StreamServer(tmp_path / "other")
    try:

        async def loading(client, js):
            for name, about in kept.items():
                with (tmp_path / name).open("rb") as file:
                    await streams.load(client, name, about, file)

        ask(other, loading)
        last = position(server)[1]
        engine = worker(other, tmp_path / "other", "1")
        until(lambda: position(other)[0] >= last)
        engine.stop()
        found = everything(other)
        assert before < last and len(compare(found)) > 30
    finally:
        engine.kill()
        other.stop()


def forget_everything(server):
    """The store of leases and snapshots is lost: tokens begin anew, and every partition is read from the stream's begin."""

    async def deleting(client, js):
        await js.delete_key_value(stream.ENGINE)

    ask(server, deleting)
