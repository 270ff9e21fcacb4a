"""Who may change the region's registers: administrators of the office or of one above it, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from fengsui.ledger.models import Share
from fengsui.ledger.reading.scoped import reach_of
from fengsui.moment import now as present
from fengsui.region import coming
from fengsui.region.changing import Changing
from fengsui.region.models import Certificate, Contact, Delegation, HazardUnit, Holding, Point, Substance, Supervision
from fengsui.region.operations import known
from tests.integration.access import AccessTests, Address
from tests.small_region import Small, _somebody, build

pytestmark = pytest.mark.django_db

ROUTE = "change/<slug:kind>/<int:number>/<slug:name>/"
ONLY_THE_HOLDER = {"delegate": (403,)}
FORMS = [
    Address(
        ROUTE,
        f"/change/{one.on}/{{{one.on}}}/{one.name}/",
        queries=45,
        other=(404,),
        own=ONLY_THE_HOLDER.get(one.name, (200, 302)),
    )
    for one in known()
]
VALUES = {"values": {"grounds": "任免〔2026〕12号", "duties": ["hazchem", "mines", "duty"], "phone": "0472-5550100"}}
ADDRESSES = [
    *FORMS,
    Address("changes/", "/changes/", queries=40, other=(403,)),
    Address("people/<int:number>/", "/people/{person}/", queries=60, other=(404,)),
    Address("people/found.json", "/people/found.json?q=a", queries=25),
    Address("sites/<slug:code>/register/", "/sites/{code}/register/", queries=60, other=(404,)),
    Address("api/operations", "/api/operations", queries=14),
    Address("api/changes", "/api/changes", queries=16, other=(403,)),
    Address("api/coming", "/api/coming", queries=16, other=(403,)),
    Address(
        "api/changes/<kind>/<number>/<name>", "/api/changes/office/{office}/edit_office", queries=80, method="POST",
        body=VALUES, other=(404,),
    ),
]  # fmt: skip


class TestChanges(AccessTests):
    addresses = ADDRESSES

    @pytest.fixture
    def small(self, db: None) -> Small:
        """The officer who asks administers county A."""
        small = build(present())
        post = small.one("county", 1).post
        post.duties = [*post.duties, "administration"]
        post.save()
        return small

    @pytest.fixture
    def words(self, small: Small) -> dict[str, str]:
        """A row of every kind in county A."""
        now = present()
        one = small.one("county")
        unit = HazardUnit.objects.create(site=small.site, code="U", name_zh="罐", name_en="Tank", kind="storage")
        made: dict[str, Any] = {
            "office": small.county, "post": one.post, "person": one.person, "site": small.site, "hazardunit": unit,
            "holding": Holding.objects.get(person=one.person),
            "certificate": Certificate.objects.unscoped("test").filter(person=one.person).first(),
            "delegation": Delegation.objects.create(
                principal=one.person, deputy=small.one("county", 2).person, post=one.post, acts=["*"], since=now,
                until=now.replace(year=now.year + 1),
            ),
            "contact": Contact.objects.create(office=small.county, name="甲", phone="0472-5550101", order=1),
            "substance": Substance.objects.create(unit=unit, name_zh="氨", name_en="Ammonia", named="1", tonnes=1.0),
            "point": Point.objects.create(site=small.site, tag="T", name_zh="压", name_en="P", quantity="pressure", measure="MPa"
            ),
            "supervision": Supervision.objects.create(site=small.site, duty="hazchem", office=small.league, since=now.date()),
        }  # fmt: skip
        acting = small.one("county", 1).acting
        line = Changing(acting, now, "x").note(
            "rename", small.county, small.county, after={"name_zh": "新"}, since=now + timedelta(days=9)
        )
        made["coming"] = coming.keep(line, f"office:{small.county.pk}", office=small.county.pk)
        made["share"] = Share.objects.create(
            office_id=small.other.pk, by_office_id=small.county.pk, reach=reach_of(small.place.path, "hazchem"), grounds="x",
            since=now, until=now + timedelta(days=9),
        )  # fmt: skip
        return {name: str(row.pk) for name, row in made.items()} | {"code": small.site.code}

    def test_a_reader_who_administers_nothing_is_told_so(self, words: dict[str, str], small: Small) -> None:
        client = self.client_of(small.one("county", 2).account)
        assert client.get(f"/change/office/{words['office']}/add_post/").status_code == 403
        assert client.get("/changes/").status_code == 403
        auditor = _somebody(small.county, "audit1", ("audit",), present())
        client = self.client_of(auditor.account)
        assert client.get("/changes/").status_code == 200
        assert client.get(f"/change/office/{words['office']}/add_post/").status_code == 403
        assert client.get("/change/office/999999/add_post/").status_code == 404
        assert client.get(f"/change/nothing/{words['office']}/add_post/").status_code == 404

    def test_a_program_is_told_which_value_is_wrong(self, words: dict[str, str], small: Small) -> None:
        client, post = self.client_of(small.one("county", 1).account), str(small.one("county", 1).post.pk)
        for values, status in (
            ({"grounds": "x", "duties": "hazchem"}, 422),
            ({"grounds": "x", "nothing": 1}, 422),
            ({"grounds": " "}, 422),
            ({"grounds": "x", "duties": ["no such"]}, 422),
            ({"grounds": "x", "phone": "0472-5550102"}, 200),
        ):
            answer = client.post(
                f"/api/changes/office/{words['office']}/edit_office", {"values": values}, content_type="application/json",
                headers={"X-Acting-Post": post},
            )  # fmt: skip
            assert answer.status_code == status, (values, answer.content)
        assert client.get("/api/changes").json()[0]["after"] == {"phone": "0472-5550102"}

    def test_whatever_a_program_sends_is_answered(self, words: dict[str, str], small: Small) -> None:
        """Every operation, every value of every kind: refused by name or done, never broken."""
        client, post = self.client_of(small.one("county", 1).account), str(small.one("county", 1).post.pk)
        for one in known():
            names = [name for name in one.form.base_fields if name != "grounds"]
            for wild in ("x" * 5000, "9" * 30, True, ["x"]):
                values = dict.fromkeys(names, wild) | {"grounds": "x"}
                with transaction.atomic():
                    answer = client.post(
                        f"/api/changes/{one.on}/{words[one.on]}/{one.name}", {"values": values}, content_type="application/json",
                        headers={"X-Acting-Post": post},
                    )  # fmt: skip
                    transaction.set_rollback(True)
                assert answer.status_code in (200, 403, 404, 409, 422), (one.on, one.name, wild, answer.content[:300])
