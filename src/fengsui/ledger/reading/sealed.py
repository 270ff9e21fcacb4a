"""What of a case stays closed to somebody who may read the rest: sealed fields, a reporter's position and photos.

In: a case that the reader may see, the post they read in. Out: names of fields, and the files that are theirs to open.
Pages, the API and the files themselves ask here, so that nothing is hidden on one and open on another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from fengsui.ledger.doors.facts import whereabouts
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.kernel.shapes import Field, Mechanism
from fengsui.ledger.models import Case, Entry, EvidenceUse
from fengsui.ledger.public.intake import intake
from fengsui.region import roles
from fengsui.region.acting import Acting
from fengsui.region.tree import tree

SEALED = "•••"
"""What stands for a value that this reader may not see."""
CORRECTED = ("was", "becomes")
"""Values of a correction that hold a field's content under the field's name."""
OPENING = 1
PUBLIC = "public"


class Acted(Protocol):
    """An entry, or as much of it as says which act it was."""

    @property
    def act(self) -> str: ...


def hidden_fields(mechanism: Mechanism, held: Held, acting: Acting, entries: Iterable[Acted], now: datetime) -> frozenset[str]:
    """Fields sealed from this reader: for other roles, until an act that was not done yet, or a reporter's whereabouts."""
    done = {one.act for one in entries}
    mine = {held.row["owner_id"], held.row["opener_id"]}
    hidden = set()
    for name, field in mechanism.fields.items():
        until = field.sealed_until is not None and field.sealed_until not in done and acting.office_id not in mine
        if until or (field.sealed and not _holds_one(field, held, acting, now)):
            hidden.add(name)
    if keeps_reporter_from(acting, held.case.raiser):
        hidden.add(intake().values["position"])
    return frozenset(hidden)


def hidden_in(case: Case, acting: Acting, now: datetime) -> frozenset[str]:
    """``hidden_fields`` for whoever has only the case's row."""
    held = read([str(case.pk)], lock=False)[str(case.pk)]
    return hidden_fields(held.mechanism, held, acting, Entry.objects.filter(case=case).only("act"), now)


def _holds_one(field: Field, held: Held, acting: Acting, now: datetime) -> bool:
    """Whether the post fills one of the roles that a field is sealed to. A role of a named person is nobody's post.

    A deputy reads it only who was lent ``look``, or everything.
    """
    if not acting.may_do(held.mechanism.name, "look", own=True):
        return False
    names = [name for name in field.sealed if name in roles.roles() and roles.role_of(name).kind != "person"]
    if not names:
        return False
    offices = roles.resolve_all(names, whereabouts(held, None), now)
    return any(roles.holds(acting.person_id, acting.post_id, name, offices[name], now) for name in names)


def keeps_reporter_from(acting: Acting, raiser: Mapping[str, Any]) -> bool:
    """Whether the reader is an enterprise and the public reported: where the reporter stood could say who it was."""
    node = tree().offices.get(acting.office_id)
    return raiser.get("kind") == PUBLIC and (node is None or node.kind == "enterprise")


def keeps_receipt(case: Case, seq: int, hidden: frozenset[str]) -> bool:
    """Whether the receipt of this entry is the reporter's alone: of a public report's opening, for whom their code is hidden.

    Its code is the first half of what they follow the matter, and are paid, by; the entry's leaf tells the code.
    """
    return seq == OPENING and case.raiser.get("kind") == PUBLIC and intake().values["code"] in hidden


def shown(values: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Values with a mark in place of what is sealed; a correction's old and new content too."""
    found: dict[str, Any] = {name: SEALED if name in hidden else value for name, value in values.items()}
    for name in CORRECTED:
        if isinstance(found.get(name), Mapping):
            found[name] = shown(found[name], hidden)
    return found


def files(case: Case, hidden: frozenset[str], acting: Acting) -> QuerySet[EvidenceUse]:
    """The uses of files that this reader may open, as they came.

    A file that a correction took out is left to the office that answers and to the one that had brought it; what the
    public sent with its report is never an enterprise's.
    """
    found = uses_for(acting, EvidenceUse.objects.filter(case=case).exclude(field__in=hidden))
    return found.select_related("evidence", "entry").order_by("entry_id", "id")


def uses_for(acting: Acting, found: QuerySet[EvidenceUse]) -> QuerySet[EvidenceUse]:
    """Those of ``found`` that are open to this reader as far as the fields' seals do not say otherwise; of any cases."""
    concerned = Q(entry__office_id=acting.office_id) | Q(case__owner_id=acting.office_id)
    found = found.filter(Q(withdrawn_seq__isnull=True) | concerned)
    if keeps_reporter_from(acting, {"kind": PUBLIC}):
        unknown = Q(case__raiser__kind__isnull=True)
        found = found.filter(Q(entry__seq__gt=OPENING) | unknown | ~Q(case__raiser__kind=PUBLIC))
    return found


def file_of(case: Case, digest: str, acting: Acting, now: datetime) -> EvidenceUse | None:
    """One file of the case for this reader; None where it is not there or not theirs to open."""
    return files(case, hidden_in(case, acting, now), acting).filter(evidence_id=digest).first()
