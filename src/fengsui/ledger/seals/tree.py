"""The Merkle tree of RFC 6962 §2.1: append-only, with proofs of inclusion and of growth.

All hashes are 32-byte SHA-256 digests. A *leaf* here is already hashed (``leaf_hash``); a ``Tree``
keeps only the roots of its perfect subtrees, so that appending costs O(1) and no memory.
Proofs are made from ``subroot(start, stop)``, the root over a run of leaves, so that a store may keep the
roots of whole blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

Subroot = Callable[[int, int], bytes]

SIZE = 32
EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962's leaf hash: SHA-256 of a zero byte and the data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962's node hash: SHA-256 of a one byte and both children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A growing tree as its compact range: the roots of its perfect subtrees, largest first.

    There is one peak for each bit set in ``size``.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the end."""
        below = self.size
        while below & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            below >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: bytes) -> None:
        """Add joined leaf hashes; aligned blocks are folded level by level, which is about three times faster."""
        at, count = 0, len(leaves) // SIZE
        while at < count:
            block = min(self.size & -self.size or 1 << 62, 1 << ((count - at).bit_length() - 1), 1 << 16)
            self.append_block(_fold(leaves[at * SIZE : (at + block) * SIZE]), block)
            at += block

    def append_block(self, root: bytes, leaves: int) -> None:
        """Add the root of a perfect subtree of ``leaves`` (a power of two that divides the size)."""
        below = self.size // leaves
        while below & 1:
            root = node_hash(self.peaks.pop(), root)
            below >>= 1
        self.peaks.append(root)
        self.size += leaves

    def root(self) -> bytes:
        """The tree's root over all leaves added so far."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Tree:
        """An independent tree of the same leaves."""
        return Tree(self.size, list(self.peaks))


def _fold(level: bytes) -> bytes:
    """The root of a perfect subtree from its joined leaf hashes."""
    while len(level) > SIZE:
        level = b"".join([sha256(b"\x01" + level[at : at + 64]).digest() for at in range(0, len(level), 64)])
    return level


def root_of(leaves: bytes) -> bytes:
    """The root over joined leaf hashes."""
    tree = Tree()
    tree.extend(leaves)
    return tree.root()


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (> 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(subroot: Subroot, position: int, size: int) -> list[bytes]:
    """The audit path of the leaf at ``position`` (from 0) in the tree of the first ``size`` leaves.

    Raises ``ValueError`` where the position lies outside the tree.
    """
    if not 0 <= position < size:
        raise ValueError(f"position {position} is not in a tree of {size} leaves")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if position < middle:
            path.append(subroot(middle, stop))
            stop = middle
        else:
            path.append(subroot(start, middle))
            start = middle
    path.reverse()
    return path


def included(leaf: bytes, position: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` proves that ``leaf`` stands at ``position`` under ``root`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= position < size:
        return False
    number, last, value = position, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            value = node_hash(step, value)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            value = node_hash(value, step)
        number >>= 1
        last >>= 1
    return last == 0 and value == root


def consistency_proof(subroot: Subroot, old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` leaves begins with the tree of ``old`` leaves.

    Raises ``ValueError`` unless ``0 < old <= new``.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves cannot have grown from one of {old}")
    path: list[bytes] = []
    start, stop, whole = 0, new, True
    # `old` counts from `start`; `whole` says that the old root is still the verifier's own
    while old - start != stop - start:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(subroot(middle, stop))
            stop = middle
        else:
            path.append(subroot(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subroot(start, stop))
    path.reverse()
    return path


def grew(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` proves that the new tree begins with the old one (RFC 9162 §2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new:
        return False
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    number, last = old - 1, new - 1
    while number & 1:
        number >>= 1
        last >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not number & 1 and number:
                number >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        number >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root
