"""Files behind cases: kept by their content, judged by their content, seen only through a case.

In: an uploaded file and who brings it. Out: an ``Evidence`` row and the bytes under
``FENGSUI_DATA/evidence/ab/cd/DIGEST``, without what the camera wrote into them; position and time are kept as facts.
Whether somebody may see a file is the case's question: ``response`` is given a row that a case named.
"""

from fengsui.ledger.evidence.serving import response
from fengsui.ledger.evidence.storing import LIMITS, MOST_AN_HOUR, bring, path_of, store

__all__ = ["LIMITS", "MOST_AN_HOUR", "bring", "path_of", "response", "store"]
