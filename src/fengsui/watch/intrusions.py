"""Counts what the stream server itself refused: publishes to others' topics, wrong tokens, too large messages.

The server acknowledges a forbidden MQTT publish like any other and only writes it into its log; so the log is read.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import F

from fengsui.region.models import Site
from fengsui.watch.models import IngestCounter

UNKNOWN = "?"
"""Stands for every name that is no site's."""
_MOST = 4 * 1024 * 1024
# A publish refused names the MQTT client id, which a gateway should make its site's code; a token refused, the user.
_KINDS = (
    ("unauthorised", re.compile(rb'"([^"]{1,64})" - (?:Publish|Subscription) Violation')),
    ("unauthorised", re.compile(rb'authentication error - User "([^"]{0,64})"')),
    ("oversized", re.compile(rb'(?:"([^"]{1,64})" - )?maximum payload (?:exceeded|violation)', re.IGNORECASE)),
)


class Watch:
    """Reads the server's log from its present end on."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or Path(settings.DATA_DIR) / "nats" / "nats.log"
        self._at = self._size()

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def count(self, now: datetime) -> None:
        """Add what was refused since the last call to the counters."""
        size = self._size()
        if size < self._at:
            self._at = 0  # the server began another file
        if size == self._at:
            return
        with self._path.open("rb") as file:
            file.seek(max(self._at, size - _MOST), os.SEEK_SET)
            text = file.read(_MOST)
        end = text.rfind(b"\n") + 1
        if not end:
            return
        self._at = size - (len(text) - end)
        found: Counter[tuple[str, str]] = Counter()
        last: dict[tuple[str, str], str] = {}
        for line in text[:end].splitlines():
            for kind, pattern in _KINDS:
                if match := pattern.search(line):
                    user = match.group(1) if match.groups() and match.group(1) else b""
                    key = (user.decode(errors="replace"), kind)
                    found[key] += 1
                    last[key] = line[line.find(b"]") + 1 :].decode(errors="replace").strip()[:200]
                    break
        _keep(found, last, now)


def _keep(found: Counter[tuple[str, str]], last: dict[tuple[str, str], str], now: datetime) -> None:
    """Names that are no site's are counted together: whoever guesses names must not fill a table."""
    names = {site for site, _ in found}
    known = set(Site.objects.unscoped("counting refused messages").filter(code__in=names).values_list("code", flat=True))
    together: Counter[tuple[str, str]] = Counter()
    text: dict[tuple[str, str], str] = {}
    for (site, kind), number in found.items():
        key = (site if site in known else UNKNOWN, kind)
        together[key] += number
        text[key] = last[site, kind]
    for (site, kind), number in together.items():
        add(site, "server", kind, number, text[site, kind], now)


def add(site: str, door: str, kind: str, number: int, text: str, now: datetime) -> None:
    """Add to one counter."""
    rows = IngestCounter.objects.filter(site=site[:64], door=door, kind=kind)
    if not rows.update(total=F("total") + number, last_text=text[:200], moved_at=now):
        row, made = IngestCounter.objects.get_or_create(
            site=site[:64], door=door, kind=kind, defaults={"total": number, "last_text": text[:200], "moved_at": now}
        )
        if not made:
            IngestCounter.objects.filter(pk=row.pk).update(total=F("total") + number, last_text=text[:200], moved_at=now)
