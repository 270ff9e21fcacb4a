"""The endpoints that change the region's registers: the same operations as the pages, and their record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404
from django.utils.translation import gettext
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError, ValidationError

from fengsui.moment import now as present

from . import changerecord, pending, subjects
from .api import ActingRequest
from .change_views import operation_over, run
from .models import Change, Coming
from .operations import ChangeForm, known

router = Router(tags=["region"])
MOST = 500
_KINDS: dict[type[forms.Field], str] = {
    forms.DateField: "date", forms.IntegerField: "integer", forms.FloatField: "number", forms.BooleanField: "boolean",
    forms.MultipleChoiceField: "list",
}  # fmt: skip


class ValueOut(Schema):
    """A value that an operation takes, with its words in the caller's language."""

    name: str
    title: str
    says: str
    kind: str = Field(description="text, choice, list, date, integer, number or boolean")
    required: bool


class OperationOut(Schema):
    """An operation that the caller's post may do to something of a kind."""

    on: str = Field(description="office, post, holding, person, site …: the kind in the address")
    name: str
    title: str
    says: str
    values: list[ValueOut]


Given = str | int | float | bool | list[str] | None


class ChangeIn(Schema):
    """The values of one operation."""

    values: dict[str, Given] = Field(description="As GET /api/operations lists them; `grounds` always")


class ChangeDone(Schema):
    """What was done, and to what."""

    said: str
    secret: dict[str, str] | None = Field(None, description="User name and one-time password, given this once")
    kind: str
    id: int


class ChangeOut(Schema):
    """One line of the record of changes: what was before and after, on what grounds, who did it in which post."""

    id: int
    at: datetime
    since: datetime
    kind: str
    office: int = Field(alias="office_id")
    subject_kind: str
    subject_id: int
    title_zh: str
    title_en: str
    grounds: str
    before: dict[str, Any]
    after: dict[str, Any]
    person: int = Field(alias="person_id")
    principal: int | None = Field(None, alias="principal_id")
    post: int = Field(alias="post_id")


class ComingOut(Schema):
    """A change that was dated ahead and is still to come."""

    id: int = Field(description="As in POST /api/changes/coming/ID/take_back")
    due: datetime
    kind: str = Field(alias="change.kind")
    change: int = Field(alias="change_id")
    office: int = Field(alias="change.office_id")
    subject_kind: str = Field(alias="change.subject_kind")
    subject_id: int = Field(alias="change.subject_id")
    title_zh: str = Field(alias="change.title_zh")
    title_en: str = Field(alias="change.title_en")
    after: dict[str, Any] = Field(alias="change.after")
    failed: str = Field(description="Why it could not be carried out on its day, in the caller's language; empty before")

    @staticmethod
    def resolve_failed(one: Coming) -> str:
        """The reason in the caller's language."""
        return pending.why(one)


class RecordFilter(Schema):
    """Which changes, newest first."""

    office: int | None = Field(None, ge=1, le=2**62)
    kind: str = Field("", max_length=40)
    before: int | None = Field(None, ge=1, le=2**62, description="Only changes with a smaller id: the next page")


@router.get("/operations", response=list[OperationOut])
def list_operations(request: ActingRequest) -> list[dict[str, Any]]:
    """Everything that an administrator may change, with the values that each wants."""
    return [
        {"on": one.on, "name": one.name, "title": str(one.title), "says": str(one.says), "values": _values(one.form)}
        for one in known()
    ]


def _values(form: type[ChangeForm]) -> list[dict[str, Any]]:
    fields: dict[str, forms.Field] = form.base_fields
    return [
        {"name": name, "title": str(box.label), "says": str(box.help_text or ""), "kind": _kind(box), "required": box.required}
        for name, box in fields.items()
    ]


def _kind(box: forms.Field) -> str:
    found = next((word for kind, word in _KINDS.items() if isinstance(box, kind)), None)
    return found or ("choice" if isinstance(box, forms.ChoiceField) else "text")


@router.post("/changes/{kind}/{number}/{name}", response=ChangeDone)
def change(request: ActingRequest, kind: str, number: int, name: str, asked: ChangeIn) -> dict[str, Any]:
    """Carry out one operation on a row. 404 not there or not seen, 403 not an administrator, 409 moved on, 422 a value."""
    now = present()
    if not 0 < number < 1 << 62:
        raise Http404
    ready = subjects.ready(kind, number, name, request.actings, now)
    if not ready.operation.fits(ready.subject, now):
        raise HttpError(409, operation_over(ready.operation))
    blank = ready.operation.form(subject=ready.subject, acting=ready.acting, now=now)
    given = _given(blank, asked.values)
    form = ready.operation.form(given, subject=ready.subject, acting=ready.acting, now=now)
    done = run(ready, form, now) if form.is_valid() else None
    if done is None:
        raise _wrong({field or "": str(errors[0]) for field, errors in form.errors.items()})
    subject = done.subject or ready.subject
    return {
        "said": done.said or gettext("Changed and recorded."), "secret": dict(done.secret) or None,
        "kind": type(subject).__name__.lower(), "id": subject.pk or number,
    }  # fmt: skip


def _given(blank: ChangeForm, values: dict[str, Given]) -> dict[str, Any]:
    """The values as a browser would send them; what is left out stays as it stands. Raises 422 for another kind or name."""
    found: dict[str, Any] = dict(blank.initial)
    for name, value in values.items():
        box = blank.fields.get(name)
        if box is None:
            raise _wrong({name: gettext("This operation takes no such value.")})
        if isinstance(value, list) is not isinstance(box, forms.MultipleChoiceField):
            raise _wrong({name: gettext("Give a list where several may be chosen, else a single value.")})
        as_given = isinstance(value, list) or (isinstance(value, bool) and isinstance(box, forms.BooleanField))
        found[name] = value if as_given else "" if value is None else str(value)
    return found


def _wrong(errors: dict[str, str]) -> ValidationError:
    return ValidationError([
        {"type": "value_error", "loc": ("body", "values", name), "msg": text} for name, text in errors.items()
    ])  # fmt: skip


@router.get("/changes", response=list[ChangeOut])
def list_changes(request: ActingRequest, asked: Query[RecordFilter]) -> Any:
    """The record of changes of the caller's own subtree, newest first; for administrators and auditors."""
    scopes = [changerecord.own_subtree(one) for one in changerecord.readers(request.actings)]
    found = Change.objects.scoped(*scopes)
    if asked.office is not None:
        found = found.filter(office__path__contains=f"/{asked.office}/")
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.before is not None:
        found = found.filter(pk__lt=asked.before)
    return found.order_by("-pk")[:MOST]


@router.get("/coming", response=list[ComingOut])
def list_coming(request: ActingRequest) -> Any:
    """Changes of the caller's own subtree that were dated ahead and are still to come, the soonest first."""
    return pending.seen(changerecord.readers(request.actings)).select_related("change").order_by("due", "pk")[:MOST]
