"""The growing tree over all entries: appending, signing heads, and proofs out of the database.

In: committed entries. Out: leaf rows, tiles, signed heads; proofs for receipts and witnesses.
Only one process appends (``sealer`` holds the advisory lock); anybody may read proofs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from fengsui.ledger.models import Head, SealKey
from fengsui.ledger.seals import signing
from fengsui.ledger.seals.heads import NONE_BEFORE, SignedHead, sign_head
from fengsui.ledger.seals.tree import SIZE, Tree, consistency_proof, inclusion_proof, root_of

TILE = 256
BATCH = 20_000
EVERY = timedelta(minutes=1)

_UNSEALED = """
SELECT e.id, e.leaf FROM ledger_entry e
WHERE e.id > %s AND NOT EXISTS (SELECT 1 FROM ledger_leaf l WHERE l.entry_id = e.id)
ORDER BY e.id LIMIT %s
"""
_WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = 'ledger_entry'::regclass
"""
_LEAVES = """
SELECT coalesce(string_agg(hash, ''::bytea ORDER BY position), ''::bytea), count(*) FROM ledger_leaf
WHERE position >= %s AND position < %s
"""


class TreeBroken(Exception):
    """The stored leaves do not give the last signed root; nothing may be sealed on top of that."""


def signer(now: datetime) -> signing.Signer:
    """The key in use, its public half published in the database. Raises ``signing.NoKey``."""
    key = signing.load_or_make(settings.KEYS_DIR)
    SealKey.objects.get_or_create(key_id=key.key_id, defaults={"public": key.public, "made_at": now})
    return key


def turn_over_key(now: datetime) -> signing.Signer:
    """Replace the signing key; the old one endorses the new one and both stay verifiable. Raises ``signing.NoKey``.

    The endorsement is on record before the file changes: a sealer that meets the new key finds it known, and a
    crash in between leaves a key that never signed anything.
    """
    to = signing.succession(settings.KEYS_DIR)
    SealKey.objects.create(
        key_id=to.new.key_id, public=to.new.public, made_at=now, endorsed_by=to.old.key_id, endorsement=to.endorsement
    )
    signing.succeed(settings.KEYS_DIR, to)
    return to.new


def signed(row: Head) -> SignedHead:
    """A stored head as the pure parts know it."""
    return SignedHead(row.size, bytes(row.root), row.at, bytes(row.previous), row.key_id, bytes(row.signature))


def latest_head() -> SignedHead | None:
    """The newest signed head."""
    row = Head.objects.order_by("-size").first()
    return signed(row) if row else None


@dataclass
class Grower:
    """The one appender's state: the tree so far, the last head, and below which id nothing can appear any more."""

    tree: Tree = field(default_factory=Tree)
    head: SignedHead | None = None
    low: int = 0
    _block: bytes = b""  # the leaves of the unfinished tile
    _mark: tuple[int, frozenset[str]] | None = None
    _back: datetime | None = None  # since when, by a clock that was set back behind the last head, a minute is counted

    @classmethod
    def load(cls) -> Grower:
        """The state out of the database. Raises ``TreeBroken``."""
        grower = cls()
        if row := Head.objects.order_by("-size").first():
            grower.head, grower.low = signed(row), row.low
            grower.tree = Tree(row.size, _cut(bytes(row.peaks)))
            if grower.tree.root() != grower.head.root or len(grower.tree.peaks) != row.size.bit_count():
                raise TreeBroken(f"the stored peaks do not give the root of head {row.size}; run `fengsui verify`")
        after = grower.tree.size
        leaves, count = _leaves(after, 1 << 62)
        begun = _leaves(after - after % TILE, after)[0]
        if len(leaves) != count * SIZE or len(begun) != after % TILE * SIZE:
            raise TreeBroken(f"leaves around position {after} are missing; run `fengsui verify`")
        grower.tree.extend(leaves)
        joined = begun + leaves
        grower._block = joined[len(joined) // (TILE * SIZE) * TILE * SIZE :]
        return grower

    def append(self, limit: int = BATCH) -> int:
        """Give places to committed entries that have none; how many (``limit``: there may be more)."""
        settled = self._settled()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_UNSEALED, [self.low, limit])
            rows = [(entry, bytes(leaf)) for entry, leaf in cursor.fetchall()]
            if rows:
                self._write(cursor, rows)
        self.tree.extend(b"".join(leaf for _, leaf in rows))
        self._block = self._after(rows)[1]
        if settled is not None:
            if len(rows) == limit:  # more remain above the last one
                settled = min(settled, rows[-1][0])
            self.low, self._mark = max(self.low, settled), None
        return len(rows)

    def _after(self, rows: list[tuple[int, bytes]]) -> tuple[list[bytes], bytes]:
        """The roots of the tiles that these rows finish, and the leaves left over."""
        joined = self._block + b"".join(leaf for _, leaf in rows)
        whole = len(joined) // (TILE * SIZE)
        step = TILE * SIZE
        return [root_of(joined[at * step : (at + 1) * step]) for at in range(whole)], joined[whole * step :]

    def _write(self, cursor: Any, rows: list[tuple[int, bytes]]) -> None:
        with cursor.copy("COPY ledger_leaf (position, entry_id, hash) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int8", "bytea"])
            for at, (entry, leaf) in enumerate(rows, self.tree.size):
                copy.write_row((at, entry, leaf))
        first = self.tree.size // TILE
        cursor.executemany(
            'INSERT INTO ledger_tile ("index", root) VALUES (%s, %s)', list(enumerate(self._after(rows)[0], first))
        )

    def _settled(self) -> int | None:
        """An entry id up to which every transaction has ended, or None.

        A sequence hands out ids before their rows commit. Whoever took an id up to the mark held a lock on
        the table by then; once all those are gone, nothing can appear below the mark.
        """
        with connection.cursor() as cursor:
            if self._mark is None:
                # a sequence that was never asked shows the id that it will give first as its last one
                cursor.execute("SELECT last_value - (NOT is_called)::int FROM ledger_entry_id_seq")
                mark = cursor.fetchone()[0]
                cursor.execute(_WRITERS)
                self._mark = (mark, frozenset(row[0] for row in cursor.fetchall()))
            cursor.execute(_WRITERS)
            present = {row[0] for row in cursor.fetchall()}
        return None if present & self._mark[1] else self._mark[0]

    def sign(self, key: signing.Signer, now: datetime) -> SignedHead | None:
        """Sign a head where the tree has grown since the last one.

        Its moment is never before the last head's: under a clock that was set back it is that one again.
        """
        if self.tree.size == (self.head.size if self.head else 0):
            return None
        previous = self.head.digest() if self.head else NONE_BEFORE
        at = max(now, self.head.at) if self.head else now
        head = sign_head(key, self.tree.size, self.tree.root(), at, previous)
        Head.objects.create(
            size=head.size, root=head.root, at=head.at, key_id=key.key_id, signature=head.signature, previous=previous,
            peaks=b"".join(self.tree.peaks), low=self.low,
        )  # fmt: skip
        self.head, self._back = head, now if at > now else None
        return head

    def overdue(self, now: datetime, every: timedelta = EVERY) -> float:
        """Seconds by which the next head is late; negative: not yet due; 0 where nothing waits."""
        if self.tree.size == (self.head.size if self.head else 0):
            return 0.0
        return (now - self._since(self.head, now) - every).total_seconds() if self.head else 0.0

    def _since(self, head: SignedHead, now: datetime) -> datetime:
        """From when on a minute is counted to the next head: the last one's, or when the clock was first seen set back."""
        if head.at <= now:
            self._back = None
            return head.at
        if self._back is None or now < self._back:
            self._back = now
        return self._back

    def set_back(self, now: datetime) -> float:
        """By how many seconds the machine's clock is behind the last head; 0 where it is not."""
        return max(0.0, (self.head.at - now).total_seconds()) if self.head else 0.0


def _cut(joined: bytes) -> list[bytes]:
    return [joined[at : at + SIZE] for at in range(0, len(joined), SIZE)]


def _leaves(start: int, stop: int) -> tuple[bytes, int]:
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES, [start, stop])
        joined, count = cursor.fetchone()
    return bytes(joined), count


def subroot(start: int, stop: int) -> bytes:
    """The root over the stored leaves ``start`` … ``stop - 1`` of an aligned run, through the tiles."""
    whole = (stop - start) // TILE if start % TILE == 0 else 0
    tree = Tree()
    if whole:
        with connection.cursor() as cursor:
            first = start // TILE
            cursor.execute(
                'SELECT root FROM ledger_tile WHERE "index" >= %s AND "index" < %s ORDER BY "index"', [first, first + whole]
            )
            for (root,) in cursor.fetchall():
                tree.append_block(bytes(root), TILE)
    tree.extend(_leaves(start + tree.size, stop)[0])
    return tree.root()


def inclusion(position: int, size: int) -> list[bytes]:
    """The proof that the leaf at ``position`` is under the head of ``size``."""
    return inclusion_proof(subroot, position, size)


def growth(old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` leaves begins with that of ``old``."""
    return consistency_proof(subroot, old, new)
