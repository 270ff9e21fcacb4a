"""Signed heads as bytes and as a file that somebody keeps.

A head says: at this time the tree had this many leaves and this root. Its canonical bytes are the sorted
JSON of ``v, size, root, at, previous, key``; ``previous`` is the SHA-256 of the head before, so that heads
form a chain of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from fengsui.ledger.seals.canon import decode, encode
from fengsui.ledger.seals.change import moment_of, stamp
from fengsui.ledger.seals.signing import Signer, genuine, key_id_of, sm3

NONE_BEFORE = bytes(32)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head and its signature."""

    size: int
    root: bytes
    at: datetime
    previous: bytes
    key_id: str
    signature: bytes

    def canonical(self) -> bytes:
        """The bytes that are signed."""
        return _canonical(self.size, self.root, self.at, self.previous, self.key_id)

    def digest(self) -> bytes:
        """What the next head names as the one before."""
        return sha256(self.canonical()).digest()

    def genuine(self, public: bytes) -> bool:
        """Whether this key signed it."""
        return self.key_id == key_id_of(public) and genuine(public, self.signature, "head", self.canonical())


def _canonical(size: int, root: bytes, at: datetime, previous: bytes, key_id: str) -> bytes:
    return encode({"v": 1, "size": size, "root": root.hex(), "at": stamp(at), "previous": previous.hex(), "key": key_id})


def sign_head(signer: Signer, size: int, root: bytes, at: datetime, previous: bytes) -> SignedHead:
    """Sign that the tree has this root now."""
    signature = signer.sign("head", _canonical(size, root, at, previous, signer.key_id))
    return SignedHead(size, root, at, previous, signer.key_id, signature)


def to_file(head: SignedHead, public: bytes) -> bytes:
    """The head as the JSON file that a witness keeps; with its SM3 digest where OpenSSL has SM3."""
    kept = decode(head.canonical()) | {"signature": head.signature.hex(), "public": public.hex(), "kind": "fengsui-head"}
    if digest := sm3(head.canonical()):
        kept["sm3"] = digest.hex()
    return encode(kept) + b"\n"


def from_file(data: bytes) -> tuple[SignedHead, bytes]:
    """The head and the public key out of a kept file. Raises ``ValueError`` saying what is wrong with it."""
    try:
        kept: dict[str, Any] = decode(data)
        if kept.get("kind") != "fengsui-head":
            raise ValueError("it is not a head: save one with `fengsui verify --save-head FILE`")
        head = SignedHead(
            int(kept["size"]),
            bytes.fromhex(kept["root"]),
            moment_of(kept["at"]),
            bytes.fromhex(kept["previous"]),
            str(kept["key"]),
            bytes.fromhex(kept["signature"]),
        )
        return head, bytes.fromhex(kept["public"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the head file lacks or misspells {error}") from error
