"""One request, one look at the region.

A page asks dozens of times who supervises, who may act, what a scope is; inside a request that only reads, all of
them see the same picture and the database is asked once whether it changed. A changing request looks anew each time:
it may itself change posts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from .tree import steady

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@sync_and_async_middleware
def one_look(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Middleware: ``steady`` around every request that only reads."""
    if iscoroutinefunction(get_response):

        async def look_async(request: HttpRequest) -> HttpResponse:
            if request.method not in _READS:
                return await get_response(request)  # type: ignore[no-any-return]
            with steady():
                return await get_response(request)  # type: ignore[no-any-return]

        return look_async

    def look(request: HttpRequest) -> HttpResponse:
        if request.method not in _READS:
            return get_response(request)  # type: ignore[no-any-return]
        with steady():
            return get_response(request)  # type: ignore[no-any-return]

    return look
