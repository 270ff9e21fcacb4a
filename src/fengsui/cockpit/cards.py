"""The cards beside the desk: counts in my scope, places, processes, what I was told, my certificates.

In: the reader's posts and the time. Out: cards of rows; every number is a link to the list that it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.translation import gettext

from fengsui.cockpit import times
from fengsui.ledger import casepage, filters, health, notices, reading, titles
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Certificate, Place
from fengsui.region.tree import tree

TOLD_READ, TOLD_SHOWN = 60, 5
"""So many notices are looked through for the card, so many lines of it are shown."""


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
    picture = tree()
    first = picture.offices.get(posts[0].office_id)
    if first is not None and first.kind == "enterprise":
        return "enterprise"
    held = {duty for one in posts if one.post_id in picture.posts for duty in picture.posts[one.post_id].duties}
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
    open_cases = reading.cases(posts, now).filter(ended=False)
    counted = reading.counts(
        {
            "red": open_cases.filter(level="red"),
            "orange": open_cases.filter(level="orange"),
            "overdue": open_cases.filter(next_due__lt=now),
            "today": open_cases.filter(next_due__gte=now, next_due__lt=filters.until("today", now)),
            "mine": reading.waiting(posts),
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
        reverse("ledger:list"),
    )


def _by_place(posts: Sequence[Acting], now: datetime) -> Card | None:
    """Overdue cases by the places directly below mine: where a leader must press."""
    own = scope(posts[0]).place_path
    below = list(Place.objects.filter(parent__path=own).order_by("pinyin"))
    if not below:
        return None
    overdue = reading.cases(posts, now).filter(ended=False, next_due__lt=now, place_path__startswith=own).order_by()
    length = len(below[0].path)
    counts = dict(overdue.values_list(Left("place_path", length)).annotate(count=Count("pk")))
    rows = [
        Row(
            titles.here({"zh": place.name_zh, "en": place.name_en}),
            f"{counts.get(place.path, 0):,}",
            _list(f"clock=overdue&place={place.pk}"),
        )
        for place in sorted(below, key=lambda one: -counts.get(one.path, 0))
    ]
    return Card(gettext("Overdue by place"), rows, "", "")


PROCESSES = {
    "clock": lambda: gettext("Deadlines"),
    "relay": lambda: gettext("Alarms into the ledger"),
    "sealer": lambda: gettext("Sealing"),
    "engine": lambda: gettext("Alarm engine"),
    "stream": lambda: gettext("Stream server"),
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
    rows = []
    for one in Certificate.objects.unscoped("my own certificates").filter(person_id=posts[0].person_id).order_by("expires"):
        left = (one.expires - now.date()).days
        text = gettext("valid to %(day)s") % {"day": one.expires.isoformat()} if left >= 0 else gettext("expired")
        rows.append(
            Row(f"{one.get_kind_display()} {one.number}", text, "", "ok" if left > 60 else "half" if left >= 0 else "off")
        )
    return Card(gettext("My certificates"), rows) if rows else None
