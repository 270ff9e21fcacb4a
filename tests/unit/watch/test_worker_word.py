"""What an engine worker says of itself: never further than its least advanced partition is."""

from nats.aio.client import Client

from fengsui.watch.engine_worker import EngineWorker, Held
from fengsui.watch.fleet import Fleet
from fengsui.watch.outlet import Outlet
from fengsui.watch.shard import Shard


def held(number, seq):
    shard = Shard("epoch", number)
    shard.seq = seq
    return Held(shard, Outlet(Client(), "epoch", number, 1), 1, 0)


def test_a_partition_that_is_read_again_or_not_claimed_yet_holds_the_position_back(tmp_path):
    worker = EngineWorker("nats://nowhere", tmp_path, "1")
    worker._fleet = Fleet(None, "here-1.0")
    worker._fleet.mine = {1: 1, 2: 1}
    worker._held, worker._position = {1: held(1, 900)}, 900
    assert worker._word()["seq"] == 0
    worker._held[2], worker._position = held(2, 0), 40
    assert worker._word()["seq"] == 40
