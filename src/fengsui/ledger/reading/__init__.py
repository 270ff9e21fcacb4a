"""What an acting person may read of the ledger.

In: who asks, in which posts. Out: querysets and page data in that scope and nothing beyond it: a confidential
matter is absent from lists, counts, search and lineage of everybody but its readers.
"""

from fengsui.ledger.reading.byposts import owns
from fengsui.ledger.reading.desk import DeskLine, desk, waiting, waiting_number
from fengsui.ledger.reading.page import CasePage, page
from fengsui.ledger.reading.possible import Cannot, May, Opening, actor_of, may, may_each, opening_refusals, openings
from fengsui.ledger.reading.scoped import COUNTED, Hits, case_or_404, cases, count, counts, find, search, searched, seeing
from fengsui.ledger.reading.sealed import file_of, hidden_fields, uses_for

__all__ = [
    "COUNTED",
    "Cannot",
    "CasePage",
    "DeskLine",
    "Hits",
    "May",
    "Opening",
    "actor_of",
    "case_or_404",
    "cases",
    "count",
    "counts",
    "desk",
    "file_of",
    "find",
    "hidden_fields",
    "may",
    "may_each",
    "opening_refusals",
    "openings",
    "owns",
    "page",
    "search",
    "searched",
    "seeing",
    "uses_for",
    "waiting",
    "waiting_number",
]
