"""Many at once: ``act_many`` for batches of acts, ``adopt`` for cases from the old world.

Batches go through the same decisions as single acts; their rows are written by COPY, a chunk in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.utils.translation import gettext_noop

from fengsui.ledger import collecting, mechanisms, models
from fengsui.ledger.doors import deadlines, facts, opening, sight, wellformed
from fengsui.ledger.doors.applying import Passage, columns_after, offered_acts, perform
from fengsui.ledger.doors.held import Held, as_uuid, read
from fengsui.ledger.doors.shapes import OLD_WORLD, About, Adoption, Past, Receipt, Refused, refused
from fengsui.ledger.doors.single import act, demand_delegation, in_transaction
from fengsui.ledger.doors.work import PastLine, Work, Written
from fengsui.ledger.kernel.rows import Rows
from fengsui.ledger.kernel.shapes import Actor, Call, Case, Mechanism
from fengsui.ledger.kernel.step import blocks, core_of
from fengsui.ledger.kernel.times import NoLength
from fengsui.ledger.words import bigrams

CHUNK = 1000
"""Cases per transaction: long enough for COPY, short enough that others do not wait long for their locks."""

T = TypeVar("T")


def _chunks(things: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    source = iter(things)
    while chunk := list(islice(source, size)):
        yield chunk


# ------------------------------------------------------------------ act_many


def act_many(calls: Iterable[tuple[str, Call]], now: datetime) -> list[Receipt | Refused]:
    """Do many calls, each on its case; one that is refused leaves the others alone. Answers come in order.

    It leaves what ``act`` would leave, call after call. Calls that touch other cases (children, parents) or carry an
    idempotency key go one by one, and so does whatever comes after one of them for the same case; all others are
    decided together and written in one transaction per chunk.
    """
    answers: list[Receipt | Refused] = []
    for chunk in _chunks(calls):  # ids as the database writes them, whatever their caller's letters
        answers += _chunk([(str(as_uuid(case_id) or case_id), call) for case_id, call in chunk], now)
    return answers


def _chunk(chunk: list[tuple[str, Call]], now: datetime) -> list[Receipt | Refused]:
    answers: dict[int, Receipt | Refused] = {}

    @collecting.paused()
    def together() -> dict[int, Written]:
        answers.clear()
        passage = Passage(Work(now))
        ids = sorted({case_id for case_id, _ in chunk})
        passage.held.update(read(ids, rootless=True))  # one with a parent goes by itself, which is locked before it
        written: dict[int, Written] = {}
        later: set[str] = set()
        with facts.remembering():
            for place, (case_id, call) in enumerate(chunk):
                held = passage.held.get(case_id)
                if held is None or case_id in later or not alone(held, call):
                    later.add(case_id)
                elif (done := _try(passage, held, call, answers, place)) is not None:
                    written[place] = done
        passage.work.flush()
        return written

    for place, one in in_transaction(together).items():
        answers[place] = one.receipt(at=now)
    for place, (case_id, call) in enumerate(chunk):
        if place not in answers:
            try:
                answers[place] = act(case_id, call, now=now)
            except Refused as refusal:
                answers[place] = refusal
    return [answers[place] for place in range(len(chunk))]


def _try(passage: Passage, held: Held, call: Call, answers: dict[int, Receipt | Refused], place: int) -> Written | None:
    try:
        wellformed.demand(act=call.act, values=call.values, version=call.expects)
        sight.demand(held, call.actor)
        demand_delegation(held.mechanism.name, call, passage.now)
        return perform(passage, held, call)
    except Refused as refusal:
        answers[place] = refusal
        return None


def alone(held: Held, call: Call) -> bool:
    """Whether the call can only change its own case, and refusing it leaves nothing half done."""
    if call.key or held.case.parent is not None or held.case.kids:
        return False
    for one in offered_acts(held, call.act):
        ends = [held.mechanism.ends[to] for to in (one.to, one.then) if to is not None and to in held.mechanism.ends]
        if one.opens or one.recalls or one.effects or one.about or any(end.opens or end.effects for end in ends):
            return False
        number = held.mechanism.number
        if number is not None and number.on == one.name:
            return False
    return True


# --------------------------------------------------------------------- adopt

SYSTEM = Actor(kind="system", name="adopt")
WAITS = gettext_noop("A case in this state waits for another one, which is not here: give the state before it")


def adopt(rows: Iterable[Adoption], now: datetime) -> list[Receipt]:
    """Take cases over from the old world, each in the state it is in, with its old number and record.

    The past is written as entries that say ``历史导入，本系统未核验``; the last entry ``adopt`` states where the case
    stands now. Raises ``Refused`` 422 naming row and field; the chunk with a wrong row is not written.
    """
    receipts: list[Receipt] = []
    for chunk in _chunks(enumerate(rows)):

        @collecting.paused()
        def doing(chunk: list[tuple[int, Adoption]] = chunk) -> list[Receipt]:
            _demand_new_numbers(chunk)
            takeover = _Takeover(now)
            written = [takeover.one(number, row) for number, row in chunk]
            takeover.work.flush()
            return [one.receipt(at=now) for one in written]

        receipts += in_transaction(doing)
    return receipts


class _Takeover:
    """One chunk of adoptions; offices found once serve all rows of the same place, duty and subject."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.work = Work(now)
        self.gathered: dict[tuple[Any, ...], facts.Gathered] = {}
        self.keys: set[tuple[str, str]] = set()
        self.ways_on: dict[tuple[str, str, frozenset[str]], bool] = {}

    def one(self, number: int, row: Adoption) -> Written:
        """Compose one case with its past."""
        try:
            mechanism = mechanisms.current(row.mechanism)
        except mechanisms.UnknownMechanism as error:
            raise refused(422, "unknown", f"rows.{number}.mechanism", str(error)) from error
        _demand_known(mechanism, number, row)
        held = self._blank(mechanism, row)
        self._demand_free_key(number, row, held)
        self.work.write_past(held, (_line(past, row) for past in row.past), SYSTEM)
        self._demand_way_on(number, held, row)
        written = self._adopt(held, row)
        self.work.words[held.case.id] = bigrams(
            row.number or "", held.row["title"], held.row["title_en"], row.about.external_number
        )
        for digest in row.evidence:
            self.work.files[(held.case.id, held.case.seq, "adopted", digest)] = written
        return written

    def _blank(self, mechanism: Mechanism, row: Adoption) -> Held:
        held = opening.blank(mechanism, row.about, SYSTEM, row.opened_at or self.now, titled=False)
        held.row.update(adopted=True, number=row.number)
        held.row["unique_key"] = opening.unique_key(mechanism, row.about, row.fields)
        opening.entitle(held, row.fields)
        raiser = dict(row.raiser) or {"kind": "system", "name": row.source or "adopt"}
        held.case = replace(held.case, raiser=raiser, opened=row.opened_at or self.now)
        return held

    def _demand_free_key(self, number: int, row: Adoption, held: Held) -> None:
        """Refuse a second open case under one key: of the ledger or of this table."""
        key = held.row["unique_key"]
        if key is None or row.ended:
            return
        known = models.Case.objects.filter(mechanism=row.mechanism, unique_key=key, ended=False)
        if (row.mechanism, key) in self.keys or known.exists():
            raise refused(422, "bad_value", f"rows.{number}.about", "A case about the same matter is open; act on that one")
        self.keys.add((row.mechanism, key))

    def _demand_way_on(self, number: int, held: Held, row: Adoption) -> None:
        """Refuse a state that waits for another case: nothing would run there, or nobody could do anything."""
        if row.ended:
            return
        key = (held.mechanism.digest, row.state, frozenset(row.fields))
        if key not in self.ways_on:
            case = replace(held.case, state=row.state, fields=row.fields)
            core, state = core_of(held.mechanism, case), held.mechanism.states[row.state]
            own = [act for act in state.actions if not all(by.startswith("child.") for by in act.by)]
            self.ways_on[key] = state.within.kind != "child" and any(not blocks(held.mechanism, core, act) for act in own)
        if not self.ways_on[key]:
            raise refused(422, "bad_value", f"rows.{number}.state", WAITS)

    def _adopt(self, held: Held, row: Adoption) -> Written:
        gathered = self._facts(held, row.about)
        case = replace(held.case, seq=len(row.past) + 1, state=row.state, fields=dict(row.fields), ended=row.ended)
        after = replace(case, clocks=self._clocks(held, case, gathered))
        columns = columns_after(held, after, gathered, self.now)
        lines = deadlines.lines(held, after, gathered.facts, gathered.law)
        for office in {columns["owner_id"], columns["holder_id"]} - {None}:
            self.work.parties[(after.id, office)] = "owned"
        values = {"number": row.number, "source": row.source, "evidence": list(row.evidence)}
        return self.work.write(
            held, after, columns, lines, act="adopt", actor=SYSTEM,
            values={name: value for name, value in values.items() if value}, besides={"unverified": OLD_WORLD},
        )  # fmt: skip

    def _facts(self, held: Held, about: About) -> facts.Gathered:
        key = (held.mechanism.digest, about.kind, about.id, held.row["place_code"], held.row["duty"])
        if key not in self.gathered:
            self.gathered[key] = facts.gather(held, (), SYSTEM, {}, self.now)
        return self.gathered[key]

    def _clocks(self, held: Held, case: Case, gathered: facts.Gathered) -> tuple[Any, ...]:
        """The clocks of the state it enters: the state's own, the case clock it waits for, reports owed."""
        if case.ended:
            return ()
        mechanism, state = held.mechanism, held.mechanism.states[case.state]
        rows = Rows(mechanism, case, case.fields, gathered.facts, SYSTEM, self.now, [])
        try:
            if state.within.kind == "clock":
                rows.begin(mechanism.clocks[state.within.name])
            rows.enter(state, {})
        except (NoLength, KeyError) as lacking:
            raise refused(422, "missing", "fields", "A clock of this state needs a field that is not given") from lacking
        return tuple(rows.rows)


def _line(past: Past, row: Adoption) -> PastLine:
    values = {name: value for name, value in (("act", past.act), ("by", past.by), ("text", past.text)) if value}
    return PastLine(past.state or row.state, past.at, values, {"unverified": OLD_WORLD, "source": row.source})


def _demand_new_numbers(chunk: list[tuple[int, Adoption]]) -> None:
    given = [row.number for _, row in chunk if row.number is not None]
    taken = set(models.Case.objects.filter(number__in=given).values_list("number", flat=True))
    for place, row in chunk:
        if row.number in taken:
            raise refused(422, "bad_value", f"rows.{place}.number", "A case has the number %(number)s already", number=row.number)
        if row.number is not None:
            taken.add(row.number)


def _demand_known(mechanism: Mechanism, number: int, row: Adoption) -> None:
    places: Mapping[str, Any] = mechanism.ends if row.ended else mechanism.states
    if row.state not in places:
        raise refused(422, "bad_value", f"rows.{number}.state", "choose one of %(choices)s", choices=list(places))
    for name in row.fields:
        if name not in mechanism.fields:
            raise refused(422, "unknown", f"rows.{number}.fields.{name}", "The mechanism has no such field")
    for past in row.past:
        if past.state and past.state not in mechanism.states and past.state not in mechanism.ends:
            raise refused(422, "bad_value", f"rows.{number}.past", "The mechanism has no such state")
