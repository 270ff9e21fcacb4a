"""What a photo says besides its picture: read as facts, then taken out of the file."""

from __future__ import annotations

import re
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageOps

MOST_PIXELS = 80_000_000
THUMBNAIL = 480
"""Longest side of a thumbnail in pixels."""


class Unreadable(Exception):
    """The picture cannot be opened, or is larger than a picture should be."""


def measure(path: Path) -> tuple[int, int]:
    """(width, height) in pixels, after checking that the whole picture can be read. Raises ``Unreadable``."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                most = MOST_PIXELS // 1_000_000
                raise Unreadable(f"The picture has {width} × {height} pixels; at most {most} million are taken")
            picture.load()
            return width, height
    except Unreadable:
        raise
    except Exception as error:  # Pillow raises whatever it stumbles over
        raise Unreadable("The picture is damaged and cannot be opened; take or export it again") from error


def facts(path: Path) -> dict[str, Any] | None:
    """Where and when it was taken by the camera's own word: ``{lon, lat, alt, at}`` as far as they are there (WGS 84, metres)."""
    try:
        with Image.open(path) as picture:
            exif = picture.getexif()
            gps: dict[int, Any] = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
            taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    except Exception:  # Pillow raises whatever it stumbles over, and damaged facts are none
        return None
    found: dict[str, Any] = {}
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    if lat is not None and lon is not None:
        found |= {"lon": lon, "lat": lat}
        if (alt := _number(gps.get(ExifTags.GPS.GPSAltitude))) is not None:
            below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
            found["alt"] = -alt if below else alt
    if at := _time(taken):
        found["at"] = at
    return found or None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return round(number, 6) if number == number and abs(number) < 1e7 else None


def _degrees(value: Any, reference: Any, negative: str, most: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    angle = degrees + minutes / 60 + seconds / 3600
    if not 0 <= angle <= most:  # NaN too
        return None
    return round(-angle if str(reference).strip("\x00 ") == negative else angle, 7)


def _time(value: Any) -> str | None:
    """EXIF's local time without zone, as ISO text; the camera's clock is nobody's evidence of more."""
    try:
        return datetime.strptime(str(value).strip("\x00 "), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - EXIF has no zone
    except ValueError:
        return None


def strip(path: Path, media_type: str) -> bytes:
    """The picture's bytes without what the camera wrote: losslessly where it stands upright, else turned and coded anew."""
    data = path.read_bytes()
    if not _turned(path):
        if media_type == "image/jpeg":
            return _jpeg_without(data)
        if media_type == "image/png":
            return _png_without(data)
    return _coded_anew(path, media_type)


def _turned(path: Path) -> bool:
    """Whether the camera's facts say that the picture lies on its side; damaged ones say nothing."""
    try:
        with Image.open(path) as picture:
            return bool(picture.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    except Exception:  # Pillow raises whatever it stumbles over
        return False


_NEXT = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""What ends a scan: a marker that is neither a stuffed byte nor a restart."""
_EOI, _SOS = 0xD9, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length


def _jpeg_without(data: bytes) -> bytes:
    """Drop comments and application segments but JFIF, the colour profile and Adobe's colour transform.

    The file ends with its first picture: phones put more behind it, a second picture with facts of its own or a film.
    """
    kept, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _EOI:
        marker = data[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if _belongs(marker, data[at:end]):
            kept.append(data[at:end])
        at = end
        if marker == _SOS:
            found = _NEXT.search(data, at)
            end = found.start() if found else len(data)
            kept.append(data[at:end])
            at = end
    return b"".join([*kept, b"\xff\xd9"])


def _belongs(marker: int, segment: bytes) -> bool:
    """Whether the picture cannot be drawn rightly without the segment; a small picture beside JFIF is none of it."""
    if marker == 0xE0:
        return segment[4:9] == b"JFIF\x00"
    if marker == 0xE2:
        return segment[4:16] == b"ICC_PROFILE\x00"
    return marker == 0xEE or not (0xE0 <= marker <= 0xEF or marker == 0xFE)


_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs", b"sBIT", b"bKGD"}


def _png_without(data: bytes) -> bytes:
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        kind = data[at + 4 : at + 8]
        if kind in _PNG_KEPT:
            kept.append(data[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            break
    return b"".join(kept)


def _coded_anew(path: Path, media_type: str) -> bytes:
    import io

    out = io.BytesIO()
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture)
        clean = upright.copy()
        clean.info = {"icc_profile": upright.info["icc_profile"]} if upright.info.get("icc_profile") else {}
        name = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}[media_type]
        options: dict[str, Any] = {} if name == "PNG" else {"quality": 95}
        clean.save(out, name, **options)
    return out.getvalue()


def thumbnail(path: Path, to: Path) -> None:
    """Write a small JPEG of the picture."""
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        small.save(to, "JPEG", quality=80)
