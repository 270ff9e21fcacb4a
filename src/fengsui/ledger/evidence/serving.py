"""Giving a file out to somebody who may see a case that names it."""

from __future__ import annotations

from django.http import FileResponse, HttpResponse, HttpResponseBase

from fengsui.ledger.evidence.storing import path_of
from fengsui.ledger.models import Evidence

_SHOWN = ("image/", "video/", "audio/", "application/pdf", "text/plain")
"""Kinds that a browser shows by itself; others are saved."""


def response(evidence: Evidence, *, small: bool = False) -> HttpResponseBase:
    """The file as an answer: never sniffed, never run, not kept by proxies. 410 where the bytes are gone."""
    path = path_of(evidence.digest)
    media_type = evidence.media_type
    if small and evidence.thumbnail and path.with_suffix(".small.jpg").exists():
        path, media_type = path.with_suffix(".small.jpg"), "image/jpeg"
    if not path.exists():
        return HttpResponse("The file is missing from the evidence store; restore it from a backup.", status=410)
    inline = media_type.startswith(_SHOWN)
    answer = FileResponse(path.open("rb"), as_attachment=not inline, filename=evidence.name, content_type=media_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer["Cache-Control"] = "private, max-age=3600"
    answer["ETag"] = f'"{evidence.digest}{"-small" if small else ""}"'
    return answer
