"""The proof held against the real offices: does each have the people that the mechanisms ask for?

The proof assumes that somebody answers for every state and that a second person can be found wherever one signs or
verifies. Here plain data say who sits where: ``check_live(mechanisms, seats)`` names each office that lacks somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.proof.form import every_act, roles_behind
from fengsui.ledger.proof.space import kind_of

CERTIFIED = "certified"
"""The guard that lets only people with an enforcement certificate in force act."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many natural persons a role needs in one office, and the act or state that needs them."""

    role: str
    persons: int
    because: str  # "hazard.review.pass"
    certified: bool = False  # only those count whose enforcement certificate is in force


@dataclass(frozen=True, slots=True)
class Seat:
    """An office that a role leads to, with the persons who may act in that role there now.

    ``certified``: only those who may enforce; ``duties``: the fields of work that their certificates are good for.
    """

    office: int
    role: str
    persons: frozenset[int]
    certified: bool = False
    duties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lack:
    """An office with fewer people than a role needs; ``has`` 0: nobody answers there."""

    office: int
    role: str
    has: int
    needs: int
    because: str
    certified: bool = False
    duties: tuple[str, ...] = ()


def demands(mechanisms: Mapping[str, Mechanism], *, certified: bool = False) -> dict[str, Demand]:
    """Role → the most that any mechanism asks of it; ``certified``: of people with an enforcement certificate in force."""
    found: dict[str, Demand] = {}
    for demand in _each(mechanisms):
        if demand.certified is not certified:
            continue
        known = found.get(demand.role)
        if known is None or demand.persons > known.persons:
            found[demand.role] = demand
    return found


def _each(mechanisms: Mapping[str, Mechanism]) -> Iterator[Demand]:
    for name, mechanism in sorted(mechanisms.items()):
        for state in mechanism.states.values():
            for role in sorted(roles_behind(mechanism, state.owner)):
                yield Demand(role, 1, f"{name}.{state.name}")
        works = _workers(mechanism)
        for where, act in every_act(mechanism):
            several = sum(1 for by in act.by if kind_of(by) == "person") > 1
            for role in sorted(_people(mechanism, act)):
                persons = min(2, act.signatures) if several else act.signatures  # others may sign for another role
                if any(role in works.get(work, ()) for work in act.verifies):
                    persons = max(2, persons)  # one does the work, another verifies it
                because = ".".join(word for word in (name, where, act.name) if word)
                yield Demand(role, persons, because)
                if any(guard.name == CERTIFIED for guard in act.needs):
                    yield Demand(role, persons, because, certified=True)


def _people(mechanism: Mechanism, act: Act) -> set[str]:
    return {role for by in act.by if kind_of(by) == "person" for role in roles_behind(mechanism, by)}


def _workers(mechanism: Mechanism) -> dict[str, set[str]]:
    """Work → the roles whose people may have done it."""
    found: dict[str, set[str]] = {}
    for _, act in every_act(mechanism):
        if act.does:
            found.setdefault(act.name, set()).update(_people(mechanism, act))
    return found


def check_live(mechanisms: Mapping[str, Mechanism], seats: Iterable[Seat]) -> tuple[Lack, ...]:
    """Every seat with fewer persons than its role needs, by office and role."""
    asked = {certified: demands(mechanisms, certified=certified) for certified in (False, True)}
    found = []
    for seat in seats:
        need = asked[seat.certified].get(seat.role)
        if need is not None and len(seat.persons) < need.persons:
            found.append(Lack(seat.office, seat.role, len(seat.persons), need.persons, need.because, seat.certified, seat.duties))
    return tuple(sorted(found, key=lambda lack: (lack.office, lack.role, lack.certified, lack.duties)))
