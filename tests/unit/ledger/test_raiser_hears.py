"""Whoever raised a matter hears of each decision on it: every act by persons tells the raiser, or says why it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fengsui.ledger.kernel.people import for_people
from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.proof.form import every_act
from fengsui.ledger.proof.shipped_proof import load_all, shipped_names

MECHANISMS = load_all(shipped_names())

WORK = "work handed in: the judgement on it is told"
PROGRESS = "progress, no decision: it stands in the matter's record"
ASKS = "a request: the decision on it is told"
OWN = "the raiser's own act"
PLATFORM = "the platform itself raised it; the office above is told of what is left open"

SILENT: dict[str, str] = {
    "accident.analyse": WORK,
    "accident.continue_report": PROGRESS,
    "accident.enterprise_reports": PROGRESS,
    "accident.evaluate": WORK,
    "accident.phone": PROGRESS,
    "accident.report_up": PROGRESS,
    "accident.stop_reports": PROGRESS,
    "circular.submit": WORK,
    "classified_paper.report_done": OWN,
    "hazard.ask_to_resume": ASKS,
    "hazard.confirm_control": WORK,
    "hazard.extend": ASKS,
    "hazard.report": PROGRESS,
    "hazard.settle": WORK,
    "hazard.submit": WORK,
    "instruction.feed_back": WORK,
    "instruction.propose": OWN,
    "instruction.report": PROGRESS,
    "investigation.appraise": ASKS,
    "investigation.ask_more": ASKS,
    "investigation.note": PROGRESS,
    "investigation.resubmit": WORK,
    "investigation.submit": WORK,
    "look_back.visit": WORK,
    "ordinary_hazard.rectify": WORK,
    "reward.compute": WORK,
    "task.extend": ASKS,
    "task.report": PROGRESS,
    "task.submit": WORK,
    "transfer.report": PROGRESS,
    "vacancy.arrange": PLATFORM,
    "vacancy.leave_open": PLATFORM,
    "vacancy.look_again": PLATFORM,
    "warning.again": PROGRESS,
    "warning.note_call": PROGRESS,
}
"""Acts by persons that tell the raiser nothing, each with its reason."""


def acts() -> Iterator[tuple[Mechanism, Act]]:
    """Each act by persons in a case's life, once; its opening is the raiser's own."""
    for mechanism in MECHANISMS.values():
        inside = {act.name: act for where, act in every_act(mechanism) if where and for_people(act)}
        yield from ((mechanism, act) for act in inside.values())


def hears(mechanism: Mechanism, act: Act) -> bool:
    """The act tells the raiser, or leads nowhere but to an end that does."""
    return "raiser" in act.tells or (act.then is None and act.to in mechanism.ends and "raiser" in mechanism.ends[act.to].tells)


@pytest.mark.parametrize("name", sorted(MECHANISMS))
def test_each_decision_tells_the_raiser(name: str) -> None:
    silent = {f"{name}.{act.name}" for mechanism, act in acts() if mechanism.name == name and not hears(mechanism, act)}
    assert silent == {one for one in SILENT if one.startswith(f"{name}.")}


def test_what_is_silent_as_work_or_progress_decides_nothing() -> None:
    """Work is handed to somebody who judges it; progress and requests leave the state as it is."""
    for mechanism, act in acts():
        why = SILENT.get(f"{mechanism.name}.{act.name}")
        if why in (PROGRESS, ASKS):
            assert act.to is None and act.signatures == 1, act.name
        if why == WORK:
            assert act.signatures == 1 and not act.verifies, act.name
