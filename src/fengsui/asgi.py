"""The door of the web server: Django, behind a bound on what a request may bring before anybody looks at it.

Django writes a whole body to disk before it asks who sends it; without a bound a stranger could fill the disk.
"""

import os
from asyncio import Semaphore
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import DatabaseError

from fengsui.numerals import whole

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengsui.settings")

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MEGABYTE = 1_000_000
STRANGER, REPORT, KNOWN = 3 * MEGABYTE, 125 * MEGABYTE, 400 * MEGABYTE
"""Bytes of one body: of somebody whom nobody knows, of a report by the public (six photos of 20 MB), and of whoever is signed in
or has a valid token (films of 200 MB). That a cookie or a token is sent says nothing: it has to hold."""
REPORTS = "/report/"
ASKING = 4
"""Bodies of one web process about whose senders the database is asked at once: each takes a connection, and strangers can ask."""


class TooMuch(Exception):
    """A body without a stated length went beyond its bound."""


def _known(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a session or a token of these headers stands at present."""
    from django.conf import settings
    from django.http import parse_cookie

    from fengsui.cockpit.sessions import accounts_of
    from fengsui.ledger.tokens import acting_of_token
    from fengsui.moment import now as present

    now = present()
    kind, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    # a demo's seat has a session of its own, under its own name
    keys = [value for name, value in cookies.items() if name.endswith(settings.SESSION_COOKIE_NAME) and len(value) <= 40]
    try:
        if kind.lower() == "bearer" and acting_of_token(secret.strip(), now) is not None:
            return True
        return bool(keys) and bool(accounts_of(keys[:10], now))
    except (DatabaseError, ValueError):
        return False


def _ask(headers: Mapping[bytes, bytes]) -> bool:
    """``_known`` outside of any request: Django closes no connection after it."""
    from django.db import close_old_connections

    try:
        return _known(headers)
    finally:
        close_old_connections()


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name. Over HTTP/2 a browser may send its cookies in several; they are one with "; " between (RFC 9113 8.2.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = found[name] + b"; " + value if name == b"cookie" and name in found else value
    return found


def bounded(application: Application, known: Callable[[Mapping[bytes, bytes]], bool] = _ask) -> Application:
    """``application`` with bodies bounded: one that says it is longer gets 413, one that does not say so is cut off.

    ``known`` tells whether headers are those of somebody signed in; it is asked for large bodies alone, by a few at a time
    and beside the thread that Django's own synchronous parts share: nobody else waits for the answer.
    """
    asking = Semaphore(ASKING)

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        headers = joined(scope["headers"])
        signs = b"authorization" in headers or b"cookie" in headers
        most, came = REPORT if scope.get("path") == REPORTS else STRANGER, 0

        async def beyond(size: int) -> bool:
            """Whether so many bytes are too many; who sends them is asked once, and only where it matters."""
            nonlocal most, signs
            if size > most and signs:
                signs = False
                async with asking:
                    most = KNOWN if await sync_to_async(known, thread_sensitive=False)(headers) else most
            return size > most

        stated = whole(headers.get(b"content-length", b"0").decode("latin-1"))
        if stated is None or await beyond(stated):
            return await _refuse(send, most)

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if await beyond(came):
                raise TooMuch
            return message

        try:
            await application(scope, counted, send)
        except TooMuch:
            await _refuse(send, most)

    return call


async def _refuse(send: Send, most: int) -> None:
    at_most = most // MEGABYTE
    says = f"A request may bring {at_most} MB; send fewer or smaller files. 一次请求最多 {at_most} MB，请减少或压缩文件。"
    problem = {"type": "about:blank", "title": "Too large", "status": 413, "detail": says}
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(problem)})


application = bounded(get_asgi_application())


def served() -> Application:
    """The application as a web process loads it: what takes long to gather is begun beside the first requests."""
    from fengsui.law import readers

    readers.warm()
    return application
