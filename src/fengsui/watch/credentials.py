"""Tokens of sites: 256 random bits, in a file of mode 0600 for the stream server, as a digest in the database.

The stream server must know a token to compare it at connecting; hashing them there slowed 200 connects to
eleven seconds. The supervisor sees the changed file and lets the server read it without dropping anyone.

The database says which tokens are valid, the file follows it (``settle``): once the transaction is over, and, for what a
crash left between the two, when the relay starts and each minute. A fresh token waits beside the file until its
transaction has been kept, so that one which is rolled back leaves the former token in both.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.db import transaction

from fengsui import files
from fengsui.region.models import Site
from fengsui.watch.models import SiteCredential

log = logging.getLogger(__name__)

_WAITS = timedelta(hours=1)
"""A token whose transaction was not kept by then never will be."""


def _path() -> Path:
    return Path(settings.KEYS_DIR) / "sites.json"


def issue(sites: Iterable[Site], now: datetime) -> dict[str, str]:
    """Give each site a token, ending its former one; returns {code: token}, the only time a token is shown.

    Both doors take it once the transaction is over; one that is rolled back changes neither. ``OSError`` where the disk
    takes no file: nothing is changed then.
    """
    fresh = {site: secrets.token_hex(32) for site in sites}
    with transaction.atomic():
        SiteCredential.objects.filter(site__in=fresh, revoked_at__isnull=True).update(revoked_at=now)
        SiteCredential.objects.bulk_create(
            SiteCredential(site=site, digest=_digest(token), issued_at=now) for site, token in fresh.items()
        )
        with _alone(_path()) as path:
            waiting = _waiting(path) + [
                {"site": site.code, "token": token, "at": now.isoformat()} for site, token in fresh.items()
            ]
            _write(path.with_suffix(".fresh"), waiting)
        transaction.on_commit(functools.partial(settle, now), robust=True)
    return {site.code: token for site, token in fresh.items()}


def revoke(sites: Iterable[Site], now: datetime) -> None:
    """End the sites' tokens: neither door takes them once the transaction is over. One that is rolled back ends none."""
    gone = list(sites)
    with transaction.atomic():
        SiteCredential.objects.filter(site__in=gone, revoked_at__isnull=True).update(revoked_at=now)
        transaction.on_commit(functools.partial(settle, now), robust=True)


def settle(now: datetime) -> list[str]:
    """Let the file hold the tokens that are valid in the database and no others; the codes of the sites that this changed.

    Raises ``OSError``, or ``ValueError`` for a damaged file, and leaves it as it is.
    """
    with _alone(_path()) as path:
        # Read behind the lock: whoever writes last has then seen the newest that was kept.
        valid = dict(SiteCredential.objects.filter(revoked_at__isnull=True).values_list("digest", "site__code"))
        known = _read(path)
        held = {code: token for code, token in known.items() if valid.get(_digest(token)) == code}
        waiting = _waiting(path)
        held |= {one["site"]: one["token"] for one in waiting if valid.get(_digest(one["token"])) == one["site"]}
        if held != known:
            _write(path, held)
        rest = [one for one in waiting if held.get(one["site"]) != one["token"] and _recent(one, now)]
        if rest != waiting:
            _write(path.with_suffix(".fresh"), rest)
    return sorted(code for code in {*known, *held} if known.get(code) != held.get(code))


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


@contextmanager
def _alone(path: Path) -> Iterator[Path]:
    """Hold the file's lock: one process at a time reads and writes it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    if not isinstance(found, dict) or not all(isinstance(token, str) for token in found.values()):
        raise ValueError(f"{path} must map a site's code to its token; restore it from a backup")
    return found


def _waiting(path: Path) -> list[dict[str, str]]:
    """Tokens whose transactions may not be over: site, token, and when (RFC 3339).

    A damaged list is logged, set aside and taken for empty: it holds no token that counts already, and what counts must
    follow the database whatever became of it. Whose token was in it asks for another.
    """
    beside = path.with_suffix(".fresh")
    if not beside.exists():
        return []
    try:
        found = json.loads(beside.read_text())
    except ValueError:  # also bytes that are no text
        found = None
    if not isinstance(found, list) or not all(map(_is_waiting, found)):
        aside = beside.with_suffix(".damaged")
        log.error("%s is damaged, it must list site, token and time: set aside as %s", beside, aside.name)
        beside.replace(aside)
        return []
    return found


def _is_waiting(one: object) -> bool:
    if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in ("site", "token", "at")):
        return False
    try:
        return datetime.fromisoformat(one["at"]).tzinfo is not None
    except ValueError:
        return False


def _recent(one: Mapping[str, str], now: datetime) -> bool:
    return now - datetime.fromisoformat(one["at"]) < _WAITS


def _write(path: Path, what: Any) -> None:
    files.write_whole(path, json.dumps(what, sort_keys=True, indent=0))
