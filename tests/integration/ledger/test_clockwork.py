"""The clock with the real mechanisms and simulated time: rungs once and in order, climbs, acts, periods, outages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest
from django.db import connection

from fengsui.ledger import clockwork, doors, recompute
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Clock, Entry, Notice, Outbox, Rung
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, found, settle, site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def rungs(case: str, clock: str) -> list[int]:
    return list(Rung.objects.filter(clock__case_id=case, clock__name=clock).order_by("id").values_list("rung", flat=True))


def due(case: str, clock: str) -> datetime:
    return Clock.objects.filter(case_id=case, name=clock, stopped=None).latest("due").due


def test_nothing_fires_before_its_time_and_each_rung_once(small: Small) -> None:
    case = found(small).case
    clock = "within:found"
    end = due(case, clock)
    assert clockwork.tick(end - 4 * DAY).rungs == 0
    ladder = [end - 3 * DAY, end, end + 7 * DAY, end + 15 * DAY]
    for count, at in enumerate(ladder, 1):
        clockwork.tick(at - timedelta(seconds=1))
        assert rungs(case, clock) == list(range(count - 1)), at
        clockwork.tick(at)
        assert clockwork.tick(at).rungs == 0
        assert rungs(case, clock) == list(range(count))
    reminder = Notice.objects.filter(case_id=case, kind="reminder").get()
    assert reminder.office_id == small.county.pk
    climbs = [entry.content() for entry in Entry.objects.filter(case_id=case, act="rung").order_by("seq")]
    assert len(climbs) == 2
    held = Case.objects.get(pk=case)
    assert len(held.core["overseers"]) == 2
    assert held.owner_id == small.county.pk, "the owner still owes"
    assert {notice.office_id for notice in Notice.objects.filter(case_id=case, kind="climb")} == set(held.core["overseers"])


def test_after_an_outage_the_missed_rungs_fire_in_order(small: Small) -> None:
    case = found(small).case
    end = due(case, "within:found")
    told = clockwork.tick(end + 20 * DAY)
    assert rungs(case, "within:found") == [0, 1, 2, 3]
    fired = Rung.objects.filter(clock__case_id=case, clock__name="within:found").order_by("id")
    assert [rung.at for rung in fired] == [end - 3 * DAY, end, end + 7 * DAY, end + 15 * DAY]
    assert told.rungs == 4
    assert clockwork.tick(end + 20 * DAY).rungs == 0
    circular = Case.objects.get(mechanism="circular", parent_id=case)
    assert circular.state == "drafting", "overdue by a week, a circular's draft is opened once"


def test_repeats_missed_in_an_outage_come_as_one(small: Small) -> None:
    case = found(small).case
    end = due(case, "within:found")
    clockwork.tick(end + 40 * DAY)
    assert rungs(case, "within:found") == [0, 1, 2, 3, 4]
    clockwork.tick(end + 170 * DAY)
    assert rungs(case, "within:found") == [0, 1, 2, 3, 4, 8]
    assert clockwork.tick(end + 170 * DAY).rungs == 0
    assert clockwork.next_wake(end + 170 * DAY) is not None


def test_an_act_stops_the_clock_and_its_rungs(small: Small) -> None:
    case = found(small).case
    end = due(case, "within:found")
    clockwork.tick(end)
    settle(small, case)
    assert Clock.objects.get(case_id=case, name="within:found").next_rung_at is None
    assert "within:found" not in {
        rung.clock.name for rung in Rung.objects.filter(clock__case_id=case, fired_at__gt=end).select_related("clock")
    }


def test_a_report_owed_gets_a_row_for_each_period(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    first = due(case, "owes:report")
    told = clockwork.tick(first)
    assert told.periods == 1
    assert due(case, "owes:report") == first + 7 * DAY
    clockwork.tick(first + 21 * DAY)
    assert Clock.objects.filter(case_id=case, name="owes:report", stopped=None).count() == 5
    do(case, "report", small.one("plant"), now=first + 22 * DAY, progress="已完成")
    assert Clock.objects.filter(case_id=case, name="owes:report", stopped=None, due__lte=first + 21 * DAY).count() == 0
    assert clockwork.tick(first + 22 * DAY).periods == 0


def test_a_warning_climbs_by_minutes_and_lists_calls(small: Small) -> None:
    alarm = Actor("event", name="warning.level")
    opened = doors.open("warning", "by_alarm", {"hazard_kind": "leak", "colour": "red"}, alarm, site(small), key="", now=NOW)
    end = due(opened.case, "acknowledge")
    clockwork.tick(end + timedelta(minutes=11))
    assert rungs(opened.case, "acknowledge")[:3] == [0, 1, 2]
    holders = set(Clock.objects.filter(case_id=opened.case, name="acknowledge").values_list("holder_id", flat=True))
    assert len(holders) >= 2, "each office it climbs to has a row of its own"
    calls = Outbox.objects.filter(case_id=opened.case, topic="call_list")
    assert calls.filter(payload__values__rung=0).exists()


def test_a_case_that_fails_stops_no_other(small: Small, monkeypatch) -> None:
    first, second = found(small).case, found(small).case
    end = due(first, "within:found")
    real = clockwork.ringing.attend

    def attend(passage, held, struck):
        if held.case.id == first:
            raise ValueError("broken on purpose")
        return real(passage, held, struck)

    monkeypatch.setattr(clockwork.ringing, "attend", attend)
    told = clockwork.tick(end)
    assert told.failed == 1
    assert rungs(second, "within:found") == [0, 1]
    assert rungs(first, "within:found") == []


def test_a_provisional_due_moves_when_the_calendar_comes(small: Small) -> None:
    case = found(small).case
    clock = Clock.objects.get(case_id=case, name="within:found")
    right = clock.due
    before = Entry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_clock SET provisional = true, calendar = 'before', due = due + interval '1 day', "
            "first = first + interval '1 day' WHERE id = %s",
            [clock.pk],
        )
    assert recompute.provisional(NOW + DAY) == 1
    clock.refresh_from_db()
    assert (clock.due, clock.provisional) == (right, False)
    assert Entry.objects.count() == before + 1
    assert Entry.objects.latest("id").content()["besides"]["moved"]
    assert recompute.provisional(NOW + DAY) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_two_workers_and_kills_fire_each_rung_once(transactional_db) -> None:
    """Two real processes share 60 overdue cases; one is killed again and again."""
    small = build(NOW)
    cases = [found(small).case for _ in range(60)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_clock SET start = start - interval '200 days', due = due - interval '200 days', "
                       "first = first - interval '200 days', next_rung_at = next_rung_at - interval '200 days'")  # fmt: skip
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/" + name
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": "src", "DJANGO_SETTINGS_MODULE": "fengsui.settings"}
    code = (
        "import django, threading; django.setup(); from fengsui.ledger import clockwork; "
        "clockwork.BATCH = 5; clockwork.run(threading.Event())"
    )

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", code], env=environment)

    workers = [start(), start()]
    try:
        for kill in range(4):
            time.sleep(1.5 + 0.37 * kill)
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait()
            workers[0] = start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and Clock.objects.filter(next_rung_at__lte=datetime.now().astimezone()).exists():
            time.sleep(0.2)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    expected = None
    for case in cases:
        fired = list(Rung.objects.filter(clock__case_id=case).order_by("clock__name", "id").values_list("clock__name", "rung"))
        assert len(fired) == len(set(fired)), "no rung twice"
        expected = expected or fired
        assert fired == expected, "every case climbed the same ladder"
    climbs = Entry.objects.filter(act="rung").count()
    assert climbs == Rung.objects.filter(climbed_to__isnull=False).count()


def test_a_long_tick_gives_signs_of_life(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage of days one tick may work for minutes; whoever watches must not take it for dead."""
    monkeypatch.setattr(clockwork, "BATCH", 1)
    cases = [found(small, key=f"life-{number}").case for number in range(3)]
    told: list[int] = []
    worker = clockwork.Clockwork(alive=lambda ticked: told.append(ticked.rungs))
    worker.tick(due(cases[0], "within:found"))
    assert len(told) >= 3 and told == sorted(told)
