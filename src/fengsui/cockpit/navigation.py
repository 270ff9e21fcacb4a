"""What stands in the bar. A room's page appears as soon as its address exists, never before."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_noop, pgettext


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the bar: the address's name, the word, the path under which it is current, its key after ``g``."""

    route: str
    word: str
    prefix: str
    key: str = ""


ITEMS = (
    Item("cockpit:desk", gettext_noop("Desk"), "/desk/", "d"),
    Item("cockpit:map", gettext_noop("Map"), "/map/", "m"),
    Item("watch:alarms", gettext_noop("Alarms"), "/alarms/", "a"),
    Item("ledger:list", gettext_noop("Cases"), "/cases/", "c"),
    Item("ledger:notices", gettext_noop("Notices"), "/notices/", "n"),
    Item("region:sites", gettext_noop("Sites"), "/sites/", "s"),
    Item("region:offices", gettext_noop("Offices"), "/offices/", "o"),
    Item("ledger:mechanisms", gettext_noop("Mechanisms"), "/mechanisms/", ""),
    Item("law:list", gettext_noop("Law"), "/law/", "l"),
    Item("ledger:verify", gettext_noop("Verify"), "/verify/", ""),
)


def items(path: str) -> list[dict[str, object]]:
    """The entries whose address exists, with the current one marked."""
    shown: list[dict[str, object]] = []
    for item in ITEMS:
        try:
            url = reverse(item.route)
        except NoReverseMatch:
            continue
        current = path.startswith(item.prefix) or path == url
        shown.append({"url": url, "word": pgettext("bar", item.word), "current": current, "key": item.key, "route": item.route})
    return shown
