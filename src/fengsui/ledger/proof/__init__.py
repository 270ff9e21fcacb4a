"""The proof that a mechanism's life is closed.

In: mechanisms, names, the law's obligations. Out: a ``Report`` of findings and certificates. Never: Django, a
database, the clock of the wall (seconds are measured, nothing depends on them).
"""

from fengsui.ledger.proof.check import BUDGET, Checker, check
from fengsui.ledger.proof.findings import PROPERTIES, Certificate, Finding, Report
from fengsui.ledger.proof.obligations import Law, Obligation, load_obligations, read_obligations

__all__ = [
    "BUDGET",
    "PROPERTIES",
    "Certificate",
    "Checker",
    "Finding",
    "Law",
    "Obligation",
    "Report",
    "check",
    "load_obligations",
    "read_obligations",
]
