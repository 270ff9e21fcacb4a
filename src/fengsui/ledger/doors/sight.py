"""May this actor know that the case exists? Where not, a door answers as if it did not."""

from __future__ import annotations

from django.db import connection

from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.region.tree import tree


def demand(held: Held, actor: Actor) -> None:
    """Raise 404 where a person may not see the case; signals and the ledger itself see all."""
    if actor.kind != "person" or sees(held, actor):
        return
    raise refused(404, "no_such_case", "case", "There is no such matter among those you may see")


def sees(held: Held, actor: Actor) -> bool:
    """Whether the office acted for has the case in its territory and duties, its own hands, or shared with it."""
    from fengsui.region.acting import scope_at

    if actor.office is None or actor.office not in tree().offices:
        return False
    row = held.row
    mine = {held.case.fields.get(name) for name, one in held.mechanism.fields.items() if one.kind == "person"} - {None}
    if actor.person in mine or actor.principal in mine:
        return True
    if row["confidential"]:
        return actor.office in row["readers"]
    if actor.office in (row["owner_id"], row["holder_id"], row["opener_id"]):
        return True
    scope = scope_at(actor.office)
    if row["place_path"] and scope.covers(row["place_path"], row["duty"]):
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM ledger_party p JOIN region_office o ON o.id = p.office_id "
            "WHERE p.case_id = %s AND o.path LIKE %s LIMIT 1",
            [held.case.id, scope.office_path + "%"],
        )
        return cursor.fetchone() is not None
