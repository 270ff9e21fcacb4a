"""Idempotency: a call that was answered once gets the same receipt again, and does nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from django.db import connection

from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.kernel.shapes import Actor

LONGEST = 128
"""Characters of a key."""


def caller(actor: Actor) -> str:
    """Under whom a key is kept: two callers may choose the same key."""
    return f"{actor.kind}:{actor.post or actor.name}:{actor.person or ''}"[:64]


def body_hash(**call: Any) -> bytes:
    """What was asked, so that a key cannot be used for something else."""
    return sha256(orjson.dumps(call, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)).digest()


def receipt(actor: Actor, key: str, body: bytes) -> Receipt | None:
    """The receipt given before for this key; None for a new one. Refuses a key used for another call."""
    if not key:
        return None
    if len(key) > LONGEST:
        raise refused(422, "bad_value", "key", "at most %(most)s characters", most=LONGEST)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body_hash, receipt::text FROM ledger_idempotencykey WHERE caller = %s AND key = %s", [caller(actor), key]
        )
        found = cursor.fetchone()
    if found is None:
        return None
    if bytes(found[0]) != body:
        # which case: for whoever words the refusal, and shows it to those alone who may see that case
        words = "This idempotency key was used for another call; choose a new one"
        raise refused(409, "key_reused", "key", words, case=orjson.loads(found[1])["case"])
    return Receipt.of(orjson.loads(found[1]))


def keep(actor: Actor, key: str, body: bytes, given: Mapping[str, Any], now: Any) -> None:
    """Remember the receipt under its key; a second one at the same moment is an ``IntegrityError``."""
    if not key:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_idempotencykey (caller, key, body_hash, receipt, at) VALUES (%s, %s, %s, %s, %s)",
            [caller(actor), key, body, orjson.dumps(given).decode(), now],
        )
