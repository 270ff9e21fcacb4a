"""What a visitor's browser carries from one page to the next, sealed so that only this platform reads it.

A receipt's secret and a followed case travel in a cookie of ten or thirty minutes, encrypted with a key derived from the
platform's own; no session row ties a reporter to a case in the database.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import HttpRequest, HttpResponse


def _box() -> AESGCM:
    return AESGCM(sha256(b"fengsui tickets\n" + settings.SECRET_KEY.encode()).digest())


def give(
    response: HttpResponse, request: HttpRequest, name: str, content: Mapping[str, Any], path: str, until: datetime, now: datetime
) -> None:
    """Put a ticket into the browser, sent back only below ``path``, worth something until ``until``."""
    nonce = os.urandom(12)
    plain = orjson.dumps({**content, "until": until.timestamp()})
    text = base64.urlsafe_b64encode(nonce + _box().encrypt(nonce, plain, name.encode())).decode()
    age = int((until - now).total_seconds())
    response.set_cookie(name, text, max_age=age, path=path, httponly=True, samesite="Lax", secure=request.is_secure())


def read(request: HttpRequest, name: str, now: datetime) -> dict[str, Any]:
    """What a ticket says; empty where there is none, it is spent, or it was changed."""
    try:
        data = base64.urlsafe_b64decode(request.COOKIES.get(name, ""))
        known: dict[str, Any] = orjson.loads(_box().decrypt(data[:12], data[12:], name.encode()))
    except (ValueError, InvalidTag):
        return {}
    return known if known.get("until", 0) > now.timestamp() else {}


def take_back(response: HttpResponse, name: str, path: str) -> None:
    """Remove it from the browser."""
    response.delete_cookie(name, path=path, samesite="Lax")
