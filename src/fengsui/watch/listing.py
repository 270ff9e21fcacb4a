"""The list of alarms as its readers may see it: scope, filter, order; and who may handle which."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext

from fengsui.ledger import names
from fengsui.numerals import whole
from fengsui.region import roles
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Site
from fengsui.watch import rulechanges
from fengsui.watch.alarm_states import OWING
from fengsui.watch.models import Alarm, AlarmEvent, Concealment

ORDERS = {
    "priority": ("priority", "-raised_at", "-id"),
    "newest": ("-raised_at", "-id"),
    "oldest": ("raised_at", "id"),
    "site": ("site__pinyin", "-raised_at", "-id"),
}


def alarms(actings: Sequence[Acting]) -> Any:
    """The alarms that these actings may see; none for nobody."""
    rows = Alarm.objects
    if not actings:
        return rows.unscoped("nobody sees nothing").none()
    found = reduce(operator.or_, (rows.scoped(scope(one)) for one in actings))
    return found.select_related("rule", "point", "site__place", "site__office")


def outages(actings: Sequence[Acting]) -> Any:
    """Open outages of the stream, for whoever watches a territory."""
    rows = Alarm.objects.unscoped("an outage concerns every site").filter(level="OUTAGE", closed_at__isnull=True)
    return rows if any(scope(one).territorial for one in actings) else rows.none()


def narrowed(rows: Any, wanted: Mapping[str, str]) -> Any:
    """Apply ``show`` (standing, owing, hidden, all), ``priority``, ``level``, ``site``, ``place``, ``q`` and ``order``."""
    show = wanted.get("show", "standing")
    if show == "owing":
        rows = rows.filter(state__in=OWING, hidden="")
    elif show == "hidden":
        rows = rows.filter(closed_at__isnull=True).exclude(hidden="")
    elif show != "all":
        rows = rows.filter(closed_at__isnull=True, hidden="")
    for column, name in (("priority", "priority"), ("level", "level"), ("site_id", "site")):
        value = wanted.get(name, "")
        if value and (name == "level" or whole(value) is not None):
            rows = rows.filter(**{column: value})
    if place := wanted.get("place", ""):
        rows = rows.filter(site__place__path__contains=f"/{place}/")
    if text := wanted.get("q", "").strip():
        rows = rows.filter(
            Q(site__name_zh__icontains=text) | Q(site__name_en__icontains=text) | Q(point__tag__icontains=text)
            | Q(point__name_zh__icontains=text) | Q(point__name_en__icontains=text)
        )  # fmt: skip
    return rows.order_by(*ORDERS.get(wanted.get("order", ""), ORDERS["priority"]))


def acknowledgers(alarms: Iterable[tuple[int, int | None]]) -> dict[int, str]:
    """Alarm id → who acknowledged it, of pairs (alarm, person as the alarm names them); a deputy's act with whose it is.

    At most two queries, none where nobody acknowledged anything.
    """
    persons = {alarm: person for alarm, person in alarms if person}
    if not persons:
        return {}
    acts = AlarmEvent.objects.filter(alarm__in=list(persons), kind="acknowledge").order_by("at", "id")
    principals = {(alarm, person): principal for alarm, person, principal in acts.values_list("alarm", "person", "principal")}
    whose = {alarm: principals.get((alarm, person)) for alarm, person in persons.items()}
    called = names.persons([*persons.values(), *whose.values()])
    found = {}
    for alarm, person in persons.items():
        by, principal = called.get(person, ""), called.get(whose[alarm] or 0, "")
        found[alarm] = f"{principal}（{gettext('signed by')} {by}）" if principal else by
    return found


HANDLERS = "control_room"
"""The role whose posts handle a plant's alarms."""
MANAGED = frozenset({"suppress"})
"""What changes how the plant is watched: for its safety management, as the rules themselves are (ISA-18.2)."""
SHARED = frozenset({"out_of_service", "bring_back"})
"""What both may do."""


def may_handle(acting: Acting, site: Site | None, what: str) -> bool:
    """Alarms are the plant's own: its control-room posts acknowledge and shelve; others see, and act on the warning.

    ``site`` null: an outage of the stream. Whoever deputises, only if ``what`` (or ``alarm.WHAT``) was lent to them.
    """
    known = scope(acting)
    if site is None:
        return known.territorial and acting.may_do("alarm", what)
    if what in MANAGED | SHARED and rulechanges.may_change(acting, site):
        return True
    if what in MANAGED or not acting.may_do("alarm", what):
        return False
    plant = not known.territorial and site.office.path.startswith(known.office_path)
    return plant and roles.fills(acting.post_id, HANDLERS)


def handler(actings: Sequence[Acting], site: Site | None, *acts: str) -> Acting | None:
    """The first of somebody's posts that may do one of these acts there; a page acts in it where none was chosen."""
    return next((one for one in actings if any(may_handle(one, site, what) for what in acts)), None)


def named(acting: Acting) -> str:
    """How a form's field ``post`` names the acting: ``POST``, a deputy's ``POST:PRINCIPAL``."""
    return f"{acting.post_id}:{acting.principal_id}" if acting.principal_id else str(acting.post_id)


def may_bring_back(acting: Acting, concealment: Concealment) -> bool:
    """Whoever may hide so may also show again."""
    what = {"suppressed": "suppress"}.get(concealment.kind, "bring_back")
    return may_handle(acting, concealment.rule.point.site, what)


def concealed(actings: Sequence[Acting]) -> Any:
    """The rules in scope whose alarms are hidden now, with or without an alarm that stands: the newest first."""
    rows = Concealment.objects
    if not actings:
        return rows.unscoped("nobody sees nothing").none()
    found = rows.scoped(*(scope(one) for one in actings)).filter(ended_at__isnull=True)
    return found.select_related("rule__point__site__place", "rule__point__site__office").order_by("-since", "-pk")
