"""The ledger's own facts and guards: what files, posts and certificates say. Signals' are the watch's.

Imported at start-up (``apps.py``); each registers itself by name as ``data/registry.yaml`` declares it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from fengsui.law import numbers
from fengsui.ledger.models import Evidence
from fengsui.ledger.registry import EffectCall, Hindered, Sight, register_effect, register_fact, register_guard
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole
from fengsui.region import enforcement
from fengsui.region.models import Site
from fengsui.region.tree import OfficeNode, tree
from fengsui.science.geo import great_circle_m


@register_fact("office.line")
def office_line(sight: Sight) -> dict[str, dict[str, Any]]:
    """The given answering office → how many levels of the matter's place it stands below the present one (null: not in
    that line at all), its kind, and whether it has the matter's field of work.
    """
    picture, office = tree(), sight.values.get("answering")
    node = picture.offices.get(office) if isinstance(office, int) else None
    if node is None:
        return {}
    return {str(office): standing(node, picture.offices.get(sight.case.fields.get("answering") or 0), sight.row)}


def standing(node: OfficeNode, present: OfficeNode | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """Where an office stands in the line of the matter's place, as seen from the office that answers now."""
    place = row["place_code"]
    line = [one.code for one in tree().upward(place if place in tree().places else None)]
    below = None
    if present is not None and node.place in line and present.place in line:
        below = line.index(present.place) - line.index(node.place)
    return {"below": below, "kind": node.kind, "duty": not row["duty"] or row["duty"] in node.duties}


@register_fact("actor.position")
def actor_position(sight: Sight) -> dict[str, Any] | None:
    """Where the actor was: a given ``position`` field, else what the cameras wrote into the given photos."""
    given = sight.values.get("position")
    if isinstance(given, list) and len(given) == 2:
        return {"lon": given[0], "lat": given[1], "from": "field"}
    files = [one for value in sight.values.values() if isinstance(value, list) for one in value if isinstance(one, str)]
    rows = Evidence.objects.filter(digest__in=files, position__isnull=False).values_list("digest", "position")
    for digest, position in sorted(rows):
        if position and "lon" in position and "lat" in position:
            return {"lon": position["lon"], "lat": position["lat"], "from": digest}
    return None


@register_fact("law.accident.grades")
def accident_grades(sight: Sight) -> dict[str, Any]:
    """The law's table of accident grades on the day; losses in 10,000 yuan, as the law writes them."""
    try:
        return dict(numbers.find("accident.grades", sight.now.astimezone(LEGAL_ZONE).date()).table or {})
    except numbers.UnknownNumber:
        return {}


@register_fact("case.site")
def case_site(sight: Sight) -> str | None:
    """The site that the case is about; None for a place or a paper."""
    return str(sight.row["about_id"]) if sight.row["about_kind"] == "site" else None


@register_guard(
    "site_known",
    "fact",
    facts=("case.site",),
    why=gettext_noop("Nobody can be ordered to rectify before the site is known: name the site first"),
)
def site_known(sight: Sight) -> bool:
    """An order to rectify needs an enterprise that answers for it."""
    return sight.facts["case.site"] is not None


@register_guard("site_unknown", "fact", facts=("case.site",), why=gettext_noop("The matter is about a site already"))
def site_unknown(sight: Sight) -> bool:
    """Only a matter about a place can still be put to its site. A site given with the act is not the case's yet."""
    return sight.facts["case.site"] is None


@register_fact("case.control")
def case_control(sight: Sight) -> bool:
    """Whether an interim control, or an order to stop or leave, is in force."""
    return bool(sight.case.fields.get("interim_control"))


@register_guard(
    "control_in_force",
    "fact",
    facts=("case.control",),
    why=gettext_noop("No order to stop and no other control is in force: work may go on"),
)
def control_in_force(sight: Sight) -> bool:
    """Only what was stopped can be asked to go on; however long ago that was."""
    return bool(sight.facts["case.control"])


@register_guard(
    "on_site",
    "fact",
    facts=("actor.position",),
    why=gettext_noop("Attach a photo taken on the site, with its position"),
)
def on_site(sight: Sight) -> bool:
    """The actor's position lies at the case's site."""
    position = sight.facts["actor.position"]
    about = whole(sight.row["about_id"])
    if position is None or sight.row["about_kind"] != "site" or about is None:
        return False
    known = Site.objects.unscoped("where the case's site is").filter(pk=about).values_list("lon", "lat").first()
    return known is not None and great_circle_m(position["lon"], position["lat"], *known) <= _near(sight.now)


def _near(now: datetime) -> float:
    """How far from the site's stated position a photo counts as taken there, in metres, by the law of the day."""
    return float(numbers.find("review.on_site", now.astimezone(LEGAL_ZONE).date()).value)


@register_guard("certified", "person", why=gettext_noop("Needs an enforcement certificate valid today"))
def certified(sight: Sight) -> bool:
    """The actor holds an enforcement certificate, valid today, for the case's field of work."""
    if sight.actor.person is None:
        return False
    held = enforcement.valid(sight.now, [sight.actor.person])
    return enforcement.good_for(held.get(sight.actor.person, ()), sight.row["duty"])


@register_effect("stop_work", "inner")
def stop_work(call: EffectCall) -> None:
    """Work stops at a site only: the entry with its interim control is the order. Software stops nobody."""
    if call.row["about_kind"] != "site":
        raise Hindered("The matter is not about a site, so there is no work to stop; name the site first")
