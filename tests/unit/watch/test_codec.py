"""Messages of devices: what is documented is read, everything else is refused with its reason."""

import json
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.watch import codec
from fengsui.watch.engine import Batch, Engine, Points, Rules

TAGS = {"PT-1": 5, "LT-2": 9}
IDS = frozenset(TAGS.values())


def read(data, kind="json"):
    return codec.decode(kind, data, TAGS, IDS)


def test_json_with_null_quality_and_unknown_tag():
    batch = read(b'{"t": 1500, "v": {"PT-1": 1.5, "LT-2": null, "XX": 3}, "q": {"PT-1": 1}}')
    assert batch.point.tolist() == [5, 9, codec.NOT_HERE]
    assert batch.time_ns.tolist() == [1_500_000_000] * 3
    assert batch.value[0] == 1.5 and math.isnan(batch.value[1])
    assert batch.quality.tolist() == [1, 0, 0]


def test_rfc_3339_times_and_lists():
    batch = read(b'[{"t": "1970-01-01T08:00:01+08:00", "v": {"PT-1": 1}}, {"t": 2000, "v": {"PT-1": 2}}]')
    assert batch.time_ns.tolist() == [10**9, 2 * 10**9]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff\xfe", "json"),
        (b"3", "object"),
        (b'{"t": 1}', '"v"'),
        (b'{"v": {"PT-1": 1}}', '"t"'),
        (b'{"t": 1.5, "v": {"PT-1": 1}}', '"t"'),
        (b'{"t": true, "v": {"PT-1": 1}}', '"t"'),
        (b'{"t": -1, "v": {"PT-1": 1}}', '"t"'),
        (b'{"t": 9999999999999999, "v": {"PT-1": 1}}', '"t"'),
        (b'{"t": "2026-11-24T03:00:00", "v": {"PT-1": 1}}', "offset"),
        (b'{"t": "soon", "v": {"PT-1": 1}}', "RFC 3339"),
        (b'{"t": 1, "v": {"PT-1": "1.5"}}', "number"),
        (b'{"t": 1, "v": {"PT-1": true}}', "number"),
        (b'{"t": 1, "v": {"PT-1": NaN}}', "json"),
        (b'{"t": 1, "v": {"PT-1": 1}, "q": {"PT-1": 7}}', '"q"'),
        (b'{"t": 1, "v": {"PT-1": 1}, "q": [1]}', '"q"'),
    ],
)
def test_refused_json(data, word):
    with pytest.raises(codec.Malformed, match=word):
        read(data)


def test_columns_come_back_as_they_went():
    batch = Batch(np.array([5, 7], np.int32), np.array([1, 2]), np.array([1.5, math.nan]), np.array([0, 2], np.uint8))
    data = codec.encode_columns(batch)
    back = read(data, "cols")
    assert back.point.tolist() == [5, codec.NOT_HERE]  # 7 is not this site's
    assert back.quality.tolist() == [0, 2] and math.isnan(back.value[1])
    for damaged in (data[:-1], data + b"x", b"ABCD" + data[4:], data[:6]):
        with pytest.raises(codec.Malformed):
            read(damaged, "cols")


def test_what_is_too_large_or_of_no_kind():
    with pytest.raises(codec.Oversized):
        read(b" " * (codec.MAX_BYTES + 1))
    with pytest.raises(codec.Oversized):
        read(b"FSC1" + (codec.MAX_SAMPLES + 1).to_bytes(4, "little"), "cols")
    with pytest.raises(codec.Malformed, match="topic"):
        read(b"{}", "xml")


NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(-(10**25), 10**25), st.floats(), st.sampled_from([0, 1, 2]))
ANYTHING = st.recursive(
    st.one_of(NUMBERS, st.text(max_size=6), st.datetimes(timezones=st.none() | st.timezones()).map(lambda t: t.isoformat())),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["t", "v", "q", "PT-1", "LT-2", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
TIMES = st.integers(-5, 2**70) | st.sampled_from(
    [0, 9_223_372_036_000, 9_223_372_036_001, 9_223_372_036_855, 253_402_300_799_000]
)
ENTRY = st.fixed_dictionaries(
    {"t": TIMES | ANYTHING, "v": st.dictionaries(st.sampled_from(["PT-1", "LT-2", "x"]), NUMBERS) | ANYTHING},
    optional={"q": st.dictionaries(st.sampled_from(["PT-1", "x"]), NUMBERS) | ANYTHING},
)


def sound(batch):
    """A batch that the engine may be given, whatever the device meant."""
    kinds = [np.int32, np.int64, np.float64, np.uint8]
    assert [column.dtype for column in batch] == kinds and len({len(column) for column in batch}) == 1
    assert set(batch.point.tolist()) <= IDS | {codec.NOT_HERE} and (batch.time_ns >= 0).all()
    Engine(Points.of(IDS), Rules.of([(1, 5, 0, 1.0, 0.0, 0, 0)])).step(*batch, 10**18)


@settings(deadline=None)
@given(ENTRY | st.lists(ENTRY, max_size=3) | ANYTHING)
def test_no_json_breaks_the_reader_or_the_engine(value):
    try:
        sound(read(json.dumps(value).encode()))
    except (codec.Malformed, codec.Oversized) as error:
        assert str(error)


@settings(deadline=None)
@given(st.data(), st.integers(0, 6))
def test_no_columns_break_the_reader_or_the_engine(data, n):
    def column(kind, low, high):
        return np.array(data.draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), kind)

    bits = column(np.uint64, 0, 2**64 - 1).view(np.float64)
    batch = Batch(column(np.int32, -9, 12), column(np.int64, -(2**63), 2**63 - 1), bits, column(np.uint8, 0, 255))
    with suppress(codec.Malformed, codec.Oversized):
        sound(read(codec.encode_columns(batch), "cols"))


@given(st.sampled_from(["json", "cols"]), st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda b: b"FSC1" + b)))
def test_no_bytes_break_the_reader(kind, data):
    try:
        read(data, kind)
    except (codec.Malformed, codec.Oversized) as error:
        assert str(error)
