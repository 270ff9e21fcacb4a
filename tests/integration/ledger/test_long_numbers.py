"""Numbers of thousands of digits, a file that is not taken, a title of two lines: answered, never a fault of ours."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui.ledger import bulk
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.models import Case, SavedView
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


def test_a_view_s_name_is_refused_where_it_is_too_long_and_never_cut(client: Client) -> None:
    answer = client.post("/cases/views/", {"name": "n" * 41, "query": "state=x"}, follow=True)
    assert "The name of a view has at most 40 characters" in answer.content.decode()
    assert not SavedView.objects.exists()
    client.post("/cases/views/", {"name": "n" * 40, "query": "state=x"})
    assert SavedView.objects.get().name == "n" * 40


def test_a_view_s_filters_are_refused_where_they_are_too_long_and_never_cut(client: Client) -> None:
    answer = client.post("/cases/views/", {"name": "long", "query": "q=" + "x" * 499}, follow=True)
    assert "The filters of a view have at most 500 characters" in answer.content.decode()
    assert answer.redirect_chain[0][0].endswith("x" * 499) and not SavedView.objects.exists()
    client.post("/cases/views/", {"name": "long", "query": "q=" + "x" * 498})
    assert SavedView.objects.get().query == "q=" + "x" * 498


def test_the_end_of_a_line_counts_one_as_the_page_says(client: Client, small: Small) -> None:
    from tests.integration.ledger.test_doors import found

    case = found(small).case
    words = "停\n" * 2000  # 4000 as the page counts, 6000 as a browser sends them
    given = {"interim_control": words.replace("\n", "\r\n") + "用", "seq": "1", "key": "k"}
    assert client.post(f"/cases/{case}/act/order_interim/", given).status_code == 422, "one more than there is room for"
    given["interim_control"] = words.replace("\n", "\r\n")
    assert client.post(f"/cases/{case}/act/order_interim/", given).status_code == 302
    assert Case.objects.get(pk=case).fields["interim_control"] == words.strip()


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
