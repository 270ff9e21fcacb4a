"""A case before its first entry: its identity, what it is about, whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fengsui.ledger.doors.held import COLUMNS, Held
from fengsui.ledger.doors.shapes import About, refused
from fengsui.ledger.doors.work import new_id
from fengsui.ledger.kernel.shapes import Actor, Case, Mechanism
from fengsui.region.tree import tree

TITLE_LONGEST = 300


def place_path(code: str) -> str:
    """The path of a place, for subtree scope; empty for no place. Refuses an unknown code."""
    if not code:
        return ""
    place = tree().places.get(code)
    if place is None:
        raise refused(422, "bad_value", "place_code", f"There is no administrative division {code}")
    return place.path


def blank(mechanism: Mechanism, about: About, actor: Actor, now: datetime, *, case_id: str = "") -> Held:
    """A case about to be opened by ``actor``; nothing is written yet."""
    code = about.place_code or _place_of_site(about)
    case = Case(
        id=case_id or new_id(),
        mechanism=mechanism.name,
        version=mechanism.digest,
        seq=0,
        state="",
        raiser=raiser_of(actor),
        opened=now,
    )
    row = dict.fromkeys(COLUMNS) | {
        "external_number": about.external_number,
        "title": (about.title or title_of(mechanism))[:TITLE_LONGEST],
        "about_kind": about.kind,
        "about_id": str(about.id),
        "place_code": code,
        "place_path": place_path(code),
        "duty": about.duty or _duty_of_site(about),
        "level": "",
        "opener_id": actor.office,
        "confidential": bool(mechanism.readers),
        "readers": [],
        "exercise": about.exercise,
        "adopted": False,
    }
    return Held(mechanism, case, row, fresh=True)


def child(mechanism: Mechanism, parent: Held, case_id: str, by: Actor, now: datetime) -> Held:
    """A case that another one opens: same place, duty, exercise and title; pages say the mechanism beside it."""
    above = parent.row
    about = About(
        kind=above["about_kind"],
        id=above["about_id"],
        place_code=above["place_code"],
        duty=above["duty"],
        title=above["title"] if not mechanism.readers else title_of(mechanism),
        exercise=above["exercise"],
    )
    held = blank(mechanism, about, by, now, case_id=case_id)
    office = by.office if by.office is not None else above["owner_id"] or above["opener_id"]
    held.row["opener_id"] = office
    held.row["root_id"] = above["root_id"] or parent.case.id
    held.case = Case(
        id=case_id,
        mechanism=mechanism.name,
        version=mechanism.digest,
        seq=0,
        state="",
        parent=parent.case.id,
        parent_mechanism=parent.case.mechanism,
        opened=now,
        raiser={**raiser_of(by), "office": office},
    )
    return held


def raiser_of(actor: Actor) -> dict[str, Any]:
    """Who is told how the matter ends."""
    known: Mapping[str, Any] = {
        "kind": actor.kind,
        "person": actor.principal or actor.person,
        "office": actor.office,
        "name": actor.name,
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def title_of(mechanism: Mechanism) -> str:
    """What the case is called where nobody gave it a title."""
    return str(mechanism.title.get("zh") or mechanism.name)


def unique_key(mechanism: Mechanism, about: About, values: Mapping[str, Any]) -> str | None:
    """The value under which only one case may be open; None where the mechanism has no key."""
    if not mechanism.key:
        return None
    parts = [f"{about.kind}:{about.id}" if name == "about" else str(values.get(name, "")) for name in mechanism.key]
    return "|".join(parts)[:200]


def _place_of_site(about: About) -> str:
    site = tree().sites.get(int(about.id)) if about.kind == "site" and str(about.id).isdecimal() else None
    return site.place if site else ""


def _duty_of_site(about: About) -> str:
    site = tree().sites.get(int(about.id)) if about.kind == "site" and str(about.id).isdecimal() else None
    return site.duties[0] if site and site.duties else ""
