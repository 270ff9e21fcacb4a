"""The few doors into the ledger; nothing else writes a case.

In: a wish (which case, which act, who, what, when). Out: a ``Receipt``, or ``Refused`` with every reason and nothing
changed. Each door is one transaction: lock (parent before child), permission, guards, entry, state, clocks,
children, effects, notices, outbox.
"""

from fengsui.ledger.doors.bulk import act_many, adopt
from fengsui.ledger.doors.correcting import Correction, correct
from fengsui.ledger.doors.merging import merge
from fengsui.ledger.doors.shapes import OLD_WORLD, About, Adoption, Past, Receipt, Refused
from fengsui.ledger.doors.sharing import share, unshare
from fengsui.ledger.doors.single import LEDGER_ACTS, act, append, append_in, move, open, open_in

__all__ = [
    "LEDGER_ACTS",
    "OLD_WORLD",
    "About",
    "Adoption",
    "Correction",
    "Past",
    "Receipt",
    "Refused",
    "act",
    "act_many",
    "adopt",
    "append",
    "append_in",
    "correct",
    "merge",
    "move",
    "open",
    "open_in",
    "share",
    "unshare",
]
