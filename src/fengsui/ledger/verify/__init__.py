"""``fengsui verify``: is everything that was sealed still there, unchanged and in its place?

In: the database (read only), the public keys of the data folder, kept files. Out: a ``Report`` whose
findings name what is wrong. Nothing here trusts a column that the entry's own bytes, its leaf or a
signature does not confirm.
"""

from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.parts import case, grown_from
from fengsui.ledger.verify.whole import ledger

__all__ = ["Finding", "Report", "case", "grown_from", "ledger"]
