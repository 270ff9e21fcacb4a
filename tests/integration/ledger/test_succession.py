"""Cases that follow a dissolved office stay what their entries say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fengsui.ledger import doors, rebuild, sealer, sealing, succession, verify
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Clock, Entry
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, found
from tests.small_region import Small


@pytest.fixture(autouse=True)
def keys(tmp_path, settings):
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


@pytest.mark.django_db(transaction=True)
def test_what_was_handed_on_is_derived_from_the_entries(small: Small) -> None:
    hazard = found(small).case
    about = doors.About(kind="site", id=str(small.site.pk), duty="hazchem", title="预警")
    warning = doors.open(
        "warning", "by_alarm", {"hazard_kind": "pressure", "colour": "red"}, Actor(kind="event", name="warning.level"), about,
        key="w", now=NOW,
    ).case  # fmt: skip
    climbed = NOW + timedelta(hours=2)
    county = small.county
    county.successor, county.dissolved_on = small.league, climbed.date()
    county.save()
    assert succession.nightly(climbed) >= 1
    assert Case.objects.get(pk=hazard).owner_id == small.league.pk
    assert not Clock.objects.filter(holder_id=county.pk, current=True, stopped__isnull=True).exists()
    assert Entry.objects.filter(case_id=hazard, act="succeed").count() == 1
    assert Case.objects.get(pk=warning).owner_id != county.pk
    told = rebuild.check()
    assert told.ok, [str(one) for one in told.differences]
    sealer.round_(sealing.Grower.load(), climbed)
    report = verify.ledger(climbed + timedelta(minutes=1))
    assert report.ok, report.findings


@pytest.mark.django_db(transaction=True)
def test_what_is_handed_on_is_locked_from_the_parent_down(small: Small) -> None:
    """A child's end reaches its parent, so that the parent is locked first everywhere: here, too."""
    case = found(small).case
    for number in range(2):
        do(case, "hand_over", small.one("county", number + 1), grounds="属行业监管", receiver=small.league.pk)
    child = str(Case.objects.get(parent_id=case).pk)
    with CaptureQueriesContext(connection) as asked:
        succession.one(child, NOW, {})
    locking = [one["sql"] for one in asked if "FOR UPDATE" in one["sql"] and "WHERE c.parent_id IS NULL" not in one["sql"]]
    assert len(locking) == 1, locking
    places = [locking[0].replace("-", "").find(one.replace("-", "")) for one in (case, child)]
    assert -1 not in places and places == sorted(places), locking


@pytest.mark.django_db
def test_an_office_lives_until_the_midnight_of_the_region(small: Small) -> None:
    case, county = found(small).case, small.one("county").actor
    small.other.dissolved_on = date(2026, 11, 25)
    small.other.save()
    until = NOW + timedelta(days=3)
    doors.share(case, small.other.pk, county, until=until, grounds="互检", now=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    doors.unshare(case, small.other.pk, county, grounds="办结", now=datetime(2026, 11, 24, 15, 30, tzinfo=UTC))
    with pytest.raises(doors.Refused) as caught:  # one in the morning of the 25th in the region
        doors.share(case, small.other.pk, county, until=until, grounds="互检", now=datetime(2026, 11, 24, 17, 0, tzinfo=UTC))
    assert caught.value.refusals[0].code == "bad_value"
