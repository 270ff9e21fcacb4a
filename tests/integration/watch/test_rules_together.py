"""A rule that is changed while somebody hides its alarms, or while the relay applies what the engine said by it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fengsui.watch import handling, rules
from fengsui.watch.handling import Doer
from fengsui.watch.models import Alarm, Concealment, Rule
from tests.integration.ledger.test_doors_together import while_holding
from tests.integration.watch.test_relay import NOW, Plant

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def plant(transactional_db: None) -> Plant:
    return Plant()


def test_hiding_follows_a_rule_that_is_replaced_while_it_waits(plant: Plant) -> None:
    first = plant.rule()
    second = rules.change(first, LATER, limit=1.75)

    def hide() -> None:
        handling.suppress(first.pk, Doer(1), "x", key="k", now=LATER + timedelta(minutes=2))

    answer, third = while_holding(
        lambda: Rule.objects.unscoped("test").select_for_update(no_key=True).get(pk=second.pk),
        hide,
        lambda: rules.change(second, LATER + timedelta(minutes=1), limit=1.7),
    )
    assert answer is None
    assert Concealment.objects.unscoped("test").get().rule_id == third.pk


def test_what_the_relay_applies_during_a_change_stands_under_the_new_rule_and_its_hiding(plant: Plant) -> None:
    first, said = plant.rule(), plant.event("RAISED")

    def change() -> Rule:
        made = rules.change(first, LATER, limit=1.7)
        handling.suppress(made.pk, Doer(1), "x", key="k", now=LATER)
        return rules.change(made, LATER + timedelta(minutes=1), limit=1.6)

    made: list[Rule] = []
    answer, _ = while_holding(lambda: made.append(change()), lambda: plant.say(said), lambda: None)
    assert not isinstance(answer, Exception), answer
    alarm = Alarm.objects.unscoped("test").get()
    assert (alarm.rule_id, alarm.hidden) == (made[0].pk, "suppressed")


def test_an_acknowledgement_while_the_relay_applies_the_next_event_is_not_lost(plant: Plant) -> None:
    plant.say(plant.event("RAISED"))
    alarm = Alarm.objects.unscoped("test").get()
    cleared = plant.event("CLEARED")

    answer, _ = while_holding(
        lambda: handling.acknowledge([alarm.pk], Doer(1), key="k", now=LATER), lambda: plant.say(cleared), lambda: None
    )
    assert not isinstance(answer, Exception), answer
    alarm.refresh_from_db()
    assert alarm.acknowledged_at == LATER and alarm.closed_at is not None
