"""Endpoints of the ledger's own acts by persons: corrections, merging, sharing, erasing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from ninja import Field, File, Form, Header, Router, Schema, UploadedFile
from pydantic import AwareDatetime

from fengsui.ledger import adoption, doors, erasure, lending, moving, reading
from fengsui.ledger.adoption import table, taking
from fengsui.ledger.api import ActingRequest, ReceiptOut, version_of
from fengsui.ledger.doors import sharing
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case
from fengsui.ledger.persons_acts import administration
from fengsui.ledger.public import triage
from fengsui.ledger.reading.scoped import parts_of
from fengsui.moment import now as present

router = Router(tags=["ledger"])

Key = Header(..., alias="Idempotency-Key", min_length=1, max_length=128)
Match = Header("", alias="If-Match")


class CorrectionIn(Schema):
    """A correction: the old entry stays, struck; this one stands beside it."""

    entry: int = Field(description="The entry that was wrong, by its seq", ge=1)
    field: str = Field(description="A field that it gave; case.title for the title, which the opening gave", max_length=64)
    value: Any = Field(None, description="What it should have said; null takes an optional value out")
    grounds: str = Field(max_length=500)


class MergeIn(Schema):
    """Two cases of one matter: this one ends in the other."""

    into: str = Field(description="The id of the case that goes on", max_length=64)
    grounds: str = Field(max_length=500)


class ShareIn(Schema):
    """Reading for another office until a moment (with its zone)."""

    office: int
    until: AwareDatetime
    grounds: str = Field(max_length=500)


class UnshareIn(Schema):
    """Why a sharing is taken back before its end."""

    grounds: str = Field(max_length=500)


class ShareOut(Schema):
    """A sharing that runs: who reads, by whom it was given, from when until when."""

    office: int
    by_office: int
    until: datetime
    since: datetime
    grounds: str


class ErasureIn(Schema):
    """What the law has erased: fields by name, files by digest, entries by number, title and reporter where said."""

    fields: list[str] = []
    title: bool = False
    files: list[str] = []
    reporter: bool = Field(False, description="Who reported, and the letters")
    entries: list[int] = Field([], description="Whole entries, by seq")
    grounds: str = Field(max_length=500)
    clause: str = Field(description="The clause of the law that demands it", max_length=200)


def _asked(request: ActingRequest, case_id: str) -> tuple[Case, Actor]:
    return reading.case_or_404(request.actings, case_id), reading.actor_of(request.acting)


def _sent(if_match: str, key: str) -> dict[str, Any]:
    return {"expects": version_of(if_match), "key": key, "now": present()}


def _told(response: HttpResponse, receipt: doors.Receipt) -> dict[str, Any]:
    response["ETag"] = f'"{receipt.seq}"'
    return receipt.plain()


@router.post("/cases/{case_id}/corrections", response=ReceiptOut, summary="Correct what an entry gave, by a further entry")
def correct(
    request: ActingRequest, response: HttpResponse, case_id: str, asked: CorrectionIn, idempotency_key: str = Key,
    if_match: str = Match,
) -> dict[str, Any]:  # fmt: skip
    """409 ``steers`` for what only an act changes, 409 ``guard`` where a condition would not have held."""
    case, actor = _asked(request, case_id)
    one = doors.Correction(asked.entry, asked.field, asked.value, asked.grounds)
    return _told(response, doors.correct(str(case.pk), one, actor, **_sent(if_match, idempotency_key)))


@router.post("/cases/{case_id}/merge", response=ReceiptOut, summary="End a double as merged into the case that goes on")
def merge(
    request: ActingRequest, response: HttpResponse, case_id: str, asked: MergeIn, idempotency_key: str = Key,
    if_match: str = Match,
) -> dict[str, Any]:  # fmt: skip
    """409 where something done would be lost, a deadline escaped, or the two are about different things."""
    case, actor = _asked(request, case_id)
    into, _ = _asked(request, asked.into)
    given = doors.merge(str(case.pk), str(into.pk), actor, grounds=asked.grounds, **_sent(if_match, idempotency_key))
    return _told(response, given)


class LentOut(Schema):
    """A whole scope that one office lets another read."""

    id: int = Field(description="As in POST /api/changes/share/ID/end_share")
    office: int = Field(alias="office_id", description="Who reads")
    by_office: int = Field(alias="by_office_id")
    place_path: str
    duty: str = Field(description="The field of work; empty: every one")
    since: datetime
    until: datetime
    grounds: str


@router.get("/shares", response=list[LentOut], summary="Whole scopes that my offices share, or read by a sharing, now")
def lent(request: ActingRequest) -> list[dict[str, Any]]:
    """Given by POST /api/changes/office/ID/share_scope; a single case's sharings are at /api/cases/ID/shares."""
    rows = lending.of_offices({one.office_id for one in request.actings}, present())
    names = ("id", "office_id", "by_office_id", "since", "until", "grounds")
    return [
        {name: getattr(one, name) for name in names} | dict(zip(("place_path", "duty"), parts_of(one.reach), strict=True))
        for one in rows
    ]


@router.get("/cases/{case_id}/shares", response=list[ShareOut], summary="Who reads the case by a sharing now")
def shares(request: ActingRequest, case_id: str) -> list[dict[str, Any]]:
    """The sharings that hold at this moment."""
    case, _ = _asked(request, case_id)
    rows = sharing.running(case.pk, present())
    return [
        {"office": one.office_id, "by_office": one.by_office_id, "until": one.until, "since": one.since, "grounds": one.grounds}
        for one in rows
    ]


@router.post("/cases/{case_id}/shares", response=ReceiptOut, summary="Let another office read the case until a day")
def share(
    request: ActingRequest, response: HttpResponse, case_id: str, asked: ShareIn, idempotency_key: str = Key,
    if_match: str = Match,
) -> dict[str, Any]:  # fmt: skip
    """409 for a confidential matter or an office that sees it anyway."""
    case, actor = _asked(request, case_id)
    sent = _sent(if_match, idempotency_key)
    return _told(response, doors.share(str(case.pk), asked.office, actor, until=asked.until, grounds=asked.grounds, **sent))


@router.post("/cases/{case_id}/shares/{office}/end", response=ReceiptOut, summary="Take a sharing back")
def unshare(
    request: ActingRequest, response: HttpResponse, case_id: str, office: int, asked: UnshareIn, idempotency_key: str = Key,
    if_match: str = Match,
) -> dict[str, Any]:  # fmt: skip
    """409 where the case is not shared with that office."""
    case, actor = _asked(request, case_id)
    sent = _sent(if_match, idempotency_key)
    return _told(response, doors.unshare(str(case.pk), office, actor, grounds=asked.grounds, **sent))


@router.post("/cases/{case_id}/erasures", response=ReceiptOut, summary="Erase content by law, for the law office")
def erase(
    request: ActingRequest, response: HttpResponse, case_id: str, asked: ErasureIn, idempotency_key: str = Key,
    if_match: str = Match,
) -> dict[str, Any]:  # fmt: skip
    """403 for every other office; the hashes stay, so receipts and the ledger still verify."""
    case, actor = _asked(request, case_id)
    what = erasure.Erasure(tuple(asked.fields), asked.title, tuple(asked.files), asked.reporter, tuple(asked.entries))
    sent = _sent(if_match, idempotency_key)
    return _told(response, erasure.erase(str(case.pk), what, grounds=asked.grounds, clause=asked.clause, actor=actor, **sent))


# -------------------------------------------------------------- administrators


class MoveIn(Schema):
    """Bring open cases to the newest wording; ``dry_run`` writes nothing."""

    states: dict[str, str] = Field({}, description="State of the old version → state of the new one, where they differ")
    dry_run: bool = True


class MoveGroup(Schema):
    """The cases of one old version and state: how many can be moved, which not and why."""

    version: int
    state: str
    can: int
    cannot: dict[str, list[str]] = Field(description="Reason → numbers of cases; an empty one is a confidential case")


class MoveOut(Schema):
    """What came of a move, or would: ``missing`` names states of the old wording without one in the new."""

    mechanism: str
    to: int
    can: int
    cannot: int
    missing: list[str]
    groups: list[MoveGroup]


@router.post("/mechanisms/{name}/moves", response=MoveOut, summary="Move open cases to the newest version, for administrators")
def move(request: ActingRequest, name: str, asked: MoveIn) -> dict[str, Any]:
    """What can go and why not the rest; without ``dry_run`` those that can are moved, each by an entry."""
    now = present()
    administration.demand(request.acting, "move", now)
    try:
        if asked.dry_run:
            return moving.survey(name, asked.states).plain()
        return moving.move_all(name, asked.states, reading.actor_of(request.acting), now).plain()
    except LookupError as error:
        raise refused(422, "unknown", "mechanism", str(error)) from error


class ProblemOut(Schema):
    """One cell that is wrong."""

    row: int = Field(description="As a person counts it, the head being 1; 0 the file as a whole")
    column: str
    text: str


class AdoptionOut(Schema):
    """What came of a table: all rows ``taken``, or the first thousand ``problems`` and how many ``more``."""

    ok: bool
    rows: int
    taken: int
    problems: list[ProblemOut]
    more: int


@router.post("/adoptions", response=AdoptionOut, summary="Take old cases over from a CSV or xlsx table, for administrators")
def adopt(
    request: ActingRequest, file: File[UploadedFile], mechanism: Form[str], dry_run: Form[bool] = True
) -> dict[str, Any]:  # fmt: skip
    """All rows or none; every wrong cell by row and column."""
    now = present()
    administration.demand(request.acting, "adopt", now)
    try:
        found = table.read(file.read(), file.name or "")
        return taking.plain(adoption.take(found, mechanism, now, dry=dry_run))
    except table.Unreadable as error:
        raise refused(422, "bad_value", "file", str(error)) from error
    except LookupError as error:
        raise refused(422, "unknown", "mechanism", str(error)) from error


# ---------------------------------------------------------------------- reports


class ReportOut(Schema):
    """A report of the public in the queue: its clock, what may be done, how many possible doubles and unread letters."""

    case: str
    number: str | None
    title: str
    seen: str
    version: int
    opened_at: datetime
    due: datetime | None
    post: int
    acts: list[str]
    doubles: int
    letters: int


@router.get("/reports", response=list[ReportOut], summary="Reports of the public that wait in my offices")
def reports(request: ActingRequest) -> list[dict[str, Any]]:
    """The most urgent first, with the acts that are possible now, likely doubles and unread letters."""
    return [
        {
            "case": str(one.case.pk), "number": one.case.number, "title": one.case.title, "seen": one.seen,
            "version": one.case.seq, "opened_at": one.case.opened_at, "due": one.case.next_due, "post": one.acting.post_id,
            "acts": [name for name, _ in one.acts], "doubles": one.doubles, "letters": one.letters,
        }
        for one in triage.queue(request.actings, present())
    ]  # fmt: skip
