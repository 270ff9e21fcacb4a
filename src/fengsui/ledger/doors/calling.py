"""Recording a call to answer 叫应 as an entry: which number of the list, by whom, with what result.

In: a line of the case's call list. Out: an entry ``call`` and the record beside the line that names it. An enterprise records
calls to its own people only: whether it was reached is for those who rang it to say.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_noop

from fengsui.ledger.doors import persons_acts
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.persons_acts import Asked
from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.doors.single import append_in
from fengsui.ledger.doors.work import Written
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import CallLine, CallRecord

ACT = "call"
NOTE = 500
"""Characters of a note."""


def may_record(office: int | None, called: int) -> bool:
    """Whether somebody of ``office`` records calls to the people of ``called``."""
    return office == called or not persons_acts.is_enterprise(office)


def record(case_id: str, line: int, result: str, actor: Actor, *, now: datetime, note: str = "", key: str = "") -> Receipt:
    """Write the call.

    Raises ``Refused`` 404 no such case or number on its list · 403 an enterprise about others' numbers · 422 another result
    than those there are, or a note that is too long.
    """
    if result not in CallRecord.RESULTS:
        raise refused(422, "bad_value", "result", gettext_noop("choose one of the results"))
    said = note.strip()
    if len(said) > NOTE:
        raise refused(422, "bad_value", "note", gettext_noop("at most 500 characters are kept: shorten it"))

    def doing(passage: Passage, held: Held) -> Written:
        found = CallLine.objects.filter(pk=line, case_id=held.case.id).first()
        if found is None:
            raise refused(404, "no_such_case", "call", gettext_noop("There is no such number on a call list"))
        if not may_record(actor.office, found.office_id):
            raise refused(403, "not_yours", ACT, "county_office")
        values = {"line": line, "office": found.office_id, "result": result, **({"note": said} if said else {})}
        return append_in(passage, held, ACT, actor, held.case, values=values)

    def after(written: Written) -> None:
        CallRecord.objects.create(
            line_id=line, entry_id=written.id, person_id=actor.person, post_id=actor.post, at=now, result=result, note=said
        )

    given = {"line": line, "result": result, "note": said}
    return persons_acts.carry_out(Asked(ACT, case_id, actor, given, None, key), doing, now, after=after)
