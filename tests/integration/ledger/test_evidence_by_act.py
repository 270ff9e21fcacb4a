"""A photo that is too large or no photo, sent with an act by an officer: the right status and sentence, nothing changed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from fengsui.ledger import doors
from fengsui.ledger.models import Case, Entry, Evidence, Notice, Outbox
from fengsui.moment import now as present
from tests.integration.ledger.test_doors import site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db

FIFTY_MEGABYTES = b"\xff\xd8\xff" + bytes(50_000_000)
BAD = [(FIFTY_MEGABYTES, "big.jpg", 413, "20 MB"), (b"MZ\x90\x00 a program", "a.jpg", 415, "JPEG")]


@pytest.fixture
def small(db: None) -> Small:
    return build(present())


@pytest.fixture
def case(small: Small) -> Case:
    who = small.one("county").actor
    return Case.objects.get(
        pk=doors.open("hazard", "found_here", {"finding": "阀门关闭"}, who, site(small), key="", now=present()).case
    )


def officer(small: Small) -> tuple[Client, dict[str, Any]]:
    client, who = Client(), small.one("county")
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client, {"X-Acting-Post": str(who.post.pk), "Accept-Language": "en"}


def everything() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Case, Entry, Evidence, Notice, Outbox))


@pytest.mark.parametrize(("data", "name", "status", "said"), BAD, ids=["too large", "a program"])
def test_by_the_api(small: Small, case: Case, data: bytes, name: str, status: int, said: str) -> None:
    client, headers = officer(small)
    before = everything()
    answer = client.post("/api/evidence", {"file": SimpleUploadedFile(name, data, "image/jpeg")}, headers=headers)
    assert answer.status_code == status, answer.content[:300]
    assert answer["Content-Type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert everything() == before


@pytest.mark.parametrize(("data", "name", "status", "said"), BAD, ids=["too large", "a program"])
def test_by_the_raise_form_what_was_typed_stays(small: Small, case: Case, data: bytes, name: str, status: int, said: str) -> None:
    client, headers = officer(small)
    before = everything()
    answer = client.post(
        "/cases/new/hazard/found_here/",
        {
            "site": small.site.pk, "post": small.one("county").post.pk, "key": str(uuid.uuid4()),
            "title": "液氨储罐", "finding": "安全阀根部阀关闭",
            "photos": SimpleUploadedFile(name, data, "image/jpeg"),
        },
        headers=headers,
    )  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == status, page[:300]
    assert said in page and "安全阀根部阀关闭" in page
    assert everything() == before
