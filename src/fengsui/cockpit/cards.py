"""The cards beside the desk: counts in my scope, places, processes, what I was told, my certificates.

In: the reader's posts and the time. Out: cards of rows; every number is a link to the list that it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext

from fengsui.cockpit import times
from fengsui.cockpit.homes import Card, Counted, Row, by_place, counted_rows, home
from fengsui.ledger import casepage, effects, filters, health, notices, reading, titles
from fengsui.ledger.reading import Opening
from fengsui.moment import LEGAL_ZONE
from fengsui.region import enforcement
from fengsui.region.acting import Acting
from fengsui.region.filters import name_of
from fengsui.region.models import Certificate
from fengsui.region.tree import tree
from fengsui.watch import listing

TOLD_READ, TOLD_SHOWN = 200, 5
"""So many notices are looked through for the card, so many lines of it are shown."""


def kind(posts: Sequence[Acting]) -> str:
    """Which home this is: leader, duty, enterprise, inspector or staff, by the first post's office and functions."""
    picture = tree()
    first = picture.offices.get(posts[0].office_id)
    if first is not None and first.kind == "enterprise":
        return "enterprise"
    held = {duty for one in posts if one.post_id in picture.posts for duty in picture.posts[one.post_id].duties}
    if "duty" in held:
        return "duty"
    if "leading" in held:
        return "leader"
    return "inspector" if held & {"inspection", "enforcement"} else "staff"


def cards(posts: Sequence[Acting], now: datetime) -> list[Card]:
    """The rail of this home, as ``data/homes.yaml`` says."""
    wanted = home(kind(posts)).cards
    made = counted_rows([one for one in wanted if isinstance(one, Counted) and one.rows], posts, now)
    found = [
        MAKERS[one](posts, now) if isinstance(one, str) else by_place(one, posts, now) if one.columns else made[one.title["en"]]
        for one in wanted
    ]
    return [card for card in found if card is not None]


def first(posts: Sequence[Acting], offered: Sequence[Opening]) -> list[Row]:
    """Opening acts that this home offers as buttons of their own, where one of my posts may do them.

    Of acts called by the same words the first that I may do stands for all: two buttons alike tell nobody which to press.
    """
    may = {f"{one.mechanism.name}.{one.act.name}" for one in offered}
    rows: dict[str, Row] = {}
    for one in home(kind(posts)).first:
        words = titles.here(one.title)
        if one.act in may and words not in rows:
            rows[words] = Row(words, url=reverse("ledger:raise", args=one.act.split(".")))
    return list(rows.values())


def _list(query: str) -> str:
    return f"{reverse('ledger:list')}?{query}"


def _numbers(posts: Sequence[Acting], now: datetime) -> Card:
    open_cases = reading.cases(posts, now).filter(ended=False)
    counted = reading.counts(
        {
            "red": open_cases.filter(level="red"),
            "orange": open_cases.filter(level="orange"),
            "overdue": open_cases.filter(next_due__lt=now),
            "today": open_cases.filter(next_due__gte=now, next_due__lt=filters.until("today", now)),
            "mine": filters.Filter(mine=True).apply(open_cases, frozenset(one.office_id for one in posts), now),
        }
    )
    said = {name: filters.number_said(one) for name, one in counted.items()}
    return Card(
        gettext("In my scope"),
        [
            Row(gettext("Red warnings open"), said["red"], _list("level=red")),
            Row(gettext("Orange warnings open"), said["orange"], _list("level=orange")),
            Row(gettext("Overdue"), said["overdue"], _list("clock=overdue")),
            Row(gettext("Due today"), said["today"], _list("clock=today")),
            Row(gettext("With my offices"), said["mine"], _list("mine=1")),
        ],
        gettext("All open"),
        _list("open=1"),
    )


def _offline(posts: Sequence[Acting], now: datetime) -> Card:
    """Points of my sites that are silent or send bad values: whoever watches them sees nothing."""
    dead = (("SILENT", gettext("Points silent")), ("BAD", gettext("Points sending bad values")))
    standing = listing.narrowed(listing.alarms(posts), {}).order_by()
    numbers = standing.aggregate(**{level: Count("pk", filter=Q(level=level)) for level, _ in dead})
    rows = [Row(words, f"{numbers[level]:,}", f"{reverse('watch:alarms')}?level={level}") for level, words in dead]
    return Card(gettext("Measurements"), rows)


PROCESSES = {
    "clock": lambda: gettext("Deadlines"),
    "relay": lambda: gettext("Alarms into the ledger"),
    "sealer": lambda: gettext("Sealing"),
    "engine": lambda: gettext("Alarm engine"),
    "stream": lambda: gettext("Stream server"),
    "jobs": lambda: gettext("Letters and messages"),
    "web": lambda: gettext("Pages"),
    "outside": lambda: gettext("Dead man's switch outside"),
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
        fails = bool(pulse.detail.get("why"))  # the dead man's switch: asked once a minute
        late = (pulse.silent or 0) > (180 if pulse.process == health.OUTSIDE else 60)
        sign = "half" if pulse.starting else "off" if pulse.at is None or late else "ok" if pulse.well and not fails else "half"
        value = (
            gettext("starting")
            if pulse.starting
            else gettext("does not answer well (%(why)s)") % pulse.detail
            if fails
            else gettext("never seen")
            if pulse.at is None
            else gettext("just now")
            if (pulse.silent or 0) < 60
            else gettext("%(when)s ago") % {"when": times.coarse(int(pulse.silent or 0))}
        )
        rows.append(Row(name, value, "", sign))
    if waiting := effects.unclaimed_in_all():
        rows.append(Row(gettext("Effects that nobody carries out"), str(waiting), "", "half"))
    return Card(gettext("Links and processes"), rows)


def _told(posts: Sequence[Acting], now: datetime) -> Card | None:
    offices = [one.office_id for one in posts]
    told = notices.fresh(notices.of(offices, posts[0].person_id), posts[0].person_id)
    ids = notices.newest(offices, posts[0].person_id, 0, TOLD_READ)
    newest = notices.readable(told.filter(pk__in=ids), reading.cases(posts, now))
    lines = casepage.gathered(casepage.notice_lines(list(newest)))[:TOLD_SHOWN]
    if not lines:
        return None
    rows = [
        Row(
            one["text"],
            times.moment_text(one["notice"].at, now),
            one["link"],
            under=one["under"],
        )
        for one in lines
    ]
    return Card(gettext("Told to me"), rows, gettext("All notices"), reverse("ledger:notices"))


def _certificates(posts: Sequence[Acting], now: datetime) -> Card | None:
    rows = []
    today, near = now.astimezone(LEGAL_ZONE).date(), enforcement.ahead(now).days
    for one in Certificate.objects.unscoped("my own certificates").filter(person_id=posts[0].person_id).order_by("expires"):
        left = (one.expires - today).days
        text = gettext("valid to %(day)s") % {"day": one.expires.isoformat()} if left >= 0 else gettext("expired")
        rows.append(Row(f"{name_of(one)} {one.number}", text, "", "ok" if left > near else "half" if left >= 0 else "off"))
    return Card(gettext("My certificates"), rows) if rows else None


MAKERS: dict[str, Callable[[Sequence[Acting], datetime], Card | None]] = {
    "numbers": _numbers,
    "health": _health,
    "told": _told,
    "certificates": _certificates,
    "offline": _offline,
}
"""The cards that ``data/homes.yaml`` names by a word."""
