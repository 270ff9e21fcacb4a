"""What a verification reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from fengsui.ledger.seals.heads import SignedHead

MOST = 200
"""Findings told one by one; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``code`` is stable; ``text`` (zh, en) names the entry, case or head."""

    code: str
    zh: str
    en: str
    case: str = ""
    seq: int = 0
    position: int | None = None


@dataclass(slots=True)
class Report:
    """What was looked at and what was found. ``waiting`` entries are chained but not yet under a head."""

    entries: int = 0
    cases: int = 0
    heads: int = 0
    waiting: int = 0
    erased: int = 0
    files: int | None = None
    """Evidence files whose bytes were hashed; None: they were left out."""
    files_erased: int = 0
    head: SignedHead | None = None
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What is in order and worth saying (zh, en): which entry's content was erased by which."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def note(self, zh: str, en: str) -> None:
        """Keep a note, as many as findings."""
        if len(self.notes) < MOST:
            self.notes.append((zh, en))

    def add(self, finding: Finding) -> None:
        """Keep a finding, or count it where there are too many."""
        if len(self.findings) < MOST:
            self.findings.append(finding)
        else:
            self.more += 1
