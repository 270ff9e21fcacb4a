"""What the poller reads: outbox rows that have a position, with what decides who may hear them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Max

from fengsui.cockpit.live import News
from fengsui.ledger.models import Case, Outbox, Party

AT_ONCE = 500


def latest() -> int:
    """The newest position, 0 where there is none."""
    return Outbox.objects.aggregate(last=Max("position"))["last"] or 0


def since(position: int) -> Iterator[News]:
    """Changes after ``position`` in order, at most 500."""
    rows = list(Outbox.objects.filter(position__gt=position).order_by("position")[:AT_ONCE])
    ids = {row.case_id for row in rows if row.case_id}
    cases: dict[object, Case] = {case.pk: case for case in Case.objects.filter(pk__in=ids)}
    parties: dict[object, set[int]] = {}
    for case_id, office in Party.objects.filter(case__in=ids).values_list("case_id", "office_id"):
        parties.setdefault(case_id, set()).add(office)
    for row in rows:
        case = cases.get(row.case_id)
        yield _news(row, case, parties.get(row.case_id, set()))


def _news(row: Outbox, case: Case | None, parties: set[int]) -> News:
    position = row.position or 0
    if case is None:
        # no case behind it: whoever wrote the row said where it belongs
        place, duty = str(row.payload.get("place_path", "")), str(row.payload.get("duty", ""))
        offices = frozenset(row.payload.get("offices", ()))
        return News(position, row.topic, str(row.payload.get("id", "")), place, duty, offices)
    own = {office for office in (case.owner_id, case.holder_id, case.opener_id) if office}
    return News(
        position,
        "case" if row.topic != "notice" else row.topic,
        str(case.pk),
        case.place_path,
        case.duty,
        frozenset(own | parties),
        frozenset(case.readers) if case.confidential else None,
    )
