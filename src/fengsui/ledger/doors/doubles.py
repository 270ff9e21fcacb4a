"""Cases that were merged: which one goes on, and whose raisers follow it.

In: a case. Out: (office, person) pairs, a case id. Read by every act that tells a raiser, so it asks nothing of a case that
no double was merged into.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from fengsui.ledger.kernel.shapes import Case

MERGED = "merged"
"""The end of a double, an end of the ledger's own, and the kind of its link to the case that goes on."""
TAKEN_IN = "merge"
"""The act's name; a case's counts say how many doubles were merged into it."""


def followers(case: Case) -> Iterator[tuple[int | None, int | None]]:
    """(office, person) of the raisers of the cases merged into this one, however many steps away."""
    if not case.counts.get(TAKEN_IN):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE doubles(id) AS (SELECT from_case_id FROM ledger_link WHERE to_case_id = %s AND kind = %s UNION "
            "SELECT l.from_case_id FROM ledger_link l JOIN doubles d ON l.to_case_id = d.id WHERE l.kind = %s) "
            "SELECT c.raiser->>'office', c.raiser->>'person' FROM doubles d JOIN ledger_case c ON c.id = d.id "
            "ORDER BY c.opened_at",
            [case.id, MERGED, MERGED],
        )
        for office, person in cursor.fetchall():
            if office or person:
                yield int(office) if office else None, int(person) if person else None


def survivor(case_id: Any) -> Any | None:
    """The id of the case that a merged one goes on in, at the end of the chain; None where it was not merged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE on_to(id, depth) AS (SELECT to_case_id, 1 FROM ledger_link WHERE from_case_id = %s AND kind = %s "
            "UNION SELECT l.to_case_id, o.depth + 1 FROM ledger_link l JOIN on_to o ON l.from_case_id = o.id WHERE l.kind = %s) "
            "SELECT id FROM on_to ORDER BY depth DESC LIMIT 1",
            [case_id, MERGED, MERGED],
        )
        found = cursor.fetchone()
    return found[0] if found else None
