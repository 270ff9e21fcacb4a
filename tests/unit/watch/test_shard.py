"""The engine with its configuration, counters and position: one message in, events out, the same again after a restart."""

import json

import pytest

from fengsui.watch import codec
from fengsui.watch.configuration import SiteConfiguration
from fengsui.watch.engine import SECOND, Level
from fengsui.watch.late import MOST
from fengsui.watch.shard import Shard
from fengsui.watch.stream import BEAT, CONFIG, partition
from fengsui.watch.tail import Stored

START = 1_795_000_000 * SECOND
HOME = partition("S1")


class Stream:
    def __init__(self, shard=None):
        self.shard, self.seq = shard or Shard("e", HOME), 0

    def put(self, subject, second, data=b""):
        self.seq += 1
        bodies = [event.body for event in self.shard.take(Stored(subject, self.seq, START + int(second * SECOND), data))]
        self.configured = [body for body in bodies if body["kind"] == "CONFIGURED"]
        return [body for body in bodies if body["kind"] != "CONFIGURED"]

    def configure(self, second, *rules, site="S1", tags=None):
        body = SiteConfiguration.of(site, tags or {"A": 1, "B": 2}, rules).encode()
        return self.put(f"{CONFIG}.{site}", second, body)

    def sample(self, second, site="S1", **values):
        at = int(START // 10**6 + second * 1000)
        return self.put(f"part.1.{site}.json", second, json.dumps({"t": at, "v": values}).encode())

    def beat(self, second):
        return self.put(BEAT, second)


HIGH = (1, 1, Level.HH, 10.0, 0.0, 0, 0)
SILENT = (2, 2, Level.SILENT, 0.0, 0.0, 60_000, 0)


def said(events):
    return [(event["kind"], event["rule"]) for event in events if event["kind"] != "COUNTS"]


def test_points_are_not_silent_before_they_were_known():
    stream = Stream()
    stream.configure(0, HIGH, SILENT)
    assert said(stream.sample(5, A=1)) == []
    assert said([event for second in range(6, 64) for event in stream.beat(second)]) == []
    assert said(stream.beat(66)) == [("RAISED", 2)]


def test_a_replay_without_snapshot_begins_with_the_first_configuration_not_the_last():
    def story(shard=None):
        stream = Stream(shard)
        told = stream.sample(1, A=11)
        told += stream.configure(2, HIGH) + stream.sample(3, A=12)
        told += stream.configure(4, (1, 1, Level.HH, 99.0, 0.0, 0, 0)) + stream.sample(5, A=13)
        return said(told)

    known = Shard("e", HOME)
    configs = [SiteConfiguration.of("S1", {"A": 1, "B": 2}, [(1, 1, Level.HH, limit, 0.0, 0, 0)]) for limit in (10.0, 99.0)]
    known.prepare([Stored(f"{CONFIG}.S1", n, START, one.encode()) for n, one in enumerate(configs, 2)])
    assert [event for event in story(known) if event[0] != "CONFIGURED"] == [("RAISED", 1), ("CLEARED", 1)]


def test_an_event_names_partition_sequence_and_index():
    stream = Stream()
    stream.configure(0, HIGH, (3, 2, Level.H, 5.0, 0.0, 0, 0))
    events = stream.sample(1, A=11, B=6)
    assert [event["id"] for event in events] == [f"e-{partition('S1')}-2-0", f"e-{partition('S1')}-2-1"]
    assert [(event["site"], event["seq"], event["index"]) for event in events] == [("S1", 2, 0), ("S1", 2, 1)]


def test_a_configuration_is_told_once_it_is_judged_by():
    stream = Stream()
    stream.configure(0, HIGH, SILENT)
    assert stream.configured == [], "not before the next message"
    stream.beat(1)
    (told,) = stream.configured
    assert (told["site"], told["rules"], told["at"], told["index"]) == ("S1", [1, 2], START + SECOND, 0)
    stream.configure(2, HIGH, SILENT)
    stream.beat(3)
    assert stream.configured == [], "the same again is no change"
    stream.configure(4, (9, 1, Level.HH, 9.0, 0.0, 0, 0))
    (raised,) = stream.sample(5, A=11)
    assert (raised["rule"], raised["index"]) == (9, 0) and stream.configured[0]["rules"] == [9], "last of the message's events"


def test_messages_met_again_say_nothing():
    stream = Stream()
    stream.configure(0, HIGH)
    stream.sample(1, A=11)
    stream.seq -= 1
    assert stream.sample(1, A=11) == []


def test_a_site_s_tags_are_its_own():
    stream = Stream()
    stream.configure(0, HIGH)
    stream.configure(0, site="S2", tags={"A": 9})
    assert stream.sample(1, site="S2", A=99, B=99) == []
    assert stream.shard.counts["S2"].totals[:5] == [1, 0, 0, 0, 1]


def test_a_rule_taken_away_while_raised_is_withdrawn():
    stream = Stream()
    stream.configure(0, HIGH)
    stream.sample(1, A=11)
    stream.configure(2)
    assert said(stream.beat(3)) == [("WITHDRAWN", 1)]


def test_counters_are_told_each_ten_seconds_with_the_last_refusal():
    stream = Stream()
    stream.configure(0, HIGH)
    stream.put("part.1.S1.json", 1, b"{")
    stream.put("part.1.S1.json", 2, b"x" * 300_000)
    (told,) = [event for event in stream.beat(11) if event["kind"] == "COUNTS"]
    assert told["sites"]["S1"][5:8] == [1, 1, 2]
    assert "bytes" in told["sites"]["S1"][8]
    assert stream.beat(22) == []


def test_a_partition_hears_its_own_sites_and_every_heartbeat():
    shard = Shard("e", HOME)
    assert shard.hears(BEAT) and shard.hears(f"{CONFIG}.S1") and shard.hears(f"part.{HOME}.S1.json")
    other = next(f"S{n}" for n in range(99) if partition(f"S{n}") != HOME)
    assert not shard.hears(f"{CONFIG}.{other}") and not shard.hears(f"part.{partition(other)}.{other}.json")


def test_late_samples_beyond_a_limit_are_told_once_a_rule_with_the_worst():
    stream = Stream()
    stream.configure(0, HIGH)
    stream.sample(5, A=1)
    at = int(START // 10**6)
    body = json.dumps([{"t": at + n, "v": {"A": 11 + n % 7}} for n in range(3_000)]).encode()
    assert said(stream.put("part.1.S1.json", 7, body)) == []
    (record,) = [event for event in stream.beat(11) if event["kind"] == "LATE_BEYOND"]
    assert (record["rule"], record["times"], record["value"], record["site"]) == (1, 3_000, 17.0, "S1")
    assert record["until"] - record["at"] == 2_999 * 10**6
    assert [event for event in stream.beat(22) if event["kind"] == "LATE_BEYOND"] == []


def test_late_records_of_a_site_are_bounded():
    tags = {f"T{n}": n for n in range(50)}
    stream = Stream()
    stream.configure(0, *((n, n, Level.H, 10.0, 0.0, 0, 0) for n in range(50)), tags=tags)
    stream.sample(5, **dict.fromkeys(tags, 1))
    stream.sample(2, **dict.fromkeys(tags, 99))
    assert len([event for event in stream.beat(11) if event["kind"] == "LATE_BEYOND"]) == MOST


def test_late_records_survive_a_snapshot():
    stream = Stream()
    stream.configure(0, HIGH)
    stream.sample(5, A=1)
    stream.sample(2, A=99)
    stream.shard = Shard.restore(stream.shard.snapshot())
    assert said(stream.beat(11)) == [("LATE_BEYOND", 1)]


def test_a_fault_of_the_reader_s_own_is_counted_and_stops_nothing(monkeypatch):
    stream = Stream()
    stream.configure(0, HIGH)
    with monkeypatch.context() as patch:
        patch.setattr(codec, "decode", lambda *_: 1 // 0)
        assert stream.sample(1, A=11) == []
    assert stream.shard.counts["S1"].totals[5] == 1
    assert said(stream.sample(2, A=11)) == [("RAISED", 1)]


def test_a_configuration_under_another_site_s_subject_is_refused():
    stream = Stream()
    other = SiteConfiguration.of("S2", {"A": 9}, ()).encode()
    stream.put(f"{CONFIG}.S1", 0, other)
    assert stream.shard.sites == {}


@pytest.mark.parametrize("cut", range(2, 12))
def test_a_restart_anywhere_goes_on_with_the_same_events(cut):
    def story(stream):
        yield lambda: stream.configure(0, HIGH, SILENT, (3, 2, Level.L, 5.0, 1.0, 3_000, 2_000))
        for second in range(1, 12):
            yield lambda second=second: stream.sample(second, A=9 + second % 3, B=4 if second < 7 else 8)

    whole = Stream()
    expected = [event for step in story(whole) for event in step()]
    first = Stream()
    steps = list(story(first))
    told = [event for step in steps[:cut] for event in step()]
    assert first.shard.settled
    first.shard = Shard.restore(first.shard.snapshot())
    told += [event for step in steps[cut:] for event in step()]
    assert told == expected and len(said(expected)) > 4
    assert first.shard.latest("S1") == whole.shard.latest("S1")
