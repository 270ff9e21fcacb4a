"""The Merkle tree against RFC 6962's definition written out naively."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from fengsui.ledger.seals import tree

LEAVES = [tree.leaf_hash(bytes([number % 251, number // 251])) for number in range(300)]


def subroots(leaves: bytes) -> tree.Subroot:
    """The subroots over joined leaf hashes held in memory."""
    return lambda start, stop: tree.root_of(leaves[start * tree.SIZE : stop * tree.SIZE])


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_path(position: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if position < split:
        return [*naive_path(position, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(position - split, leaves[split:]), naive_root(leaves[:split])]


def test_known_roots() -> None:
    """The test vectors of Certificate Transparency's reference implementation."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    grown = tree.Tree()
    for text in inputs:
        grown.append(tree.leaf_hash(bytes.fromhex(text)))
    assert grown.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.lists(st.integers(0, 40), max_size=8))
def test_growing_in_any_steps_gives_the_defined_root(steps: list[int]) -> None:
    grown, count = tree.Tree(), 0
    for step in steps:
        piece = LEAVES[count : count + step]
        if step % 2:
            grown.extend(b"".join(piece))
        else:
            for leaf in piece:
                grown.append(leaf)
        count += len(piece)
        assert grown.size == count
        assert len(grown.peaks) == count.bit_count()
        assert grown.root() == naive_root(LEAVES[:count])


@given(st.integers(1, 300), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_proof(subroots(b"".join(LEAVES)), position, size)
    root = naive_root(LEAVES[:size])
    assert path == naive_path(position, LEAVES[:size])
    assert tree.included(LEAVES[position], position, size, path, root)
    other = data.draw(st.integers(0, size - 1))
    if other != position:
        assert not tree.included(LEAVES[other], position, size, path, root)
        assert not tree.included(LEAVES[position], other, size, path, root)
    if path:
        broken = data.draw(st.integers(0, len(path) - 1))
        path[broken] = bytes(32)
        assert not tree.included(LEAVES[position], position, size, path, root)
        assert not tree.included(LEAVES[position], position, size, path[:-1], root)


@given(st.integers(1, 300), st.data())
def test_growth(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    path = tree.consistency_proof(subroots(b"".join(LEAVES)), old, new)
    old_root, new_root = naive_root(LEAVES[:old]), naive_root(LEAVES[:new])
    assert tree.grew(old, old_root, new, new_root, path)
    assert not tree.grew(old, bytes(32), new, new_root, path)
    assert not tree.grew(old, old_root, new, bytes(32), path)
    changed = [*LEAVES[: old - 1], bytes(32), *LEAVES[old:new]]
    forged = tree.consistency_proof(subroots(b"".join(changed)), old, new)
    assert not tree.grew(old, old_root, new, naive_root(changed), forged)


def test_positions_outside_are_refused() -> None:
    assert not tree.included(LEAVES[0], 5, 5, [], LEAVES[0])
    assert not tree.grew(3, LEAVES[0], 2, LEAVES[0], [])
