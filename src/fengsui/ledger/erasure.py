"""Erasing the content of an entry because a law demands it: the hashes stay, and an entry says so.

In: a case's entry, grounds and the clause. Out: an ``erase`` entry that carries the case as it is from now on
(so that the case can still be derived from its entries), and the erased entry without content and salt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection

from fengsui.ledger.doors import Receipt
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.doors.single import append_in, in_transaction
from fengsui.ledger.doors.work import Work
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Entry
from fengsui.ledger.seals import change

ACT = "erase"


def erase(
    case_id: str, seq: int, *, grounds: str, clause: str, actor: Actor, now: datetime, fields: Iterable[str] = ()
) -> Receipt:
    """Erase entry ``seq``; ``fields`` are the case's present values that go with it.

    Raises ``Refused`` 404 for no such entry, 422 without grounds or clause, 409 for an erasure entry itself or one
    already erased.
    """
    for name, value in (("grounds", grounds), ("clause", clause)):
        if not value.strip():
            raise refused(422, "missing", name, "An erasure states its grounds and the clause of the law that demands it")

    def doing() -> Receipt:
        passage = Passage(Work(now))
        found = passage.lock(case_id)
        entry = Entry.objects.filter(case_id=case_id, seq=seq).first() if found else None
        if entry is None:
            raise refused(404, "no_such_case", "entry", "There is no such entry")
        if entry.act == ACT or entry.body is None:
            raise refused(409, "erased", "entry", "This entry has no content that could be erased")
        held = found[0]
        left = {name: value for name, value in held.case.fields.items() if name not in set(fields)}
        after = replace(held.case, fields=left)
        lines: Mapping[str, Any] = {str(at): line.plain() for at, line in enumerate(held.lines)}
        whole = change.plain(replace(after, seq=held.case.seq + 1), held.row)
        values = {"seq": seq, "grounds": grounds, "clause": clause, "fields": sorted(fields)}
        written = append_in(passage, held, ACT, actor, after, values=values, besides={"whole": whole, "lines": lines})
        passage.work.flush()
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_erase(%s, %s)", [entry.pk, written.id])
        return written.receipt(at=now)

    return in_transaction(doing)
