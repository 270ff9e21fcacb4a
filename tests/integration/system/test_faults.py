"""``kill -9`` of every part under load: nothing acknowledged is lost, nothing happens twice, the record stays whole."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import psycopg
import pytest
from tests.integration.services.conftest import fengsui, wait_for
from tests.integration.system.conftest import World
from tests.integration.system.region import LIMIT, WAYS

pytestmark = pytest.mark.platform

PARTS = ("postgresql", "nats", "engine", "relay", "clock", "sealer", "web", "jobs")


def test_no_process_can_become_the_owner(world: World) -> None:
    sessions = world.ask(
        "SELECT DISTINCT usename FROM pg_stat_activity "
        "WHERE datname = 'fengsui' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    assert {one["usename"] for one in sessions} == {"fengsui_app"}
    with psycopg.connect(world.url(owner=False), autocommit=True) as line:
        for way in ("SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "ALTER ROLE fengsui_app SUPERUSER",
                    "ALTER TABLE ledger_case DISABLE TRIGGER USER", "SET session_replication_role = replica"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                line.execute(way)
        line.execute("RESET ROLE")
        assert line.execute("SELECT current_user, session_user").fetchone() == ("fengsui_app", "fengsui_app")
    keys = world.platform.folder.path / "keys"
    assert [oct((keys / name).stat().st_mode & 0o777) for name in ("database", "database_app")] == ["0o600"] * 2


def test_under_load_each_part_is_killed_and_returns(world: World) -> None:
    world.begin()
    wait_for(lambda: all(len(one.acknowledged) > 3 for one in world.people), 60)
    for part in PARTS:
        done = [len(one.acknowledged) for one in world.people]
        world.platform.kill(part)
        wait_for(lambda done=done: all(len(one.acknowledged) > n for one, n in zip(world.people, done, strict=True)), 60)
    assert all(one.failure is None for one in world.people)


PAIRS = (("postgresql", "nats"), ("engine", "relay"), ("web", "postgresql"), ("clock", "sealer"), ("nats", "relay"))


def test_under_load_two_parts_are_killed_at_once_and_then_all(world: World) -> None:
    """Two at once, then a power cut: nobody was there to see the other go."""
    for pair in PAIRS:
        done = [len(one.acknowledged) for one in world.people]
        world.platform.kill(*pair)
        wait_for(lambda done=done: all(len(one.acknowledged) > n for one, n in zip(world.people, done, strict=True)), 60)
    world.platform.cut()
    done = [len(one.acknowledged) for one in world.people]
    wait_for(lambda: all(len(one.acknowledged) > n for one, n in zip(world.people, done, strict=True)), 60)
    assert all(one.failure is None for one in world.people)


def test_verify_and_rebuild_find_nothing_while_people_work(world: World) -> None:
    assert world.threads, "the load goes on"
    assert _judged(world, "verify", "--json")["findings"] == []
    assert _judged(world, "rebuild", "--check", "--json")["differences"] == []
    world.calm()
    assert all(one.failure is None for one in world.people), [one.failure for one in world.people]


def test_every_acknowledged_act_is_in_the_ledger_once(world: World) -> None:
    entries = {row["id"]: row for row in world.ask("SELECT id, case_id, seq, act, leaf FROM ledger_entry")}
    told = [receipt for one in world.people for receipt in one.acknowledged.values()]
    assert len({receipt["entry"] for receipt in told}) == len(told) > 30
    for receipt in told:
        row = entries[receipt["entry"]]
        found = (str(row["case_id"]), row["seq"], row["act"], row["leaf"].hex())
        assert found == (receipt["case"], receipt["seq"], receipt["act"], receipt["leaf"])
    theirs = [one["person"] for one in world.known["people"].values()]
    acts = world.ask("SELECT count(*) AS n FROM ledger_entry WHERE person_id = ANY(%s)", theirs)[0]["n"]
    assert acts == len(told), "what was tried again was done once"
    assert sum(one.answers.total() for one in world.people) > len(told), "nothing had to be tried again: no fault was felt"


def test_every_stored_excursion_has_its_alarm_once(world: World) -> None:
    stored = world.stream(_stored)
    raised, messages = _reference(stored)
    for site, times in world.devices.sent.items():
        assert not world.devices.lines[site].dropped
        assert not set(times) - messages[site], f"{site}: acknowledged, but not in the stream"
    rows = world.ask(
        "SELECT s.code, p.tag, a.id, a.times, a.state, a.closed_at, a.warning_error, "
        "(SELECT count(*) FROM watch_alarmevent e WHERE e.alarm_id = a.id AND e.kind = 'RAISED') AS raised "
        "FROM watch_alarm a JOIN region_point p ON p.id = a.point_id JOIN region_site s ON s.id = a.site_id WHERE a.level = 'H'"
    )
    assert Counter((row["code"], row["tag"]) for row in rows if row["closed_at"] is None).most_common(1)[0][1] == 1
    assert not [row["warning_error"] for row in rows if row["warning_error"]]
    times: Counter[tuple[str, str]] = Counter()
    for row in rows:
        times[row["code"], row["tag"]] += row["times"]
        assert row["times"] == row["raised"], "an alarm counts a raising twice, or lost one"
    assert times == raised
    assert min(raised.values()) >= 2 and len(raised) == 20
    kinds = ["RAISED", "CLEARED", "LATE_BEYOND", "WITHDRAWN"]
    said = [event["id"] for event in world.stream(_events) if event["kind"] in kinds]
    applied = [row["event_id"] for row in world.ask("SELECT event_id FROM watch_alarmevent WHERE kind = ANY(%s)", kinds)]
    assert len(said) == len(set(said)) and sorted(said) == sorted(applied)
    warnings = world.ask("SELECT about_id, fields->>'hazard_kind' AS kind, count(*) AS n FROM ledger_case "
                         "WHERE mechanism = 'warning' GROUP BY 1, 2")  # fmt: skip
    assert len(warnings) == 2 * WAYS and all(row["n"] == 1 for row in warnings)


def test_each_rung_fired_once_and_in_order(world: World) -> None:
    fired = world.ask("SELECT r.clock_id, r.rung, r.at, r.fired_at FROM ledger_rung r "
                      "JOIN ledger_clock c ON c.id = r.clock_id ORDER BY r.clock_id, r.id")  # fmt: skip
    assert len(fired) >= 8, "the exercise's clocks did not run"
    once = Counter((row["clock_id"], row["rung"], row["at"]) for row in fired)
    assert set(once.values()) == {1}
    of_clock: dict[int, list[dict[str, Any]]] = {}
    for row in fired:
        of_clock.setdefault(row["clock_id"], []).append(row)
    for rows in of_clock.values():
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        rungs = [row["rung"] for row in rows]
        assert rungs[:3] == list(range(min(3, len(rows)))), "a rung was passed over"
        assert rungs == sorted(set(rungs)), "the last rung repeats; what an outage misses of that comes as one"
        assert all(row["fired_at"] >= row["at"] for row in rows)
    climbs = world.ask(  # in one statement, since the clocks go on
        "SELECT c.case_id, count(r.climbed_to) AS climbs, "
        "(SELECT count(*) FROM ledger_entry e WHERE e.case_id = c.case_id AND e.act = 'rung') AS entries "
        "FROM ledger_rung r JOIN ledger_clock c ON c.id = r.clock_id GROUP BY c.case_id"
    )
    assert all(row["climbs"] == row["entries"] for row in climbs), "each climb is one entry"
    twice = world.ask("SELECT clock_id, rung, due, role, office_id, person_id FROM ledger_notice WHERE clock_id IS NOT NULL "
                      "GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1")  # fmt: skip
    assert not twice
    # what was overdue when the load ended has fired by now; the clocks go on, so later rungs may be just due
    late = "SELECT 1 FROM ledger_clock WHERE next_rung_at < %s"
    wait_for(lambda: not world.ask(late, world.calmed), 90, 1.0)


def test_the_record_is_whole(world: World) -> None:
    report = _judged(world, "verify", "--json")
    assert report["ok"] and report["entries"] > 60, report
    rebuilt = _judged(world, "rebuild", "--check", "--json")
    assert rebuilt["ok"] and rebuilt["partly"] == 0, rebuilt
    placed = "SELECT count(*) AS n, count(position) AS placed, count(DISTINCT position) AS different FROM ledger_outbox"
    wait_for(lambda: len(set(world.ask(placed)[0].values())) == 1, 20)
    assert "Traceback" not in world.platform.said()


def _judged(world: World, *words: str) -> dict[str, Any]:
    done = fengsui(*words, "--data", str(world.platform.folder.path))
    assert done.stdout.strip().startswith("{"), done.stdout + done.stderr
    return json.loads(done.stdout)


async def _stored(client: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(m.subject.split(".")[2], json.loads(m.data)) for m in await _all(client, "TELE") if m.subject.startswith("part.")]


async def _events(client: Any) -> list[dict[str, Any]]:
    return [event for message in await _all(client, "ALARM") for event in json.loads(message.data)["events"]]


async def _all(client: Any, name: str) -> list[Any]:
    from fengsui.watch.tail import Tail

    last = (await client.jetstream().stream_info(name)).state.last_seq
    tail, found = Tail(client, name, 0), []
    while tail.seq < last:
        found += await tail.fetch(1000, 1.0)
    await tail.close()
    return found


def _reference(stored: list[tuple[str, dict[str, Any]]]) -> tuple[Counter[tuple[str, str]], dict[str, set[int]]]:
    """How often each point passed its limit, told from the stored messages alone; and which moments are stored."""
    raised: Counter[tuple[str, str]] = Counter()
    messages: dict[str, set[int]] = {}
    last: dict[tuple[str, str], int] = {}
    beyond: set[tuple[str, str]] = set()
    for site, body in stored:
        messages.setdefault(site, set()).add(body["t"])
        for tag, value in body["v"].items():
            point = (site, tag)
            if body["t"] <= last.get(point, 0):
                continue  # sent again after a break, or overtaken: history, no alarm
            last[point] = body["t"]
            if value >= LIMIT and point not in beyond:
                beyond.add(point)
                raised[point] += 1
            elif value < LIMIT - 1:
                beyond.discard(point)
    return raised, messages
