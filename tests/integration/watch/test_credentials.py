"""The file of gateways' tokens follows the database, whatever a crash left between the two."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from fengsui.watch import credentials
from fengsui.watch.models import SiteCredential
from tests.small_region import build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CODE = "HC-1"


@pytest.fixture
def site(settings, tmp_path):
    settings.KEYS_DIR = tmp_path
    made = build(NOW).site
    assert made.code == CODE
    return made


def settled(site, now=NOW):
    """A token that both know."""
    token = credentials.issue([site], now)[CODE]
    credentials.settle(now)
    return token


def test_a_token_revoked_before_a_crash_ends_at_the_next_start(site):
    token = settled(site)
    # What a process that dies between the commit and its callback leaves: the database alone has changed.
    SiteCredential.objects.update(revoked_at=NOW)
    assert credentials.site_of(token) == CODE
    assert credentials.settle(NOW) == [CODE]
    assert credentials.site_of(token) is None


def test_a_token_issued_before_a_crash_is_taken_at_the_next_start(site):
    former = settled(site)
    token = credentials.issue([site], NOW)[CODE]  # the test's transaction never ends: its callback does not run
    assert (credentials.site_of(former), credentials.site_of(token)) == (CODE, None)
    assert credentials.settle(NOW) == [CODE]
    assert (credentials.site_of(former), credentials.site_of(token)) == (None, CODE)
    assert credentials.settle(NOW) == []


def test_an_issue_that_is_rolled_back_leaves_the_former_token_in_both(site, tmp_path):
    former = settled(site)

    class Broken(Exception):
        pass

    with pytest.raises(Broken), transaction.atomic():
        token = credentials.issue([site], NOW)[CODE]
        raise Broken
    for moment in (NOW, NOW + timedelta(hours=2)):
        assert credentials.settle(moment) == []
        assert (credentials.site_of(former), credentials.site_of(token)) == (CODE, None)
    assert json.loads((tmp_path / "sites.fresh").read_text()) == [], "what never was is forgotten"


def test_the_file_is_left_alone_where_nothing_differs_and_where_it_is_damaged(site, tmp_path):
    settled(site)
    path = tmp_path / "sites.json"
    assert path.stat().st_mode & 0o777 == (tmp_path / "sites.fresh").stat().st_mode & 0o777 == 0o600
    before = path.stat().st_mtime_ns
    credentials.settle(NOW)
    assert path.stat().st_mtime_ns == before, "the stream server need not read it again"
    path.write_text("{")
    with pytest.raises(ValueError):
        credentials.settle(NOW)
    assert path.read_text() == "{"


@pytest.mark.parametrize(
    "damage", ["{", "{}", "[1]", '[{"site": "HC-1"}]', '[{"site": "HC-1", "token": "x", "at": "soon"}]', "\ud800"]
)  # fmt: skip
def test_a_damaged_list_of_waiting_tokens_stops_no_settling(site, tmp_path, caplog, damage):
    """It stood in the way of every site: an ended token stayed in the stream server's file."""
    settled(site)
    (tmp_path / "sites.fresh").write_bytes(damage.encode("utf-8", "surrogatepass"))
    SiteCredential.objects.update(revoked_at=NOW)
    assert credentials.settle(NOW) == [site.code]
    assert json.loads((tmp_path / "sites.json").read_text()) == {} and "set aside" in caplog.text
    assert credentials.issue([site], NOW), "and the next token can be given"
    assert isinstance(json.loads((tmp_path / "sites.fresh").read_text()), list)
