"""Several at once, on committed data: who comes second sees it, nobody waits for ever, the seals hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from fengsui.ledger import doors
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Entry
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import LATER, do, found, settle, site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db(transaction=True)


def together(*doings: Callable[[], Any]) -> list[Any]:
    """Run all at the same moment, each on its own connection; exceptions are answers."""
    answers: list[Any] = [None] * len(doings)
    start = threading.Barrier(len(doings))

    def run(place: int, doing: Callable[[], Any]) -> None:
        start.wait(30)
        try:
            answers[place] = doing()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, doing)) for place, doing in enumerate(doings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.fixture
def standing(transactional_db: None) -> Small:
    return build(NOW)


def test_two_people_on_the_same_version_one_gets_412(standing: Small) -> None:
    receipt = found(standing)

    def one(number: int) -> Callable[[], Any]:
        call = Call("order_interim", standing.one("county", number).actor, {"interim_control": str(number)}, expects=receipt.seq)
        return lambda: doors.act(receipt.case, call, now=LATER)

    answers = together(one(0), one(1))
    assert sorted(isinstance(answer, Refused) for answer in answers) == [False, True]
    assert next(answer.status for answer in answers if isinstance(answer, Refused)) == 412
    assert Case.objects.get().seq == 2


def test_one_key_from_many_threads_acts_once(standing: Small) -> None:
    answers = together(*[lambda: found(standing, key="same")] * 4)
    assert len({answer.case for answer in answers}) == 1
    assert Case.objects.count() == 1


def test_many_alarms_open_one_warning(standing: Small) -> None:
    from fengsui.ledger.kernel.shapes import Actor

    def alarm() -> Any:
        signal = Actor(kind="event", name="warning.level")
        return doors.open(
            "warning", "by_alarm", {"hazard_kind": "toxic_gas", "colour": "red"}, signal, site(standing), key="", now=NOW
        )

    answers = together(*[alarm] * 4)
    assert len({answer.case for answer in answers}) == 1
    assert sorted(answer.act for answer in answers) == ["again", "again", "again", "by_alarm"]


def test_parent_and_child_at_once_do_not_wait_for_each_other(standing: Small) -> None:
    case = found(standing).case
    settle(standing, case)
    (child,) = do(case, "extend", standing.one("plant"), extension={"until": "2027-01-15", "why": "未到货"}).opened
    owner = "county" if Case.objects.get(pk=child).owner_id == standing.county.pk else "league"
    answers = together(
        lambda: do(child, "grant", standing.one(owner)),
        lambda: do(case, "order_interim", standing.one("county", 1), interim_control="停用"),
        lambda: do(case, "report", standing.one("plant"), progress="在途"),
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    acts = set(Entry.objects.filter(case=case).values_list("act", flat=True))
    assert {"extension_granted", "order_interim", "report"} <= acts
    seqs = list(Entry.objects.filter(case=case).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))


def test_the_ledger_verifies_after_all_that(standing: Small) -> None:
    from fengsui.ledger import verify

    case = found(standing).case
    settle(standing, case)
    do(case, "report", standing.one("plant"), progress="在途")
    report = verify.case(case)
    assert report.ok, report.findings
