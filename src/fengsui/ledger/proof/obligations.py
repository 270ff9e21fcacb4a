"""What the law asks of one mechanism, whatever its file says.

``data/obligations.yaml`` states them with their clauses: who must sign, what must be verified, how often
a matter may be sent back, which law number must be running when a case ends. The proof checks them beside the
twelve properties, so that a mechanism cannot be made weaker than the law by editing its own file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fengsui.law import numbers

_KINDS = ("act", "end", "runs", "rung")


@dataclass(frozen=True, slots=True)
class Obligation:
    """One demand. Exactly one of ``act``, ``end``, ``runs``, ``rung`` is given.

    ``act``: needs at least ``signatures`` persons (a count, or ``law.NAME`` for a law number's), verifies all of
    ``verifies``, asks all of the guards ``needs``, is done at most ``at_most`` times.
    ``end``: on every way to it one act of each group in ``after`` has been done; verified if ``verified``.
    ``runs``: the law number is run by a clock of ``holder`` (empty: anybody), started by each of ``starts`` and
    stopped by each of ``stops``; running, or answered by one of ``stops``, at each of the ends ``until``. Where states run
    it, each of ``starts`` leads to one of them.
    ``rung``: ``ladder`` has a rung at that time which does ``what`` (``climbs up``, ``opens NAME``, ``tells NAME`` …).
    """

    clause: str
    mechanism: str = ""
    act: str = ""
    signatures: int = 1
    verifies: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    at_most: int | None = None
    end: str = ""
    after: tuple[tuple[str, ...], ...] = ()
    verified: bool = False
    runs: str = ""
    holder: str = ""
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    ladder: str = ""
    rung: str = ""
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Law:
    """All obligations."""

    obligations: tuple[Obligation, ...] = ()

    def of(self, mechanism: str) -> tuple[Obligation, ...]:
        """The obligations of one mechanism, in file order."""
        return tuple(line for line in self.obligations if line.mechanism == mechanism)

    def without_rungs(self) -> Law:
        """The same without the times of rungs: an exercise shortens them."""
        return Law(tuple(line for line in self.obligations if not line.rung))

    def of_ladder(self, ladder: str) -> tuple[Obligation, ...]:
        """The obligations of one ladder, in file order."""
        return tuple(line for line in self.obligations if line.rung and line.ladder == ladder)


def read_obligations(rows: Iterable[Mapping[str, Any]]) -> Law:
    """Plain rows → ``Law``; ``ValueError`` names the row and the fault in it."""
    known = set(Obligation.__dataclass_fields__)
    lines = []
    for number, row in enumerate(rows, 1):
        if unknown := set(row) - known:
            raise ValueError(f"obligation {number}: unknown key {min(unknown)!r}; known: {', '.join(sorted(known))}")
        if sum(1 for key in _KINDS if row.get(key)) != 1:
            raise ValueError(f"obligation {number}: give exactly one of {', '.join(_KINDS)}")
        if not row.get("clause"):
            raise ValueError(f"obligation {number}: name the clause that asks for it")
        values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        if "after" in values:
            values["after"] = tuple((group,) if isinstance(group, str) else tuple(group) for group in values["after"])
        if isinstance(values.get("signatures"), str):
            values["signatures"] = _persons(values["signatures"], number)
        lines.append(Obligation(**values))
    return Law(tuple(lines))


def _persons(word: str, row: int) -> int:
    """How many persons the shipped law number asks for; ``ValueError`` where it is none."""
    name = word.removeprefix("law.")
    found = [one for one in numbers.shipped_book().all() if one.name == name]
    if not found:
        raise ValueError(f"obligation {row}: there is no law number {name!r}; add it to data/law")
    return found[-1].signatures


def load_obligations(path: Path) -> Law:
    """Read ``obligations.yaml``; an absent file asks for nothing."""
    if not path.exists():
        return Law()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return read_obligations(yaml.load(path.read_text("utf-8"), Loader=loader) or [])  # noqa: S506 - a safe one, in C
