"""Ways in and ways to lose data that an intruder tried, each closed."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from fengsui.ledger import doors, evidence, tables
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case
from fengsui.ledger.reading import sealed
from fengsui.moment import now as present
from tests.integration.ledger.test_doors import do
from tests.integration.ledger.test_evidence import photo
from tests.small_region import Small, Somebody, build

pytestmark = pytest.mark.django_db

NOW = present()
LATER = NOW + timedelta(minutes=5)
PUBLIC = Actor(kind="public")


@pytest.fixture
def small(db: None) -> Small:
    return build(NOW)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def signed_in(who: Somebody) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


# ------------------------------------------------------------------------ photos


def test_a_second_picture_behind_the_first_goes_with_its_facts(small: Small) -> None:
    """Phones put a second picture behind a photo, with a camera, a time and a position of its own."""
    first, second = photo(), photo()
    kept = evidence.store(SimpleUploadedFile("a.jpg", first + second + b"tail"), small.one("county").actor, NOW)
    data = evidence.path_of(kept.digest).read_bytes()
    assert b"SECRETPHONE" not in data and b"tail" not in data and data.count(b"\xff\xd8\xff") == 1
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()


def test_a_progressive_photo_stays_whole_without_what_stands_between_its_scans(small: Small) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(out, "JPEG", progressive=True, quality=70)
    drawn = out.getvalue()
    scan = drawn.rindex(b"\xff\xda")
    dirty = drawn[:scan] + b"\xff\xfe\x00\x0cSECRETWORD" + drawn[scan:]
    kept = evidence.store(SimpleUploadedFile("a.jpg", dirty), small.one("county").actor, NOW)
    data = evidence.path_of(kept.digest).read_bytes()
    assert b"SECRETWORD" not in data
    with Image.open(io.BytesIO(data)) as mine, Image.open(io.BytesIO(drawn)) as theirs:
        assert mine.convert("RGB").tobytes() == theirs.convert("RGB").tobytes()


# ------------------------------------------------------------------------- names


def test_an_id_in_an_address_tells_no_title_of_anothers_case(small: Small) -> None:
    mine = doors.open("hazard", "found_here", {"finding": "阀门"}, small.one("county").actor, _site(small, "自己的"), key="", now=NOW)
    theirs = doors.open(
        "hazard", "found_here", {"finding": "库房"}, small.one("other").actor,
        About("place", "150203", "150203", "hazchem", "他旗的机密"), key="", now=NOW,
    )  # fmt: skip
    client = signed_in(small.one("county"))
    page = client.get(f"/cases/{mine.case}/merge/", {"into": theirs.case})
    assert page.status_code == 200 and "他旗的机密" not in page.content.decode()
    assert client.get(f"/cases/{mine.case}/merge/", {"into": "no id"}).status_code == 200


def _site(small: Small, title: str) -> About:
    return About("site", str(small.site.pk), small.site.place_id, "hazchem", title)


# ------------------------------------------------------------------------ export


def test_no_title_of_the_publics_breaks_the_export_of_a_list(small: Small) -> None:
    opened = doors.open("hazard", "found_here", {"finding": "阀门"}, small.one("county").actor, _site(small, "x"), key="", now=NOW)
    Case.objects.filter(pk=opened.case).update(title_zh="\x07=1+1\x1f泄漏", title_en="")
    answer = signed_in(small.one("county")).get("/cases/export.xlsx", {"q": "", "open": "all"})
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    line = [cell.value for cell in sheet[5]]
    assert "'=1+1泄漏" in line
    assert "'" not in line, "an empty cell stays empty"
    assert signed_in(small.one("county")).get("/cases/export.xlsx", {"q": "a\x01b"}).status_code == 200


def test_words_that_begin_like_a_formula_are_words() -> None:
    assert [tables.harmless(text) for text in ("", "=1", "+86", "-", "@x", "a=1")] == ["", "'=1", "'+86", "'-", "'@x", "a=1"]


