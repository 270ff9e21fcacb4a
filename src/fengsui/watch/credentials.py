"""Tokens of sites: 256 random bits, in a file of mode 0600 for the stream server, as a digest in the database.

The stream server must know a token to compare it at connecting; hashing them there slowed 200 connects to
eleven seconds. The supervisor sees the changed file and lets the server read it without dropping anyone.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.db import transaction

from fengsui.region.models import Site
from fengsui.watch.models import SiteCredential


def _path() -> Path:
    return Path(settings.KEYS_DIR) / "sites.json"


def issue(sites: Iterable[Site], now: datetime) -> dict[str, str]:
    """Give each site a token, ending its former one; returns {code: token}, the only time a token is shown."""
    fresh = {site: secrets.token_hex(32) for site in sites}
    with transaction.atomic():
        SiteCredential.objects.filter(site__in=fresh, revoked_at__isnull=True).update(revoked_at=now)
        SiteCredential.objects.bulk_create(
            SiteCredential(site=site, digest=_digest(token), issued_at=now) for site, token in fresh.items()
        )
        _rewrite({site.code: token for site, token in fresh.items()}, ())
    return {site.code: token for site, token in fresh.items()}


def revoke(sites: Iterable[Site], now: datetime) -> None:
    """End the sites' tokens: neither door takes them once the transaction is over. One that is rolled back ends none."""
    gone = list(sites)
    with transaction.atomic():
        SiteCredential.objects.filter(site__in=gone, revoked_at__isnull=True).update(revoked_at=now)
        transaction.on_commit(functools.partial(_rewrite, {}, [site.code for site in gone]))


def main(code: str, end: bool, now: datetime, out: TextIO) -> int:
    """The command: a fresh token for the site, printed once, or the end of its token; 1 where there is no such site."""
    site = Site.objects.unscoped("the administrator of the machine").filter(code=code).first()
    if site is None:
        print(f"There is no site with the code {code!r}: look it up on the page Sites.", file=out)
        return 1
    if end:
        revoke([site], now)
        print(f"{code}: the token has ended.", file=out)
    else:
        print(issue([site], now)[code], file=out)
    return 0


def site_of(token: str) -> str | None:
    """The code of the site whose token this is; None for no site's. Needs no database."""
    path = _path()
    try:
        stamp = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    found = _by_digest(str(path), stamp).get(_digest(token))
    return found if found and hmac.compare_digest(_by_code(str(path), stamp)[found], token) else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@functools.lru_cache(maxsize=2)
def _by_code(path: str, stamp: int) -> dict[str, str]:
    del stamp  # a changed file is another key of the cache
    found: dict[str, str] = json.loads(Path(path).read_text())
    return found


@functools.lru_cache(maxsize=2)
def _by_digest(path: str, stamp: int) -> dict[str, str]:
    return {_digest(token): code for code, token in _by_code(path, stamp).items()}


def _rewrite(fresh: dict[str, str], gone: Iterable[str]) -> None:
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        known.update(fresh)
        for code in gone:
            known.pop(code, None)
        beside = path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(known, file, sort_keys=True, indent=0)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
