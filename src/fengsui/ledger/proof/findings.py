"""What the proof says: findings, certificates, the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PROPERTIES: Mapping[int, str] = {
    0: "The search was finished within its budget",
    1: "Every state has an owner and a clock",
    2: "From everywhere an end is reachable, whatever the facts and events",
    3: "Every ladder climbs, ends at the top and repeats",
    4: "No work is unverified at a verified end, and nobody verifies alone what is his own",
    5: "Every cycle is bounded, and once-only law numbers never restart",
    6: "Whoever raised the case is told at every end",
    7: "Every field that is read is set and not stale",
    8: "Nothing is unreachable",
    9: "A pause has a maximum, an owner and a ladder",
    10: "Openings form no cycle by themselves, and every child's end is answered or recalled",
    11: "Confidential cases tell, climb to and belong to readers only",
    12: "Every signal is answered or ignored in every state",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken property: which, where, and the shortest way there (acts, the opening first)."""

    property: int
    mechanism: str
    says: str
    state: str = ""
    act: str = ""
    path: tuple[str, ...] = ()
    place: str = ""  # the path in the YAML (``ladders.plain``); derived from state and act where they say it
    line: str = ""  # FILE:LINE of that place

    def __str__(self) -> str:
        where = ".".join(word for word in (self.mechanism, self.state, self.act) if word)
        way = f"  [{' → '.join(self.path)}]" if self.path else ""
        line = f"  ({self.line})" if self.line else ""
        return f"{self.property}. {where}: {self.says}{way}{line}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was proven of one version of a mechanism. Stored with it.

    ``rests_on`` names the digests of the children whose ends were assumed; ``seconds`` is measured, so it is left
    out of ``canonical``.
    """

    mechanism: str
    digest: str
    configurations: int
    edges: int
    properties: tuple[int, ...]  # those that hold
    rests_on: Mapping[str, str] = field(default_factory=dict)
    obligations: int = 0
    seconds: float = 0.0

    def canonical(self) -> bytes:
        """Canonical JSON without the measured seconds: the same proof gives the same bytes."""
        body = {key: value for key, value in asdict(self).items() if key != "seconds"}
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def plain(self) -> dict[str, Any]:
        """The certificate as JSON values, with its own SHA-256 as ``seal``."""
        return {**asdict(self), "properties": list(self.properties), "seal": hashlib.sha256(self.canonical()).hexdigest()}


@dataclass(frozen=True, slots=True)
class Report:
    """All findings and one certificate per mechanism that has none."""

    findings: tuple[Finding, ...]
    certificates: Mapping[str, Certificate]
    seconds: float
    spent: tuple[str, ...] = ()  # mechanisms whose search met its budget

    @property
    def ok(self) -> bool:
        """Whether everything is proven."""
        return not self.findings

    def of(self, mechanism: str) -> tuple[Finding, ...]:
        """The findings about one mechanism."""
        return tuple(finding for finding in self.findings if finding.mechanism == mechanism)

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "budget_spent": list(self.spent),
            "findings": [asdict(finding) for finding in self.findings],
            "certificates": {name: proof.plain() for name, proof in sorted(self.certificates.items())},
        }


def shortest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding for each fault at each place: the one with the shortest way; in order."""
    best: dict[tuple[int, str, str, str, str], Finding] = {}
    for finding in findings:
        key = (finding.property, finding.mechanism, finding.state, finding.act, finding.says)
        if key not in best or len(finding.path) < len(best[key].path):
            best[key] = finding
    return tuple(sorted(best.values(), key=lambda f: (f.mechanism, f.property, len(f.path), f.state, f.act, f.says)))
