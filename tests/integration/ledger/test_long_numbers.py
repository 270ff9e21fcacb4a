"""Numbers of thousands of digits, a file that is not taken, a title of two lines: answered, never a fault of ours."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui.ledger import bulk
from fengsui.ledger.doors.shapes import refused
from tests.small_region import Small

pytestmark = pytest.mark.django_db

LONG = "9" * 5000  # Python refuses to read more than 4,300 digits


@pytest.fixture
def client(small: Small) -> Client:
    who = small.one("county")
    one = Client(headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": "en"})
    one.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return one


@pytest.mark.parametrize(
    "path",
    [
        "/cases/?page={}", "/cases/?q=x&page={}", "/cases/?site={}", "/cases/new/hazard/found_here/?site={}",
        "/alarms/?part=rows&page={}", "/alarms/?page={}", "/alarms/?site={}", "/sites/?page={}", "/offices/?below={}",
        "/notices/?page={}", "/change/?office={}",
    ],
)  # fmt: skip
def test_a_number_too_long_to_be_one_is_none(client: Client, path: str) -> None:
    assert client.get(path.format(LONG)).status_code in (200, 302, 404)


def test_a_site_page_too(client: Client, small: Small) -> None:
    assert client.get(f"/sites/{small.site.code}/?hours={LONG}").status_code == 200


def test_forgetting_a_view_too(client: Client) -> None:
    assert client.post("/cases/views/", {"forget": LONG}).status_code in (302, 404, 422)


def test_a_file_that_is_not_taken_is_told_on_the_form_for_several_cases(
    client: Client, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.integration.ledger.test_doors import found

    case = found(small).case

    def refuse(*_: object) -> None:
        raise refused(415, "file_type", "photos", "This file is no photo")

    monkeypatch.setattr(bulk, "_do", refuse)
    answer = client.post("/cases/bulk/", {"case": case, "act": "order_interim", "interim_control": "停用二号罐", "key": "k"})
    assert answer.status_code == 415
    assert "停用二号罐" in answer.content.decode()
