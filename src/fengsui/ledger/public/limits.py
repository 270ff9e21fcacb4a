"""How often somebody may ask or guess: counted in the database, so that all web processes
count together and a restart forgets nothing.

What is kept is a keyed hash of address, purpose and hour; it names nobody and is gone after the window.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

log = logging.getLogger(__name__)


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
    """The visitor's address as it is counted: the connection's, or what the outermost trusted proxy saw.

    IPv6 is given as its /64, the least that one subscriber gets: whoever counts single addresses counts nothing. What a
    proxy wrote that is no address does not count either; then it is the connection's.
    """
    own = str(request.META.get("REMOTE_ADDR", ""))
    behind = settings.PROXIES
    seen = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",") if one.strip()]
    passed_on = _counted(seen[-behind]) if behind and len(seen) >= behind else ""
    return passed_on or _counted(own) or own


_SUBSCRIBER = 64
"""Bits of an IPv6 address that name a subscriber (RFC 6177 gives each at least this much)."""


def _counted(text: str) -> str:
    """An address as it is counted; empty for what is none. Some proxies write the port behind it."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), _SUBSCRIBER), strict=False).network_address)


UNBELIEVED = "X-Forwarded-For while FENGSUI_PROXIES is 0"
"""The count's key, a name of nobody: `fengsui doctor` looks for it."""


def note_unbelieved(request: HttpRequest, now: datetime) -> None:
    """Remember for a day that a request names a visitor behind a proxy that is not believed; say it in the log once meanwhile.

    Behind a proxy all visitors then count as one. Without one, whoever asks wrote the header and it means nothing.
    """
    if settings.PROXIES or not request.headers.get("X-Forwarded-For"):
        return
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [UNBELIEVED, 1, now + timedelta(days=1), now, now])
        first = cursor.fetchone()[0] == 1
    if first:
        log.warning(
            "requests bring X-Forwarded-For, but FENGSUI_PROXIES is 0: behind a proxy all visitors count as one address. "
            "Set FENGSUI_PROXIES to the number of your proxies"
        )


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


def forget(limit: Limit, who: str) -> None:
    """Begin anew: what was counted is gone."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_publicuse WHERE key = %s", [_key(limit, who)])


def give_back(limit: Limit, who: str) -> None:
    """Take one back that ``spend`` counted and that does not count after all; the others stay."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_publicuse SET count = count - 1 WHERE key = %s AND count > 0", [_key(limit, who)])
