"""Each sample is kept once, found by point and time, through parts, merges and crashes between."""

import math

import numpy as np

from fengsui.watch.engine import SECOND, Batch
from fengsui.watch.history import Store


def batch(seconds, points=(1, 2), value=0.5):
    rows = [(p, s * SECOND, value + s, 0) for s in seconds for p in points]
    return Batch(*(np.array(c, k) for c, k in zip(zip(*rows, strict=True), (np.int32, np.int64, float, np.uint8), strict=True)))


def filled(folder, parts=40):
    store = Store(folder)
    for n in range(parts):
        store.write_part(n * 10 + 1, n * 10 + 10, [batch(range(n * 10, n * 10 + 10))])
    return store


def test_finds_a_point_s_samples_in_order(tmp_path):
    store = filled(tmp_path)
    found = store.read(2, 95 * SECOND, 105 * SECOND)
    assert [r.time_ns // SECOND for r in found] == list(range(95, 105))
    assert found[0].value == 95.5


def test_merging_keeps_every_sample_once(tmp_path):
    store = filled(tmp_path)
    assert store.merge() == 1
    assert sorted(p.name.split("-")[0] for p in tmp_path.glob("*.parquet")) == ["block"] + ["part"] * 10
    assert list(store.points_between(0, 400 * SECOND)) == [(1, 400), (2, 400)]


def test_a_crash_between_merge_and_sweep_doubles_nothing(tmp_path):
    store = filled(tmp_path)
    kept = {p.name: p.read_bytes() for p in tmp_path.glob("part-*")}
    store.merge()
    for name, data in kept.items():
        (tmp_path / name).write_bytes(data)
    assert len(store.read(1, 0, 400 * SECOND)) == 400
    store.merge()
    assert len(list(tmp_path.glob("part-*"))) == 10


def test_forgets_what_lies_after_the_engine_s_position(tmp_path):
    filled(tmp_path)
    store = Store(tmp_path)
    store.forget_after(395)
    assert len(store.read(1, 0, 400 * SECOND)) == 390


def test_long_spans_come_as_stretches_with_extremes(tmp_path):
    store = filled(tmp_path)
    store.write_part(401, 402, [batch([400], [1], math.nan)])
    found = store.read(1, 0, 401 * SECOND, most=50)
    assert len(found) <= 51
    assert (min(r.low for r in found if r.low is not None), max(r.high for r in found if r.high is not None)) == (0.5, 399.5)
    assert store.read(1, 400 * SECOND, 401 * SECOND)[0].value is None


def test_an_empty_store_has_nothing(tmp_path):
    assert Store(tmp_path / "none").read(1, 0, 1) == []


def test_many_points_at_once_are_thinned_but_end_with_the_newest(tmp_path):
    store = filled(tmp_path)
    found = store.read_many([1, 2, 9], 0, 400 * SECOND, 50)
    assert sorted(found) == [1, 2]
    assert len(found[1]) == 50 and found[1][-1].time_ns == 399 * SECOND
