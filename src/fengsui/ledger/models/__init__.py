"""What the ledger keeps: mechanisms, cases, their entries, clocks, notices, seals, evidence.

In: rows written by the doors (``doors.py``), the clock and the sealer; nobody else writes here.
Out: querysets for ``reading.py``. Offices, persons and posts are the region's integer ids.
"""

from fengsui.ledger.models.cases import (
    LEVELS,
    RANK,
    Case,
    Counter,
    Entry,
    IdempotencyKey,
    Link,
    MechanismVersion,
    Party,
    SearchText,
    Share,
    Token,
)
from fengsui.ledger.models.clocks import Clock, Notice, NoticeSight, Outbox, Rung
from fengsui.ledger.models.evidence import (
    Evidence,
    EvidenceBrought,
    EvidenceUse,
    PublicUse,
    Reporter,
    ReporterLook,
    ReporterMessage,
)
from fengsui.ledger.models.health import Beat
from fengsui.ledger.models.notices import CallLine, CallRecord, Delivery
from fengsui.ledger.models.seals import Head, Leaf, Receipt, SealKey, Tile
from fengsui.ledger.models.views import SavedView

__all__ = [
    "LEVELS",
    "RANK",
    "Beat",
    "CallLine",
    "CallRecord",
    "Case",
    "Clock",
    "Counter",
    "Delivery",
    "Entry",
    "Evidence",
    "EvidenceBrought",
    "EvidenceUse",
    "Head",
    "IdempotencyKey",
    "Leaf",
    "Link",
    "MechanismVersion",
    "Notice",
    "NoticeSight",
    "Outbox",
    "Party",
    "PublicUse",
    "Receipt",
    "Reporter",
    "ReporterLook",
    "ReporterMessage",
    "Rung",
    "SavedView",
    "SealKey",
    "SearchText",
    "Share",
    "Tile",
    "Token",
]
