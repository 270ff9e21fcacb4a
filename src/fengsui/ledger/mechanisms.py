"""The mechanisms of this installation and their stored versions.

In: ``data/mechanisms/*.yaml`` and the region's own under ``FENGSUI_DATA/mechanisms`` (which replace
shipped ones of the same name). Out: kernel mechanisms by name (for new cases) or digest (for living ones).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from fengsui import shipped
from fengsui.law import numbers
from fengsui.ledger import registry
from fengsui.ledger.kernel import extensions, load
from fengsui.ledger.kernel.shapes import Guard, Mechanism
from fengsui.ledger.models import Case, MechanismVersion


class UnknownMechanism(LookupError):
    """No mechanism has this name or digest."""


class MissingNames(RuntimeError):
    """An open case lives under a version that names what this installation lacks."""


def folders() -> list[Path]:
    """Where mechanisms lie, the overriding folder last."""
    return [shipped.folder("mechanisms"), Path(settings.DATA_DIR) / "mechanisms"]


@functools.cache
def on_disk() -> dict[str, Mechanism]:
    """The mechanisms as the files have them now; raises ``MechanismError`` with every fault."""
    files: dict[str, Path] = {}
    for folder in folders():
        files.update({path.name: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {})
    return load.load_files(files.values(), registry.names())


def store(now: datetime, certificates: dict[str, Any] | None = None) -> list[MechanismVersion]:
    """Store the files' mechanisms as versions, with their certificates by digest; new wordings become the current ones.

    Returns the new ones.
    """
    added = []
    with transaction.atomic():
        known = {version.digest: version for version in MechanismVersion.objects.select_for_update()}
        for mechanism in on_disk().values():
            version = known.get(mechanism.digest)
            if version is not None and version.wording != _written(mechanism):  # the digest is the same in any order
                MechanismVersion.objects.filter(digest=version.digest).update(wording=_written(mechanism))
            if version is not None and version.current:
                continue
            MechanismVersion.objects.filter(name=mechanism.name, current=True).update(current=False)
            if version is not None:  # an older wording came back
                MechanismVersion.objects.filter(digest=version.digest).update(current=True)
                continue
            added.append(_store_one(mechanism, now, (certificates or {}).get(mechanism.digest)))
        for mechanism in on_disk().values():
            quick = at_pace(mechanism, settings.EXERCISE_PACE)
            if quick.digest != mechanism.digest and not MechanismVersion.objects.filter(digest=quick.digest).exists():
                _store_one(quick, now, (certificates or {}).get(quick.digest), current=False)
    _current_digests.cache_clear()
    digests.cache_clear()
    answered_each.cache_clear()
    former_acts.cache_clear()
    return added


def _store_one(mechanism: Mechanism, now: datetime, certificate: Any, *, current: bool = True) -> MechanismVersion:
    latest = MechanismVersion.objects.filter(name=mechanism.name).order_by("-number").first()
    return MechanismVersion.objects.create(
        digest=mechanism.digest,
        name=mechanism.name,
        number=latest.number + 1 if latest else 1,
        source=dict(mechanism.source),
        wording=_written(mechanism),
        certificate=certificate,
        stored_at=now,
        current=current,
    )


def _written(mechanism: Mechanism) -> str:
    """The source as JSON text, its keys in their order."""
    return json.dumps(mechanism.source, ensure_ascii=False)


@functools.cache
def version(digest: str) -> Mechanism:
    """The mechanism stored under this digest; raises ``UnknownMechanism``."""
    found = on_disk()
    for mechanism in found.values():
        if mechanism.digest == digest:
            return mechanism
    stored = MechanismVersion.objects.filter(digest=digest).first()
    if stored is None:
        raise UnknownMechanism(f"no stored mechanism has the digest {digest[:12]}…")
    names, label = registry.names().with_old_effects(), f"{stored.name} v{stored.number}"
    source = json.loads(stored.wording) if stored.wording else None
    if source != stored.source:  # stored before versions kept their order
        source = _in_order(stored.source, found[stored.name].source if stored.name in found else {})
    if not stored.ladders:
        return load.mechanism(source, names, label, titles=True, new=False)
    kept = load.read_ladders(stored.ladders, label)  # stored before sources carried their ladders
    return load.mechanism(source, replace(names, ladders={**names.ladders, **kept}), label, titles=True, digest=digest, new=False)


def _in_order(stored: Any, file: Any) -> Any:
    """A stored source whose own order is not known, with its keys in the order of today's file; those it lacks come last.

    `jsonb` keeps no order of keys, yet the file's means something: the end named first is the one that the main road leads to,
    the act named first the one that is offered first.
    """
    if not (isinstance(stored, dict) and isinstance(file, Mapping)):
        return stored
    place = {key: index for index, key in enumerate(file)}
    return {key: _in_order(stored[key], file.get(key)) for key in sorted(stored, key=lambda key: place.get(key, len(place)))}


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page says of a stored version."""

    number: int
    proven: bool


def stored(digest: str) -> Stored:
    """Number and certificate of a stored version, without its source; raises ``UnknownMechanism``."""
    row = MechanismVersion.objects.filter(digest=digest).values_list("number", "certificate").first()
    if row is None:
        raise UnknownMechanism(f"no stored mechanism has the digest {digest[:12]}…")
    return Stored(row[0], row[1] is not None)


def at_pace(mechanism: Mechanism, pace: int) -> Mechanism:
    """The exercise's version of a mechanism: the same life, its minutes and hours ``pace`` times faster."""
    if pace == 1:
        return mechanism
    return load.mechanism({**mechanism.source, "pace": pace}, registry.names(), f"{mechanism.name} ÷{pace}", titles=True)


def current(name: str, *, exercise: bool = False) -> Mechanism:
    """The version that new cases open under (an exercise's at its pace); raises ``UnknownMechanism``."""
    digest = _current_digests().get(name)
    if digest is None:
        raise UnknownMechanism(f"there is no mechanism {name!r}; `fengsui check` lists them")
    return _exercise_version(digest) if exercise else version(digest)


def names_in_use() -> list[str]:
    """Names of the mechanisms that new cases open under."""
    return sorted(_current_digests())


@functools.cache
def _exercise_version(digest: str) -> Mechanism:
    return at_pace(version(digest), settings.EXERCISE_PACE)


@functools.cache
def _current_digests() -> dict[str, str]:
    return dict(MechanismVersion.objects.filter(current=True).values_list("name", "digest"))


@functools.cache
def digests() -> tuple[str, ...]:
    """The digests of all stored versions."""
    return tuple(MechanismVersion.objects.order_by("digest").values_list("digest", flat=True))


@functools.cache
def answered_each() -> frozenset[str]:
    """Names of the clocks that every holder answers for itself (an acknowledgement), in any stored version."""
    known = [*on_disk().values(), *(version(one) for one in digests())]
    return frozenset(clock.name for mechanism in known for clock in mechanism.clocks.values() if clock.per_holder)


@functools.cache
def former_acts(name: str) -> Mapping[str, Mapping[str, Any]]:
    """Act → its title in both languages, of every act that any stored version of the mechanism has or had, the newest first."""
    found: dict[str, Mapping[str, Any]] = {}
    for digest in MechanismVersion.objects.filter(name=name).order_by("-number").values_list("digest", flat=True):
        known = version(digest)
        for acts in (known.opening, known.always, *(state.offers for state in known.states.values())):
            for word, act in acts.items():
                found.setdefault(word, act.title)
    return found


def forget() -> None:
    """Drop what is held in memory, after versions or files changed."""
    on_disk.cache_clear()
    version.cache_clear()
    _exercise_version.cache_clear()
    _current_digests.cache_clear()
    digests.cache_clear()
    answered_each.cache_clear()
    former_acts.cache_clear()


def registered_guards(guards: Iterable[Guard]) -> set[str]:
    """Names of the registered guards, those inside ``any`` too."""
    found: set[str] = set()
    for one in guards:
        found |= {one.name} if one.registered else registered_guards(one.any_of)
    return found


def names_used(mechanism: Mechanism) -> dict[str, set[str]]:
    """Guards, effects and law numbers that the mechanism needs from the installation."""
    acts = [*mechanism.opening.values(), *mechanism.always.values()]
    acts += [act for state in mechanism.states.values() for act in state.actions]
    ends = mechanism.ends.values()
    rungs = [rung for ladder in mechanism.ladders.values() for rung in ladder]
    law = {clock.amount.name for clock in mechanism.clocks.values() if clock.amount.kind == "law"}
    law |= {state.within.name for state in mechanism.states.values() if state.within.kind == "amount"}
    law |= {limit for act in acts for limit in extensions.limits(act).values()}
    return {
        "guard": set().union(*(registered_guards(act.needs) for act in acts)),
        "effect": set().union(*(one.effects for one in acts), *(one.effects for one in ends), *(one.effects for one in rungs)),
        "law number": {name for name in law if "." in name},
    }


def uncarried() -> list[str]:
    """A sentence for each effect that open cases may call for and no room of this installation carries out."""
    faults = []
    for name, digest, count in _living():
        for effect in sorted(names_used(version(digest))["effect"]):
            if not registry.has_effect(effect):
                faults.append(
                    f"{count} open cases of {name} live under a version that names the effect {effect!r}: nobody carries it out"
                )
    return faults


def _living() -> Iterable[tuple[str, str, int]]:
    """(mechanism, version, how many) of the open cases."""
    lines = Case.objects.filter(ended=False).values_list("mechanism", "version_id").annotate(count=Count("id"))
    return lines.order_by("mechanism", "version_id")


def refuse_missing() -> None:
    """Refuse to start where an open case's version names a guard, effect or law number that is missing.

    Raises ``MissingNames`` listing each with the mechanism and how many open cases need it.
    """
    faults = []
    known = registry.names()
    has = {"guard": known.guards, "effect": known.effects, "law number": numbers.book().periods}
    for mechanism, digest, count in _living():
        for kind, used in names_used(version(digest)).items():
            for name in sorted(used):
                if name.removeprefix("law.") not in has[kind]:
                    faults.append(f"{count} open cases of {mechanism} need the {kind} {name!r}, which nothing here brings")
    if faults:
        raise MissingNames("; ".join(faults) + ". Install the room that registers it, or move the cases to a newer version.")
