"""Open cases follow the offices: where one was merged, dissolved or lost a site, who answers now has them in hand.

In: offices or sites whose part changed. Out: on each open case whose owner, holder or clocks' holders are others by
role than stand there, one entry ``succeed``; nothing where they are the same. No mechanism decides about it, and no
due moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from fengsui.ledger.doors import facts
from fengsui.ledger.doors.applying import Passage, columns_after, office_of, owner_of
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.single import append_in, in_transaction, lock_line
from fengsui.ledger.doors.work import Work
from fengsui.ledger.kernel.rows import holder_role
from fengsui.ledger.kernel.shapes import Actor, ClockRow
from fengsui.ledger.models import Case, Clock, Party
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole
from fengsui.region import roles
from fengsui.region.tree import tree

ACT = "succeed"


def of_offices(offices: Iterable[int], now: datetime) -> int:
    """Hand on what these offices have in hand; gives how many cases moved. In the caller's transaction, if any."""
    return _each(_in_hand(offices), now)


def of_duties(office: int, duties: Iterable[str], now: datetime) -> int:
    """Hand on what an office has in hand of fields of work that it gave up: to whoever supervises for them now."""
    moved = 0
    rows = _in_hand([office]).filter(duty__in=list(duties))
    for case, kind, about, place, duty in rows.values_list("pk", "about_kind", "about_id", "place_code", "duty"):
        site = whole(about) if kind == "site" else None
        found = roles.resolve("site_supervisor", roles.About(place or None, duty, site), now)
        if found is not None and found != office:
            moved += in_transaction(partial(one, str(case), now, {office: found}))
    return moved


def of_site(site: int, now: datetime, *, duty: str = "", moved: Mapping[int, int] | None = None) -> int:
    """Hand on the open cases about a site after its supervision changed, ``moved`` from one office to another."""
    found = Case.objects.filter(about_kind="site", about_id=str(site), ended=False)
    return _each(found.filter(duty__in=["", duty]) if duty else found, now, moved)


def _in_hand(offices: Iterable[int]) -> QuerySet[Case]:
    ids = list(offices)
    clocks = Clock.objects.filter(case=OuterRef("pk"), holder_id__in=ids, current=True, stopped__isnull=True)
    took_part = Party.objects.filter(case=OuterRef("pk"), office_id__in=ids)  # overseers, offices named in fields
    in_hand = Q(owner_id__in=ids) | Q(holder_id__in=ids) | Exists(clocks) | Exists(took_part)
    return Case.objects.filter(in_hand, ended=False)


def nightly(now: datetime) -> int:
    """Hand on what offices have in hand whose last day is over."""
    today = now.astimezone(LEGAL_ZONE).date()
    gone = [one.id for one in tree().offices.values() if one.dissolved_on is not None and one.dissolved_on <= today]
    return of_offices(gone, now)


def _each(found: QuerySet[Case], now: datetime, moved: Mapping[int, int] | None = None) -> int:
    # parents before children, as everywhere, so that two who lock do not wait for each other
    ids = list(found.order_by("opened_at", "id").values_list("pk", flat=True))
    return sum(in_transaction(partial(one, str(case), now, moved or {})) for case in ids)


def one(case_id: str, now: datetime, given: Mapping[int, int]) -> bool:
    """One case inside a transaction, with what was ``given`` from one office to another; whether it changed hands."""
    passage = Passage(Work(now))
    held = lock_line(passage, case_id)
    if held.case.ended:
        return False
    parent = passage.held.get(held.case.parent or "")
    heirs = _Heirs(held.row["duty"], now, given)
    named = replace(held.case, fields=_fields(held, heirs), overseers=tuple(dict.fromkeys(map(heirs.of, held.case.overseers))))
    seen = replace(held, case=named)
    gathered = facts.gather(seen, (), Actor("system"), {}, now, parent=parent)
    owner = owner_of(held.mechanism, named, gathered.facts.roles, now)
    after = replace(named, clocks=_clocks(seen, owner, gathered.facts.roles, heirs))
    row = columns_after(seen, after, gathered, now)
    moved = {name: row[name] for name in ("owner_id", "holder_id", "readers") if row[name] != held.row[name]}
    if not moved and after == held.case:
        return False
    for office in {row["owner_id"], row["holder_id"], *after.overseers, *(line.holder for line in after.clocks)} - {None}:
        if not row["confidential"] or office in row["readers"]:
            passage.work.parties.setdefault((case_id, office), "owned")
    told = {"from": {name: held.row[name] for name in moved}, "to": moved}
    append_in(passage, held, ACT, Actor("system"), after, besides=told, columns=moved)
    passage.work.flush()
    return True


@dataclass(frozen=True, slots=True)
class _Heirs:
    """Who took over: for a dissolved office its successor, else the office above; others stay who they are."""

    duty: str
    now: datetime
    given: Mapping[int, int]

    def gone(self, office: int | None) -> bool:
        """Whether the office's last day is over, or its part was given to another."""
        if office in self.given:
            return True
        node = tree().offices.get(office) if office is not None else None
        return node is not None and node.dissolved_on is not None and node.dissolved_on <= self.now.astimezone(LEGAL_ZONE).date()

    def of(self, office: int) -> int:
        """The office itself while it lives, else its heir."""
        if office in self.given or not self.gone(office):
            return self.given.get(office, office)
        living = tree().living(office, self.now.astimezone(LEGAL_ZONE).date())
        return living.id if living is not None else roles.one_up(office, self.duty, self.now) or office


def _fields(held: Held, heirs: _Heirs) -> Mapping[str, Any]:
    """The case's fields with the heirs of the dissolved offices that they name."""
    made = dict(held.case.fields)
    for name, field in held.mechanism.fields.items():
        value = made.get(name)
        if field.kind == "office" and isinstance(value, int):
            made[name] = heirs.of(value)
        elif field.kind == "offices" and isinstance(value, list):
            made[name] = list(dict.fromkeys(heirs.of(one) for one in value))
    return made


def _clocks(held: Held, owner: int | None, roles_now: Mapping[str, Any], heirs: _Heirs) -> tuple[ClockRow, ...]:
    """The clocks; running ones of a dissolved office, or of an owner that changed, with their new holders."""
    return tuple(_row(held, row, owner, roles_now, heirs) for row in held.case.clocks)


def _row(held: Held, row: ClockRow, owner: int | None, roles_now: Mapping[str, Any], heirs: _Heirs) -> ClockRow:
    if row.stopped is not None or row.holder is None:
        return row
    was_owner = row.holder == held.row["owner_id"] and owner != row.holder
    if not heirs.gone(row.holder) and not was_owner:
        return row
    declared = held.mechanism.clocks.get(row.name)
    if declared is not None and declared.per_holder:
        return replace(row, holder=heirs.of(row.holder))  # each office's own row goes to its heir alone
    word = holder_role(held.mechanism, row)
    found = office_of(word, held.mechanism, held.case, roles_now, heirs.now)
    return replace(row, holder=found if found is not None else heirs.of(row.holder))
