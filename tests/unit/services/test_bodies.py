"""What a request may bring before anybody looks at it."""

import asyncio
from typing import Any

import orjson
import pytest

from fengsui import asgi


async def _reading(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


def asked(headers: list[tuple[bytes, bytes]], parts: list[int]) -> list[Any]:
    """What is sent back for a body of parts of so many bytes."""
    sent: list[Any] = []
    left = list(parts)

    async def receive() -> Any:
        size = left.pop(0) if left else 0
        return {"type": "http.request", "body": bytes(size), "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi.bounded(_reading)({"type": "http", "headers": headers}, receive, send))
    return sent


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "STRANGER", 1000)
    monkeypatch.setattr(asgi, "KNOWN", 5000)


@pytest.mark.parametrize(
    ("headers", "parts", "status"),
    [
        ([], [500, 500], 200),
        ([], [500, 501], 413),
        ([(b"content-length", b"1001")], [], 413),
        ([(b"content-length", b"9" * 5000)], [], 413),
        ([(b"content-length", b"-1")], [], 200),
        ([(b"cookie", b"a=1; sessionid=x")], [1000, 4000], 200),
        ([(b"authorization", b"Bearer x"), (b"content-length", b"5001")], [], 413),
    ],
)
def test_a_body_beyond_its_bound_is_refused(headers: list[tuple[bytes, bytes]], parts: list[int], status: int) -> None:
    sent = asked(headers, parts)
    assert sent[0]["status"] == status
    if status == 413:
        assert orjson.loads(sent[1]["body"])["status"] == 413
