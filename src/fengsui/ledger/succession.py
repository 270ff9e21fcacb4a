"""Open cases follow the offices: where one was merged, dissolved, lost a site or has nobody left, who answers has them.

In: offices or sites whose part changed. Out: on each open case whose owner, holder or clocks' holders are others by
role than stand there, one entry ``succeed``; nothing where they are the same. An office is vacant for a case where nobody
who can sign in may act for it there: then the next one up that can has it in hand. No mechanism decides about it, and no due
moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from fengsui.ledger import live_check
from fengsui.ledger.doors import facts
from fengsui.ledger.doors.applying import Passage, columns_after, office_of, owner_of
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.single import append_in, in_transaction, lock_line
from fengsui.ledger.doors.work import Work
from fengsui.ledger.kernel.people import roles_of
from fengsui.ledger.kernel.rows import holder_role
from fengsui.ledger.kernel.shapes import Actor, ClockRow, Field
from fengsui.ledger.models import Case, Clock, Entry, Party
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


def of_staff(offices: Iterable[int], now: datetime) -> int:
    """After other people may act in these offices: check them, hand on what is in vacant ones, and give back what passed on
    while nobody could; gives how many cases moved. Each case for itself: one that fails is logged, and left to the night."""
    asked = frozenset(offices)
    live_check.check_offices(asked, now)
    moved = _each(_in_hand(vacant(now, asked)), now, alone=True)
    return moved + _each(_passed_on(_in_hand(asked)), now, alone=True)


def nightly(now: datetime) -> int:
    """Hand on what offices have in hand whose last day is over, or in which nobody can act; give back what passed on, where
    somebody may act again by what no change told: a delegation that began today. Each case for itself, as ``of_staff``."""
    today = now.astimezone(LEGAL_ZONE).date()
    gone = [one.id for one in tree().offices.values() if one.dissolved_on is not None and one.dissolved_on <= today]
    moved = _each(_in_hand({*gone, *vacant(now)}), now, alone=True)
    return moved + _each(_passed_on(Case.objects.filter(ended=False)), now, alone=True)


def _passed_on(found: QuerySet[Case]) -> QuerySet[Case]:
    return found.filter(Exists(Entry.objects.filter(case=OuterRef("pk"), act=ACT)))


def vacant(now: datetime, offices: frozenset[int] | None = None) -> frozenset[int]:
    """The offices, of these or of all, where nobody may act in some role that a mechanism leads there, or nobody at all.

    Those with too few people, or without certificates, keep what they have: somebody there still sees it. So do those in
    which nobody has an account yet, as the first night after an upgrade finds them: their work began before accounts counted.
    """
    asked = tree().offices if offices is None else offices
    empty = [one for one in asked if not roles.staffed(one, now)]
    lacking = live_check.lacks(now, offices).items()
    nobody = {office for office, rows in lacking if any(not (row.has or row.certified) for row in rows)}
    return frozenset(one for one in {*empty, *nobody} if not roles.not_set_up(one, now))


def _each(found: QuerySet[Case], now: datetime, moved: Mapping[int, int] | None = None, *, alone: bool = False) -> int:
    """``alone``: each case in its own transaction, a failure logged; else the first failure is the caller's."""
    # parents before children, as everywhere, so that two who lock do not wait for each other
    ids = list(found.order_by("opened_at", "id").values_list("pk", flat=True))
    doing = {str(case): partial(one, str(case), now, moved or {}) for case in ids}
    if alone:
        return sum(bool(live_check.alone(f"handing on case {case}", each)) for case, each in doing.items())
    return sum(map(in_transaction, doing.values()))


def one(case_id: str, now: datetime, given: Mapping[int, int]) -> bool:
    """One case inside a transaction, with what was ``given`` from one office to another; whether it changed hands."""
    passage = Passage(Work(now))
    held = lock_line(passage, case_id)
    owner = held.row["owner_id"]
    if held.case.ended or (owner not in given and owner is not None and roles.not_set_up(owner, now)):
        return False
    parent = passage.held.get(held.case.parent or "")
    heirs = _Heirs(held.row["duty"], now, given)
    fields, passed = _fields(held, heirs)
    named = replace(held.case, fields=fields, overseers=tuple(dict.fromkeys(map(heirs.of, held.case.overseers))))
    seen = replace(held, case=named)
    gathered = facts.gather(seen, (), Actor("system"), {}, now, parent=parent)
    owner = owner_of(held.mechanism, named, gathered.facts.roles, now)
    after = replace(named, clocks=_clocks(seen, owner, gathered.facts.roles, heirs))
    row = columns_after(seen, after, gathered, now)
    moved = {name: row[name] for name in ("owner_id", "holder_id", "readers") if row[name] != held.row[name]}
    if not moved and after == held.case:
        return False
    if "owner_id" in moved:
        after = replace(after, signed={}, pending={})  # one office's first signature is none of another's two
    for office in {row["owner_id"], row["holder_id"], *after.overseers, *(line.holder for line in after.clocks)} - {None}:
        if not row["confidential"] or office in row["readers"]:
            passage.work.parties.setdefault((case_id, office), "owned")
    told = {"from": {name: held.row[name] for name in moved}, "to": moved, **({"passed": passed} if passed else {})}
    append_in(passage, held, ACT, Actor("system"), after, besides=told, columns=moved)
    passage.work.flush()
    return True


@dataclass(frozen=True, slots=True)
class _Heirs:
    """Who took over: for a dissolved office its successor, for one where nobody can act the office above; others stay."""

    duty: str
    now: datetime
    given: Mapping[int, int]

    def of(self, office: int, names: Iterable[str] = ()) -> int:
        """The office itself while it lives and somebody may act there in one of these roles, else its heir."""
        return roles.stand_in(names, self.living(office), self.duty, self.now)

    def living(self, office: int) -> int:
        """The office itself while it lives and keeps its part, else who took over by order."""
        if office in self.given:
            return self.given[office]
        node, today = tree().offices.get(office), self.now.astimezone(LEGAL_ZONE).date()
        if node is None or node.dissolved_on is None or node.dissolved_on > today:
            return office
        living = tree().living(office, today)
        return living.id if living is not None else roles.one_up(office, self.duty, self.now) or office


def _fields(held: Held, heirs: _Heirs) -> tuple[Mapping[str, Any], dict[str, list[int]]]:
    """The case's fields with the heirs of the dissolved or vacant offices that they name, or with those who act again.

    Besides, of each field that passes on from a vacant office: from which to which.
    """
    made, passed = dict(held.case.fields), {}
    story = _story(held.case.id)
    for name, declared in held.mechanism.fields.items():
        value = made.get(name)
        if declared.kind == "office" and isinstance(value, int):
            before = _before(story, name, value, declared, heirs)
            made[name] = heirs.of(before, declared.acts_as)
            if before == value != made[name] and heirs.living(value) == value:
                passed[name] = [value, made[name]]
        elif declared.kind == "offices" and isinstance(value, list):
            made[name] = list(dict.fromkeys(heirs.of(one, declared.acts_as) for one in value))
    return made, passed


def _story(case: str) -> list[dict[str, Any]]:
    """The contents of the entries of a case that passed on before, the newest first; none of another case."""
    entries = Entry.objects.filter(case_id=case).order_by("-seq")
    return [one.content() for one in entries] if entries.filter(act=ACT).exists() else []


def _before(story: Iterable[Mapping[str, Any]], name: str, value: int, declared: Field, heirs: _Heirs) -> int:
    """The office that the field named before it passed on from vacant ones, if somebody may act there again; else its own.

    Only along the entries that passed it on: what a person named since, or an order, stands.
    """
    at = back = value
    for told in story:
        if name not in told.get("change", {}).get("fields", {}).get("+", {}):
            continue
        passed = told.get("besides", {}).get("passed", {}).get(name)
        if passed is None or passed[1] != at:
            break
        at = int(passed[0])
        if heirs.of(at, declared.acts_as) == at:
            back = at
    return back


def _clocks(held: Held, owner: int | None, roles_now: Mapping[str, Any], heirs: _Heirs) -> tuple[ClockRow, ...]:
    """The clocks; running ones of a dissolved or vacant office, or of an owner that changed, with their new holders."""
    made = list(held.case.clocks)
    for place, row in enumerate(made):
        if row.stopped is None and row.holder is not None:
            made[place] = _beside(made, row, _holder(held, row, owner, roles_now, heirs), heirs.now)
    return tuple(made)


def _holder(held: Held, row: ClockRow, owner: int | None, roles_now: Mapping[str, Any], heirs: _Heirs) -> int:
    assert row.holder is not None
    word = holder_role(held.mechanism, row)
    heir = heirs.of(row.holder, () if row.holder in held.case.overseers else roles_of(held.mechanism, word))
    # ``held`` names the offices as they will be: a row that a field's office held goes where the field goes
    named = word.removeprefix("field.") if word.startswith("field.") else ""
    follows = bool(named) and held.mechanism.fields[named].kind == "office" and held.case.fields.get(named) != row.holder
    was_owner = follows or (row.holder == held.row["owner_id"] and owner != row.holder)
    declared = held.mechanism.clocks.get(row.name)
    if (heir == row.holder and not was_owner) or (declared is not None and declared.per_holder):
        return heir  # each office's own row goes to its heir alone
    found = office_of(word, held.mechanism, held.case, roles_now, heirs.now)
    return found if found is not None else heir


def _beside(rows: Sequence[ClockRow], row: ClockRow, holder: int, now: datetime) -> ClockRow:
    """The row with its new holder. Who answers for a running row of the same clock already answers once."""
    others = [one for one in rows if one.name == row.name and one.holder == holder and one is not row]
    if holder == row.holder:
        return row
    if any(one.stopped is None for one in others):
        return replace(row, stopped=now, paused_at=None)
    return replace(row, holder=holder, n=max(row.n, *(one.n + 1 for one in others))) if others else replace(row, holder=holder)
