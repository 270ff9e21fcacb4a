"""Old cases out of a table: every bad cell named by row and column, all taken over or none.

In: a CSV (UTF-8 or GBK) or xlsx file, a mechanism. Out: cases in the state that the table says, with their old number and
record, the past sealed as unverified; or the list of what is wrong, and nothing written.
"""

from fengsui.ledger.adoption.taking import Problem, Taken, take
from fengsui.ledger.adoption.template import as_csv, as_xlsx

__all__ = ["Problem", "Taken", "as_csv", "as_xlsx", "take"]
