"""What the ledger keeps: mechanisms, cases, their entries, clocks, notices, seals, evidence.

In: rows written by the doors (``doors.py``), the clock and the sealer; nobody else writes here.
Out: querysets for ``reading.py``. Offices, persons and posts are the region's integer ids.
"""

from fengsui.ledger.models.cases import (
    Case,
    Counter,
    Entry,
    IdempotencyKey,
    Link,
    MechanismVersion,
    Party,
    SearchText,
    Token,
)
from fengsui.ledger.models.clocks import Clock, Notice, Outbox, Rung
from fengsui.ledger.models.evidence import Evidence, EvidenceUse, Reporter
from fengsui.ledger.models.seals import Head, Leaf, Receipt

__all__ = [
    "Case",
    "Clock",
    "Counter",
    "Entry",
    "Evidence",
    "EvidenceUse",
    "Head",
    "IdempotencyKey",
    "Leaf",
    "Link",
    "MechanismVersion",
    "Notice",
    "Outbox",
    "Party",
    "Receipt",
    "Reporter",
    "Rung",
    "SearchText",
    "Token",
]
