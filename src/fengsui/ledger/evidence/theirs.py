"""Which files somebody may name in an act: those that nothing keeps from them.

In: digests, the case acted on, who acts. Out: those they sent in themselves, may open in a case, or that no case has yet.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Evidence, EvidenceBrought, EvidenceUse
from fengsui.region.acting import Acting


def among(digests: Set[str], case_id: str, actor: Actor, now: datetime) -> set[str]:
    """Those of ``digests`` that the person may name; ``case_id`` is the case at hand, which they were found to see."""
    used = list(EvidenceUse.objects.filter(evidence__in=digests).order_by().values_list("evidence_id", "case_id").distinct())
    kept = {digest for digest, _ in used}
    if not kept:
        return set(digests)
    whose = Q(person_id__isnull=True) if actor.person is None else Q(person_id=actor.person)
    brought = EvidenceBrought.objects.filter(whose, evidence__in=kept).values_list("evidence_id", flat=True)
    first = Evidence.objects.filter(whose, pk__in=kept).values_list("pk", flat=True)
    mine = {*brought, *first}
    for digest, case in sorted(used, key=lambda one: str(one[1]) != case_id):
        if digest not in mine and _opens(digest, case, str(case) == case_id, actor, now):
            mine.add(digest)
    return set(digests) - kept | mine


def _opens(digest: str, case: UUID, here: bool, actor: Actor, now: datetime) -> bool:
    from fengsui.ledger import reading

    if actor.person is None or actor.office is None:
        return False
    acting = Acting(actor.person, actor.post or 0, actor.office, actor.principal)
    found = Case.objects.filter(pk=case).first() if here else reading.find([acting], case)
    return found is not None and reading.file_of(found, digest, acting, now) is not None
