"""What a request may bring before anybody looks at it."""

import asyncio
import threading
from typing import Any

import orjson
import pytest

from fengsui import asgi


async def _reading(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


LIVE = (b"cookie", b"a=1; sessionid=live")


def asked(headers: list[tuple[bytes, bytes]], parts: list[int], path: str = "/cases/") -> list[Any]:
    """What is sent back for a body of parts of so many bytes; the session ``live`` and the token ``live`` stand."""
    sent: list[Any] = []
    left = list(parts)
    asked_for: list[Any] = []

    async def receive() -> Any:
        size = left.pop(0) if left else 0
        return {"type": "http.request", "body": bytes(size), "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    def known(given: Any) -> bool:
        asked_for.append(given)
        return b"live" in given.get(b"cookie", b"") + given.get(b"authorization", b"")

    scope = {"type": "http", "headers": headers, "path": path}
    asyncio.run(asgi.bounded(_reading, known)(scope, receive, send))
    assert len(asked_for) <= 1, "who sends it is asked once"
    return sent


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "STRANGER", 1000)
    monkeypatch.setattr(asgi, "REPORT", 2000)
    monkeypatch.setattr(asgi, "KNOWN", 5000)


@pytest.mark.parametrize(
    ("headers", "parts", "path", "status"),
    [
        ([], [500, 500], "/", 200),
        ([], [500, 501], "/", 413),
        ([(b"content-length", b"1001")], [], "/", 413),
        ([(b"content-length", b"9" * 5000)], [], "/", 413),
        ([(b"content-length", b"-1")], [], "/", 413),
        ([LIVE], [1000, 4000], "/", 200),
        ([LIVE], [1000, 4001], "/", 413),
        ([LIVE, (b"cookie", b"theme=dark")], [1000, 4000], "/", 200),
        ([(b"cookie", b"theme=dark"), LIVE], [1000, 4000], "/", 200),
        ([(b"cookie", b"a=1; sessionid=x")], [1000, 1], "/", 413),
        ([(b"cookie", b"a=1; sessionid=x")], [1000], "/", 200),
        ([(b"cookie", b"sessionid=x"), (b"content-length", b"1001")], [], "/", 413),
        ([(b"authorization", b"Bearer live"), (b"content-length", b"5000")], [], "/", 200),
        ([(b"authorization", b"Bearer live"), (b"content-length", b"5001")], [], "/", 413),
        ([(b"authorization", b"Bearer x"), (b"content-length", b"1001")], [], "/", 413),
        ([], [2000], "/report/", 200),
        ([], [2001], "/report/", 413),
        ([(b"cookie", b"sessionid=x")], [2001], "/report/", 413),
        ([], [2000], "/report/receipt/", 413),
    ],
)
def test_a_body_beyond_its_bound_is_refused(headers: list[Any], parts: list[int], path: str, status: int) -> None:
    sent = asked(headers, parts, path)
    assert sent[0]["status"] == status
    if status == 413:
        assert orjson.loads(sent[1]["body"])["status"] == 413


def test_cookies_sent_in_several_headers_are_one() -> None:
    """RFC 9113 8.2.3: over HTTP/2 each cookie may have a header of its own."""
    given = [(b"cookie", b"a=1"), (b"host", b"h"), (b"cookie", b"b=2"), (b"cookie", b"c=3")]
    assert asgi.joined(given) == {b"cookie": b"a=1; b=2; c=3", b"host": b"h"}


def test_a_few_bodies_at_once_are_asked_about_beside_djangos_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "ASKING", 2)
    both, most, now, lock = threading.Barrier(2), 0, 0, threading.Lock()

    def known(_: Any) -> bool:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        both.wait(30)  # two are asked about side by side, or this breaks
        with lock:
            now -= 1
        return True

    application = asgi.bounded(_reading, known)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def all_of_them() -> None:
        scope = {"type": "http", "headers": [LIVE, (b"content-length", b"1001")], "path": "/"}
        await asyncio.gather(*(application(scope, receive, send) for _ in range(6)))

    asyncio.run(all_of_them())
    assert most == 2 and [one["status"] for one in sent] == [200] * 6
