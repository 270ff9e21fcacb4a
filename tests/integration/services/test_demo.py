"""The demonstration: its open cases are led through the doors into all states; its exercise plays to the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from fengsui import shipped
from fengsui.ledger import clockwork, doors, mechanisms, sealer, sealing
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Clock, Notice
from fengsui.region.models import Account
from fengsui.services.demo import lives, matters, seed
from fengsui.services.exercise import scenario
from fengsui.services.exercise.player import Player
from fengsui.services.exercise.world import Region
from fengsui.services.seeding import photos

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def led(
    django_db_setup: None, django_db_blocker: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, int], list[str]]]:
    """The seeded region with its matters, committed, because verification reads through connections of its own."""
    said: list[str] = []
    settings.EXERCISE_PACE, before = 40, settings.EVIDENCE_DIR
    settings.EVIDENCE_DIR = tmp_path_factory.mktemp("evidence")
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        mechanisms.store(NOW)
        seed.run(lambda words: None, NOW)
        yield matters.run(said.append, NOW, seed=7, photo=photos()), said
        call_command("flush", interactive=False, verbosity=0)
    settings.EXERCISE_PACE, settings.EVIDENCE_DIR = 1, before
    mechanisms.forget()


def test_every_life_is_led(led: tuple[dict[str, int], list[str]]) -> None:
    counts, said = led
    assert counts.get("not led", 0) == 0, "\n".join(said)
    assert sum(counts.values()) >= 120
    assert Case.objects.filter(ended=False).count() >= 120


def test_open_cases_stand_in_all_states(led: tuple[dict[str, int], list[str]]) -> None:
    for name in ("hazard", "warning", "instruction"):
        mechanism = mechanisms.current(name)
        found = set(Case.objects.filter(mechanism=name).values_list("state", flat=True))
        assert found == {*mechanism.states, *mechanism.ends}


def test_none_rests_without_owner_and_clock(led: tuple[dict[str, int], list[str]]) -> None:
    for case in Case.objects.filter(ended=False):
        assert case.owner_id is not None, case
        assert Clock.objects.filter(case=case, stopped=None).exists(), case


def test_a_state_that_persons_cannot_reach_is_named() -> None:
    with pytest.raises(lives.Stuck, match="nowhere"):
        lives.road(mechanisms.current("hazard"), "nowhere")


class Played(Region):
    """The real region, with the sensor's part played by the test: its signal opens the warning as the relay would."""

    def signal(self, point: str, to: float | str, over: float) -> None:
        super().signal(point, to, over)
        if point and not isinstance(to, str):
            about = doors.About("site", str(self.site.pk), duty="hazchem", title="V-102 PT-1021", exercise=True)
            values = {"hazard_kind": "pressure", "colour": "red"}
            key = f"test-{self.now}"
            doors.open("warning", "by_alarm", values, Actor("event", name="warning.level"), about, key=key, now=self.now)


@pytest.mark.django_db(transaction=True)
def test_the_exercise_plays_to_the_end(led: object, tmp_path: Path, settings: Any) -> None:
    """Everything but the sensor is real: doors, clocks, ladders, refusals, the database's own guard, verification."""
    settings.KEYS_DIR = tmp_path / "keys"
    played = scenario.load(shipped.file("exercises/jiuyuan-ammonia.yaml"))
    world = Played(played, tmp_path)
    player, now = Player(played, world, tmp_path), NOW
    world.now = now
    player.start(now)
    while "warning" not in player.cases:
        now += timedelta(seconds=1)
        world.now = now
        player.tick(now)
    first = player.cases["warning"]
    sealer.round_(sealing.Grower.load(), now)  # the demo's sealer signs each minute
    player.start(now)  # again from the first step: two persons put the open warning away
    for _ in range(600):
        now += timedelta(seconds=1)
        world.now = now
        clockwork.tick(now)
        player.tick(now)
        if player.sheet.phase == "done":
            break
    assert Case.objects.get(pk=first).state == "unfounded"
    went = {line.id: (line.state, line.detail) for line in player.sheet.lines}
    missed = {name: detail for name, (state, detail) in went.items() if state != "done"}
    assert missed == {}
    hazard = Case.objects.get(pk=player.cases["hazard"])
    assert (hazard.state, hazard.exercise) == ("cancelled", True)
    acts = [(line.id, step.user) for line, step in zip(player.sheet.lines, played.steps, strict=True) if step.kind == "act"][:4]
    assert acts == [
        ("county_acknowledges", "demo.county"), ("county_calls", "demo.county"), ("opens_hazard", "demo.inspector"),
        ("stops_unit", "demo.inspector"),
    ]  # fmt: skip
    assert hazard.raiser["person"] == Account.objects.get(username="demo.inspector").person.pk, "who found it raised it"
    assert "Whoever did the work" in went["own_number"][1]["en"] or "Done by" in went["own_number"][1]["en"]
    assert "it moves by exactly one entry at a time" in went["by_sql"][1]["en"], "the database's own guard refused, nothing else"
    told = Notice.objects.filter(case=hazard, kind="end")
    assert {"raiser", "parties"} <= set(told.values_list("role", flat=True))
    assert told.filter(office_id=world.site.office_id).exists(), "the plant answered and is not told"
    told = Notice.objects.filter(case=player.cases["warning"], kind="end")  # a sensor raised it, and a sensor is told nothing
    assert {"control_room", "parties"} <= set(told.values_list("role", flat=True))
    assert "its content was changed" in went["tampered"][1]["en"]
    assert hazard.number in went["tampered"][1]["en"]
    state = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert state["score"]["missed"] == 0
