"""The ledger's endpoints: mechanisms, cases, entries, what may be done, opening, acting.

Each call names the post it acts in (a token's, or header ``X-Acting-Post``); changes carry ``Idempotency-Key`` and
acts ``If-Match`` with the version that the caller saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, File, Header, Query, Router, Schema, Status, UploadedFile

from fengsui.ledger import doors, evidence, mechanisms, openness, reading, sentences, subject
from fengsui.ledger.doors import wellformed
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.kernel.shapes import Act, Call, Mechanism, Refusal
from fengsui.ledger.models import Case, Entry, MechanismVersion
from fengsui.ledger.reading.sealed import hidden_in, keeps_receipt, shown
from fengsui.moment import now as present
from fengsui.numerals import whole
from fengsui.region.acting import Acting

router = Router(tags=["ledger"])
MOST = 200
"""Cases in one answer."""


class ActingRequest(HttpRequest):
    """A request after sign-in: who acts, and for reading all the ways in which they may."""

    acting: Acting
    actings: list[Acting]


class Reason(Schema):
    """One refusal: a ``code`` for programs with its ``params``, the field or fact it is ``about``, what it ``needs``, and the
    sentence for people.
    """

    code: str
    about: str
    needs: str
    params: dict[str, Any] = {}
    sentence: str


class FieldOut(Schema):
    """A field that an act takes; ``title`` in ``zh`` and ``en``, ``kind`` as the mechanism language names it."""

    name: str
    kind: str
    title: dict[str, str]
    required: bool


class ActOut(Schema):
    """An act that may be done, or why not (``reasons``); ``signed`` of ``signatures`` persons have signed."""

    act: str
    title: dict[str, str]
    fields: list[FieldOut] = []
    signatures: int = 1
    signed: int = 0
    reasons: list[Reason] = []


class MechanismOut(Schema):
    """A mechanism's current wording: its digest, and whether it is proven closed."""

    name: str
    title: dict[str, str]
    version: int
    digest: str
    proven: bool
    confidential: bool


class MechanismDetail(MechanismOut):
    """A mechanism with its opening acts and its source as it was read."""

    openings: list[ActOut]
    source: dict[str, Any]


class CaseOut(Schema):
    """A case as lists show it. ``owner`` and ``holder`` are offices' ids; moments are UTC."""

    id: str
    number: str | None
    external_number: str
    mechanism: str
    title: str
    state: str
    state_title: dict[str, str]
    version: int = Field(description="What If-Match must carry")
    owner: int | None
    holder: int | None
    place: str
    duty: str
    level: str
    about: dict[str, str]
    exercise: bool
    adopted: bool
    confidential: bool
    openness: str = Field(description="May it be made public: open or internal")
    ended: bool
    opened_at: datetime
    ended_at: datetime | None
    next_due: datetime | None


class CaseDetail(CaseOut):
    """A case with the fields that its readers see."""

    fields: dict[str, Any]


class CaseList(Schema):
    """A page of cases, newest first."""

    cases: list[CaseOut]
    next: str | None = Field(None, description="Give it as `after` for the following cases")


class EntryOut(Schema):
    """One entry of the record: the act, the states before and after, who did it in which office. ``leaf`` is its SHA-256 in the
    seal's tree; an erased one keeps it and loses ``values``. Null for a report of the public,
    whose receipt's code it tells.
    """

    seq: int
    act: str
    before: str
    after: str
    at: datetime
    person: int | None
    principal: int | None
    office: int | None
    values: dict[str, Any]
    seen: dict[str, Any]
    erased: bool
    leaf: str | None


class PossibleOut(Schema):
    """What the caller may do in a case of this ``version``, and what not, with the reasons."""

    version: int
    may: list[ActOut]
    cannot: list[ActOut]


class AboutIn(Schema):
    """What a new case is about: a site by its id, or a place by its GB/T 2260 code."""

    kind: str = Field(max_length=32)
    id: str = Field("", max_length=64)
    place: str = Field("", max_length=12)
    duty: str = Field("", max_length=32)
    title: str = Field("", max_length=300)
    external_number: str = Field("", max_length=128)


class OpenIn(Schema):
    """An opening act with its values by field name."""

    mechanism: str
    act: str
    values: dict[str, Any] = {}
    about: AboutIn


class ActIn(Schema):
    """An act with its values by field name."""

    act: str
    values: dict[str, Any] = {}


class ReceiptOut(Schema):
    """What was written: the entry's number and leaf, the state after it, cases opened with it. ``signed_only``: more signatures
    are needed before it takes effect.
    """

    case: str
    number: str | None
    mechanism: str
    seq: int
    act: str
    state: str
    ended: bool
    signed_only: bool
    entry: int
    leaf: str
    at: str
    opened: list[str]


class Filter(Schema):
    """Which cases; all within the caller's scope unless narrowed. ``after`` is a page's ``next``, ``limit`` at most 200."""

    mechanism: str = ""
    state: str = ""
    place: str = ""
    about_kind: str = ""
    about_id: str = ""
    ended: bool | None = None
    q: str = Field("", max_length=100)
    after: str = ""
    limit: int = Field(50, ge=1, le=MOST)


# --------------------------------------------------------------------- shapes


reason = sentences.reason


def _act(mechanism: Mechanism, act: Act, *, signed: int = 0, reasons: tuple[Refusal, ...] = ()) -> dict[str, Any]:
    asked = [(name, True) for name in act.sets] + [(name, False) for name in act.may_set]
    return {
        "act": act.name,
        "title": dict(act.title),
        "fields": [
            {"name": name, "kind": mechanism.fields[name].kind, "title": dict(mechanism.fields[name].title), "required": must}
            for name, must in asked
        ],
        "signatures": act.signatures,
        "signed": signed,
        "reasons": [reason(mechanism, one) for one in reasons],
    }


def case_out(case: Case) -> dict[str, Any]:
    """A case as the API shows it."""
    mechanism = mechanisms.version(case.version_id)
    place = mechanism.states.get(case.state) or mechanism.ends.get(case.state)
    return {
        "id": str(case.pk),
        "state_title": dict(place.title) if place else {},
        "version": case.seq,
        "owner": case.owner_id,
        "holder": case.holder_id,
        "place": case.place_code,
        "about": {"kind": case.about_kind, "id": case.about_id},
        "openness": openness.of(case),
        **{name: getattr(case, name) for name in _SAME},
    }


_SAME = (
    "number", "external_number", "mechanism", "title", "state", "duty", "level", "exercise", "adopted", "confidential", "ended",
    "opened_at", "ended_at", "next_due",
)  # fmt: skip


def _found(request: ActingRequest, case_id: str) -> Case:
    return reading.case_or_404(request.actings, case_id)


# ----------------------------------------------------------------- mechanisms


@router.get("/mechanisms", response=list[MechanismOut])
def list_mechanisms(request: ActingRequest) -> list[dict[str, Any]]:
    """The mechanisms that new cases open under."""
    return [_mechanism(version) for version in MechanismVersion.objects.filter(current=True).order_by("name")]


@router.get("/mechanisms/{name}", response=MechanismDetail)
def one_mechanism(request: ActingRequest, name: str) -> dict[str, Any]:
    """One mechanism with its opening acts and its file."""
    version = MechanismVersion.objects.filter(name=name, current=True).first()
    if version is None:
        raise Http404(f"There is no mechanism {name}; GET /api/mechanisms lists them")
    mechanism = mechanisms.version(version.digest)
    openings = [_act(mechanism, act) for act in mechanism.opening.values()]
    return {**_mechanism(version), "openings": openings, "source": version.source}


def _mechanism(version: MechanismVersion) -> dict[str, Any]:
    source: Mapping[str, Any] = version.source
    return {
        "name": version.name,
        "title": source.get("title") or {},
        "version": version.number,
        "digest": version.digest,
        "proven": version.certificate is not None,
        "confidential": bool(source.get("readers")),
    }


# ---------------------------------------------------------------------- cases


LATEST = ("-opened_at", "-id")


@router.get("/cases", response=CaseList)
def list_cases(request: ActingRequest, asked: Query[Filter]) -> dict[str, Any]:
    """The cases in scope, the latest opened first; ``after`` goes on where an answer ended."""
    found = reading.cases(request.actings)
    exact = {"mechanism": asked.mechanism, "state": asked.state, "about_kind": asked.about_kind, "about_id": asked.about_id}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if asked.place:
        found = found.filter(place_path__contains=f"/{asked.place}/")
    if asked.ended is not None:
        found = found.filter(ended=asked.ended)
    if asked.after:
        found = found.filter(_after(asked.after))
    rows = list(Case.objects.filter(pk__in=reading.searched(found, LATEST, asked.q, asked.limit + 1)).order_by(*LATEST))
    more = rows[asked.limit - 1] if len(rows) > asked.limit else None
    return {"cases": [case_out(case) for case in rows[: asked.limit]], "next": _mark(more) if more else None}


def _mark(case: Case) -> str:
    return f"{case.opened_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}_{case.pk}"


def _after(mark: str) -> Q:
    """What comes after a mark: opened earlier, or at the same moment with a smaller id."""
    try:
        moment, _, case = mark.partition("_")
        at, pk = datetime.strptime(moment, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC), UUID(case)
    except ValueError as error:
        raise refused(422, "bad_value", "after", "Give the `next` of the answer before") from error
    return Q(opened_at__lte=at) & (Q(opened_at__lt=at) | Q(pk__lt=pk))


@router.get("/cases/{case_id}", response=CaseDetail)
def one_case(request: ActingRequest, response: HttpResponse, case_id: str) -> dict[str, Any]:
    """One case, by id or number; ``ETag`` is its version."""
    case = _found(request, case_id)
    response["ETag"] = f'"{case.seq}"'
    return {**case_out(case), "fields": shown(case.fields, hidden_in(case, request.acting, present()))}


@router.get("/cases/{case_id}/entries", response=list[EntryOut])
def case_entries(request: ActingRequest, case_id: str) -> list[dict[str, Any]]:
    """The permanent record, in order."""
    case = _found(request, case_id)
    hidden = hidden_in(case, request.acting, present())
    entries = Entry.objects.filter(case=case).order_by("seq")
    return [_entry(entry, hidden, leaf=not keeps_receipt(case, entry.seq, hidden)) for entry in entries]


def _entry(entry: Entry, hidden: frozenset[str], *, leaf: bool) -> dict[str, Any]:
    content = entry.content()
    return {
        "seq": entry.seq,
        "act": entry.act,
        "before": entry.state_before,
        "after": entry.state_after,
        "at": entry.at,
        "person": entry.person_id,
        "principal": entry.principal_id,
        "office": entry.office_id,
        "values": shown(content.get("values", {}), hidden),
        "seen": content.get("seen", {}),
        "erased": entry.body is None,
        "leaf": bytes(entry.leaf).hex() if leaf else None,
    }


@router.get("/cases/{case_id}/acts", response=PossibleOut)
def possible_acts(request: ActingRequest, case_id: str) -> dict[str, Any]:
    """What I may do in the post I act in, and why not the rest."""
    case = _found(request, case_id)
    mechanism = mechanisms.version(case.version_id)
    possible, others = reading.may(case, request.acting, present())
    return {
        "version": case.seq,
        "may": [_act(mechanism, one.act, signed=one.signed) for one in possible],
        "cannot": [_act(mechanism, one.act, reasons=one.reasons) for one in others],
    }


def _about(acting: Acting, given: AboutIn) -> doors.About:
    """The subject, held against what the post may see."""
    wellformed.demand(**given.dict())
    if given.kind == "site":
        return subject.of_site(acting, given.id, given.title, place=given.place, duty=given.duty, external=given.external_number)
    return subject.of_place(
        acting, given.place, given.kind, given.title, subject=given.id, duty=given.duty, external=given.external_number
    )


class EvidenceOut(Schema):
    """A stored file by its SHA-256; ``size`` in bytes, ``position`` in degrees (WGS 84) where a photo says it."""

    digest: str
    name: str
    media_type: str
    size: int
    position: dict[str, Any] | None = None


@router.post("/evidence", response={201: EvidenceOut}, summary="Keep a file, to be named in an act by its digest")
def keep_evidence(request: ActingRequest, file: File[UploadedFile]) -> Status[Any]:
    """One file as ``multipart/form-data``; where a photo was taken is kept as a fact and taken out of the file.

    413 too large, 415 a kind that is not accepted or a damaged picture, 429 too many in an hour. Seen only through a case.
    """
    return Status(201, evidence.store(file, reading.actor_of(request.acting), present(), name=file.name or ""))


@router.post("/cases", response={201: ReceiptOut})
def open_case(
    request: ActingRequest,
    response: HttpResponse,
    asked: OpenIn,
    idempotency_key: str = Header(..., alias="Idempotency-Key", min_length=1, max_length=128),
) -> Status[dict[str, Any]]:
    """Open a case; the same key and body again give the same receipt."""
    about = _about(request.acting, asked.about)
    actor = reading.actor_of(request.acting)
    receipt = doors.open(asked.mechanism, asked.act, asked.values, actor, about, key=idempotency_key, now=present())
    response["Location"] = f"/api/cases/{receipt.case}"
    response["ETag"] = f'"{receipt.seq}"'
    return Status(201, receipt.plain())


@router.post("/cases/{case_id}/acts", response=ReceiptOut)
def act_on_case(
    request: ActingRequest,
    response: HttpResponse,
    case_id: str,
    asked: ActIn,
    if_match: str = Header("", alias="If-Match"),
    idempotency_key: str = Header(..., alias="Idempotency-Key", min_length=1, max_length=128),
) -> dict[str, Any]:
    """Do an act; ``If-Match`` carries the version that the caller saw."""
    case = _found(request, case_id)
    call = Call(asked.act, reading.actor_of(request.acting), asked.values, version_of(if_match), idempotency_key)
    receipt = doors.act(str(case.pk), call, now=present())
    response["ETag"] = f'"{receipt.seq}"'
    return receipt.plain()


def version_of(if_match: str) -> int:
    """The version that ``If-Match`` names. Refuses 428 for none, 422 for something else."""
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text:
        raise refused(428, "missing", "If-Match", "Send the version that you read, as If-Match")
    version = whole(text[:9])  # no case has a version of more digits: it is stale whatever it is
    if version is None or text.strip("0123456789"):
        raise refused(422, "bad_value", "If-Match", "Send the case's version, a number, as If-Match")
    return version


# ----------------------------------------------------------------------- desk


class DeskOut(Schema):
    """A case that waits for the caller, why, and in which of the caller's posts."""

    case: CaseOut
    reason: str
    due: datetime | None
    overdue: bool
    post: int


@router.get("/desk", response=list[DeskOut])
def my_desk(request: ActingRequest) -> list[dict[str, Any]]:
    """What waits for me, over all my posts, the most urgent first."""
    return [
        {
            "case": case_out(line.case),
            "reason": line.reason,
            "due": line.due,
            "overdue": line.overdue,
            "post": line.acting.post_id,
        }
        for line in reading.desk(request.actings, present())
    ]
