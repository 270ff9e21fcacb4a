"""The compiled engine says what the plain one says, and its promises hold one by one."""

import math

import numpy as np
import pytest
from bench.plain_engine import PlainEngine
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.watch.engine import GRACE_NS, SECOND, Engine, Kind, Level, Points, Quality, Rules, SnapshotError, Verdict

POINT = 7
START = 1_000 * SECOND


def engine(*rules, now=START):
    return Engine(Points.of([POINT]), Rules.of(rules), now_ns=now)


def high(identity=1, limit=100.0, deadband=0.0, on=0, off=0, level=Level.H):
    return (identity, POINT, level, limit, deadband, on * SECOND, off * SECOND)


def feed(machine, *samples, arrival=None):
    """Samples as (seconds, value[, quality]); gives (kind, seconds) of what was said."""
    said = []
    for second, value, *quality in samples:
        time = START + int(second * SECOND)
        at = arrival if arrival is not None else time
        said += [(t.kind.name, (t.time_ns - START) / SECOND) for t in machine.advance(at)]
        said += said_of(machine.step([POINT], [time], [value], quality or [0], at))
    return said


def said_of(transitions):
    return [(t.kind.name, (t.time_ns - START) / SECOND) for t in transitions]


def wait(machine, second):
    return said_of(machine.advance(START + int(second * SECOND)))


def verdicts(machine, *samples, arrival=START + 10**12):
    columns = list(zip(*samples, strict=True))
    return [Verdict(v) for v in machine.step(*columns, arrival).verdict]


def test_raises_at_the_limit_and_clears_below_the_deadband():
    machine = engine(high(deadband=2))
    assert feed(machine, (0, 99.9), (1, 100), (2, 98), (3, 97.9)) == [("RAISED", 1), ("CLEARED", 3)]


def test_low_limits_mirror_high_ones():
    machine = engine((1, POINT, Level.LL, 10.0, 1.0, 0, 0))
    assert feed(machine, (0, 10.1), (1, 10), (2, 11), (3, 11.1)) == [("RAISED", 1), ("CLEARED", 3)]


def test_delays_count_in_event_time():
    machine = engine(high(on=3, off=2))
    assert feed(machine, (0, 101), (1, 101), (2, 99), (3, 101), (4, 101), (6, 101)) == [("RAISED", 6)]
    assert feed(machine, (7, 99), (8, 101), (9, 99), (10, 99), (11, 99)) == [("CLEARED", 11)]


def test_a_value_holds_until_the_next_so_a_pending_alarm_fires_in_between():
    machine = engine(high(on=3))
    assert said_of(machine.step([POINT] * 2, [START, START + 60 * SECOND], [101.0, 99.0], [0, 0])) == [
        ("RAISED", 3),
        ("CLEARED", 60),
    ]


def test_a_pending_alarm_that_falls_silent_fires():
    machine = engine(high(on=3))
    feed(machine, (0, 101), (1, 101))
    grace = GRACE_NS // SECOND
    assert wait(machine, 2 + grace) == []
    assert wait(machine, 3 + grace) == [("RAISED", 3)]
    assert wait(machine, 10) == []


def test_silence_never_clears():
    machine = engine(high(off=2))
    feed(machine, (0, 101), (1, 99))
    assert wait(machine, 12) == []
    assert feed(machine, (13, 99)) == [("CLEARED", 13)]


def test_bad_quality_freezes_raises_itself_and_never_clears():
    machine = engine(high(off=2), (2, POINT, Level.BAD, 0.0, 0.0, 0, 0))
    assert feed(machine, (0, 101), (1, 50, Quality.BAD), (2, math.nan), (9, math.inf)) == [("RAISED", 0), ("RAISED", 1)]
    # The time spent bad does not count towards clearing.
    assert feed(machine, (10, 99), (11, 99)) == [("CLEARED", 10)]
    assert feed(machine, (12, 99)) == [("CLEARED", 12)]


def test_stale_from_the_stream_s_time_and_back_with_data():
    machine = engine((3, POINT, Level.SILENT, 0.0, 0.0, 5 * SECOND, 0))
    feed(machine, (0, 1), (4, 1))
    assert wait(machine, 8.9) == []
    assert wait(machine, 9) == [("RAISED", 9)]
    assert feed(machine, (10, 1)) == [("CLEARED", 10)]


def test_a_point_that_never_spoke_becomes_stale():
    machine = engine((3, POINT, Level.SILENT, 0.0, 0.0, 5 * SECOND, 0))
    assert wait(machine, 5) == [("RAISED", 5)]


def test_a_broker_gap_is_one_outage_and_no_stale_points():
    ids = range(1000)
    machine = Engine(Points.of(ids), Rules.of((n, n, Level.SILENT, 0.0, 0.0, 10 * SECOND, 0) for n in ids), now_ns=START)
    machine.step(list(ids), [START] * 1000, [1.0] * 1000, [0] * 1000, START)
    gap = list(machine.advance(START + 3600 * SECOND))
    assert [(t.kind, t.time_ns, t.value) for t in gap] == [(Kind.OUTAGE, START, 3600.0)]
    assert wait(machine, 3609) == []
    assert len(wait(machine, 3610)) == 1000


def test_duplicates_late_future_and_unknown_samples():
    machine = engine(high())
    arrival = START
    assert verdicts(
        machine,
        (POINT, START, 1.0, 0),
        (POINT, START, 1.0, 0),
        (POINT, START, 2.0, 0),
        (POINT, START - 1, 1.0, 0),
        (POINT, START + 61 * SECOND, 1.0, 0),
        (POINT, START + 60 * SECOND, 1.0, 0),
        (8, START, 1.0, 0),
        (-1, START, 1.0, 0),
        arrival=arrival,
    ) == [
        Verdict.ACCEPTED,
        Verdict.DUPLICATE,
        Verdict.LATE,
        Verdict.LATE,
        Verdict.FUTURE,
        Verdict.ACCEPTED,
        Verdict.UNKNOWN,
        Verdict.UNKNOWN,
    ]


def test_a_late_sample_beyond_a_limit_is_recorded_and_changes_nothing():
    machine = engine(high())
    assert feed(machine, (5, 1), (3, 200), (6, 1), arrival=START + 10 * SECOND) == [("LATE_BEYOND", 3)]


def test_configuration_keeps_what_stays_and_withdraws_what_goes():
    machine = engine(high(1), high(2, limit=50.0, level=Level.HH))
    feed(machine, (0, 120))
    said = machine.configure(
        Points.of([POINT, 9]), Rules.of([high(2, limit=60.0, level=Level.HH), (3, 9, Level.L, 1.0, 0.0, 0, 0)])
    )
    assert [(t.kind, t.rule, t.point) for t in said] == [(Kind.WITHDRAWN, 1, POINT)]
    assert feed(machine, (1, 61)) == []
    assert feed(machine, (2, 59)) == [("CLEARED", 2)]


def replace(machine, *rules):
    return said_of(machine.configure(Points.of([POINT]), Rules.of(rules)))


def test_an_alarm_goes_on_under_the_rule_that_replaces_its_own():
    machine = engine(high(1), high(2, limit=150.0, level=Level.HH))
    assert feed(machine, (0, 120)) == [("RAISED", 0)]
    assert replace(machine, high(7, limit=110.0, off=5), high(2, limit=150.0, level=Level.HH)) == []
    assert feed(machine, (1, 120), (2, 115)) == [], "raised once, under whichever limit"
    said = [*machine.step([POINT], [START + 3 * SECOND], [105.0], [0])]
    said += machine.step([POINT], [START + 9 * SECOND], [105.0], [0])
    assert [(t.kind, t.rule) for t in said] == [(Kind.CLEARED, 7)]


def test_a_looser_limit_clears_the_alarm_with_the_next_sample_and_a_closer_one_raises():
    machine = engine(high(1))
    feed(machine, (0, 120))
    assert replace(machine, high(2, limit=130.0)) == []
    assert feed(machine, (1, 120)) == [("CLEARED", 1)]
    assert replace(machine, high(3, limit=110.0)) == []
    assert feed(machine, (2, 120)) == [("RAISED", 2)]


def test_what_is_pending_goes_on_only_where_the_value_is_on_that_side_of_the_new_limit():
    machine = engine(high(1, on=4))
    feed(machine, (0, 120))
    replace(machine, high(2, limit=110.0, on=4))
    assert feed(machine, (4, 120)) == [("RAISED", 4)], "its time counts from when it began"
    machine = engine(high(1, on=4))
    feed(machine, (0, 120))
    replace(machine, high(2, limit=130.0, on=4))
    assert feed(machine, (5, 125), (10, 125)) == [], "never beyond the new limit"
    machine = engine(high(1, off=4))
    feed(machine, (0, 120), (1, 90))
    replace(machine, high(2, limit=80.0, off=4))
    assert feed(machine, (6, 79), (9, 79)) == [] and feed(machine, (10, 79)) == [("CLEARED", 10)]


def test_silence_goes_on_under_the_rule_that_replaces_its_own():
    silent = (1, POINT, Level.SILENT, 0.0, 0.0, 5 * SECOND, 0)
    machine = engine(silent)
    assert said_of(machine.advance(START + 6 * SECOND)) == [("RAISED", 5)]
    assert replace(machine, (2, *silent[1:])) == [] and said_of(machine.advance(START + 9 * SECOND)) == []
    assert feed(machine, (10, 1)) == [("CLEARED", 10)]


@given(st.lists(st.one_of(st.tuples(st.just("sample"), st.integers(0, 9)), st.tuples(st.just("limit"), st.integers(1, 8)))))
def test_however_limits_change_an_alarm_is_raised_once_and_cleared_once(story):
    machine, raised, limit, second = engine(high(1, limit=5.0)), False, 5, 0
    for identity, (what, number) in enumerate(story, 2):
        if what == "limit":
            limit = number
            assert replace(machine, high(identity, limit=float(limit))) == []
            continue
        second += 1
        said = [kind for kind, _ in feed(machine, (second, float(number)))]
        beyond = number >= limit
        assert said == ([] if beyond == raised else ["RAISED" if beyond else "CLEARED"])
        raised = beyond


def test_output_larger_than_the_preallocated_rows():
    ids = np.arange(70_000, dtype=np.int32)
    machine = Engine(Points.of(ids), Rules.of((int(n), int(n), Level.H, 1.0, 0.0, 0, 0) for n in ids))
    said = machine.step(ids, np.ones_like(ids), np.full(ids.size, 2.0), np.zeros_like(ids), SECOND)
    assert [t.rule for t in said] == list(range(70_000))
    assert (said.verdict == Verdict.ACCEPTED).all()


def test_a_snapshot_carries_everything_and_refuses_a_changed_byte():
    machine = engine(high(on=3))
    feed(machine, (0, 101), (1, 101))
    data = machine.snapshot(b"seq 5")
    other, more = Engine.restore(data)
    assert more == b"seq 5"
    assert feed(other, (3, 101)) == feed(machine, (3, 101)) == [("RAISED", 3)]
    for damaged in (data[:-1], data[:50] + bytes([data[50] ^ 1]) + data[51:], b"x" + data):
        with pytest.raises(SnapshotError):
            Engine.restore(damaged)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ((1, POINT, Level.H, math.nan, 0.0, 0, 0), "limit"),
        ((1, POINT, Level.H, 1.0, -1.0, 0, 0), "deadband"),
        ((1, POINT, Level.H, 1.0, 0.0, -1, 0), "delay"),
        ((1, 99, Level.H, 1.0, 0.0, 0, 0), "point 99"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(row, word):
    with pytest.raises(ValueError, match=word):
        engine(row)


IDS = (0, 3, 4)
RULES = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.sampled_from(list(Level)),
        st.integers(-3, 3).map(float),
        st.integers(0, 2).map(float),
        st.integers(0, 4).map(lambda s: s * SECOND),
        st.integers(0, 4).map(lambda s: s * SECOND),
    ),
    max_size=9,
).map(lambda rows: [(number, *row) for number, row in enumerate(rows)])
SAMPLES = st.lists(
    st.tuples(
        st.sampled_from((*IDS, 5)),
        st.integers(-6, 6).map(lambda half: half * SECOND // 2),  # event time relative to the arrival
        st.one_of(st.integers(-4, 4).map(float), st.sampled_from([math.nan, math.inf])),
        st.sampled_from([0, 0, 0, 1, 2]),
    ),
    max_size=5,
)
STORY = st.lists(st.tuples(st.integers(0, 40).map(lambda quarter: quarter * SECOND // 4), SAMPLES), max_size=25)


@settings(max_examples=300, deadline=None)
@given(RULES, STORY, st.data())
def test_any_story_gives_the_same_transitions_as_the_plain_engine(rules, story, data):
    quick, plain = Engine(Points.of(IDS), Rules.of(rules), now_ns=START), PlainEngine(IDS, rules, START)
    now = START
    for pause, samples in story:
        now += pause
        batch = [(point, now + offset, value, quality) for point, offset, value, quality in samples]
        assert same(list(quick.advance(now)), plain.advance(now))
        expected, judged = plain.step(batch, now)
        columns = list(zip(*batch, strict=True)) or [[], [], [], []]
        said = quick.step(*columns, now)
        assert same(list(said), expected)
        assert said.verdict.tolist() == judged
        if data.draw(st.booleans()):
            quick, _ = Engine.restore(quick.snapshot(b""))


def same(said, expected):
    return [tuple(map(str, row)) for row in said] == [tuple(map(str, row)) for row in expected]
