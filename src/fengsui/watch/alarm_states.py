"""The states of an alarm after ISA-18.2, as one pure function.

Detection (the engine's side) only says raised or cleared. What people still owe is here: an alarm that went
away unacknowledged stays on the list until somebody acknowledges it, a latched one until it is reset.
Shelving, suppression by design and out of service hide an alarm without touching its state beneath.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """ISA-18.2's states A to F; NORMAL ends the alarm."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"  # active, nobody has taken note
    ACKNOWLEDGED = "acknowledged"  # active, known
    RETURNED = "returned"  # back to normal, not yet acknowledged
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"  # back to normal, latched, not acknowledged
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"  # back to normal, latched, acknowledged: waits for the reset


class What(StrEnum):
    """What can happen to an alarm."""

    RAISE = "raise"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"


ACTIVE = frozenset({State.UNACKNOWLEDGED, State.ACKNOWLEDGED})
OWING = frozenset({State.UNACKNOWLEDGED, State.RETURNED, State.LATCHED_UNACKNOWLEDGED})
"""States in which somebody must acknowledge."""

_AFTER = {
    (State.NORMAL, What.RAISE): State.UNACKNOWLEDGED,
    (State.RETURNED, What.RAISE): State.UNACKNOWLEDGED,
    (State.LATCHED_UNACKNOWLEDGED, What.RAISE): State.UNACKNOWLEDGED,
    (State.LATCHED_ACKNOWLEDGED, What.RAISE): State.UNACKNOWLEDGED,
    (State.UNACKNOWLEDGED, What.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.RETURNED, What.ACKNOWLEDGE): State.NORMAL,
    (State.LATCHED_UNACKNOWLEDGED, What.ACKNOWLEDGE): State.LATCHED_ACKNOWLEDGED,
    (State.LATCHED_ACKNOWLEDGED, What.RESET): State.NORMAL,
}


def after(state: State, what: What, *, latched: bool = False) -> State:
    """The state that follows; the same where it changes nothing (said twice, or too early).

    >>> after(State.UNACKNOWLEDGED, What.CLEAR).value
    'returned'
    """
    if what is What.CLEAR:
        if state is State.UNACKNOWLEDGED:
            return State.LATCHED_UNACKNOWLEDGED if latched else State.RETURNED
        if state is State.ACKNOWLEDGED:
            return State.LATCHED_ACKNOWLEDGED if latched else State.NORMAL
        return state
    return _AFTER.get((state, what), state)
