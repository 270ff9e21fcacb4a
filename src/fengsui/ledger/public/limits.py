"""How often one network address may ask: counted in the database, so that all web processes count together.

What is kept is a keyed hash of address, purpose and hour; it names nobody and is gone after the window.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import connection
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` of ``purpose`` within ``window`` from one address."""

    purpose: str
    most: int
    window: timedelta


REPORTS = Limit("report", 10, timedelta(hours=1))
WRONG_SECRETS = Limit("follow", 10, timedelta(minutes=15))
WRONG_FOR_CODE = Limit("follow-code", 30, timedelta(hours=1))
MESSAGES = Limit("message", 20, timedelta(hours=1))
CHECKS = Limit("check", 120, timedelta(hours=1))

_COUNT = """
INSERT INTO ledger_publicuse (key, count, until) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN ledger_publicuse.until <= %s THEN EXCLUDED.count ELSE ledger_publicuse.count + EXCLUDED.count END,
  until = CASE WHEN ledger_publicuse.until <= %s THEN EXCLUDED.until ELSE ledger_publicuse.until END
RETURNING count
"""


def address_of(request: HttpRequest) -> str:
    """The visitor's address: the connection's, or what the outermost trusted proxy saw."""
    behind = settings.PROXIES
    seen = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",") if one.strip()]
    if behind and len(seen) >= behind:
        return seen[-behind]
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(limit: Limit, who: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"{limit.purpose}\n{who}".encode(), sha256).hexdigest()


def spend(limit: Limit, who: str, now: datetime) -> bool:
    """Count one more; whether it is still within the limit. Old counts of everybody go on the way."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_publicuse WHERE until < %s", [now - timedelta(hours=1)])
        cursor.execute(_COUNT, [_key(limit, who), 1, now + limit.window, now, now])
        return bool(cursor.fetchone()[0] <= limit.most)


def left(limit: Limit, who: str, now: datetime) -> int:
    """How many more are allowed now, without counting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count FROM ledger_publicuse WHERE key = %s AND until > %s", [_key(limit, who), now])
        found = cursor.fetchone()
    return limit.most - (found[0] if found else 0)
