"""The law's endpoints: every number with content, clause, source and confidence, on any day."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema

from fengsui.moment import LEGAL_ZONE
from fengsui.moment import now as present

from . import edits, numbers, readers

router = Router(tags=["law"])


class ReaderOut(Schema):
    """A mechanism ``name``, the check which holds that mechanism to the number, or code of the room ``name``; in which file."""

    kind: Literal["mechanism", "check", "code"]
    name: str
    file: str


class EntryOut(Schema):
    """Who entered a content, on which grounds, from which day on, by which case."""

    by: str
    grounds: str
    since: date
    reference: str


class LawOut(Schema):
    """A number of the law as it holds on a day: what it says, where it is written, who must run it. ``value`` or ``table`` is
    set, or ``amount``.
    """

    name: str
    title: dict[str, str]
    amount: str = Field(description="A length of time as 15min, 2h, 7d, 3wd; empty for other contents")
    value: Any = None
    table: dict[str, Any] | None = None
    keyed_by: str
    labels: dict[str, dict[str, str]] = Field(description="Words (zh, en) for keys of the table's rows and columns")
    unit: str
    kind: str = Field(description="once or each for a clock, empty otherwise")
    clause: str
    source: str
    confidence: str
    proposed: bool
    effective_from: date
    effective_to: date | None
    runs_by: list[str]
    signatures: int
    amended: str = Field(description="The number of the case that amended it, or empty")
    entered: dict[str, EntryOut] = Field(description="By row (empty where it is no table): who entered what stands")
    used_by: list[ReaderOut] = Field(description="Who reads it, found in mechanisms and code; empty: nothing does yet")


class LawFilter(Schema):
    """Which numbers: in force ``on`` a day (today unless told), of a confidence, under a name."""

    on: date | None = None
    confidence: str = Field("", max_length=20)
    under: str = Field("", max_length=60, description="Names that begin so, e.g. hazard.")


def _out(number: numbers.LawNumber) -> dict[str, Any]:
    same = (
        "name", "value", "keyed_by", "unit", "kind", "clause", "source", "confidence", "proposed", "effective_from",
        "effective_to", "signatures", "amended",
    )  # fmt: skip
    return {
        **{name: getattr(number, name) for name in same},
        "title": dict(number.title),
        "labels": {key: dict(words) for key, words in number.labels.items()},
        "amount": number.written if number.duration is not None else "",
        "table": dict(number.table) if number.table is not None else None,
        "runs_by": list(number.runs_by),
        "entered": {
            row: {"by": one.by, "grounds": one.grounds, "since": one.since, "reference": one.reference}
            for row, one in number.entered.items()
        },
        "used_by": [{"kind": one.kind, "name": one.name, "file": one.file} for one in readers.of(number.name)],
    }


def _today() -> date:
    return present().astimezone(LEGAL_ZONE).date()


@router.get("/law", response=list[LawOut])
def list_law(request: HttpRequest, asked: Query[LawFilter]) -> list[dict[str, Any]]:
    """The numbers in force on a day (today unless ``on`` says another)."""
    edits.sync()
    on = asked.on or _today()
    return [
        _out(number)
        for number in numbers.book().all()
        if number.in_force(on)
        and number.name.startswith(asked.under)
        and (not asked.confidence or number.confidence == asked.confidence)
    ]


@router.get("/law/{name}", response=list[LawOut])
def one_number(request: HttpRequest, name: str) -> list[dict[str, Any]]:
    """All periods of one number, oldest first."""
    edits.sync()
    periods = numbers.book().periods.get(name)
    if periods is None:
        raise Http404(f"There is no law number {name}; GET /api/law lists them")
    return [_out(number) for number in periods]
