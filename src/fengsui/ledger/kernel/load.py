"""YAML files into frozen mechanisms, with every reference checked for form.

``load_folder`` and ``load_text`` read files, ``mechanism`` plain data. All faults are gathered into one
``MechanismError``; each names file, line, path and remedy. Form only: whether the life is closed is the
proof's business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fengsui.ledger.kernel import pace as paced
from fengsui.ledger.kernel.document import Document, Fault, MechanismError, read_document
from fengsui.ledger.kernel.names import Names, read_names
from fengsui.ledger.kernel.references import check_references
from fengsui.ledger.kernel.rungs import plain_ladder, read_ladder
from fengsui.ledger.kernel.sections import Reader
from fengsui.ledger.kernel.shapes import LEDGER_ACTS, Act, Clock, Field, Mechanism, Rung, State

DEFAULT_LADDER = "plain"


def load_names(path: Path) -> Names:
    """Read ``registry.yaml``."""
    return read_names(path.read_text("utf-8"), path.name)


def load_folder(path: Path, names: Names, *, titles: bool = True) -> dict[str, Mechanism]:
    """Every ``*.yaml`` of a folder, by mechanism name. Raises ``MechanismError`` over all files."""
    return load_files(sorted(path.glob("*.yaml")), names, titles=titles)


def load_files(paths: Iterable[Path], names: Names, *, titles: bool = True) -> dict[str, Mechanism]:
    """These files, by mechanism name; a later one of the same name replaces an earlier (a region's overlay)."""
    found: dict[str, Mechanism] = {}
    documents: dict[str, Document] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            document = read_document(path.read_text("utf-8"), path.name)
        except UnicodeDecodeError as error:
            faults.append(Fault(path.name, "(file)", f"this is no UTF-8 text ({error.reason})", "Save it as UTF-8"))
            continue
        mechanism = _read(document, names, titles)
        if mechanism is None:
            faults.extend(document.faults)
        else:
            found[mechanism.name] = mechanism
            documents[mechanism.name] = document
    broken = {fault.file.removesuffix(".yaml") for fault in faults}
    for name, mechanism in found.items():
        _check_kinds(mechanism, found.keys() | broken, documents[name])
        faults.extend(documents[name].faults)
    if faults:
        raise MechanismError(faults)
    return found


def load_text(text: str, names: Names, file: str = "mechanism.yaml", *, titles: bool = True) -> Mechanism:
    """One file's text. Whether the kinds of its children exist is not known here."""
    document = read_document(text, file)
    mechanism = _read(document, names, titles)
    if mechanism is None:
        raise MechanismError(document.faults)
    return mechanism


def mechanism(
    data: Any, names: Names, file: str = "mechanism.yaml", *, titles: bool = False, digest: str | None = None, new: bool = True
) -> Mechanism:
    """One mechanism from plain data: a parsed file, a stored version's source, a broken copy in the proof's tests.

    ``digest`` is the one that a version was stored under, where its source was stored without its ladders. What was stored
    is not ``new``: names that were taken since bind files alone, for its cases live on under it.
    """
    document = Document(file, data)
    found = _read(document, names, titles, stored=digest is not None, new=new)
    if found is None:
        raise MechanismError(document.faults)
    return found if digest is None else replace(found, digest=digest, source=data)


def read_ladders(data: Mapping[str, Any], file: str) -> dict[str, tuple[Rung, ...]]:
    """Ladders from plain data, by name. Raises ``MechanismError``."""
    document = Document(file, data)
    found = {name: read_ladder(body, f"ladders.{name}", document) for name, body in data.items()}
    if document.faults:
        raise MechanismError(document.faults)
    return found


def digest_of(data: Any) -> str:
    """SHA-256 of the canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(document: Document, names: Names, titles: bool, *, stored: bool = False, new: bool = True) -> Mechanism | None:
    if document.faults:
        return None
    if not isinstance(document.data, dict):
        document.fault("", "a mechanism file is a mapping", "Begin with `mechanism: NAME`")
        return None
    raw = Reader(document, names, titles).read()
    _check_lists(raw, document)
    if document.faults:
        return None
    found = _resolve(raw, document, names)
    if stored:
        found = replace(found, fields={name: _acting(one, found, names) for name, one in found.fields.items()})
    check_references(found, document, names)
    if new:
        _check_own_names(found, document)
    return None if document.faults else found


def _check_own_names(found: Mechanism, document: Document) -> None:
    """No act is called as one of the ledger's own: its entries would be taken for those."""
    for act in dict.fromkeys(act.name for act in _every_act(found) if act.name in LEDGER_ACTS):
        document.fault(act, f"the ledger has an act {act!r} of its own", "Rename the act")


def _acting(field: Field, found: Mechanism, names: Names) -> Field:
    """A stored version from before ``acts_as``: an office acts by the roles it was assigned by, or the work of ``up``."""
    if field.acts_as or field.kind not in ("office", "offices", "team", "person", "people"):
        return field
    if field.kind in ("person", "people"):
        return replace(field, acts_as=tuple(names.roles))
    given = (act.assigns.get(field.name) for act in _every_act(found))
    return replace(field, acts_as=tuple(dict.fromkeys([*(str(one) for one in given if one in names.roles), "up"])))


def _check_lists(raw: Mechanism, document: Document) -> None:
    """What tying acts to clocks and states would silently drop."""
    for act in raw.always.values():
        for state in act.within_states:
            if state not in raw.states:
                known = ", ".join(sorted(raw.states))
                document.fault(f"always.{act.name}.in", f"no state {state!r}", f"Known: {known}")
    for act in _every_act(raw):
        for clock in (*act.starts, *act.stops):
            if clock not in raw.clocks:
                known = ", ".join(sorted(raw.clocks)) or "none"
                document.fault(_path_of(act, raw), f"{act.name!r} names no clock {clock!r}", f"Known: {known}")


def _path_of(act: Act, raw: Mechanism) -> str:
    if act.name in raw.opening:
        return f"open.{act.name}"
    if act.name in raw.always:
        return f"always.{act.name}"
    return next(f"states.{s.name}.actions.{act.name}" for s in raw.states.values() if act in s.actions)


def _check_kinds(found: Mechanism, known: set[str], document: Document) -> None:
    for kind in found.children.keys() - known:
        document.fault(f"children.{kind}", f"no mechanism {kind!r} in this folder", f"Known: {', '.join(sorted(known))}")


def _resolve(raw: Mechanism, document: Document, names: Names) -> Mechanism:
    """Tie acts to clocks both ways, hand the `always` acts to their states, fill in the defaults."""
    clocks = {name: _clock(clock, raw, names) for name, clock in raw.clocks.items()}
    offering: dict[str, list[str]] = {}
    for state in raw.states.values():
        for act in state.actions:
            offering.setdefault(act.name, []).append(state.name)
    for act in raw.always.values():
        offering[act.name] = [name for name in raw.states if not act.within_states or name in act.within_states]

    def tied(act: Act) -> Act:
        starts = [c for c in clocks if act.name in clocks[c].starts]
        stops = [c for c in clocks if act.name in clocks[c].stops]
        return replace(act, starts=tuple(starts), stops=tuple(stops), within_states=tuple(offering.get(act.name, ())))

    always = {name: tied(act) for name, act in raw.always.items()}
    states = {name: _state(state, always, tied) for name, state in raw.states.items()}
    used = {g.name for a in _every_act(raw) for g in a.needs if g.registered}
    used |= {i.name for a in _every_act(raw) for g in a.needs for i in g.any_of if i.registered}
    known = {**names.ladders, **raw.ladders}
    climbed = sorted(_ladders_used(raw, clocks) & known.keys())
    source = _with_ladders(document.data, {name: known[name] for name in climbed})
    return replace(
        raw,
        digest=digest_of(source),
        clocks=clocks,
        opening={name: tied(act) for name, act in raw.opening.items()},
        states=states,
        always=always,
        ladders={name: paced.ladder(known[name], raw.pace) for name in climbed},
        guards={
            name: {
                "kind": g.kind,
                "facts": list(g.facts),
                "fields": list(g.fields),
                "given": list(g.given),
                "title": dict(g.title),
            }
            for name in sorted(used)
            if (g := names.guards.get(name))
        },
        source=source,
        file=document.file,
        lines=document.lines,
    )


def _with_ladders(data: dict[str, Any], climbed: dict[str, tuple[Rung, ...]]) -> dict[str, Any]:
    """The source with every ladder that it climbs, so that a ladder changed in the registry makes another version."""
    own = data.get("ladders") or {}
    return {**data, "ladders": {**{name: plain_ladder(rungs) for name, rungs in climbed.items()}, **own}}


def _every_act(raw: Mechanism) -> list[Act]:
    inner = [act for state in raw.states.values() for act in state.actions]
    return [*raw.opening.values(), *inner, *raw.always.values()]


def _clock(clock: Clock, raw: Mechanism, names: Names) -> Clock:
    acts = _every_act(raw)
    again = clock.again
    if again not in ("once", "each"):
        law = names.law.get(clock.amount.name) if clock.amount.kind == "law" else None
        again = law.kind if law else "once"
    return replace(
        clock,
        again=again,
        ladder=clock.ladder or raw.ladder,
        starts=clock.starts | {act.name for act in acts if clock.name in act.starts},
        stops=clock.stops | {act.name for act in acts if clock.name in act.stops},
    )


def _state(state: State, always: dict[str, Act], tied: Any) -> State:
    own = [tied(act) for act in state.actions]
    acts = (*own, *(act for act in always.values() if state.name in act.within_states))
    return replace(state, actions=acts, offers={act.name: act for act in acts})


def _ladders_used(raw: Mechanism, clocks: dict[str, Clock]) -> set[str]:
    used = {raw.ladder} | {clock.ladder for clock in clocks.values()}
    for state in raw.states.values():
        used |= {owes.ladder for owes in state.owes}
        if state.ladder:
            used.add(state.ladder)
    for name in used & raw.chosen.keys():
        used |= set(raw.chosen[name].rows.values())
    return used
