"""Every error as problem details (RFC 9457), naming field and remedy."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, RawPostDataException
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _noop
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser

from fengsui.ledger import health, mechanisms
from fengsui.ledger.api import reason
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Mechanism, Refusal
from fengsui.ledger.models import Case

log = logging.getLogger(__name__)


def problem(status: int, detail: str, errors: Iterable[Mapping[str, Any]] = ()) -> HttpResponse:
    """One problem; ``errors`` name each field or condition with its remedy."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if named := list(errors):
        body["errors"] = named
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/problem+json")
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="fengsui"'
    return response


def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    mechanism = _mechanism(request)
    errors = [reason(mechanism, _accepted(request, one)) for one in error.refusals]
    detail = errors[0]["sentence"] if errors else _("Refused")
    return problem(error.status, detail, errors)


def _accepted(request: HttpRequest, refusal: Refusal) -> Refusal:
    """Of a key used before: the case that was accepted with it as ``case``, ``number`` and ``url``, if the caller may see it."""
    if refusal.code != "key_reused":
        return refusal
    from fengsui.ledger import reading

    case = reading.find(getattr(request, "actings", ()), refusal.args.get("case", ""))
    known = {"case": str(case.pk), "number": case.number or "", "url": reverse("api:one_case", args=[case.pk])} if case else {}
    return replace(refusal, args=known)


def _mechanism(request: HttpRequest) -> Mechanism | None:
    """The mechanism of the case in the address, or of the one to be opened, for the words of its refusals."""
    match = request.resolver_match
    case_id = match.kwargs.get("case_id") if match else None
    actings = getattr(request, "actings", None)
    if not case_id and actings:
        return _named(request)
    if not case_id or not actings:
        return None
    from fengsui.ledger import reading

    case: Case | None = reading.find(actings, case_id)
    return mechanisms.version(case.version_id) if case else None


def _named(request: HttpRequest) -> Mechanism | None:
    """The mechanism that the body names."""
    try:
        body = orjson.loads(request.body)
        return mechanisms.current(str(body["mechanism"])) if isinstance(body, dict) and "mechanism" in body else None
    except (ValueError, mechanisms.UnknownMechanism, RawPostDataException):
        return None


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {
            "code": "missing" if one.get("type") == "missing" else "bad_value",
            "about": ".".join(str(part) for part in one.get("loc", ())[1:]) or str(one.get("loc", "")),
            "needs": str(one.get("msg", "")),
            "sentence": _sentence(one),
        }
        for one in error.errors
    ]
    return problem(422, errors[0]["sentence"] if errors else _("The request is not well formed"), errors)


def _sentence(error: Mapping[str, Any]) -> str:
    field = {"field": str(error.get("loc", ("", ""))[-1])}
    if error.get("type") == "missing":
        return _("“%(field)s” must be filled in.") % field
    return _("“%(field)s” is not of the kind that this call takes.") % field + _between() + remedy(error)


def _between() -> str:
    return "" if (get_language() or "zh").startswith("zh") else " "


def remedy(error: Mapping[str, Any]) -> str:
    """What to send instead, in the reader's language: by type and bounds of pydantic's error; its own words without ours."""
    kind, bounds = str(error.get("type", "")), {key: str(value) for key, value in (error.get("ctx") or {}).items()}
    for begins, words in _REMEDIES.items():
        if kind.startswith(begins):
            try:
                return _(words) % bounds
            except KeyError:
                break
    return _("What it needs: %(needs)s.") % {"needs": str(error.get("msg", "")).rstrip(".")}


_REMEDIES = {
    "int": _noop("Send a whole number."),
    "float": _noop("Send a number."),
    "finite_number": _noop("Send a number."),
    "decimal": _noop("Send a number."),
    "bool": _noop("Send true or false."),
    "string_too_long": _noop("Send at most %(max_length)s characters."),
    "string_too_short": _noop("Send at least %(min_length)s characters."),
    "string_pattern": _noop("Send text of the form %(pattern)s."),
    "string": _noop("Send text, in quotation marks."),
    "date_": _noop("Send a day as 2026-01-31."),
    "datetime_": _noop("Send a moment with its zone, as 2026-01-31T08:00:00+08:00."),
    "timezone": _noop("Send a moment with its zone, as 2026-01-31T08:00:00+08:00."),
    "uuid": _noop("Send the id as this API gives it."),
    "too_long": _noop("Send at most %(max_length)s of them."),
    "too_short": _noop("Send at least %(min_length)s of them."),
    "list": _noop("Send a list, in square brackets."),
    "dict": _noop("Send an object, in braces."),
    "model": _noop("Send an object, in braces."),
    "less_than_equal": _noop("Send at most %(le)s."),
    "less_than": _noop("Send less than %(lt)s."),
    "greater_than_equal": _noop("Send at least %(ge)s."),
    "greater_than": _noop("Send more than %(gt)s."),
    "literal_error": _noop("Send one of: %(expected)s."),
    "enum": _noop("Send one of: %(expected)s."),
    "extra_forbidden": _noop("Leave it out: this call knows no such field."),
}
"""How pydantic's error types begin → the remedy; the first that fits counts, so longer beginnings stand before shorter ones."""


class Body(Parser):
    """JSON as text that can be kept: no lone surrogate (orjson refuses them), no NUL."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's value. Raises ``ValueError``, which ninja answers with 400."""
        if b"\\u0000" in request.body:
            raise ValueError("NUL is no character of any text")
        return orjson.loads(request.body)


def install(api: NinjaAPI) -> None:
    """Answer every error of this API as a problem."""

    def missing(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(404, str(error) or _("There is nothing here that you may see"))

    def denied(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(403, str(error) or _("You may not do this"))

    def unknown(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(401, _("Sign in, or send a valid token: Authorization: Bearer …"))

    def plain(request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, str(error))

    def away(request: HttpRequest, error: Exception) -> HttpResponse:
        if health.disk_is_full(error):
            return full(request, error)
        log.warning("the database was away: %s: %s", request.path, str(error).strip().splitlines()[:1])
        words = _("The database does not answer at the moment. Send the same again with the same Idempotency-Key.")
        response = problem(503, words)
        response["Retry-After"] = "2"
        return response

    def full(request: HttpRequest, error: Exception) -> HttpResponse:
        log.warning("the disk is full: %s: %s", request.path, str(error).strip().splitlines()[:1])
        words = _("The server's disk is full: nothing can be accepted. Free some space, then send the same again.")
        response = problem(507, words)
        response["Retry-After"] = "60"
        return response

    def too_big(request: HttpRequest, error: Exception) -> HttpResponse:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        return problem(413, _("The body is too large: send at most %(most)s KiB") % {"most": most})

    def unfit(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(422, _("A value holds a character or a size that cannot be kept. Nothing was changed; correct it."))

    def broken(request: HttpRequest, error: Exception) -> HttpResponse:
        if health.disk_is_full(error):
            return full(request, error)
        log.exception("an endpoint failed: %s", request.path)
        return problem(500, _("Something went wrong here. Nothing was changed; try again, then tell the administrator."))

    api.exception_handler(Refused)(_refused)
    api.exception_handler(ValidationError)(_invalid)
    api.exception_handler(Http404)(missing)
    api.exception_handler(PermissionDenied)(denied)
    api.exception_handler(AuthenticationError)(unknown)
    api.exception_handler(HttpError)(plain)
    api.exception_handler(OperationalError)(away)
    api.exception_handler(InterfaceError)(away)
    api.exception_handler(RequestDataTooBig)(too_big)
    api.exception_handler(DataError)(unfit)
    api.exception_handler(Exception)(broken)
