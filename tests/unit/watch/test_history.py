"""Each sample is kept once, found by point and time, through parts, merges and crashes between."""

import fcntl
import math
import os

import numpy as np

from fengsui.watch.engine import SECOND, Batch
from fengsui.watch.history import Store


def batch(seconds, points=(1, 2), value=0.5):
    rows = [(p, s * SECOND, value + s, 0) for s in seconds for p in points]
    return Batch(*(np.array(c, k) for c, k in zip(zip(*rows, strict=True), (np.int32, np.int64, float, np.uint8), strict=True)))


def filled(folder, parts=40):
    store = Store(folder)
    for n in range(parts):
        store.write_part([batch(range(n * 10, n * 10 + 10))])
    return store


def samples(store):
    """(point, number of samples) of all that is kept."""
    return [(point, len(store.read(point, 0, 400 * SECOND))) for point in (1, 2)]


def test_finds_a_point_s_samples_in_order(tmp_path):
    store = filled(tmp_path)
    found = store.read(2, 95 * SECOND, 105 * SECOND)
    assert [r.time_ns // SECOND for r in found] == list(range(95, 105))
    assert found[0].value == 95.5


def test_merging_keeps_every_sample_once(tmp_path):
    store = filled(tmp_path)
    assert store.merge() == 1
    assert sorted(p.name.split("-")[0] for p in tmp_path.glob("*.parquet")) == ["block"] + ["part"] * 10
    assert samples(store) == [(1, 400), (2, 400)]


def test_a_merge_cut_off_before_its_sources_are_gone_doubles_nothing(tmp_path):
    store = filled(tmp_path)
    kept = {p.name: p.read_bytes() for p in tmp_path.glob("part-*")}
    store.merge()
    for name, data in kept.items():
        (tmp_path / name).write_bytes(data)
    assert len(store.read(1, 0, 400 * SECOND)) == 400
    store.merge()
    assert samples(store) == [(1, 400), (2, 400)]


def test_what_a_restarted_worker_writes_again_counts_once(tmp_path):
    store = filled(tmp_path)
    store.write_part([batch(range(100, 300)), batch([7], [1], math.nan), batch([7], [1], math.nan)])
    for _ in range(30):
        store.write_part([batch([250])])
    assert len(store.read(1, 100 * SECOND, 300 * SECOND)) == 200
    assert store.merge() == 2
    assert samples(store) == [(1, 401), (2, 400)]


def test_what_a_killed_writer_left_is_swept_and_a_living_one_s_is_not(tmp_path):
    store = filled(tmp_path, 1)
    for owner in (2**30, os.getpid()):
        (tmp_path / f"part-0-x.{owner}.new").write_bytes(b"cut")
    store.merge()
    assert [p.name for p in tmp_path.glob("*.new")] == [f"part-0-x.{os.getpid()}.new"]


def test_one_merges_at_a_time(tmp_path):
    store = filled(tmp_path)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert store.merge() == 0
    assert store.merge() == 1


def test_long_spans_come_as_stretches_with_extremes(tmp_path):
    store = filled(tmp_path)
    store.write_part([batch([400], [1], math.nan)])
    found = store.read(1, 0, 401 * SECOND, most=50)
    assert len(found) <= 51
    assert (min(r.low for r in found if r.low is not None), max(r.high for r in found if r.high is not None)) == (0.5, 399.5)
    assert store.read(1, 400 * SECOND, 401 * SECOND)[0].value is None


def test_an_empty_store_has_nothing(tmp_path):
    assert Store(tmp_path / "none").read(1, 0, 1) == []


def test_many_points_at_once_are_thinned_but_keep_their_peaks_and_end_with_the_newest(tmp_path):
    store = filled(tmp_path)
    store.write_part([batch([203], [1], 7_000.0), batch([399], [2], math.nan)])
    found = store.read_many([1, 2, 9], 0, 400 * SECOND, 50)
    assert sorted(found) == [1, 2]
    assert len(found[1]) <= 3 * 50 and found[1][-1].time_ns == 399 * SECOND
    assert 7_203.0 in [one.value for one in found[1]]
    assert [one.time_ns for one in found[1]] == sorted(one.time_ns for one in found[1])


def test_peaks_and_the_newest_of_a_stretch_keep_their_own_quality(tmp_path):
    store = filled(tmp_path)  # good, and rising by one each second

    def spike(second, value, quality):
        return Batch(
            *(
                np.array([c], k)
                for c, k in zip((1, second * SECOND + 5, value, quality), (np.int32, np.int64, float, np.uint8), strict=True)
            )
        )

    store.write_part([spike(201, 5_000.0, 1), spike(202, 9_000.0, 2), spike(203, -7.0, 1), spike(399, 8_000.0, 2)])
    found = {one.value: one.quality for one in store.read_many([1], 0, 400 * SECOND, 50)[1]}
    assert (found[5_000.0], found[-7.0]) == (1, 1), "an uncertain peak is not told as a good one"
    assert 9_000.0 not in found, "a bad value is no peak"
    assert found[8_000.0] == 2 and {quality for value, quality in found.items() if 0 <= value < 1_000} == {0}
    (stretch,) = store.read(1, 200 * SECOND, 208 * SECOND, most=1)
    assert (stretch.value, stretch.quality, stretch.time_ns) == (207.5, 0, 207 * SECOND), "not the worst of the others"
    assert (stretch.low, stretch.high) == (-7.0, 5_000.0)
    (stretch,) = store.read(1, 398 * SECOND, 400 * SECOND, most=1)
    assert (stretch.value, stretch.quality, stretch.high) == (8_000.0, 2, 399.5)


def test_sparse_samples_stay_where_dense_ones_are_thinned(tmp_path):
    store = Store(tmp_path)
    store.write_part([batch(range(0, 3_600, 60), [1]), batch(range(3_600, 4_000), [1])])
    times = [one.time_ns // SECOND for one in store.read_many([1], 0, 4_000 * SECOND, 200)[1]]
    assert set(range(0, 3_600, 60)) <= set(times)
