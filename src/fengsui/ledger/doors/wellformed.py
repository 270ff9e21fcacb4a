"""What no field and no table of the ledger can take, whoever sends it: refused before anything is looked up.

In: what a caller gave. Out: nothing, or ``Refused`` 422 naming the part. Which values a field takes is the kernel's
question; a reference to an office, a person, a site or a file that is not there is this module's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fengsui.ledger import mechanisms
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.kernel.shapes import Actor, Mechanism
from fengsui.ledger.models import Evidence
from fengsui.moment import LEGAL_ZONE
from fengsui.region.models import Person
from fengsui.region.tree import tree

DEEPEST = 32
"""Levels of lists and mappings inside one value."""
_WHOLE = 1 << 63


def demand(**parts: Any) -> None:
    """Refuse 422 what cannot be kept: NUL, half a character, a number beyond 64 bits, no number, endless nesting."""
    for name, value in parts.items():
        if isinstance(value, Mapping):
            for key, inner in value.items():
                _demand(str(key), key, 0)
                _demand(str(key), inner, 0)
        else:
            _demand(name, value, 0)


def _demand(name: str, value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise refused(422, "bad_value", name, "at most %(most)s levels of lists", most=DEEPEST)
    if isinstance(value, str):
        if "\0" in value or not _encodable(value):
            raise refused(422, "bad_value", _encoded(name), "leave out the characters that are no text")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise refused(422, "bad_value", name, "give a number")
    elif isinstance(value, int):
        if not -_WHOLE <= value < _WHOLE:
            raise refused(422, "bad_value", name, "give a smaller number")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _demand(name, key, depth + 1)
            _demand(name, inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _demand(name, inner, depth + 1)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encoded(name: str) -> str:
    return name.replace("\0", "").encode(errors="replace").decode()


# ------------------------------------------------------------------ references


def demand_there(held: Held, values: Mapping[str, Any], now: datetime, actor: Actor) -> None:
    """Refuse 422 a value that names an office, person, site or file that is not there for the actor.

    That is: which does not exist, an office dissolved by now, a file of a case that the actor may not open it in.
    """
    for name, value in values.items():
        if name in held.mechanism.children:  # what one child is to hold, or several
            for inner in value if isinstance(value, list | tuple) else [value]:
                if isinstance(inner, Mapping):
                    _demand_known(mechanisms.current(name), inner, held, actor, now)
    _demand_known(held.mechanism, values, held, actor, now)


def _demand_known(mechanism: Mechanism, values: Mapping[str, Any], held: Held, actor: Actor, now: datetime) -> None:
    _demand_files(mechanism, values, held, actor, now)
    for name, value in values.items():
        field = mechanism.fields.get(name)
        missing = _MISSING.get(field.kind) if field is not None else None
        if missing is None or value in (None, "", []):
            continue
        named = value if isinstance(value, list) else [value]
        # an empty object is as good as nothing to the kernel, and no id of anything
        if any(isinstance(one, Mapping | list) for one in named) or missing(named, now):
            raise refused(422, "bad_value", name, "choose what exists: this names something that is not there")


def _offices(ids: Iterable[Any], now: datetime) -> bool:
    known = tree().offices
    found, today = [known.get(one) for one in ids], now.astimezone(LEGAL_ZONE).date()
    return any(node is None or (node.dissolved_on is not None and node.dissolved_on <= today) for node in found)


def _persons(ids: list[Any], now: datetime) -> bool:
    return Person.objects.unscoped("whether a named person exists").filter(pk__in=ids).count() != len(set(ids))


def _sites(ids: Iterable[Any], now: datetime) -> bool:
    known = tree().sites
    return any(one not in known for one in ids)


def _files(digests: list[Any], now: datetime) -> bool:
    return Evidence.objects.filter(digest__in=digests, erased_at__isnull=True).count() != len(set(digests))


def _demand_files(wording: Mechanism, values: Mapping[str, Any], held: Held, actor: Actor, now: datetime) -> None:
    """Naming a file opens it to whoever reads the case: nobody hands on what they know only the digest of."""
    from fengsui.ledger.evidence import theirs

    for name, value in values.items():
        field = wording.fields.get(name)
        if field is None or field.kind != "files" or not isinstance(value, list):
            continue
        digests = {one for one in value if isinstance(one, str)}
        if actor.kind == "person" and digests - theirs.among(digests, held.case.id, actor, now):
            raise refused(422, "bad_value", name, "choose what exists: this names something that is not there")


_MISSING = {"office": _offices, "offices": _offices, "person": _persons, "people": _persons, "site": _sites, "files": _files}
