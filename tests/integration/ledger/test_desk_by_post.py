"""The desk joins by post: a paper waits for the post that deals with it, a leader's paper for that leader alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui.ledger import doors, filters, reading
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Call
from fengsui.region.models import Post
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def top(small: Small) -> dict[str, Somebody]:
    """The department's registry clerk, its supervision officer and a leader, each in a post of that work alone."""
    people = dict(zip(("registry", "supervision", "leading"), small.people["top"], strict=True))
    for work, one in people.items():
        Post.objects.filter(pk=one.post.pk).update(duties=[work])
    return people


def waits_for(case: str, who: Somebody) -> bool:
    """Whether it lies on the person's desk, and counts there."""
    acting = who.acting
    shown = any(str(line.case.pk) == case for line in reading.desk([acting], LATER))
    assert shown == reading.waiting([acting], LATER).filter(pk=case).exists()
    return shown


def desks(case: str, top: dict[str, Somebody]) -> set[str]:
    return {work for work, one in top.items() if waits_for(case, one)}


def test_a_paper_moves_from_desk_to_desk_within_one_office(small: Small, top: dict[str, Somebody]) -> None:
    def do(act: str, who: Somebody, **values: Any) -> None:
        doors.act(case, Call(act, who.actor, values), now=LATER)

    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="国办督查通知")
    case = doors.open("instruction", "register", {"paper": "通知"}, top["registry"].actor, about, key="", now=NOW).case
    assert desks(case, top) == {"registry"}
    do("propose", top["registry"], proposal="拟请阅示", leader=top["leading"].person.pk)
    assert desks(case, top) == {"leading"}
    do("instruct", top["leading"], words="请抓好落实", due="2027-01-31")
    assert "supervision" in desks(case, top) and "registry" not in desks(case, top)


def test_another_leader_s_paper_is_not_mine(small: Small, top: dict[str, Somebody]) -> None:
    other = top["supervision"]
    Post.objects.filter(pk=other.post.pk).update(duties=["leading"])
    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="国办督查通知")
    case = doors.open("instruction", "register", {"paper": "通知"}, top["registry"].actor, about, key="", now=NOW).case
    doors.act(case, Call("propose", top["registry"].actor, {"proposal": "阅", "leader": top["leading"].person.pk}), now=LATER)
    assert waits_for(case, top["leading"]) and not waits_for(case, other)


def test_what_nobody_in_the_office_could_deal_with_is_everybody_s(small: Small, top: dict[str, Somebody]) -> None:
    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="国办督查通知")
    case = doors.open("instruction", "register", {"paper": "通知"}, top["registry"].actor, about, key="", now=NOW).case
    Post.objects.filter(pk=top["registry"].post.pk).update(duties=["finance"])
    assert desks(case, top) == {"registry", "supervision", "leading"}


def test_a_leader_s_list_begins_with_the_field_of_charge(small: Small, top: dict[str, Somebody]) -> None:
    who = top["leading"]
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="氨罐压力高")
    given = {"hazard_kind": "pressure", "colour": "red"}
    doors.open("warning", "by_person", given, small.one("county").actor, about, key="w", now=NOW)
    client = Client()
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")

    def numbers(query: str) -> tuple[int, str]:
        answer = client.get(f"/cases/{query}")
        return answer.context["count"], answer.context["query"]

    Post.objects.filter(pk=who.post.pk).update(charges=["mines"])
    assert filters.charge([who.acting]) == "mines"
    assert numbers("") == (0, "duty=mines")
    assert numbers("?duty=all") == (1, "duty=all")
    assert numbers("?level=red")[0] == 1  # an address that says what it shows is taken at its word
    Post.objects.filter(pk=who.post.pk).update(charges=["hazchem"])
    assert numbers("")[0] == 1
    assert filters.charge([who.acting, small.one("county").acting]) == ""
