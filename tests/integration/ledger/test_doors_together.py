"""Several at once, on committed data: who comes second sees it, nobody waits for ever, the seals hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from fengsui.ledger import clockwork, doors, erasure
from fengsui.ledger.doors import Correction, Refused
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.work import Work
from fengsui.ledger.erasure import Erasure
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Entry
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import LATER, do, found, settle, site
from tests.integration.ledger.test_instruction import registered
from tests.integration.ledger.test_reporters import law_officer
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
    (child,) = do(case, "extend", standing.one("plant"), extension={"until": "2026-12-30", "why": "未到货"}).opened
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


_WAITS = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"


def while_holding(hold: Callable[[], Any], doing: Callable[[], Any], look: Callable[[], Any]) -> tuple[Any, Any]:
    """Run ``doing`` while this connection has what ``hold`` locks; ``look`` once it waits for it: what both gave."""
    answers: list[Any] = []

    def run() -> None:
        answers.extend(together(doing))

    thread = threading.Thread(target=run)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            hold()
            thread.start()
            waits = False
            while thread.is_alive() and not waits:
                cursor.execute("SELECT pg_sleep(0.02)")
                cursor.execute(_WAITS)
                waits = cursor.fetchone()[0]
            assert waits, f"nobody waited: {answers}"
            seen = look()
    finally:
        thread.join(60)
    return answers[0], seen


def while_held(case: str, doing: Callable[[], Any], look: Callable[[], Any]) -> tuple[Any, Any]:
    """The same while this connection holds ``case``."""
    return while_holding(lambda: Case.objects.select_for_update().get(pk=case), doing, look)


def is_free(case: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_case WHERE id = %s FOR UPDATE SKIP LOCKED", [case])
        return cursor.fetchone() is not None


def of_two(standing: Small) -> tuple[str, str]:
    """A hazard and the extension that it asked for: parent, child."""
    case = found(standing).case
    settle(standing, case)
    (child,) = do(case, "extend", standing.one("plant"), extension={"until": "2026-12-30", "why": "未到货"}).opened
    return case, child


@pytest.mark.parametrize("door", ["erase", "correct", "act_many"])
def test_no_door_holds_a_child_while_it_waits_for_its_parent(standing: Small, door: str) -> None:
    case, child = of_two(standing)
    law = law_officer(standing).actor
    owner = standing.one("county" if Case.objects.get(pk=child).owner_id == standing.county.pk else "league").actor
    doings = {
        "erase": lambda: erasure.erase(
            child, Erasure(fields=("why",)), grounds="依法", clause="第四十七条", actor=law, now=LATER
        ),
        "correct": lambda: doors.correct(child, Correction(1, "why", "仍未到货", "写错"), standing.one("plant").actor, now=LATER),
        "act_many": lambda: doors.act_many([(child, Call("grant", owner)), (case, Call("nothing", owner))], LATER),
    }  # fmt: skip
    answer, free = while_held(case, doings[door], lambda: is_free(child))
    assert free
    assert not isinstance(answer, Exception), answer


def test_a_child_that_is_due_waits_for_a_parent_that_is_due_too_and_held_by_somebody(standing: Small) -> None:
    case, child = of_two(standing)
    passage = Passage(Work(LATER))

    def claim() -> list[str]:
        with transaction.atomic():
            return [held.case.id for held in clockwork._claim(passage, [child, case])]

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_case WHERE id = %s FOR UPDATE", [case])
        assert together(claim) == [[]]
    assert together(claim) == [[case, child]]


def of_three(standing: Small) -> tuple[str, str, str]:
    """An instruction, its task, and the extension that the task asked for."""
    case, leader, county = registered(standing), standing.one("top", 2), standing.one("county")
    do(case, "propose", standing.one("top"), proposal="拟请阅示", leader=leader.person.pk)
    do(case, "instruct", leader, words="请抓好落实", due="2027-01-31")
    (task,) = do(case, "assign", standing.one("top"), lead_office=standing.county.pk).opened
    do(task, "sign", county, measures="制定方案")
    (extension,) = do(task, "extend", county, extension={"until": "2027-02-10", "why": "未到货"}).opened
    return case, task, extension


def test_a_case_waits_for_its_whole_line_and_not_for_its_parent_alone(standing: Small) -> None:
    """The parent is not due and free, the grandparent is due and held: the parent's end would not reach it."""
    case, _, extension = of_three(standing)

    def claim() -> list[str]:
        with transaction.atomic():
            return [held.case.id for held in clockwork._claim(Passage(Work(LATER)), [extension, case])]

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_case WHERE id = %s FOR UPDATE", [case])
        assert together(claim) == [[]]
    assert together(claim) == [[case, extension]]
