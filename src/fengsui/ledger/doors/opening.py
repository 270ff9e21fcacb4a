"""A case before its first entry: its identity, what it is about, whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from fengsui.ledger.doors.held import COLUMNS, Held
from fengsui.ledger.doors.naming import titles_of
from fengsui.ledger.doors.shapes import About, refused
from fengsui.ledger.doors.work import new_id
from fengsui.ledger.kernel.shapes import Act, Actor, Case, Mechanism
from fengsui.numerals import whole
from fengsui.region.tree import SiteNode, tree


def place_path(code: str) -> str:
    """The path of a place, for subtree scope; empty for no place. Refuses an unknown code."""
    if not code:
        return ""
    place = tree().places.get(code)
    if place is None:
        raise refused(422, "bad_value", "place_code", "There is no administrative division %(place)s", place=code)
    return place.path


def blank(mechanism: Mechanism, about: About, actor: Actor, now: datetime, *, case_id: str = "", titled: bool = True) -> Held:
    """A case about to be opened by ``actor``; nothing is written yet. ``titled`` False: ``entitle`` follows at once."""
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
    held = Held(mechanism, case, row, fresh=True, given={"zh": about.title, "en": about.title_en})
    if titled:
        entitle(held, {})
    return held


def entitle(held: Held, fields: Mapping[str, Any]) -> None:
    """Give the case about to be opened its title, now that its fields are known."""
    held.row["title"], held.row["title_en"] = titles_of(held.mechanism, held.row, fields, held.given)


def at_site(held: Held, acts: Iterable[Act], values: Mapping[str, Any]) -> Held:
    """The case as it is once one of ``acts`` has put it to the site that ``values`` names; itself where none does."""
    name = next((act.about for act in acts if act.about), None)
    chosen = values.get(name) if name else None
    site = tree().sites.get(chosen) if isinstance(chosen, int) else None
    if site is None:
        return held
    about = About(kind="site", id=str(site.id))
    row = held.row | {
        "about_kind": "site",
        "about_id": str(site.id),
        "place_code": site.place,
        "place_path": place_path(site.place),
        "duty": held.row["duty"] if held.row["duty"] in site.duties else _duty_of_site(about),
    }
    there = replace(held, row=row)
    said = {"zh": held.row["title"], "en": held.row["title_en"]}
    there.row["title"], there.row["title_en"] = titles_of(held.mechanism, row, held.case.fields, said)
    return there


def child(mechanism: Mechanism, parent: Held, case_id: str, by: Actor, now: datetime) -> Held:
    """A case that another one opens: same subject, place, duty and exercise, under its own mechanism's title."""
    above = parent.row
    about = About(
        kind=above["about_kind"],
        id=above["about_id"],
        place_code=above["place_code"],
        duty=above["duty"],
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


def unique_key(mechanism: Mechanism, about: About, values: Mapping[str, Any]) -> str | None:
    """The value under which only one case may be open; None where the mechanism has no key."""
    if not mechanism.key:
        return None
    parts = [f"{about.kind}:{about.id}" if name == "about" else str(values.get(name, "")) for name in mechanism.key]
    return "|".join(parts)[:200]


def _site(about: About) -> SiteNode | None:
    number = whole(about.id) if about.kind == "site" else None
    return tree().sites.get(number) if number is not None else None


def _place_of_site(about: About) -> str:
    site = _site(about)
    return site.place if site else ""


def _duty_of_site(about: About) -> str:
    site = _site(about)
    return site.duties[0] if site and site.duties else ""
