"""``fengsui rebuild --check``: derive every case, clock, child and number from the entries alone, and compare.

In: the entries' exact bytes. Out: differences from the rows that pages read. Nothing is written. Only how
many reminders of a clock have fired is not in an entry: that is compared with the record of fired rungs.
"""

from fengsui.ledger.rebuild.compare import Difference
from fengsui.ledger.rebuild.whole import Rebuilt, check

__all__ = ["Difference", "Rebuilt", "check"]
