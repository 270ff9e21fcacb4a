"""The region's and the law's pages: for whom they open, what they show, and that scope holds."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from fengsui import moment
from fengsui.region.models import Contact, HazardUnit, Holding, Office, Site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PAGES = ("region:sites", "region:site_export", "region:unanswered", "region:offices", "region:contacts", "law:list")


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moment, "now", lambda: NOW)


@pytest.fixture
def small(db: None) -> Small:
    found = build(NOW)
    for number, office in enumerate((found.county, found.other, found.plant), 1):
        Contact.objects.create(office=office, name=f"联系人{number}", title_zh="值班员", phone=f"0472-555-010{number}", order=1)
    HazardUnit.objects.create(site=found.site, code="U-01", name_zh="罐区", name_en="Tanks", kind="storage", s=26, r=104, grade=1)
    return found


def client(small: Small, office: str, number: int = 0) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(small.one(office, number).account)
    return one


def text(one: Client, address: str) -> str:
    answer = one.get(address)
    assert answer.status_code == 200, answer.content.decode()[:400]
    return str(answer.content.decode())


@pytest.mark.parametrize("office", ["top", "plant"])
def test_every_page_opens_for_the_highest_and_for_an_enterprise(small: Small, office: str) -> None:
    one = client(small, office)
    assert [one.get(reverse(name)).status_code for name in PAGES] == [200] * len(PAGES)


def test_the_neighbour_does_not_see_the_site(small: Small) -> None:
    address = reverse("region:sites")
    assert "Example Chemical" in text(client(small, "county"), address)
    assert "Example Chemical" in text(client(small, "plant"), address)
    assert "Example Chemical" not in text(client(small, "other"), address)
    book = load_workbook(io.BytesIO(client(small, "other").get(reverse("region:site_export")).content))
    assert not any("HC-1" in map(str, row) for row in book.active.iter_rows(values_only=True))


def test_the_address_is_the_list(small: Small) -> None:
    shown = ("place=150200", "industry=hazchem", "grade=1", "q=chemical", "q=HC-1", "page=99", "order=grade")
    hidden = ("place=150203", "industry=mines", "grade=2", "grade=0", "q=zzz")
    one = client(small, "top")
    for query in (*shown, "place=x'--&industry=?&grade=9&order=;"):
        assert "HC-1<" in text(one, f"{reverse('region:sites')}?{query}"), query
    for query in hidden:
        assert "HC-1<" not in text(one, f"{reverse('region:sites')}?{query}"), query


def test_the_export_says_filter_who_and_when(small: Small) -> None:
    answer = client(small, "county").get(f"{reverse('region:site_export')}?industry=hazchem")
    rows = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert rows[0][0] == "Industry：Hazardous chemicals"
    assert small.one("county").person.name in rows[1][0] and "2026-11-24 11:00" in rows[1][0]
    assert rows[3][:2] == ("HC-1", "Example Chemical")


def test_an_office_shows_posts_terms_and_its_call_list(small: Small) -> None:
    page = text(client(small, "league"), reverse("region:office", args=[small.county.pk]))
    assert small.one("county").person.name in page and "0472-555-0101" in page and "Valid enforcement certificate" in page


def test_an_office_outside_the_scope_is_not_there(small: Small) -> None:
    assert client(small, "county").get(reverse("region:office", args=[small.other.pk])).status_code == 404
    assert client(small, "plant").get(reverse("region:office", args=[small.county.pk])).status_code == 404
    assert client(small, "top").get(reverse("region:office", args=[10**9])).status_code == 404


def test_contacts_of_others_stay_out(small: Small) -> None:
    page = text(client(small, "county"), reverse("region:contacts"))
    assert "0472-555-0101" in page and "0472-555-0103" in page and "0472-555-0102" not in page
    assert "0472-555-0103" in text(client(small, "top"), reverse("region:contacts") + "?q=0103")


def test_a_site_nobody_answers_for_is_named_with_who_stands_in(small: Small) -> None:
    address = reverse("region:unanswered")
    assert "Example Chemical" not in text(client(small, "top"), address)
    Holding.objects.filter(post__office=small.county).update(until=NOW - timedelta(hours=1))
    page = text(client(small, "league"), address)
    assert "Example Chemical" in page and "nobody in a post" in page and "League bureau" in page
    assert "Example Chemical" not in text(client(small, "other"), address)


def test_offices_come_as_a_tree(small: Small) -> None:
    top = client(small, "top")
    assert "Department" in text(top, reverse("region:offices"))
    assert "Bureau A" in text(top, f"{reverse('region:offices')}?below={small.league.pk}")
    assert "Bureau B" in text(top, f"{reverse('region:offices')}?q=bureau b")
    assert "League bureau" not in text(client(small, "county"), reverse("region:offices"))


def test_the_outlines_are_geojson(small: Small) -> None:
    answer = client(small, "plant").get(reverse("region:counties"))
    assert answer["Content-Type"] == "application/geo+json" and len(answer.json()["features"]) == 103


def test_the_law_says_what_is_proposed(small: Small) -> None:
    one = client(small, "county")
    page = text(one, reverse("law:list"))
    assert "proposed, no regulation behind it" in page and "3 working days" in page and "2 hours" in page
    only = text(one, reverse("law:list") + "?confidence=to_be_supplied")
    assert "Acknowledging a warning" in only and "Reporting upward" not in only
    past = text(one, reverse("law:list") + "?on=2008-01-01")
    assert "Reporting upward" in past and "Acknowledging a warning" not in past
    criteria = text(one, reverse("law:number", args=["hazard.criteria.hazchem"]))
    assert "AQ 3067-2026" in criteria and "Safety valves" in criteria
    assert one.get(reverse("law:number", args=["no.such"])).status_code == 404


def test_only_an_administrator_is_offered_an_amendment(small: Small) -> None:
    address = reverse("law:number", args=["hazard.sign"])
    chosen = small.one("top", 1)
    chosen.post.duties = [*chosen.post.duties, "administration"]
    chosen.post.save()
    assert "Propose an amendment" not in text(client(small, "top"), address)
    assert "Propose an amendment" in text(client(small, "top", 1), address)
    assert "Propose an amendment" not in text(client(small, "top", 1), reverse("law:number", args=["accident.upward"]))


def test_a_list_costs_few_queries(small: Small, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    offices = Office.objects.bulk_create(
        [Office(name_zh=f"厂{n}", name_en=f"P{n}", kind="enterprise", place=small.place, path="/1/2/") for n in range(60)]
    )
    Site.objects.bulk_create(
        [
            Site(code=f"X-{n}", name_zh=f"厂{n}", name_en=f"P{n}", place=small.place, office=office, industry="mines",
                 duties=["mines"], lon=110, lat=40)
            for n, office in enumerate(offices)
        ]
    )  # fmt: skip
    one = client(small, "county")
    one.get(reverse("region:sites"))
    with django_assert_max_num_queries(32):
        one.get(reverse("region:sites"))


def test_the_law_speaks_chinese(small: Small) -> None:
    from fengsui.services import assets

    assets.compile_catalogues()
    one = Client(headers={"accept-language": "zh-hans"})
    one.force_login(small.one("county").account)
    page = text(one, reverse("law:list"))
    assert "平台建议值" in page and "红色 10 分钟" in page and "platform default" not in page
