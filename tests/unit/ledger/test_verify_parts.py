"""What a process of ``verify`` found comes to the other one as it was, whatever was written past the doors."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from fengsui.ledger.verify.lines import End, Part

_NUMBERS = st.integers(-(2**63), 2**63 - 1)
_BYTES = st.binary(max_size=40)
ENDS = st.builds(
    End,
    first_seq=_NUMBERS,
    first_previous=_BYTES,
    name=_BYTES,
    seq=_NUMBERS,
    leaf=_BYTES,
    at=_NUMBERS,
    words=_BYTES,
    position=st.none() | _NUMBERS,
)


@given(ends=st.dictionaries(_BYTES, ENDS, max_size=5), leaves=_BYTES, erased=st.lists(st.tuples(_BYTES, _NUMBERS), max_size=3))
def test_a_part_arrives_as_it_was_sent(ends: dict[bytes, End], leaves: bytes, erased: list[tuple[bytes, int]]) -> None:
    part = Part(256, 7, leaves, [leaves, b"root"], ends, [], erased, dict.fromkeys(erased, 3))
    assert pickle.loads(pickle.dumps(part)) == part


def test_an_empty_part_arrives() -> None:
    part = Part(0, 0, b"", [], {}, [], [], {})
    assert pickle.loads(pickle.dumps(part)) == part
