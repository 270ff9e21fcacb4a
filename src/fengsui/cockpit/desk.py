"""The desk: what needs me first, over all my posts, and the cards beside it that my kind of post looks at.

In: the reader's posts and the time. Out: the context of ``cockpit/desk.html``. Every number is a link to what it counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext

from fengsui.cockpit import times
from fengsui.ledger import casepage, drawing, filters, health, mechanisms, names, notices, reading, titles
from fengsui.ledger.models import CallLine, Case, Clock
from fengsui.ledger.reading import DeskLine
from fengsui.ledger.reading.possible import may
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Certificate, Office, Person, Place, Post

WITH_ACTS = 25
"""So many lines carry their acts; the rest are opened to act."""

INLINE = 2
TOLD_READ, TOLD_SHOWN = 60, 5
"""So many notices are looked through for the card, so many lines of it are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the desk."""

    case: Case
    acting: Acting
    mechanism: str
    state: str
    phase: str
    owner: str
    due: datetime | None
    start: datetime | None
    paused: bool
    later: str  # for a calm clock: the moment it falls due
    can: list[casepage.Can]
    calls: list[dict[str, Any]]
    key: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one urgency."""

    name: str
    lines: list[Line]


def groups(posts: Sequence[Acting], now: datetime) -> list[Group]:
    """The desk's lines, grouped: overdue, within 30 minutes, today, later, without a clock of mine."""
    lines = reading.desk(posts, now)
    owners = names.offices(line.case.owner_id for line in lines)
    clocks = _clocks(lines)
    called = _calls(lines)
    built = [_line(line, index, owners, clocks, called, now) for index, line in enumerate(lines)]
    built.sort(key=lambda one: (one.due is None, one.due or now))
    day = filters.until("today", now)
    titled = (
        (gettext("Overdue"), lambda one: one.due and one.due < now and not one.paused),
        (gettext("Within 30 minutes"), lambda one: one.due and one.due < now + timedelta(minutes=30) and not one.paused),
        (gettext("Today"), lambda one: one.due and one.due < day and not one.paused),
        (gettext("Later"), lambda one: True),
    )
    found: list[Group] = []
    for name, fits in titled:
        mine = [one for one in built if fits(one)]
        built = [one for one in built if one not in mine]
        if mine:
            found.append(Group(name, mine))
    return found


WATCHED = 12


def watched(posts: Sequence[Acting], now: datetime, shown: Sequence[Group] = ()) -> Group | None:
    """Warnings in my scope that somebody else has not acknowledged yet: what a duty officer phones about.

    For duty rooms and leaders only; the soonest clock first, red and orange before the others. What stands in
    ``shown`` already is left out.
    """
    if kind(posts) not in ("duty", "leader"):
        return None
    offices = {one.office_id for one in posts}
    running = Clock.objects.filter(
        case__in=reading.cases(posts).filter(ended=False, level__in=filters.LEVELS), stopped__isnull=True, current=True
    )
    seen: dict[Any, Clock] = {}
    above = [line.case.pk for group in shown for line in group.lines]
    for clock in running.exclude(holder_id__in=offices).exclude(case__in=above).select_related("case").order_by("due")[:200]:
        declared = mechanisms.version(clock.case.version_id).clocks.get(clock.name)
        if declared is not None and declared.per_holder:
            seen.setdefault(clock.case_id, clock)
    clocks = sorted(seen.values(), key=lambda one: (one.case.level not in ("red", "orange"), one.due))[:WATCHED]
    owners = names.offices(clock.holder_id for clock in clocks)
    lines = [_watched_line(clock, posts, owners, now) for clock in clocks]
    return Group(gettext("Not acknowledged in my scope"), lines) if lines else None


def _watched_line(clock: Clock, posts: Sequence[Acting], owners: Any, now: datetime) -> Line:
    case, mechanism = clock.case, mechanisms.version(clock.case.version_id)
    can, _ = casepage.sorted_out(mechanism, *may(case, posts[0], now))
    return Line(
        case=case,
        acting=posts[0],
        mechanism=titles.mechanism(mechanism),
        state=titles.state(mechanism, case.state),
        phase=drawing.phase(mechanism, case.state),
        owner=titles.here(owners.get(clock.holder_id)),
        due=clock.due,
        start=clock.start,
        paused=clock.paused_at is not None,
        later=times.deadline_text(clock.due, now),
        can=can[:1],
        calls=casepage.calls(case, posts[0])[:4],
        key=str(uuid.uuid4()),
        mine=False,
    )


def _clocks(lines: Sequence[DeskLine]) -> dict[tuple[Any, datetime | None], Clock]:
    rows = Clock.objects.filter(case__in=[line.case.pk for line in lines], stopped__isnull=True, current=True)
    return {(clock.case_id, clock.due): clock for clock in rows}


def _calls(lines: Sequence[DeskLine]) -> set[Any]:
    ids = [line.case.pk for line in lines[:WITH_ACTS]]
    return set(CallLine.objects.filter(case__in=ids).values_list("case_id", flat=True))


def _line(line: DeskLine, index: int, owners: Any, clocks: Any, called: set[Any], now: datetime) -> Line:
    case = line.case
    mechanism = mechanisms.version(case.version_id)
    clock = clocks.get((case.pk, line.due))
    can: list[casepage.Can] = []
    if index < WITH_ACTS:
        held = [one for (case_id, _), one in clocks.items() if case_id == case.pk]
        urgent = casepage.stopping(mechanism, held, [line.acting.office_id])
        can, _ = casepage.sorted_out(mechanism, *may(case, line.acting, now), urgent)
    soon = line.due is not None and line.due < now + timedelta(minutes=30)
    calls = casepage.calls(case, line.acting)[:4] if case.pk in called and soon else []
    paused = bool(clock and clock.paused_at)
    return Line(
        case=case,
        acting=line.acting,
        mechanism=titles.mechanism(mechanism),
        state=titles.state(mechanism, case.state),
        phase=drawing.phase(mechanism, case.state, paused),
        owner=titles.here(owners.get(case.owner_id)),
        due=line.due,
        start=clock.start if clock else None,
        paused=paused,
        later=times.moment_text(line.due, now) if line.due else "",
        can=can[:INLINE],
        calls=calls,
        key=str(uuid.uuid4()),
        mine=line.reason == "owner",
    )


# ------------------------------------------------------------------- the cards


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: words, a number or a text, where it leads, an optional sign (ok, half, off)."""

    words: str
    value: str = ""
    url: str = ""
    sign: str = ""
    under: str = ""  # a second, quieter line: what the words are about


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the rail."""

    title: str
    rows: list[Row]
    more: str = ""
    url: str = ""


def kind(posts: Sequence[Acting]) -> str:
    """Which home this is: leader, duty, enterprise or inspector, by the first post's office and functions."""
    first = Post.objects.select_related("office").get(pk=posts[0].post_id)
    if first.office.kind == Office.Kind.ENTERPRISE:
        return "enterprise"
    held = {duty for post in Post.objects.filter(pk__in=[one.post_id for one in posts]) for duty in post.duties}
    if "duty" in held:
        return "duty"
    if "leading" in held:
        return "leader"
    return "inspector"


def cards(posts: Sequence[Acting], now: datetime) -> list[Card]:
    """The rail of this home."""
    makers: dict[str, tuple[Callable[[Sequence[Acting], datetime], Card | None], ...]] = {
        "leader": (_numbers, _by_place, _told),
        "duty": (_numbers, _health, _told),
        "enterprise": (_numbers, _certificates, _told),
        "inspector": (_numbers, _certificates, _told),
    }
    found = [make(posts, now) for make in makers[kind(posts)]]
    return [card for card in found if card is not None]


def _list(query: str) -> str:
    return f"{reverse('ledger:list')}?{query}"


def _numbers(posts: Sequence[Acting], now: datetime) -> Card:
    offices = [one.office_id for one in posts]
    counts = reading.cases(posts).filter(ended=False).aggregate(
        mine=Count("pk", filter=Q(owner_id__in=offices) | Q(holder_id__in=offices)),
        overdue=Count("pk", filter=Q(next_due__lt=now)),
        red=Count("pk", filter=Q(level="red")),
        orange=Count("pk", filter=Q(level="orange")),
        today=Count("pk", filter=Q(next_due__gte=now, next_due__lt=filters.until("today", now))),
    )  # fmt: skip
    return Card(
        gettext("In my scope"),
        [
            Row(gettext("Red warnings open"), str(counts["red"]), _list("level=red")),
            Row(gettext("Orange warnings open"), str(counts["orange"]), _list("level=orange")),
            Row(gettext("Overdue"), str(counts["overdue"]), _list("clock=overdue")),
            Row(gettext("Due today"), str(counts["today"]), _list("clock=today")),
            Row(gettext("With my offices"), str(counts["mine"]), _list("mine=1")),
        ],
        gettext("All open"),
        reverse("ledger:list"),
    )


def _by_place(posts: Sequence[Acting], now: datetime) -> Card | None:
    """Overdue cases by the places directly below mine: where a leader must press."""
    own = scope(posts[0]).place_path
    below = list(Place.objects.filter(parent__path=own).order_by("pinyin"))
    if not below:
        return None
    overdue = reading.cases(posts).filter(ended=False, next_due__lt=now).values_list("place_path", flat=True)
    counts = {place.pk: 0 for place in below}
    for path in overdue[:20_000]:
        for place in below:
            if path.startswith(place.path):
                counts[place.pk] += 1
                break
    rows = [
        Row(
            titles.here({"zh": place.name_zh, "en": place.name_en}),
            str(counts[place.pk]),
            _list(f"clock=overdue&place={place.pk}"),
        )
        for place in sorted(below, key=lambda one: -counts[one.pk])
    ]
    return Card(gettext("Overdue by place"), rows, "", "")


PROCESSES = {
    "clock": lambda: gettext("Deadlines"),
    "relay": lambda: gettext("Alarms into the ledger"),
    "sealer": lambda: gettext("Sealing"),
    "engine": lambda: gettext("Alarm engine"),
    "jobs": lambda: gettext("Letters and messages"),
    "web": lambda: gettext("Pages"),
}


def process_name(process: str) -> str:
    """What people call a process."""
    known = PROCESSES.get(process.split(":")[0])
    return known() if known else titles.spaced(process)


def _health(posts: Sequence[Acting], now: datetime) -> Card:
    """The links and processes that a duty officer watches."""
    rows = []
    for pulse in health.status(now).pulses:
        name = process_name(pulse.process)
        sign = "off" if pulse.at is None or (pulse.silent or 0) > 60 else "ok" if pulse.well else "half"
        value = (
            gettext("never seen")
            if pulse.at is None
            else gettext("just now")
            if (pulse.silent or 0) < 60
            else gettext("%(when)s ago") % {"when": times.coarse(int(pulse.silent or 0))}
        )
        rows.append(Row(name, value, "", sign))
    return Card(gettext("Links and processes"), rows)


def _told(posts: Sequence[Acting], now: datetime) -> Card | None:
    offices = [one.office_id for one in posts]
    told = notices.fresh(notices.of(offices, posts[0].person_id), posts[0].person_id)
    newest = told.filter(case__in=reading.cases(posts))[:TOLD_READ]
    lines = casepage.gathered(casepage.notice_lines(list(newest)))[:TOLD_SHOWN]
    if not lines:
        return None
    rows = [
        Row(
            one["text"],
            times.moment_text(one["notice"].at, now),
            reverse("ledger:case", args=[one["case"].pk]),
            under=one["case"].title,
        )
        for one in lines
    ]
    return Card(gettext("Told to me"), rows, gettext("All notices"), reverse("ledger:notices"))


def _certificates(posts: Sequence[Acting], now: datetime) -> Card | None:
    person = Person.objects.unscoped("my own certificates").filter(pk=posts[0].person_id).first()
    if person is None:
        return None
    rows = []
    for one in Certificate.objects.unscoped("my own certificates").filter(person=person).order_by("expires"):
        left = (one.expires - now.date()).days
        text = gettext("valid to %(day)s") % {"day": one.expires.isoformat()} if left >= 0 else gettext("expired")
        rows.append(
            Row(f"{one.get_kind_display()} {one.number}", text, "", "ok" if left > 60 else "half" if left >= 0 else "off")
        )
    return Card(gettext("My certificates"), rows) if rows else None
