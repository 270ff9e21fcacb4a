"""Taking a file in."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from fengsui import files
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.evidence import photos, sniffing
from fengsui.ledger.evidence.sniffing import MEGABYTE, Kind
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Evidence, EvidenceBrought

LARGEST = max(kind.most for kind in (sniffing.MP4, sniffing.JPEG, sniffing.PDF))
LIMITS = {"image": sniffing.JPEG.most, "paper": sniffing.PDF.most, "film": sniffing.MP4.most}
"""Largest sizes in bytes."""
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
MOST_AN_HOUR = 300
"""Files that one person may bring in an hour."""


def path_of(digest: str) -> Path:
    """Where the bytes of a digest lie."""
    return Path(settings.EVIDENCE_DIR) / digest[:2] / digest[2:4] / digest


def store(file: Any, by: Actor, now: datetime, *, name: str = "") -> Evidence:
    """Keep an uploaded file (anything with ``read`` or ``chunks``) and return its row; the same content is kept once.

    Raises ``Refused`` 409 for one that was erased by law, 413 for one that is too large, 415 for a kind that is not accepted
    or a damaged picture, 429 for too many in an hour.
    """
    _demand_few(by, now)
    temporary, received = _receive(file)
    try:
        kind = _kind(temporary, name or getattr(file, "name", None) or "")
        known: dict[str, Any] = {}
        if kind.image:
            known = _picture(temporary, kind)
        digest = _digest(temporary)
        target = path_of(digest)
        if kind.image and not target.with_suffix(".small.jpg").exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            photos.thumbnail(temporary, target.with_suffix(".small.jpg"))
        size = temporary.stat().st_size
        _settle(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    values = {
        "name": Path(name or getattr(file, "name", None) or f"{digest[:8]}{kind.suffix}").name[:255],
        "media_type": kind.media_type,
        "size": size,
        "received_digest": received,
        "thumbnail": kind.image,
        "person_id": by.person,
        "office_id": by.office,
        "stored_at": now,
        **known,
    }
    row, _ = Evidence.objects.get_or_create(digest=digest, defaults=values)
    if row.erased_at is not None:
        for stored in (target, target.with_suffix(".small.jpg")):
            stored.unlink(missing_ok=True)
        raise refused(409, "erased", "file", gettext_noop("This very file was erased by law and is not taken again"))
    bring(digest, by, now)
    return row


def bring(digest: str, by: Actor, now: datetime) -> None:
    """Keep that this person sent these very bytes in, and may name the file; nobody's file stays nobody's."""
    if by.person is not None:
        EvidenceBrought.objects.get_or_create(evidence_id=digest, person_id=by.person, defaults={"at": now})


def _demand_few(by: Actor, now: datetime) -> None:
    if by.person is not None:
        lately = EvidenceBrought.objects.filter(person_id=by.person, at__gt=now - timedelta(hours=1)).count()
        if lately >= MOST_AN_HOUR:
            raise refused(429, "too_many", "file", "At most %(most)s files an hour", most=MOST_AN_HOUR)


def _chunks(file: Any) -> Iterator[bytes]:
    if hasattr(file, "chunks"):
        yield from file.chunks()
        return
    while piece := file.read(1 << 20):
        yield piece


def _receive(file: Any) -> tuple[Path, str]:
    """Write what comes to a temporary file, and no more than the largest that is ever taken."""
    folder = Path(settings.EVIDENCE_DIR) / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, size, digest = folder / secrets.token_hex(16), 0, sha256()
    try:
        with path.open("xb") as out:
            for piece in _chunks(file):
                size += len(piece)
                if size > LARGEST:
                    raise refused(413, "too_large", "file", "at most %(most)s MB", most=LARGEST // MEGABYTE)
                digest.update(piece)
                out.write(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if not size:
        path.unlink(missing_ok=True)
        raise refused(415, "wrong_type", "file", "The file is empty; choose it again")
    return path, digest.hexdigest()


def _kind(path: Path, name: str) -> Kind:
    kind = sniffing.kind_of(path)
    if kind is not None and not kind.image and Path(name).suffix.lower() in PICTURES:
        kind = None  # a text or a paper under a photo's name stands for no photo
    if kind is None:
        if sniffing.says_heic(path):
            needs = "HEIC photos are not shown by browsers: set the camera to “most compatible” (JPEG)"
        else:
            needs = f"This kind of file is not taken; {sniffing.ACCEPTED} are"
        raise refused(415, "wrong_type", "file", needs)
    size = path.stat().st_size
    if size > kind.most:
        said = f"{size / MEGABYTE:.0f} MB are too large: a file of this kind may have at most {kind.most // MEGABYTE} MB"
        raise refused(413, "too_large", "file", said)
    return kind


def _picture(path: Path, kind: Kind) -> dict[str, Any]:
    """Measure the picture, read its facts, and put the file without them in its place."""
    try:
        photos.measure(path)
        known = photos.facts(path)
        path.write_bytes(photos.strip(path, kind.media_type))
        width, height = photos.measure(path)
    except photos.Unreadable as error:
        raise refused(415, "wrong_type", "file", str(error)) from error
    return {"position": known, "width": width, "height": height}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _settle(temporary: Path, target: Path) -> None:
    """Move the file to its place, durably; one that is there already stays."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o440)
    temporary.replace(target)
    files.sync_folder(target.parent)
