"""What an office was called on a day: a new name counts from its day, what was recorded before keeps the old one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from .models import Office, OfficeName

FIRST = date(1, 1, 1)
"""The day from which an office's first name counts."""


def give(office: Office, zh: str, en: str, since: date, today: date) -> None:
    """Let the office be called so from ``since`` on; at once where that day has come."""
    if not office.names.exists():
        OfficeName.objects.create(office=office, name_zh=office.name_zh, name_en=office.name_en, since=FIRST)
    OfficeName.objects.update_or_create(office=office, since=since, defaults={"name_zh": zh, "name_en": en})
    take_effect(today, [office.pk])


def withhold(office: int, since: date) -> None:
    """Forget the name that the office was to get on a day still to come."""
    OfficeName.objects.filter(office_id=office, since=since).delete()


def take_effect(today: date, offices: Iterable[int] | None = None) -> int:
    """Write the names whose day has come into the offices; gives how many got another name."""
    from .naming import sorting

    rows = OfficeName.objects.filter(since__lte=today).order_by("office_id", "since").select_related("office")
    if offices is not None:
        rows = rows.filter(office_id__in=list(offices))
    newest = {row.office_id: row for row in rows}
    changed = [row for row in newest.values() if (row.office.name_zh, row.office.name_en) != (row.name_zh, row.name_en)]
    for row in changed:
        row.office.name_zh, row.office.name_en, row.office.pinyin = row.name_zh, row.name_en, sorting(row.name_zh)
        row.office.save(update_fields=["name_zh", "name_en", "pinyin"])
    return len(changed)


def then(wanted: Iterable[tuple[int, date]]) -> Mapping[tuple[int, date], tuple[str, str]]:
    """(office, day) → its Chinese and English name on that day, for those that ever had another; one query."""
    pairs = set(wanted)
    rows: dict[int, list[OfficeName]] = {}
    for row in OfficeName.objects.filter(office_id__in={office for office, _day in pairs}).order_by("since"):
        rows.setdefault(row.office_id, []).append(row)
    found = {}
    for office, day in pairs:
        fitting = [row for row in rows.get(office, ()) if row.since <= day]
        if fitting:
            found[office, day] = (fitting[-1].name_zh, fitting[-1].name_en)
    return found
