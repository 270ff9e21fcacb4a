"""Reports of the public from arrival to a decision: taken up at a site, handed on, merged, found to be none."""

from __future__ import annotations

import pytest

from fengsui.ledger import doors
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Notice
from fengsui.ledger.public import triage
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do
from tests.integration.ledger.test_leaks import client_of
from tests.small_region import Small

pytestmark = pytest.mark.django_db


def reported(small: Small) -> str:
    about = About("place", small.place.pk, small.place.pk, "hazchem", "不知哪家冒烟")
    values = {"finding": "不知哪家冒黄烟", "reporter_code": "R1"}
    return doors.open("hazard", "public_report", values, Actor("public"), about, key="", now=NOW).case


def test_the_queue_is_the_receiving_offices_own_with_clock_and_acts(small: Small) -> None:
    case = reported(small)
    county, other = small.one("county"), small.one("other")
    found = triage.queue([county.acting], NOW)
    assert [str(one.case.pk) for one in found] == [case]
    assert {name for name, _ in found[0].acts} == {"accept", "name_site", "hand_on", "nothing"}
    assert found[0].case.next_due is not None and found[0].seen == "不知哪家冒黄烟"
    assert triage.queue([other.acting], NOW) == []
    assert triage.queue([small.one("plant").acting], NOW) == []
    page = client_of(county).get("/cases/reports/", headers={"Accept-Language": "en"}).content.decode()
    assert "1 waits" in page and f"/cases/{case}/act/accept/" in page


def test_a_report_is_put_to_its_site_then_taken_up_and_ordered_to_be_rectified(small: Small) -> None:
    case = reported(small)
    do(case, "name_site", small.one("county"), site=small.site.pk)
    row = Case.objects.get(pk=case)
    assert (row.about_kind, row.about_id, row.state) == ("site", str(small.site.pk), "reported")
    do(case, "accept", small.one("county"))
    assert triage.queue([small.one("county").acting], NOW) == []
    assert Notice.objects.filter(case=case, role="raiser").exists()


def test_a_report_is_handed_on_to_an_office_of_supervision_never_to_an_enterprise(small: Small) -> None:
    case = reported(small)
    with pytest.raises(Refused) as caught:
        do(case, "hand_on", small.one("county"), answering=small.plant.pk, reason="非本局职责")
    assert (caught.value.status, caught.value.refusals[0].about) == (422, "answering")
    do(case, "hand_on", small.one("county"), answering=small.other.pk, reason="属乙旗辖区")
    assert [str(one.case.pk) for one in triage.queue([small.one("other").acting], NOW)] == [case]
    assert Notice.objects.filter(case=case, role="raiser").count() == 1


def test_a_double_is_counted_and_merged(small: Small) -> None:
    first, second = reported(small), reported(small)
    assert [one.doubles for one in triage.queue([small.one("county").acting], NOW)] == [1, 1]
    doors.merge(second, first, small.one("county").actor, grounds="同一处黄烟", now=NOW)
    assert [one.doubles for one in triage.queue([small.one("county").acting], NOW)] == [0]
