"""The large ledger that benchmarks read is one that the doors could have written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bench import fill, lives

from fengsui.ledger import rebuild, sealer, sealing, verify
from fengsui.ledger.models import Case, Entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folders(tmp_path, settings):
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def test_copies_of_lives_are_whole_and_derived_from_their_entries(transactional_db: None) -> None:
    fill.fill(200, patterns=20, workers=2)
    told = rebuild.check()
    assert told.ok, [str(one) for one in told.differences]
    assert (told.cases, told.entries) == (Case.objects.count(), Entry.objects.count())
    assert told.cases >= 200
    assert Case.objects.values("number").distinct().count() > 100
    keys = Case.objects.filter(mechanism="warning", ended=False).values_list("about_id", "fields__hazard_kind", "unique_key")
    assert len(set(keys)) == len(keys) >= 6
    assert all(key == f"site:{site}|{kind}" for site, kind, key in keys)
    sealer.round_(sealing.Grower.load(), lives.NOW)
    report = verify.ledger(lives.NOW + timedelta(minutes=1))
    assert report.ok, report.findings
    assert report.entries == told.entries
    assert [one.person.name for one in lives.region().people["second"]] == ["示例冶炼0", "示例冶炼1"]
