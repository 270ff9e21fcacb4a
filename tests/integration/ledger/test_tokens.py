"""Tokens by the command, and files by the API."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from fengsui.ledger import tokens
from fengsui.moment import now as present
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(db: None) -> Small:
    return build(present())


def made(small: Small, *, ends: bool = False, user: str = "") -> tuple[int, str]:
    out = io.StringIO()
    code = tokens.main(user or small.one("county").account.username, None, "feed", 7, ends, present(), out)
    return code, out.getvalue()


def picture() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (40, 30), (1, 2, 3)).save(kept, "JPEG")
    return kept.getvalue()


def test_a_program_acts_by_a_token_until_it_is_ended(small: Small) -> None:
    code, said = made(small)
    secret = said.splitlines()[0]
    assert code == 0
    header = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/cases", headers=header).status_code == 200
    assert tokens.acting_of_token(secret, present() + timedelta(days=8)) is None
    assert made(small, ends=True) == (0, "1 tokens ended.\n")
    assert Client().get("/api/cases", headers=header).status_code == 401


def test_nobody_gets_no_token(small: Small) -> None:
    assert made(small, user="nobody")[0] == 1


def test_a_program_brings_a_photo_and_names_it_in_an_act(small: Small, settings: object, tmp_path: object) -> None:
    settings.EVIDENCE_DIR = tmp_path  # type: ignore[attr-defined]
    header = {"Authorization": f"Bearer {made(small)[1].splitlines()[0]}"}
    sent = SimpleUploadedFile("valve.jpg", picture(), "image/jpeg")
    answer = Client().post("/api/evidence", {"file": sent}, headers=header)
    assert answer.status_code == 201, answer.content
    digest = answer.json()["digest"]
    body = {
        "mechanism": "hazard", "act": "found_here", "about": {"kind": "site", "id": str(small.site.pk), "title": "t"},
        "values": {"finding": "seen", "photos": [digest]},
    }  # fmt: skip
    opened = Client().post("/api/cases", body, content_type="application/json", headers={**header, "Idempotency-Key": "k1"})
    assert opened.status_code == 201, opened.content


def test_a_wrong_kind_and_a_missing_file_are_told(small: Small, settings: object, tmp_path: object) -> None:
    settings.EVIDENCE_DIR = tmp_path  # type: ignore[attr-defined]
    header = {"Authorization": f"Bearer {made(small)[1].splitlines()[0]}"}
    wrong = SimpleUploadedFile("run.exe", b"MZ\x90\x00" * 40, "application/octet-stream")
    answer = Client().post("/api/evidence", {"file": wrong}, headers=header)
    assert answer.status_code == 415
    assert answer["Content-Type"].startswith("application/problem+json")
    assert Client().post("/api/evidence", {}, headers=header).status_code == 422
    assert Client().post("/api/evidence", {"file": wrong}).status_code == 401
