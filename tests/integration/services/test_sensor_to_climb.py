"""The demo's exercise from the sensor on: MQTT, engine, relay, red warning, first climb, each by the process that does it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fengsui import moment
from fengsui.ledger import mechanisms
from fengsui.ledger.models import Case, Clock, Entry
from fengsui.region.models import Point, Site
from fengsui.services.demo import seed
from fengsui.services.demonstration import PACE
from fengsui.services.exercise import sheet
from fengsui.watch import credentials, rules
from fengsui.watch.models import Alarm, AlarmEvent, Rule
from tests.integration.watch.conftest import Child, StreamServer, until

pytestmark = [pytest.mark.platform, pytest.mark.django_db(transaction=True)]
CODE, TAG = "HC-150207-01", "PT-1021"
PARTS = ("watch.engine_worker", "watch.relay", "ledger.clockwork", "watch.simulator", "services.exercise.player")


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="fengsui-exercise-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def site(folder: Path, settings: Any) -> Site:
    """The demo's region with its rules, its shortened clocks, and the token of the exercise's site alone."""
    now = moment.now()
    settings.EXERCISE_PACE, settings.KEYS_DIR = int(PACE), folder / "keys"
    mechanisms.store(now)
    seed.run(lambda words: None, now)
    made: Site = Site.objects.unscoped("test").get(code=CODE)
    Rule.objects.bulk_create(rules.derive(Point.objects.unscoped("test").filter(site=made), now))
    credentials.issue([made], now)
    return made


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[dict[str, Child]]:
    """What ``fengsui demo`` runs, but for pages, sealing and letters."""
    server = StreamServer(folder, ())  # the platform has issued the token
    at = connection.settings_dict
    database = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    more = {
        "FENGSUI_DEMO": "1", "FENGSUI_EXERCISE_PACE": PACE, "FENGSUI_MQTT": f"127.0.0.1:{server.ports.mqtt}",
    }  # fmt: skip
    made: dict[str, Child] = {}
    try:
        for part in PARTS:
            made[part] = Child(f"fengsui.{part}", folder, server.url, database, **more)
        yield made
    finally:
        for child in made.values():
            with contextlib.suppress(Exception):  # each is ended, whatever became of another
                child.stop()
        server.stop()


def test_a_rising_pressure_becomes_a_red_warning_that_climbs(site: Site, folder: Path) -> None:
    point = Point.objects.unscoped("test").get(site=site, tag=TAG)
    with demo(folder):
        # The sensor speaks and the engine judges before anything is asked to rise.
        until(lambda: Rule.objects.unscoped("test").filter(point=point, taken_at__isnull=False).exists(), 120)
        begun = time.monotonic()
        sheet.write(folder / "exercise" / "wish.json", {"wish": "start"})
        case = until(lambda: Case.objects.filter(mechanism="warning", about_id=str(site.pk), level="red").first(), 90)
        warned = time.monotonic() - begun
        assert isinstance(case, Case)
        assert case.exercise and case.state == "open" and case.fields["hazard_kind"] == "pressure"
        alarm = Alarm.objects.unscoped("test").get(point=point, level="HH", closed_at__isnull=True)
        assert str(alarm.case) == str(case.pk) and alarm.value >= alarm.limit == point.high_high
        assert AlarmEvent.objects.filter(alarm=alarm, kind="RAISED").count() == 1
        holders = set(Clock.objects.filter(case=case, name="acknowledge").values_list("holder_id", flat=True))
        assert site.office_id in holders, "the plant's own control room owes the first answer"
        until(lambda: len(Case.objects.values_list("core", flat=True).get(pk=case.pk).get("overseers", ())) >= 1, 120)
        climbed = time.monotonic() - begun
    assert Case.objects.filter(mechanism="warning", about_id=str(site.pk), fields__hazard_kind="pressure").count() == 1
    assert Entry.objects.filter(case=case, act="by_alarm").count() == 1
    state = json.loads((folder / "exercise" / "state.json").read_text(encoding="utf-8"))
    went = {line["id"]: line["state"] for line in state["lines"]}
    assert (went["rise"], went["warned"]) == ("done", "done"), (
        f"{went}; warned after {warned:.0f} s, climbed after {climbed:.0f} s"
    )
