"""What a page says to somebody whose post is right but whose place is not, and of the people on a call list."""

from __future__ import annotations

import pytest
from django.test import Client

from fengsui import moment
from fengsui.ledger import notices
from fengsui.ledger.models import Case
from fengsui.region.models import Contact
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db


def of(who: Somebody) -> Client:
    client = Client(headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": "zh-Hans"})
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def warning(small: Small) -> dict[str, str]:
    return {"title": "大风", "site": str(small.site.pk), "hazard_kind": "other", "colour": "red", "key": "k"}


def test_a_refused_opening_names_the_office_that_may(small: Small) -> None:
    answer = of(small.one("top")).post("/cases/new/warning/by_person/", warning(small))
    assert answer.status_code == 403
    assert "该对象由以下机构办理：甲旗局。" in answer.content.decode()
    assert "大风" in answer.content.decode()  # what was typed stays


def test_a_call_list_says_who_the_people_are(small: Small) -> None:
    Contact.objects.create(
        office=small.plant, name="刘洋", title_zh="中控值班", title_en="Control room", phone="0472-555-0126", order=1
    )
    client = of(small.one("county"))
    assert client.post("/cases/new/warning/by_person/", warning(small)).status_code == 302
    case = str(Case.objects.get().pk)
    notices.list_calls(case, "entry:1", small.plant.pk, exercise=False, now=moment.now())
    page = client.get(f"/cases/{case}/").content.decode()
    assert "中控值班·示例化工" in page
