"""The door of the web server: Django, behind a bound on what a request may bring before anybody looks at it.

Django writes a whole body to disk before it asks who sends it; without a bound a stranger could fill the disk.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengsui.settings")

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MEGABYTE = 1_000_000
STRANGER, KNOWN = 100 * MEGABYTE, 400 * MEGABYTE
"""Bytes of one body: of somebody without session or token (a report with photos), and of others (films of 200 MB)."""


class TooMuch(Exception):
    """A body without a stated length went beyond its bound."""


def bounded(application: Application) -> Application:
    """``application`` with bodies bounded: one that says it is longer gets 413, one that does not say so is cut off."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        headers = dict(scope["headers"])
        known = b"authorization" in headers or b"sessionid=" in headers.get(b"cookie", b"")
        most, came = KNOWN if known else STRANGER, 0
        stated = headers.get(b"content-length", b"0")[:18]
        if stated.isdigit() and int(stated) > most:
            return await _refuse(send, most)

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
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
