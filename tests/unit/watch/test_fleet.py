"""Partitions are shared evenly and moved seldom; a silent worker loses its own; two can never both believe they write."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from fengsui.watch.fleet import LEASE, Fleet, Roll, word_of
from fengsui.watch.stream import PARTITIONS

NAMES = [f"w{n}" for n in range(6)]


@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True), max_size=12))
def test_shares_are_even_and_only_what_must_moves(crews):
    roll = Roll()
    for crew in crews:
        before = roll
        roll = Roll.decode(roll.encode())
        roll = roll.without(set(roll.members) - set(crew))
        for name in crew:
            roll = roll.joined(name, {})
        roll = roll.shared()
        sizes = [len(roll.of(name)) for name in crew]
        assert sum(sizes) == (PARTITIONS if crew else 0)
        assert not sizes or max(sizes) - min(sizes) <= 1
        for number in range(PARTITIONS):
            moved = roll.owner[number] != before.owner[number] and roll.owner[number]
            assert roll.token[number] == before.token[number] + (1 if moved else 0)
        stayed = {name for name in crew if name in before.members}
        if stayed and stayed == set(crew) == set(before.members):
            assert roll.owner == before.owner


class Store:
    """The key-value store's compare-and-set, alone."""

    def __init__(self):
        self.value, self.revision = None, 0

    async def get(self, key):
        if self.value is None:
            raise KeyNotFoundError
        return type("Entry", (), {"value": self.value, "revision": self.revision})()

    async def update(self, key, value, last=0):
        if last != self.revision:
            raise KeyWrongLastSequenceError
        self.value, self.revision = value, self.revision + 1
        return self.revision


class Workers(RuleBasedStateMachine):
    """Workers beat, fall silent and leave in any order, each by its own clock."""

    def __init__(self):
        super().__init__()
        self.store, self.time = Store(), 0.0
        self.fleets = {name: Fleet(self.store, name, lambda: self.time) for name in NAMES[:3]}

    @rule(name=st.sampled_from(NAMES[:3]))
    def beat(self, name):
        asyncio.run(self.fleets[name].beat({"now_ns": 1, "seq": 1, "pending": 0, "lost": 0, "points": 1, "sites": 1}))
        assert self.fleets[name].valid

    @rule(seconds=st.floats(0.1, LEASE))
    def time_passes(self, seconds):
        self.time += seconds

    @rule(name=st.sampled_from(NAMES[:3]))
    def leave(self, name):
        asyncio.run(self.fleets[name].leave())

    @precondition(lambda self: self.store.value)
    @invariant()
    def a_partition_whose_lease_runs_has_one_owner_and_the_newest_token_is_the_owner_s(self):
        roll = Roll.decode(self.store.value)
        running = [fleet for fleet in self.fleets.values() if fleet.valid]
        for number in range(PARTITIONS):
            claims = [fleet.mine[number] for fleet in self.fleets.values() if number in fleet.mine]
            assert len(claims) == len(set(claims)) and all(token <= roll.token[number] for token in claims)
        assert all(fleet.member in roll.members or not fleet.mine for fleet in running)


Workers.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestWorkers = Workers.TestCase


def test_a_silent_worker_s_partitions_go_to_the_others_and_come_back():
    store, time = Store(), [0.0]
    one, two = (Fleet(store, name, lambda: time[0]) for name in ("a", "b"))
    for fleet in (one, two, one):
        asyncio.run(fleet.beat({}))
    assert (len(one.mine), len(two.mine)) == (32, 32)
    before = dict(two.mine)
    for _ in range(5):
        time[0] += LEASE / 4
        asyncio.run(one.beat({}))
    assert len(one.mine) == 64 and not two.valid
    assert all(one.mine[number] == token + 1 for number, token in before.items())
    asyncio.run(two.beat({}))
    assert len(two.mine) == 32 and all(token > before.get(number, 0) for number, token in two.mine.items())


def test_a_restarted_worker_takes_its_former_self_s_at_once():
    store = Store()
    asyncio.run(Fleet(store, "a.1").beat({}))
    again = Fleet(store, "a.2")
    asyncio.run(again.beat({}, lambda member: member.startswith("a.")))
    assert len(again.mine) == 64 and set(again.mine.values()) == {2}


@pytest.mark.parametrize("owner", ["a", "b"])
def test_a_token_older_than_the_streams_is_raised_by_the_owner_alone(owner):
    store = Store()
    one, two = Fleet(store, "a"), Fleet(store, "b")
    asyncio.run(one.beat({}))
    asyncio.run((one if owner == "a" else two).outbid(5, 40))
    assert Roll.decode(store.value).token[5] == (41 if owner == "a" else 1)


def test_the_workers_word_is_the_slowest_s():
    roll = Roll({}, ("a",) * 32 + ("b",) * 32)
    words = {"a": (9, 5), "b": (7, 6), "idle": (1, 1)}
    for name, (now, pending) in words.items():
        roll = roll.joined(name, {"now_ns": now, "seq": now, "pending": pending, "lost": 0, "points": 10, "sites": 1})
    word = word_of(roll)
    assert (word["now_ns"], word["pending"], word["points"], word["workers"], word["partitions"]) == (7, 11, 20, 3, 64)
    assert word_of(Roll()) == {}
