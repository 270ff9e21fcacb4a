"""What an acting person may read of the ledger.

In: who asks, in which posts. Out: querysets and page data in that scope and nothing beyond it: a confidential
matter is absent from lists, counts, search and lineage of everybody but its readers.
"""

from fengsui.ledger.reading.desk import DeskLine, desk
from fengsui.ledger.reading.scoped import case_or_404, cases, count, find, search

__all__ = ["DeskLine", "case_or_404", "cases", "count", "desk", "find", "search"]
