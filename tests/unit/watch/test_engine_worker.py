"""A snapshot is never ahead of the events that the ALARM stream holds."""

import asyncio
from types import SimpleNamespace

import pytest

from fengsui.watch.engine_worker import EngineWorker, Held
from fengsui.watch.tail import Stored


class OneEvent:
    """A shard that says something of each message."""

    partition, settled = 0, True

    def __init__(self, log):
        self.log, self.samples, self.engine = log, [], SimpleNamespace(now_ns=1)

    def take(self, message):
        return [f"event {message.seq}"]

    def snapshot(self):
        self.log.append("snapshot")
        return b"state"


@pytest.mark.parametrize("stored", [True, False])
def test_a_save_waits_for_the_events_of_the_round(tmp_path, stored):
    log = []

    async def story():
        answer = asyncio.Event()

        async def send(events, stop):
            await answer.wait()
            log.append("stored" if stored else "halted")
            return stored

        async def save(number, token, packed, revision):
            return revision + 1

        worker = EngineWorker("", tmp_path, "1")
        worker._snapshots = SimpleNamespace(save=save)
        worker._held = {0: Held(OneEvent(log), SimpleNamespace(send=send), 1, 0)}
        judging = asyncio.create_task(worker._round([Stored("part.0.S1.json", 1, 0, b"")]))
        await asyncio.sleep(0)
        saving = asyncio.create_task(worker._save())
        for _ in range(20):
            await asyncio.sleep(0)
        assert log == []
        answer.set()
        await asyncio.gather(judging, saving)

    asyncio.run(story())
    assert log == (["stored", "snapshot"] if stored else ["halted"])


def test_a_worker_of_another_data_folder_on_the_same_host_is_nobody_s_former_self(tmp_path) -> None:
    here, again, there = (EngineWorker("", folder, "1") for folder in (tmp_path / "a", tmp_path / "a", tmp_path / "b"))
    assert here._formerly(f"{again._name}.0badcafe") and not here._formerly(f"{there._name}.0badcafe")
