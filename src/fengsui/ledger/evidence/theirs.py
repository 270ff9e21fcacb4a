"""Which files somebody may name in an act: those that are theirs already.

In: digests, the case acted on, who acts. Out: those they sent in themselves, and those they may open in a case. A file that
no case carries yet is its uploader's alone: who merely knows the digest may not name it, and it is not said to be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from fengsui.ledger import mechanisms
from fengsui.ledger.doors.held import as_uuid, read
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Entry, Evidence, EvidenceBrought, EvidenceUse
from fengsui.region.acting import Acting


def among(digests: Set[str], case_id: str, actor: Actor, now: datetime) -> set[str]:
    """Those of ``digests`` that the person may name; ``case_id`` is the case at hand, which they were found to see.

    However many cases carry a file: one statement for what was sent in, one for what cases open, and three more only where
    nothing but sealed fields is left to ask.
    """
    if actor.person is None:
        return set()
    brought = EvidenceBrought.objects.filter(evidence=OuterRef("pk"), person_id=actor.person)
    sent = Evidence.objects.filter(Q(person_id=actor.person) | Exists(brought), pk__in=digests)
    mine = set(sent.values_list("pk", flat=True))
    if actor.office is None or not digests - mine:
        return mine
    acting = Acting(actor.person, actor.post or 0, actor.office, actor.principal)
    return mine | _opened(digests - mine, case_id, acting, now)


def _opened(digests: Set[str], case_id: str, acting: Acting, now: datetime) -> set[str]:
    """Those that some case carries which the acting sees, in a field that is open to them."""
    from fengsui.ledger import reading

    seen = Q(case=as_uuid(case_id)) | Q(case__in=reading.seeing(acting, now))
    uses = reading.uses_for(acting, EvidenceUse.objects.filter(seen, evidence__in=digests)).order_by()
    found, sealed = set[str](), set[tuple[str, str]]()
    for digest, version, field in uses.values_list("evidence_id", "case__version_id", "field").distinct():
        declared = mechanisms.version(version).fields.get(field)
        if declared is None or not (declared.sealed or declared.sealed_until):
            found.add(digest)
        else:
            sealed.add((version, field))
    left = digests - found
    return found | (_unsealed(uses.filter(evidence__in=left), sealed, acting, now) if left and sealed else set())


def _unsealed(uses: QuerySet[EvidenceUse], sealed: Set[tuple[str, str]], acting: Acting, now: datetime) -> set[str]:
    """Those in sealed fields that are not sealed from the acting."""
    from fengsui.ledger import reading

    wanted = uses.filter(field__in={field for _, field in sealed}).values_list("evidence_id", "case_id", "field").distinct()
    rows = [(digest, str(case), field) for digest, case, field in wanted]
    cases = read({case for _, case, _ in rows}, lock=False)
    done: dict[str, list[Any]] = {}
    for entry in Entry.objects.filter(case_id__in=cases).order_by().only("case_id", "act"):
        done.setdefault(str(entry.case_id), []).append(entry)
    hidden: Mapping[str, Iterable[str]] = {
        case: reading.hidden_fields(held.mechanism, held, acting, done.get(case, ()), now) for case, held in cases.items()
    }
    return {digest for digest, case, field in rows if field not in hidden[case]}
