"""Ways in and ways to lose data that an intruder tried, each closed."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from fengsui.ledger import doors, evidence, mechanisms, registry, tables
from fengsui.ledger.doors import About, Refused, wellformed
from fengsui.ledger.doors.held import Held
from fengsui.ledger.evidence import theirs as theirs_
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.kernel.shapes import Case as Kernel
from fengsui.ledger.models import Case, Evidence, MechanismVersion
from fengsui.ledger.reading import sealed
from fengsui.moment import now as present
from fengsui.region.tree import steady, tree
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
    mine = doors.open(
        "hazard", "found_here", {"finding": "阀门"}, small.one("county").actor, _site(small, "自己的"), key="", now=NOW
    )
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
    about = _site(small, "\x07=1+1\x1f泄漏")
    doors.open("hazard", "found_here", {"finding": "阀门"}, small.one("county").actor, about, key="", now=NOW)
    answer = signed_in(small.one("county")).get("/cases/export.xlsx", {"q": "", "open": "all"})
    assert answer.status_code == 200
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    line = [cell.value for cell in sheet[5]]
    assert any(str(text).endswith("=1+1泄漏") for text in line)
    assert "'" not in line, "an empty cell stays empty"
    assert signed_in(small.one("county")).get("/cases/export.xlsx", {"q": "a\x01b"}).status_code == 200


def test_words_that_begin_like_a_formula_are_words() -> None:
    assert [tables.harmless(text) for text in ("", "=1", "+86", "-", "@x", "a=1")] == ["", "'=1", "'+86", "'-", "'@x", "a=1"]


# ------------------------------------------------------------- files by their digest


def reported(small: Small, title: str = "氨味") -> tuple[str, str]:
    """A report of the public with a photo: (case, digest)."""
    sent = evidence.store(SimpleUploadedFile("a.jpg", photo()), PUBLIC, NOW, name="photo 1")
    values = {"finding": "阀门漏氨", "reporter_code": "R1", "photos": [sent.digest]}
    return doors.open("hazard", "public_report", values, PUBLIC, _site(small, title), key="", now=NOW).case, sent.digest


def test_a_plant_does_not_open_a_reporters_photo_by_naming_it_in_a_case_of_its_own(small: Small) -> None:
    case, digest = reported(small)
    plant, said = small.one("plant"), {"finding": "自查", "photos": [digest]}
    assert sealed.file_of(Case.objects.get(pk=case), digest, plant.acting, NOW) is None
    with pytest.raises(Refused) as caught:
        doors.open("hazard", "self_reported", said, plant.actor, _site(small, "自查"), key="", now=LATER)
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "photos")


def test_nor_does_an_officer_of_another_county(small: Small) -> None:
    _case, digest = reported(small)
    about = About("place", "150203", "150203", "hazchem", "库房")
    with pytest.raises(Refused) as caught:
        values = {"finding": "库房", "photos": [digest]}
        doors.open("hazard", "found_here", values, small.one("other").actor, about, key="", now=LATER)
    assert caught.value.status == 422


def test_whoever_may_open_a_file_or_sent_it_in_hands_it_on(small: Small) -> None:
    _case, digest = reported(small)
    values = {"finding": "同一处", "photos": [digest]}
    doors.open("hazard", "found_here", values, small.one("county").actor, _site(small, "同一处"), key="", now=LATER)
    paper, far = SimpleUploadedFile("a.txt", "同一份文件".encode()), small.one("other").actor
    first = evidence.store(paper, small.one("county").actor, NOW)
    held = {"finding": "附件", "photos": [first.digest]}
    doors.open("hazard", "found_here", held, small.one("county").actor, _site(small, "附件"), key="", now=LATER)
    about = About("place", "150203", "150203", "hazchem", "库房")
    with pytest.raises(Refused):
        doors.open("hazard", "found_here", held, far, about, key="", now=LATER)
    evidence.store(SimpleUploadedFile("a.txt", "同一份文件".encode()), far, LATER)
    doors.open("hazard", "found_here", held, far, about, key="", now=LATER)


def test_a_file_that_no_case_carries_yet_is_its_uploaders_alone(small: Small) -> None:
    mine, theirs = small.one("county").actor, small.one("county", 1).actor
    sent = evidence.store(SimpleUploadedFile("a.jpg", photo()), mine, NOW)
    values = {"finding": "阀门", "photos": [sent.digest]}
    with pytest.raises(Refused) as caught:
        doors.open("hazard", "found_here", values, theirs, _site(small, "甲"), key="", now=LATER)
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "photos")
    unknown = {**values, "photos": ["0" * 64]}
    with pytest.raises(Refused) as nowhere:
        doors.open("hazard", "found_here", unknown, theirs, _site(small, "甲"), key="", now=LATER)
    assert nowhere.value.refusals == caught.value.refusals, "whether it is there is not said"
    doors.open("hazard", "found_here", values, mine, _site(small, "乙"), key="", now=LATER)
    doors.open("hazard", "found_here", values, theirs, _site(small, "丙"), key="", now=LATER)


def test_however_many_cases_carry_a_file_it_is_asked_for_once(small: Small) -> None:
    mine, theirs = small.one("county").actor, small.one("county", 1).actor
    sent = evidence.store(SimpleUploadedFile("a.jpg", photo()), mine, NOW)
    for number in range(6):
        values = {"finding": "阀门", "photos": [sent.digest]}
        doors.open("hazard", "found_here", values, mine, _site(small, f"第{number}处"), key="", now=LATER)
    case = str(Case.objects.earliest("opened_at").pk)
    known = frozenset({sent.digest})

    def asked(who: Actor, here: str) -> tuple[int, int]:
        """How many of the files are theirs, and in how many statements a door finds that out."""
        with steady():
            tree()
            with CaptureQueriesContext(connection) as queries:
                return len(theirs_.among(known, here, who, LATER)), len(queries)

    elsewhere = str(uuid.uuid4())
    assert asked(mine, elsewhere) == (1, 1)
    assert asked(theirs, elsewhere) == (1, 2)
    assert asked(small.one("other").actor, elsewhere) == (0, 2)
    with connection.cursor() as cursor:  # as no door does it: the guards are off
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_case SET version_id = %s", [_sealed_photos().digest])
        cursor.execute("SET LOCAL session_replication_role = origin")
    asked(theirs, case)  # reads the wording once
    assert asked(theirs, case) == (0, 5)
    assert asked(small.one("other").actor, elsewhere) == (0, 2)


def _sealed_photos() -> MechanismVersion:
    """The hazard's mechanism with its photos sealed to finance."""
    now = MechanismVersion.objects.get(name="hazard", current=True)
    fields = {**now.source["fields"], "photos": {**now.source["fields"]["photos"], "sealed": ["finance"]}}
    source = {**now.source, "fields": fields}
    return MechanismVersion.objects.create(
        digest=load.mechanism(source, registry.names().with_old_effects(), "sealed", titles=True).digest,
        name="hazard", number=99, source=source, stored_at=NOW, current=False,
    )  # fmt: skip


def test_a_file_erased_by_law_is_not_named_again(small: Small) -> None:
    sent = evidence.store(SimpleUploadedFile("a.jpg", photo()), small.one("county").actor, NOW)
    Evidence.objects.filter(pk=sent.pk).update(erased_at=NOW)
    with pytest.raises(Refused) as caught:
        values = {"finding": "x", "photos": [sent.digest]}
        doors.open("hazard", "found_here", values, small.one("county").actor, _site(small, "x"), key="", now=LATER)
    assert caught.value.status == 422


def test_nor_by_what_several_children_are_to_hold(small: Small) -> None:
    _case, digest = reported(small)
    held = Held(mechanisms.current("warning"), Kernel("1", "warning", "v", 1, "issued"), {})
    values = {"hazard": [{"finding": "泄漏"}, {"finding": "泄漏", "photos": [digest]}]}
    with pytest.raises(Refused) as caught:
        wellformed.demand_there(held, values, LATER, small.one("other").actor)
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "photos")
