"""Whom an act's office or person field may name: what a picker shows, and nothing that the door would refuse.

In: the mechanism, the act, the field, the case (or one about to be opened). Out: a test of one office, or the persons.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fengsui.ledger import registry
from fengsui.ledger.doors import facts
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.doors.opening import blank
from fengsui.ledger.doors.shapes import About
from fengsui.ledger.kernel.guards import PURE, Look
from fengsui.ledger.kernel.people import people_asked
from fengsui.ledger.kernel.shapes import Act, Actor, Facts, Guard, Mechanism
from fengsui.ledger.models import Case
from fengsui.ledger.reading.possible import actor_of
from fengsui.region import roles
from fengsui.region.acting import Acting
from fengsui.region.tree import tree


@dataclass(frozen=True, slots=True)
class Choosable:
    """One field of one act on one case, as the post acted in may fill it."""

    held: Held
    act: Act
    field: str
    actor: Actor
    now: datetime

    def office(self, office: int) -> bool:
        """Whether the office may be chosen: the act's own conditions about it, and enough people who act for it."""
        mechanism = self.held.mechanism
        if not all(self._meets(guard, office) for guard in self.act.needs):
            return False
        able = roles.people_in(mechanism.fields[self.field].acts_as, office, self.now)
        return len(able) >= people_asked(mechanism, self.field)

    def persons(self) -> frozenset[int]:
        """Everybody who may be named."""
        parent = read([self.held.case.parent], lock=False).get(self.held.case.parent) if self.held.case.parent else None
        where = facts.whereabouts(self.held, parent)
        return roles.persons_of(self.held.mechanism.fields[self.field].acts_as, where, self.now)

    def _meets(self, guard: Guard, office: int) -> bool:
        """A condition that the kernel judges by the field; others are not the office's to meet."""
        declared = self.held.mechanism.guards.get(guard.name, {})
        if guard.name not in PURE or list(declared.get("fields", ())) != [self.field]:
            return True
        values = {self.field: office}
        sight = registry.Sight(self.held.case, self.held.row, self.act.name, self.actor, values, self.now)
        given = {name: registry.fact(name)(sight) for name in declared.get("facts", ()) if registry.has_fact(name)}
        return PURE[guard.name](Look(self.held.case, values, Facts({}, frozenset(), {}, {}, given=given), self.now))


def choosable(mechanism: Mechanism, act: str, field: str, case: Case | None, acting: Acting, now: datetime) -> Choosable | None:
    """The choice that a picker was made for; None where the field names nobody or the act is not there."""
    declared = mechanism.fields.get(field)
    if declared is None or not declared.acts_as:
        return None
    if case is None:
        node = tree().offices.get(acting.office_id)
        about = About("none", "", node.place if node else "")
        held, found = blank(mechanism, about, actor_of(acting), now), mechanism.opening.get(act)
    else:
        held = read([str(case.pk)], lock=False)[str(case.pk)]
        state = held.mechanism.states.get(held.case.state)
        found = state.offers.get(act) if state else None
    if found is None or field not in (*found.sets, *found.may_set):
        return None
    return Choosable(held, found, field, actor_of(acting), now)
