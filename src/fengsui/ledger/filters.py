"""The filter of a list of cases: read from the address, applied to a scoped queryset, said in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext, pgettext

from fengsui.ledger import mechanisms, names, titles
from fengsui.ledger.models import LEVELS, Case, Clock
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole
from fengsui.region import roles
from fengsui.region.acting import Acting
from fengsui.region.models import Place
from fengsui.region.tree import tree

CLOCKS = ("overdue", "30m", "today", "week")
ORDERS = {
    "due": ("next_due", "-opened_at", "-id"),
    "-due": ("-next_due", "opened_at", "id"),
    "opened": ("opened_at", "id"),
    "-opened": ("-opened_at", "-id"),
    "moved": ("moved_at", "id"),
    "-moved": ("-moved_at", "-id"),
    "number": ("number",),
    "-number": ("-number",),
    "place": ("place_path", "next_due"),
    "-place": ("-place_path", "next_due"),
}
NAMES = ("mechanism", "state", "level", "place", "clock", "running", "duty", "mine", "waiting", "signing", "open", "site", "q")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shows. Every part comes from the address, so that sharing the address shares the list."""

    mechanism: str = ""
    state: str = ""
    level: str = ""
    place: str = ""
    clock: str = ""
    running: str = ""  # the name of a clock that runs, such as a listed supervision's
    duty: str = ""  # fields of work, comma between; "all" where a reader asks for more than their charge
    mine: bool = False
    waiting: bool = False  # for one of my posts
    signing: bool = False  # signed by some of those who must sign
    open: str = "1"  # 1 open, 0 ended, all
    site: str = ""
    q: str = ""
    order: str = "due"

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> Filter:
        """From an address; what is unknown is left out rather than refused."""
        level = ",".join(one for one in query.get("level", "").split(",") if one in LEVELS)
        clock, order = query.get("clock", ""), query.get("order", "")
        shown = str(query.get("open")) if query.get("open") in {"0", "1", "all"} else "1"
        if order not in ORDERS or (shown != "1" and order.endswith("due")):
            order = usual_order(shown)
        return cls(
            mechanism=query.get("mechanism", "")[:64],
            state=query.get("state", "")[:64],
            level=level,
            place=query.get("place", "")[:12],
            clock=clock if clock in CLOCKS else "",
            running=query.get("running", "")[:80],
            duty=_duties(query.get("duty", "")),
            mine=query.get("mine") == "1",
            waiting=query.get("waiting") == "1",
            signing=query.get("signing") == "1",
            open=shown,
            site=site if whole(site := query.get("site", "")) is not None else "",
            q=query.get("q", "").strip()[:80],
            order=order,
        )

    def apply(self, cases: QuerySet[Case], offices: frozenset[int], now: datetime) -> QuerySet[Case]:
        """Narrow a queryset that is in scope already. ``offices`` are those the reader acts for."""
        wanted = Q()
        if self.open != "all":
            wanted &= Q(ended=self.open == "0")
        for column in ("mechanism", "state"):
            if value := getattr(self, column):
                wanted &= Q(**{column: value})
        if self.level:
            wanted &= Q(level__in=self.level.split(","))
        if self.site:
            wanted &= Q(about_kind="site", about_id=self.site)
        if self.place:
            path = Place.objects.filter(pk=self.place).values_list("path", flat=True).first()
            wanted &= Q(place_path__startswith=path) if path else Q(pk__in=[])
        if self.duty and self.duty != ALL:
            wanted &= Q(duty__in=["", *self.duty.split(",")])
        if self.mine:
            wanted &= Q(owner_id__in=offices) | Q(holder_id__in=offices)
        if self.running:
            clocks = Clock.objects.filter(name=self.running, stopped__isnull=True, current=True)
            wanted &= Q(pk__in=clocks.values("case"))
        if self.signing:
            cases = cases.exclude(core__signed={})
        return cases.filter(wanted & self._due(now))

    def _due(self, now: datetime) -> Q:
        if not self.clock:
            return Q()
        if self.clock == "overdue":
            return Q(next_due__lt=now, ended=False)
        return Q(next_due__gte=now, next_due__lt=until(self.clock, now), ended=False)

    def sort(self, cases: QuerySet[Case]) -> QuerySet[Case]:
        """In the order asked for."""
        return cases.order_by(*ORDERS[self.order])

    def chips(self) -> list[dict[str, str]]:
        """The active parts as words: ``name``, ``label``, ``value``."""
        said: list[tuple[str, str, str]] = []
        if self.open == "0":
            said.append(("open", gettext("Show"), gettext("ended")))
        elif self.open == "all":
            said.append(("open", gettext("Show"), gettext("open and ended")))
        if self.mechanism:
            said.append(("mechanism", gettext("Mechanism"), mechanism_title(self.mechanism)))
        if self.state:
            said.append(("state", gettext("State"), state_title(self.mechanism, self.state)))
        if self.level:
            said.append(
                ("level", gettext("Level"), titles.listed(pgettext("level", one.title()) for one in self.level.split(",")))
            )
        if self.place:
            said.append(("place", gettext("Place"), titles.here(names.places([self.place]).get(self.place)) or self.place))
        if self.site:
            said.append(("site", gettext("Site"), titles.here(names.sites([self.site]).get(int(self.site))) or self.site))
        if self.clock:
            said.append(("clock", gettext("Deadline"), clock_title(self.clock)))
        if self.running:
            said.append(("running", gettext("Clock running"), clock_called(self.mechanism, self.running)))
        if self.duty and self.duty != ALL:
            words = roles.duties()
            said.append(
                ("duty", gettext("Field of charge"), titles.listed(titles.here(words[one]) for one in self.duty.split(",")))
            )
        if self.waiting:
            said.append(("waiting", gettext("Desk"), gettext("waiting for me")))
        if self.mine:
            said.append(("mine", gettext("Owner"), gettext("my offices")))
        if self.signing:
            said.append(("signing", gettext("Signing"), gettext("one more signature is needed")))
        if self.q:
            said.append(("q", gettext("Search"), self.q))
        return [{"name": name, "label": label, "value": value} for name, label, value in said]

    def words(self) -> str:
        """The filter as one line, for the head of an export."""
        return titles.listed((f"{chip['label']}{titles.mark('：')}{chip['value']}" for chip in self.chips()), "；") or gettext(
            "All open cases in my scope"
        )


def clock_called(mechanism: str, name: str) -> str:
    """The title of a mechanism's clock; its name, spaced, where no mechanism is given or known."""
    try:
        return titles.clock(mechanisms.current(mechanism), name)
    except mechanisms.UnknownMechanism:
        return titles.spaced(name)


def _duties(asked: str) -> str:
    """The known fields of work among those asked for; ``all`` stays."""
    return ALL if asked == ALL else ",".join(one for one in asked.split(",") if one in roles.duties())


def charge(posts: Sequence[Acting]) -> str:
    """The fields that all these posts are in charge of, as the list's filter; empty where one is in charge of everything."""
    known = tree().posts
    held = [known[one.post_id].charges for one in posts if one.post_id in known]
    return ",".join(sorted(set().union(*held))) if held and all(held) else ""


def usual_order(shown: str) -> str:
    """Open cases by deadline; ended ones have none: by their last act."""
    return "due" if shown == "1" else "-moved"


def number_said(counted: tuple[int, bool]) -> str:
    """``1,284``, or ``10,000+`` where counting stopped there."""
    number, more = counted
    return f"{number:,}+" if more else f"{number:,}"


def until(clock: str, now: datetime) -> datetime:
    """The end of ``30m``, ``today`` (legal zone) or ``week``."""
    if clock == "30m":
        return now + timedelta(minutes=30)
    midnight = now.astimezone(LEGAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight if clock == "today" else now + timedelta(days=7)


def clock_title(clock: str) -> str:
    """What a choice of deadline is called."""
    return {
        "overdue": gettext("overdue"),
        "30m": gettext("within 30 minutes"),
        "today": gettext("due today"),
        "week": gettext("within 7 days"),
    }[clock]


def mechanism_title(name: str) -> str:
    """The title of a mechanism by name; the name itself where it is gone."""
    try:
        return titles.mechanism(mechanisms.current(name))
    except LookupError:
        return titles.spaced(name)


def state_title(mechanism: str, state: str) -> str:
    """The title of a state of the current version."""
    try:
        return titles.state(mechanisms.current(mechanism), state)
    except LookupError:
        return titles.spaced(state)
