"""What the open event streams may still hear: asked for all of them together, every few seconds.

In: who opened each stream and by which session, or for which of the demo's seats. Out: the ear of today, or that the stream must
end. A stream is opened once and lives for hours; sign-out, lock, a changed password, an ended post or a lost right must reach
it too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from fengsui.cockpit import sessions
from fengsui.cockpit.live import Ear, Seats
from fengsui.region.acting import actings_of_many, scope
from fengsui.region.tree import steady


@dataclass(frozen=True, slots=True)
class Claim:
    """By which session a stream was opened, as whom, and which topics and ids it asked for (none: all)."""

    session: str
    account: int
    topics: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seated:
    """For which seats a stream was opened, without any session; ``ask`` says what they may hear at a moment, None: nothing."""

    keys: tuple[str, ...]
    ask: Callable[[tuple[str, ...], datetime], Seats | None]


def ears(claims: Collection[Claim | Seated], now: datetime) -> dict[Claim | Seated, Ear | Seats]:
    """What each may hear at ``now``; a claim that is missing has ended. Five queries, however many sessions."""
    found = _of_sessions([one for one in claims if isinstance(one, Claim)], now)
    for one in claims:
        if isinstance(one, Seated) and (seats := one.ask(one.keys, now)) is not None:
            found[one] = seats
    return found


def _of_sessions(claims: Collection[Claim], now: datetime) -> dict[Claim | Seated, Ear | Seats]:
    if not claims:
        return {}
    accounts = sessions.accounts_of({one.session for one in claims}, now)
    persons = {key: getattr(account, "person", None) for key, account in accounts.items()}
    held = actings_of_many({person.pk for person in persons.values() if person is not None}, now)
    found: dict[Claim | Seated, Ear | Seats] = {}
    with steady():
        for one in claims:
            account = accounts.get(one.session)
            if account is None or account.pk != one.account:
                continue
            person = persons[one.session]
            posts = held.get(person.pk, []) if person is not None else []
            found[one] = Ear(tuple(scope(acting) for acting in posts), one.topics, one.ids)
    return found
