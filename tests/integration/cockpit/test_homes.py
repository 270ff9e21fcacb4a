"""The home screens: each kind of reader gets its cards, and every number opens the list that it counts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fengsui.cockpit import cards, homes
from fengsui.ledger import doors, mechanisms
from fengsui.ledger.kernel.shapes import Call
from fengsui.moment import now as present
from fengsui.region.models import Certificate, Post
from tests.integration.ledger.test_doors import site
from tests.small_region import Small, Somebody, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(db: None) -> Small:
    return build(present())


def become(who: Somebody, *duties: str) -> Somebody:
    """The same person in a post of these functions alone."""
    Post.objects.filter(pk=who.post.pk).update(duties=list(duties))
    return who


def page(who: Somebody, path: str, language: str = "zh-hans") -> str:
    client = Client()
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(path, headers={"X-Acting-Post": str(who.post.pk), "Accept-Language": language})
    assert answer.status_code == 200, (path, answer.content[:300])
    return str(answer.content.decode())


def test_every_query_is_one_that_a_list_knows() -> None:
    for name, home in homes.homes().items():
        for card in home.cards:
            if isinstance(card, str):
                assert card in cards.MAKERS, (name, card)
                continue
            for one in (*card.rows, *card.columns):
                assert {"zh", "en"} == set(one.title)
                wanted = one.filter
                if wanted.mechanism:
                    assert not wanted.state or wanted.state in mechanisms.on_disk()[wanted.mechanism].states, one.query
                    assert not wanted.running or wanted.running in mechanisms.on_disk()[wanted.mechanism].clocks, one.query
        for first in home.first:
            mechanism, act = first.act.split(".")
            assert act in mechanisms.on_disk()[mechanism].opening, first.act


@pytest.mark.parametrize(
    ("office", "duties", "kind", "says"),
    [
        ("top", ("leading",), "leader", ("呈我的件", "各地情况", "批示未报结")),
        ("county", ("duty",), "duty", ("我的范围", "链路")),
        ("plant", ("control_room", "safety", "principal"), "enterprise", ("本企业待办", "测点", "上报自查隐患")),
        ("top", ("registry",), "staff", ("本单位在办", "我的范围")),
        ("county", ("enforcement",), "inspector", ("待我复查签署", "待第二人签署", "拍照报隐患")),
    ],
)
def test_who_sees_what(small: Small, office: str, duties: tuple[str, ...], kind: str, says: tuple[str, ...]) -> None:
    who = become(small.one(office), *duties)
    assert cards.kind([who.acting]) == kind
    seen = page(who, "/desk/")
    for words in says:
        assert words in seen, words


def numbers(seen: str) -> dict[str, int]:
    """Each counted link of a page's rail with its number."""
    rail = seen[seen.index('<aside class="fs-rail">') :]
    found = re.findall(r'<a href="([^"]*/cases/\?[^"]*)">(?:<span>.*?</span><b>([\d,]+)</b>|([\d,]+))</a>', rail)
    return {url.replace("&amp;", "&"): int((one or other).replace(",", "")) for url, one, other in found}


@pytest.mark.parametrize(
    ("office", "duties"), [("top", ("leading",)), ("county", ("enforcement",)), ("plant", ("safety", "principal"))]
)
def test_a_number_opens_the_list_that_it_counts(small: Small, office: str, duties: tuple[str, ...]) -> None:
    now = present()
    for number in range(3):
        who = small.one("county", number % 2).actor
        case = doors.open("hazard", "found_here", {"finding": f"阀门{number}"}, who, site(small), key=f"k{number}", now=now).case
        if number:
            values: dict[str, Any] = {"interim_control": "停用"}
            doors.act(case, Call("order_interim", who, values), now=now + timedelta(minutes=1))
    who_looks = become(small.one(office, 2 if office == "county" else 0), *duties)
    known = numbers(page(who_looks, "/desk/"))
    assert known
    for url, number in known.items():
        listed = page(who_looks, url)
        assert len(set(re.findall(r'/cases/([0-9a-f-]{36})/"', listed))) == number, url


@pytest.mark.parametrize(
    ("language", "column", "chip"), [("zh-hans", "挂牌督办", "挂牌督办时限"), ("en", "Listed", "Raised supervision")]
)
def test_a_leader_sees_the_hazards_under_listed_supervision_by_place(small: Small, language: str, column: str, chip: str) -> None:
    now = present()
    for number in range(2):
        who = small.one("county").actor
        case = doors.open("hazard", "found_here", {"finding": f"阀门{number}"}, who, site(small), key=f"k{number}", now=now).case
    doors.act(case, Call("list_supervision", small.one("league").actor), now=now + timedelta(minutes=1))
    leader = become(small.one("top"), "leading")
    seen = page(leader, "/desk/", language)
    url, number = next((url, number) for url, number in numbers(seen).items() if "running=supervision" in url)
    assert number == 1 and f">{column}</th>" in seen
    listed = page(leader, url, language)
    assert set(re.findall(r'/cases/([0-9a-f-]{36})/"', listed)) == {case} and chip in listed
    assert 'name="running" value="supervision"' in listed  # narrowing further keeps it
    assert "running=supervision" not in page(leader, "/cases/?running=" + "x" * 500, language)


@pytest.mark.parametrize(
    ("language", "says", "not_so"), [("en", "Enforcement certificate", "行政执法证"), ("zh-hans", "行政执法证", "Enforcement")]
)
def test_certificates_are_called_in_the_reader_s_language(small: Small, language: str, says: str, not_so: str) -> None:
    who, day = become(small.one("county"), "enforcement"), present().date()
    Certificate.objects.unscoped("the test's").filter(person=who.person).delete()
    Certificate.objects.create(person=who.person, kind="enforcement", number="NM-7", issued=day, expires=day + timedelta(days=90))
    for path in ("/desk/", f"/people/{who.person.pk}/"):
        found = page(who, path, language)
        assert says in found and not_so not in found, path
