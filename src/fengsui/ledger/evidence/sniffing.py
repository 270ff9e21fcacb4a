"""What a file really is, by its first bytes; names and declared types are not believed."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is accepted. ``most`` is its largest size in bytes."""

    media_type: str
    suffix: str
    most: int
    image: bool = False


MEGABYTE = 1_000_000
_IMAGE, _PAPER, _FILM = 20 * MEGABYTE, 30 * MEGABYTE, 200 * MEGABYTE

JPEG = Kind("image/jpeg", ".jpg", _IMAGE, image=True)
PNG = Kind("image/png", ".png", _IMAGE, image=True)
WEBP = Kind("image/webp", ".webp", _IMAGE, image=True)
PDF = Kind("application/pdf", ".pdf", _PAPER)
DOCX = Kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx", _PAPER)
XLSX = Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", _PAPER)
OFD = Kind("application/ofd", ".ofd", _PAPER)
MP4 = Kind("video/mp4", ".mp4", _FILM)
MOV = Kind("video/quicktime", ".mov", _FILM)
M4A = Kind("audio/mp4", ".m4a", _PAPER)
MP3 = Kind("audio/mpeg", ".mp3", _PAPER)
TEXT = Kind("text/plain", ".txt", 5 * MEGABYTE)

ACCEPTED = "JPEG, PNG, WebP, PDF, OFD, DOCX, XLSX, MP4, MOV, M4A, MP3, TXT"
_BRANDS = {b"isom": MP4, b"iso2": MP4, b"mp41": MP4, b"mp42": MP4, b"avc1": MP4, b"M4V ": MP4, b"qt  ": MOV, b"M4A ": M4A}
_INSIDE = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX, "OFD.xml": OFD}


def kind_of(path: Path) -> Kind | None:
    """The kind of the file at ``path``; None where it is none that is accepted."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"%PDF-"):
        return PDF
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    if head.startswith(b"ID3") or head[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
        return MP3
    if head.startswith(b"PK\x03\x04"):
        return _in_zip(path)
    return TEXT if head and _is_text(path) else None


def _in_zip(path: Path) -> Kind | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return None
    return next((kind for name, kind in _INSIDE.items() if name in names), None)


def _is_text(path: Path) -> bool:
    if path.stat().st_size > TEXT.most:
        return False
    data = path.read_bytes()
    if data.lstrip()[:1] == b"<" or data.startswith((b"GIF8", b"BM")):  # markup would run in a browser
        return False
    if any(byte < 32 and byte not in b"\t\r\n" for byte in data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            data.decode("gb18030")
        except UnicodeDecodeError:
            return False
    return True


def says_heic(path: Path) -> bool:
    """Whether it is a HEIC photo, which phones make and browsers do not show."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc")
