"""What mechanisms ask of offices, and which offices lack it: plain data in, plain data out."""

from __future__ import annotations

from fengsui.ledger.proof.live import Seat, check_live, demands
from fengsui.ledger.proof.shipped_proof import load_all, shipped_names

MECHANISMS = load_all(shipped_names())


def test_demands_come_from_signatures_and_own_work() -> None:
    needs = demands(MECHANISMS)
    assert needs["site_supervisor"].persons == 2  # two sign every review
    assert needs["investigation_head"].persons == 3  # three members sign
    assert needs["control_room"].persons == 1
    assert all(demand.because.split(".")[0] in MECHANISMS for demand in needs.values())


def test_lacks_name_office_role_and_numbers() -> None:
    seats = [
        Seat(1, "site_supervisor", frozenset({10, 11})),
        Seat(2, "site_supervisor", frozenset({10})),
        Seat(3, "control_room", frozenset()),
        Seat(4, "control_room", frozenset({12})),
        Seat(5, "nobody_asks_for_this", frozenset()),
    ]
    found = check_live(MECHANISMS, seats)
    assert [(lack.office, lack.role, lack.has, lack.needs) for lack in found] == [
        (2, "site_supervisor", 1, 2),
        (3, "control_room", 0, 1),
    ]


def test_acts_of_enforcement_ask_for_people_with_a_certificate() -> None:
    needs = demands(MECHANISMS, certified=True)
    assert needs["site_supervisor"].persons == 2 and needs["site_supervisor"].because.startswith("hazard.")
    assert "control_room" not in needs and "finance" not in needs
    seats = [
        Seat(1, "site_supervisor", frozenset({10, 11})),
        Seat(1, "site_supervisor", frozenset({10}), certified=True, duties=("hazchem", "mines")),
        Seat(1, "site_supervisor", frozenset({10, 11}), certified=True, duties=("fire",)),
    ]
    found = check_live(MECHANISMS, seats)
    assert [(lack.has, lack.needs, lack.certified, lack.duties) for lack in found] == [(1, 2, True, ("hazchem", "mines"))]
