"""Cases that follow a dissolved office stay what their entries say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fengsui.ledger import doors, rebuild, sealer, sealing, succession, verify
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Clock, Entry
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import found
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
