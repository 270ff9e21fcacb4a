"""The demonstration's open cases: led through the doors, in all states, and the ledger is whole afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fengsui import moment
from fengsui.ledger import mechanisms
from fengsui.ledger.models import Case, Clock, Evidence
from fengsui.region.models import Site
from fengsui.services.demo import lives, matters, seed

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def photo(site: Site | None, at: datetime) -> str:
    """A stored photo that was taken at the site."""
    digest = hashlib.sha256(str(site and site.pk).encode()).hexdigest()
    position = {"lon": site.lon, "lat": site.lat} if site else None
    Evidence.objects.get_or_create(digest=digest, defaults={"size": 1, "position": position, "stored_at": NOW})
    return digest


@pytest.fixture(scope="module")
def led(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[tuple[dict[str, int], list[str]]]:
    """The seeded region with its matters, rolled back at the end of the module."""
    from django.db import transaction

    said: list[str] = []
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]
        mechanisms.store(NOW)
        seed.run(lambda words: None, NOW)
        yield matters.run(said.append, NOW, seed=7, photo=photo), said
        transaction.set_rollback(True)
    mechanisms.forget()


def test_every_life_is_led(led: tuple[dict[str, int], list[str]]) -> None:
    counts, said = led
    assert counts.get("not led", 0) == 0, "\n".join(said)
    assert sum(counts.values()) >= 120


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


def test_the_wall_clock_is_not_read() -> None:
    assert moment.now() > NOW
