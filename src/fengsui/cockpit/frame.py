"""Who sits in front of the page, in which post, and what must not be overlooked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fengsui.cockpit import times
from fengsui.ledger import casepage, health, mechanisms, reading, titles
from fengsui.ledger.models import Case, Clock
from fengsui.region.acting import Acting, posts_of
from fengsui.watch import capacity


@dataclass(frozen=True, slots=True)
class PostLine:
    """A post that the reader holds."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A red warning that one of my offices must acknowledge."""

    key: str
    title: str
    url: str
    due: datetime
    left: str
    act_url: str
    act_title: str
    nonce: str
    post_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The changing parts of the shell for one request."""

    name: str = ""
    acting: str = ""  # person, office, post
    posts: list[PostLine] = field(default_factory=list)
    desk_count: str = ""
    alarms: list[Alarm] = field(default_factory=list)
    lagging: list[str] = field(default_factory=list)  # watched processes that are silent or behind
    starting: list[str] = field(default_factory=list)  # watched processes that have not beaten yet and need not have
    troubles: list[str] = field(default_factory=list)  # what else every page must say

    @property
    def initial(self) -> str:
        """The letter in the round button."""
        return self.name[:1]

    @property
    def more_alarms(self) -> int:
        """How many beside the one shown."""
        return max(0, len(self.alarms) - 1)


def of(request: HttpRequest, now: datetime) -> Frame:
    """The frame of a signed-in person; an empty one for a visitor."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Frame()
    posts = posts_of(request, now)
    if not posts:
        person = getattr(user, "person", None)
        return Frame(name=person.name if person else user.get_username())
    said = [PostLine(one.post_id, words) for one, words in zip(posts, casepage.who_each(posts), strict=True)]
    name, _, _ = said[0].title.partition("·")
    behind, starting = pulse(now)
    return Frame(name, said[0].title, said, waiting(posts, now), alarms(posts, now), behind, starting, troubles(now))


def waiting(posts: list[Acting], now: datetime) -> str:
    """How many cases wait for my posts: ``27``, ``999+``; empty for none."""
    number, more = reading.waiting_number(posts, now)
    return f"{number}+" if more else str(number or "")


def alarms(posts: list[Acting], now: datetime) -> list[Alarm]:
    """Red warnings with a running clock of one of my offices that an act of mine stops, the soonest first."""
    mine = {one.office_id: one for one in posts}
    each = mechanisms.answered_each()
    running = Clock.objects.filter(holder_id__in=mine, name__in=each, stopped__isnull=True, current=True)
    red = running.filter(case__level="red", case__ended=False)
    found: dict[Any, Alarm] = {}
    for clock in red.select_related("case").defer("case__fields", "case__core").order_by("due")[:20]:
        if clock.case_id in found:
            continue
        alarm = _alarm(clock, mine[clock.holder_id or 0], now)
        if alarm:
            found[clock.case_id] = alarm
    return list(found.values())


def _alarm(clock: Clock, acting: Acting, now: datetime) -> Alarm | None:
    """The alarm of a clock that every holder answers for itself (an acknowledgement); other clocks sound nothing."""
    case: Case = clock.case
    mechanism = mechanisms.version(case.version_id)
    declared = mechanism.clocks.get(clock.name)
    if declared is None or not declared.per_holder:
        return None
    state = mechanism.states.get(case.state)
    act = next((name for name in sorted(declared.stops) if state and name in state.offers), "")
    return Alarm(
        key=f"{case.pk}:{clock.pk}",
        title=case.title,
        url=reverse("ledger:case", args=[case.pk]),
        due=clock.due,
        left=times.remaining(clock.due, now),
        act_url=reverse("ledger:act", args=[case.pk, act]) if act else "",
        act_title=titles.act(mechanism, act) if act else "",
        nonce=str(uuid.uuid4()),
        post_id=acting.post_id,
        seq=case.seq,
    )


def pulse(now: datetime) -> tuple[list[str], list[str]]:
    """The watched processes that lag and those that start."""
    from fengsui.cockpit.cards import process_name

    behind, starting, _why = _pulse(now)
    return [process_name(one) for one in behind], [process_name(one) for one in starting]


def _pulse(now: datetime) -> tuple[list[str], list[str], str]:
    """Who lags, who starts, and why the switch outside fails; asked at most every five seconds in a process."""
    known: tuple[list[str], list[str], str] | None = cache.get("pulse")
    if known is None:
        status = health.status(now)
        behind, starting = ([one.process for one in some] for some in (status.behind, status.starting))
        known = (behind, starting, health.outside_fails(status))
        cache.set("pulse", known, 5)
    return known


def troubles(now: datetime) -> list[str]:
    """What the stream of measurements and the switch outside suffer from, asked at most every five seconds in a process
    and language.
    """
    key = f"troubles-{get_language()}"
    known: list[str] | None = cache.get(key)
    if known is None:
        known = capacity.sentences(now)
        if why := _pulse(now)[2]:
            words = _(
                "The dead man's switch outside does not answer well (%(why)s): whoever waits there may call this platform dead."
            )
            known.append(words % {"why": why})
        cache.set(key, known, 5)
    return known
