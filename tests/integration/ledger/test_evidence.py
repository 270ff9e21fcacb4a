"""The evidence store: what is taken, what is refused and why, and what is left in the file."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from fengsui.ledger import evidence
from fengsui.ledger.doors import Refused
from fengsui.ledger.evidence import photos
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Evidence
from tests.integration.ledger.conftest import NOW

pytestmark = pytest.mark.django_db

WHO = Actor("person", person=7, office=3)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings) -> Path:
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    return settings.EVIDENCE_DIR


def photo(form: str = "JPEG", *, size: tuple[int, int] = (640, 400), orientation: int = 1, gps: bool = True) -> bytes:
    picture = Image.effect_noise(size, 60).convert("RGB")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SECRETPHONE"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:24 11:02:03"
    if gps:
        where = exif.get_ifd(ExifTags.IFD.GPSInfo)
        where[ExifTags.GPS.GPSLatitudeRef], where[ExifTags.GPS.GPSLatitude] = "N", (40.0, 36.0, 18.0)
        where[ExifTags.GPS.GPSLongitudeRef], where[ExifTags.GPS.GPSLongitude] = "E", (109.0, 54.0, 36.0)
        where[ExifTags.GPS.GPSAltitude] = 1030.5
    out = io.BytesIO()
    picture.save(out, form, exif=exif)
    return out.getvalue()


def upload(data: bytes, name: str = "a.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def refusal(data: bytes, name: str = "a.jpg") -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        evidence.store(upload(data, name), WHO, NOW)
    return caught.value.status, caught.value.refusals[0].needs


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_keeps_its_facts_and_loses_what_the_camera_wrote(form: str) -> None:
    data = photo(form)
    kept = evidence.store(upload(data, "现场.jpg"), WHO, NOW)
    assert kept.position == {"lon": 109.91, "lat": 40.605, "alt": 1030.5, "at": "2026-11-24T11:02:03"}
    stored = evidence.path_of(kept.digest).read_bytes()
    assert b"SECRETPHONE" not in stored
    assert photos.facts(evidence.path_of(kept.digest)) is None
    with Image.open(io.BytesIO(stored)) as after, Image.open(io.BytesIO(data)) as before:
        assert after.size == before.size
        if form != "WEBP":
            assert after.tobytes() == before.tobytes(), "the picture itself is untouched"
    assert (kept.width, kept.height, kept.thumbnail) == (640, 400, True)
    assert kept.received_digest != kept.digest
    assert sha256(stored).hexdigest() == kept.digest
    with Image.open(evidence.path_of(kept.digest).with_suffix(".small.jpg")) as small:
        assert max(small.size) == photos.THUMBNAIL


def test_a_turned_photo_stands_upright() -> None:
    kept = evidence.store(upload(photo(orientation=6)), WHO, NOW)
    assert (kept.width, kept.height) == (400, 640)


def test_the_same_content_is_kept_once(folder: Path) -> None:
    data = photo()
    first, second = (evidence.store(upload(data, name), WHO, NOW) for name in ("a.jpg", "b.jpg"))
    assert first == second
    assert first.name == "a.jpg"
    assert not list((folder / "incoming").iterdir())


def test_a_photo_of_50_megabytes_is_too_large() -> None:
    status, why = refusal(photo() + bytes(50_000_000))
    assert status == 413
    assert "at most 20 MB" in why
    assert Evidence.objects.count() == 0


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ\x90\x00 program", "photo.jpg"),
        (b"plain words under a photo's name", "photo.JPG"),
        (b"<html><script>alert(1)</script>", "note.txt"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png"),
        (b"\xff\xd8\xff\xe0 cut off", "a.jpg"),
        (b"", "a.jpg"),
        (b"GIF89a....", "a.gif"),
    ],
)
def test_a_wrong_kind_is_refused_whatever_its_name(data: bytes, name: str, folder: Path) -> None:
    status, why = refusal(data, name)
    assert status == 415
    assert why
    assert not list((folder / "incoming").iterdir())


def test_papers_are_taken_by_their_content() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("word/document.xml", "<w/>")
    assert evidence.store(upload(archive.getvalue(), "x.bin"), WHO, NOW).media_type.endswith("wordprocessingml.document")
    assert evidence.store(upload(b"%PDF-1.7 ...", "x"), WHO, NOW).media_type == "application/pdf"
    assert evidence.store(upload("现场记录".encode("gb18030"), "x.txt"), WHO, NOW).media_type == "text/plain"
    assert "JPEG" in refusal(b"\x00\x00\x00\x18ftypheic" + bytes(20))[1]


def test_a_picture_with_too_many_pixels_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (20000, 5000)).save(out, "PNG")
    assert refusal(out.getvalue(), "bomb.png")[0] == 415


def test_answers_are_never_run(client) -> None:
    kept = evidence.store(upload(photo(), "现场照片.jpg"), WHO, NOW)
    for small in (False, True):
        answer = evidence.response(kept, small=small)
        assert answer["Content-Type"] == "image/jpeg"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        answer.close()
    evidence.path_of(kept.digest).unlink()
    assert evidence.response(kept).status_code == 410


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_photos_never_break_the_store(data: st.DataObject) -> None:
    whole = bytearray(_SMALL)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(3, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(3, len(whole)))])
    try:
        kept = evidence.store(upload(cut), WHO, NOW)
    except Refused as error:
        assert error.status == 415
    else:
        assert b"SECRETPHONE" not in evidence.path_of(kept.digest).read_bytes()


_SMALL = photo(size=(24, 16))
