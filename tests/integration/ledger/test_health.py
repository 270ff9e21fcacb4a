"""The pulse: who beats, who lags, what a monitor reads."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.cache import cache
from django.test import Client

from fengsui.ledger import health
from fengsui.ledger.database import conninfo
from fengsui.services import jobs, parts
from tests.integration.ledger.conftest import NOW

pytestmark = pytest.mark.django_db
ANSWER = 200


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
    later = NOW + health.STARTING
    for process in ("clock", "engine", "sealer"):
        health.beat(process, later, 0.0)
    status = health.status(later)
    assert [(pulse.process, pulse.at) for pulse in status.behind] == [("relay", None)] and not status.starting
    assert not status.well


def test_on_a_fresh_start_an_engine_that_has_not_beaten_yet_is_starting() -> None:
    nothing = health.status(NOW)
    assert not nothing.well and [pulse.process for pulse in nothing.starting] == list(health.WATCHED) and not nothing.behind
    for second in (0, 1):
        for process in ("clock", "relay", "sealer"):
            health.beat(process, NOW + timedelta(seconds=second), 0.0, {"size": 3})
    young = health.status(NOW + timedelta(seconds=20))
    assert young.well and [pulse.process for pulse in young.starting] == ["engine"] and not young.behind
    assert young.pulses[0].detail == {"size": 3}
    health.beat("engine", NOW + timedelta(seconds=21), 0.0)
    assert not health.status(NOW + timedelta(seconds=22)).starting


@pytest.mark.parametrize(("language", "words"), [("en", "Starting: Alarm engine"), ("zh-hans", "正在启动：")])
def test_pages_say_that_it_starts(client: Client, language: str, words: str) -> None:
    from fengsui import moment
    from tests.small_region import build

    now = moment.now()
    cache.clear()
    client.force_login(build(now).one("top").account, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    for process in ("clock", "relay", "sealer"):
        health.beat(process, now, 0.0)
    for address in ("/desk/", "/live/health/"):
        assert words in client.get(address).content.decode(), address
    cache.clear()


def test_where_none_ever_beat_they_are_missing_soon_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """They were called starting for ever: a platform without any of its processes looked like a young one."""
    monkeypatch.setattr(health, "_BEGUN", NOW)
    assert len(health.status(NOW + health.STARTING - timedelta(seconds=1)).starting) == len(health.WATCHED)
    status = health.status(NOW + health.STARTING)
    assert not status.well and not status.starting and [pulse.process for pulse in status.behind] == list(health.WATCHED)


def test_a_sign_of_life_to_come_is_none() -> None:
    """The clock was set back, and whoever had beaten before is dead: it must not look alive until then."""
    beat_all()
    assert {pulse.process for pulse in health.status(NOW - timedelta(hours=1)).behind} == set(health.WATCHED)
    assert health.status(NOW - timedelta(seconds=2)).well


def test_others_are_shown_but_worry_nobody() -> None:
    beat_all()
    health.beat("stream", NOW - timedelta(hours=1), 0.0)
    status = health.status(NOW)
    assert status.well
    assert [pulse.process for pulse in status.pulses] == [*health.WATCHED, "stream"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_of_jobs_that_is_gone_is_told() -> None:
    """Nobody's letters go out and no effect is carried out: pages must say so."""

    async def lives_for_a_moment() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(jobs._pulse(), 2)

    asyncio.run(lives_for_a_moment())
    at = health.Beat.objects.get(process="jobs").at
    for process in health.WATCHED:
        health.beat(process, at + timedelta(seconds=31), 0.0)
    assert health.status(at + timedelta(seconds=29)).well
    assert [pulse.process for pulse in health.status(at + timedelta(seconds=31)).behind] == ["jobs"]


def test_a_monitor_reads_openmetrics() -> None:
    beat_all(clock=2.5)
    text = health.metrics(NOW + timedelta(seconds=1))
    assert text.endswith("# EOF\n")
    assert 'fengsui_process_lag_seconds{process="clock"} 2.5' in text
    assert "fengsui_well 1" in text
    assert "fengsui_cases_open 0" in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """A dead man's switch: its address, and what it was asked."""
    asked: list[str] = []
    global ANSWER
    ANSWER = 200

    class Switch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(ANSWER)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Switch)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ping/secret", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_switch_outside_hears_of_it_only_while_all_keep_up(outside: tuple[str, list[str]], settings) -> None:
    from fengsui import moment
    from fengsui.ledger import tasks

    settings.DEADMAN_URL, asked = outside
    now = moment.now()
    for process in health.WATCHED:
        health.beat(process, now, 0.0)
    tasks.tell_outside(0)
    assert asked == ["/ping/secret"]
    health.beat("relay", now, 31.0)
    tasks.tell_outside(0)
    assert asked == ["/ping/secret"]


def test_a_switch_that_answers_wrongly_is_logged_and_shown_until_it_answers_well(
    outside: tuple[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    global ANSWER
    beat_all()
    ANSWER = 500
    assert not health.tell_outside(outside[0], NOW)
    assert "HTTP 500" in caplog.text and "secret" not in caplog.text
    assert health.outside_fails(health.status(NOW)) == "HTTP 500" and health.status(NOW).well, "it must be asked again"
    assert frame_says(NOW, "HTTP 500")
    ANSWER = 200
    assert health.tell_outside(outside[0], NOW) and health.outside_fails(health.status(NOW)) == ""


def frame_says(now: datetime, words: str) -> bool:
    from fengsui.cockpit import frame

    cache.clear()
    found = any(words in one for one in frame.troubles(now))
    cache.clear()
    return found


def test_a_switch_that_does_not_answer_stops_nothing_and_stays_secret(caplog: pytest.LogCaptureFixture) -> None:
    beat_all()
    assert not health.tell_outside("http://127.0.0.1:9/ping/secret", NOW)
    assert "does not answer" in caplog.text and "secret" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_process_without_a_sign_of_life_for_long_is_known_to_the_supervisor() -> None:
    """Held against the others' signs: where all are silent, the database or the machine was away."""
    address = conninfo()
    health.beat("sealer", NOW, 0.0)
    health.beat("jobs", NOW + timedelta(hours=1), 0.0)  # before this machine's clock was set back
    assert parts.pulseless(address, "sealer") == "" == parts.pulseless(address, "relay")
    health.beat("clock", NOW + timedelta(seconds=299), 0.0)
    assert parts.pulseless(address, "sealer") == ""
    health.beat("clock", NOW + timedelta(seconds=301), 0.0)
    assert parts.pulseless(address, "sealer") == "it has given no sign of life for 301 s"
    assert parts.pulseless(address, "clock") == ""
    assert parts.pulseless("postgresql://nobody@127.0.0.1:1/none", "sealer") == "", "nothing can be asked"
