"""A confidential matter does not exist for anybody but its readers: not by id, number, list, search, count or lineage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui.ledger import doors, reading
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case
from fengsui.moment import now as present
from tests.integration.ledger.test_doors import site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(db: None) -> Small:
    return build(present())


@pytest.fixture
def secret(small: Small) -> Case:
    """An accountability lead, whose readers are the top office and the league's safety commission."""
    signal = Actor(kind="clock", name="any", office=small.county.pk)
    receipt = doors.open("accountability_lead", "lead", {}, signal, site(small), key="", now=present())
    return Case.objects.get(pk=receipt.case)


def test_only_readers_see_it(small: Small, secret: Case) -> None:
    assert secret.confidential and secret.readers
    for office, people in small.people.items():
        acting = people[0].acting
        seen = secret in reading.cases([acting])
        assert seen == (acting.office_id in secret.readers), office
        assert (reading.find([acting], str(secret.pk)) is not None) == seen
        assert (secret in reading.search(reading.cases([acting]), secret.title)) == seen
        assert any(line.case == secret for line in reading.desk([acting], present())) in (False, seen)


def test_the_door_answers_as_if_it_did_not_exist(small: Small, secret: Case) -> None:
    outsider = small.one("county")
    assert outsider.acting.office_id not in secret.readers
    with pytest.raises(Refused) as caught:
        doors.act(str(secret.pk), Call("drop", outsider.actor, {"decision": "无"}), now=present() + timedelta(minutes=1))
    assert caught.value.status == 404


@pytest.mark.parametrize("path", ["", "/entries", "/acts"])
def test_every_address_answers_404(small: Small, secret: Case, path: str) -> None:
    client, who = Client(), small.one("county")
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    post: dict[str, Any] = {"X-Acting-Post": str(who.post.pk)}
    answer = client.get(f"/api/cases/{secret.pk}{path}", headers=post)
    nothing = client.get(f"/api/cases/00000000-0000-4000-8000-000000000000{path}", headers=post)
    assert answer.status_code == nothing.status_code == 404
    assert answer.content == nothing.content
    assert secret.title not in client.get("/api/cases", headers=post).content.decode()
