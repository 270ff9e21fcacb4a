"""From a request to a door: who acts, the form's values, the answer's status.

In: a request with a form. Out: the doors' ``Receipt``, or ``Refused``. The idempotency key comes with the form, so
that a form sent twice acts once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from fengsui.ledger import doors
from fengsui.ledger.doors.shapes import About, Receipt
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.reading.possible import actor_of
from fengsui.numerals import whole
from fengsui.region.acting import Acting


def key_of(request: HttpRequest) -> str:
    """The form's idempotency key; a form without one gets one of its own, so it is not protected against doubling."""
    return request.POST.get("key", "")[:128] or str(uuid.uuid4())


def seq_of(request: HttpRequest) -> int | None:
    """The version of the case that the form was filled in on: ``seq`` of the form, else ``If-Match``."""
    text = request.POST.get("seq") or request.headers.get("If-Match", "").strip('"')
    return whole(text)


def act(case_id: object, name: str, values: Mapping[str, Any], acting: Acting, request: HttpRequest, now: datetime) -> Receipt:
    """Do one act; raises ``Refused``."""
    call = Call(act=name, actor=actor_of(acting), values=values, expects=seq_of(request), key=key_of(request))
    return doors.act(str(case_id), call, now=now)


def raise_case(
    mechanism: str, name: str, values: Mapping[str, Any], acting: Acting, about: About, request: HttpRequest, now: datetime
) -> Receipt:
    """Open a case; raises ``Refused``."""
    return doors.open(mechanism, name, values, actor_of(acting), about, key=key_of(request), now=now)


def store(file: UploadedFile, acting: Acting, now: datetime) -> str:
    """Keep an uploaded file; gives its digest. Raises the evidence store's error for a wrong type or size."""
    from fengsui.ledger import evidence

    return evidence.store(file, actor_of(acting), now).digest
