"""The exact bytes of an entry, its salt, and the leaf that commits to both.

An entry's record is JSON with sorted keys, UTF-8, no spaces. Those bytes are stored as they are and never
composed again from columns: a leaf is ``SHA-256(0x00 || previous || salt || body)``, ``previous`` being the leaf
of the case's entry before (32 zero bytes for the first). The salt keeps a short record from being guessed
from its leaf after body and salt were erased by law.

What the entry's columns repeat comes first and in a fixed order (``HEAD``), so that a verifier compares it without
parsing; the other keys are sorted.

The record's keys: ``v`` form (1) · ``case``, ``seq`` · ``at`` · ``act`` · ``before``, ``after`` states · ``who`` (person,
principal, office, post) · ``actor`` (what of ``Actor`` is set) · ``values`` as given · ``seen`` the facts · ``change`` (see
``change``) · ``besides`` (what else the door did: opens, tells, effects, links … as it likes).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.seals.change import stamp
from fengsui.ledger.seals.tree import leaf_hash

FORM = 1
SALT_BYTES = 16
FIRST = bytes(32)
"""What the first entry of a case has for its previous leaf."""
HEAD = ("v", "case", "seq", "at", "act", "before", "after", "who")
_ACTOR = ("kind", "person", "principal", "office", "post", "name", "end", "kid")


class Record(NamedTuple):
    """What an entry says: ``head`` with the keys of ``HEAD`` in their order, ``rest`` in any."""

    head: Mapping[str, Any]
    rest: Mapping[str, Any]


class Sealed(NamedTuple):
    """An entry ready to be stored: its exact bytes, their salt and the leaf."""

    body: bytes
    salt: bytes
    leaf: bytes


def encode(record: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a record of JSON values."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def decode(body: bytes) -> dict[str, Any]:
    """The record out of its bytes."""
    record: dict[str, Any] = orjson.loads(body)
    return record


def leaf_of(previous: bytes, salt: bytes, body: bytes) -> bytes:
    """The leaf (32 bytes) of an entry."""
    return leaf_hash(previous + salt + body)


def encode_entry(record: Record) -> bytes:
    """The canonical bytes of an entry's record: ``HEAD`` in its order, then the other keys sorted."""
    return orjson.dumps(record.head)[:-1] + b"," + orjson.dumps(record.rest, option=orjson.OPT_SORT_KEYS)[1:]


def seal(record: Record, previous: bytes = FIRST) -> Sealed:
    """Encode an entry's record and commit to it with a new random salt."""
    body, salt = encode_entry(record), os.urandom(SALT_BYTES)
    return Sealed(body, salt, leaf_of(previous, salt, body))


@lru_cache(maxsize=1024)
def actor_record(actor: Actor) -> dict[str, Any]:
    """Who acted, without what is unset; not to be changed, the next act of the same actor gets the same one."""
    return {name: value for name in _ACTOR if (value := getattr(actor, name)) not in (None, "")}


def record_of(
    *,
    case: str,
    seq: int,
    at: datetime,
    act: str,
    actor: Actor,
    before: str | None,
    after: str,
    change: Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
    seen: Mapping[str, Any] | None = None,
    besides: Mapping[str, Any] | None = None,
) -> Record:
    """The record of one act from the state ``before`` (None at the opening) to ``after``; ``change`` as ``diff`` gives it."""
    head = {
        "v": FORM,
        "case": case,
        "seq": seq,
        "at": stamp(at),
        "act": act,
        "before": before,
        "after": after,
        "who": [actor.person, actor.principal, actor.office, actor.post],
    }
    rest = {
        "actor": actor_record(actor),
        "values": values or {},
        "seen": seen or {},
        "change": change,
        "besides": besides or {},
    }
    return Record(head, rest)
