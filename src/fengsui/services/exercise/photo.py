"""A photo for the exercise: drawn, marked as such, with the position a phone's camera would write."""

from __future__ import annotations

import io
from datetime import datetime

from PIL import Image, ImageDraw

from fengsui.moment import LEGAL_ZONE


def _degrees(value: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds, as EXIF wants them."""
    whole = int(value)
    minutes = int((value - whole) * 60)
    return float(whole), float(minutes), round(((value - whole) * 60 - minutes) * 60, 2)


def taken(lon: float, lat: float, now: datetime, mark: str) -> bytes:
    """A JPEG of 960 × 720: a valve with its seal, the word 演练's plain twin EXERCISE, time and position (EXIF 2.3 GPS)."""
    picture = Image.new("RGB", (960, 720), "#cfd5db")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 520, 960, 720), fill="#b3bac2")
    pen.rectangle((60, 330, 900, 400), fill="#8a949f", outline="#4d5661", width=4)
    for left, right in ((430, 480), (530, 480)):
        pen.polygon([(left, 310), (left, 420), (right, 365)], fill="#68727d", outline="#363d45")
    pen.rectangle((472, 200, 488, 365), fill="#4d5661")
    pen.ellipse((400, 170, 560, 230), outline="#30363d", width=14)
    pen.ellipse((500, 400, 540, 440), fill="#d8dce1", outline="#30363d", width=4)
    when = now.astimezone(LEGAL_ZONE)
    pen.text((40, 40), f"EXERCISE {mark}", fill="#171b21", font_size=30)
    pen.text((40, 650), f"{when:%Y-%m-%d %H:%M:%S}  {lon:.5f} E  {lat:.5f} N", fill="#171b21", font_size=30)
    exif = Image.Exif()
    exif[0x0132] = f"{when:%Y:%m:%d %H:%M:%S}"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", _degrees(lat), "E", _degrees(lon)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=84, exif=exif)
    return out.getvalue()
