"""The pulse: who beats, who lags, what a monitor reads."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fengsui.ledger import health
from tests.integration.ledger.conftest import NOW

pytestmark = pytest.mark.django_db


def beat_all(**lag: float) -> None:
    for process in health.WATCHED:
        health.beat(process, NOW, lag.get(process, 0.0), {"size": 3})


def test_well_while_all_watched_keep_up() -> None:
    beat_all()
    assert health.status(NOW + timedelta(seconds=29)).well


def test_a_silent_one_a_late_one_and_one_that_never_beat_are_not_well() -> None:
    beat_all(sealer=31.0)
    status = health.status(NOW)
    assert [pulse.process for pulse in status.behind] == ["sealer"]
    beat_all()
    assert {pulse.process for pulse in health.status(NOW + timedelta(seconds=31)).behind} == set(health.WATCHED)
    health.Beat.objects.filter(process="relay").delete()
    behind = health.status(NOW).behind
    assert [(pulse.process, pulse.at) for pulse in behind] == [("relay", None)]


def test_others_are_shown_but_worry_nobody() -> None:
    beat_all()
    health.beat("jobs", NOW - timedelta(hours=1), 0.0)
    status = health.status(NOW)
    assert status.well
    assert [pulse.process for pulse in status.pulses] == [*health.WATCHED, "jobs"]


def test_a_monitor_reads_openmetrics() -> None:
    beat_all(clock=2.5)
    text = health.metrics(NOW + timedelta(seconds=1))
    assert text.endswith("# EOF\n")
    assert 'fengsui_process_lag_seconds{process="clock"} 2.5' in text
    assert "fengsui_well 1" in text
    assert "fengsui_cases_open 0" in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
