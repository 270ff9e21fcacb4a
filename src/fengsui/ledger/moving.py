"""Moving open cases to their mechanism's newer version: what can go, and why the rest cannot.

In: a mechanism, a map of states that the new version calls otherwise. Out: the open cases under older versions, grouped by
where they stand, each group's fate; and the move itself, one case a transaction, so that one refusal stops no other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TextIO

import orjson

from fengsui.ledger import doors, mechanisms, sentences
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.doors.shapes import Refused
from fengsui.ledger.doors.single import moved_to
from fengsui.ledger.kernel.shapes import Actor, Mechanism
from fengsui.ledger.models import Case, MechanismVersion

AT_ONCE = 500
NAMED = 5
"""Numbers of cases named for each reason."""


@dataclass(slots=True)
class Group:
    """Open cases of one older version in one state: how many may go, and the reasons of the others."""

    version: int
    state: str
    can: int = 0
    cannot: dict[str, list[str]] = field(default_factory=dict)  # sentence → numbers of cases

    @property
    def refused(self) -> int:
        """How many may not go."""
        return sum(len(numbers) for numbers in self.cannot.values())


@dataclass(slots=True)
class Survey:
    """What a move would do, or did."""

    mechanism: str
    to: int
    groups: list[Group]
    missing: tuple[str, ...] = ()  # states of open cases that the new version does not have and the map leaves out

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "mechanism": self.mechanism,
            "to": self.to,
            "can": sum(one.can for one in self.groups),
            "cannot": sum(one.refused for one in self.groups),
            "missing": list(self.missing),
            "groups": [{"version": one.version, "state": one.state, "can": one.can, "cannot": one.cannot} for one in self.groups],
        }


def older(name: str) -> Iterator[list[Held]]:
    """The open cases under another version than new ones open under, in handfuls; an exercise's has its own pace."""
    older = Case.objects.filter(mechanism=name, ended=False).exclude(exercise=False, version__current=True)
    older = older.exclude(exercise=True, version=mechanisms.current(name, exercise=True).digest)
    ids = [str(one) for one in older.order_by("pk").values_list("pk", flat=True)]
    for start in range(0, len(ids), AT_ONCE):
        yield list(read(ids[start : start + AT_ONCE], lock=False).values())


def survey(name: str, states: Mapping[str, str]) -> Survey:
    """Who could go to the current version along ``states``. Raises ``LookupError`` for an unknown mechanism."""
    return _gone(name, states, lambda held: moved_to(held, _wording(held), states))


def _wording(held: Held) -> Mechanism:
    """The version that such a case opens under today."""
    return mechanisms.current(held.case.mechanism, exercise=bool(held.row["exercise"]))


def move_all(name: str, states: Mapping[str, str], actor: Actor, now: datetime) -> Survey:
    """Move every case that can go; each by an entry of its own."""

    def going(held: Held) -> object:
        return doors.move(held.case.id, _wording(held).digest, states, actor, now=now, expects=held.case.seq)

    return _gone(name, states, going)


def _gone(name: str, states: Mapping[str, str], going: Any) -> Survey:
    wording = mechanisms.current(name)
    numbers = dict(MechanismVersion.objects.filter(name=name).values_list("digest", "number"))
    groups: dict[tuple[int, str], Group] = {}
    for some in older(name):
        for held in some:
            key = numbers[held.case.version], held.case.state
            group = groups.setdefault(key, Group(*key))
            try:
                going(held)
            except Refused as refused:
                for said in sentences.all_of(wording, refused.refusals)[:1]:
                    group.cannot.setdefault(said, []).append(_called(held))
            else:
                group.can += 1
    missing = {state for _, state in groups if states.get(state, state) not in wording.states}
    return Survey(name, numbers[wording.digest], [groups[key] for key in sorted(groups)], tuple(sorted(missing)))


def _called(held: Held) -> str:
    """The number of a case; a confidential one is counted and not named."""
    return "" if held.row["confidential"] else str(held.row["number"] or held.case.id)


def main(name: str, pairs: Iterable[str], dry: bool, now: datetime, out: TextIO = sys.stdout, *, as_json: bool = False) -> int:
    """The command: 0 everything can go or went, 1 something cannot, 2 a wrong question."""
    states = {}
    for pair in pairs:
        old, sign, new = pair.partition("=")
        if not sign or not old or not new:
            out.write(f"{pair!r} is no OLD=NEW pair of states\n")
            return 2
        states[old] = new
    try:
        found = survey(name, states) if dry else move_all(name, states, Actor("system", name="fengsui move"), now)
    except LookupError as error:
        out.write(f"{error}\n")
        return 2
    told = found.plain()
    if as_json:
        out.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 1 if told["cannot"] else 0
    verb = "can go" if dry else "went"
    out.write(f"{name}: to version {found.to}: {told['can']} open cases {verb}, {told['cannot']} cannot\n")
    for one in found.groups:
        out.write(f"  version {one.version}, {one.state}: {one.can} {verb}\n")
        for said, numbers in one.cannot.items():
            named = ", ".join(filter(None, numbers[:NAMED])) + (" …" if len(numbers) > NAMED else "")
            out.write(f"    {len(numbers)} cannot: {said} {named}\n")
    if found.missing:
        out.write(f"The new version has no {', '.join(found.missing)}: say --map OLD=NEW for each.\n")
    return 1 if told["cannot"] else 0
