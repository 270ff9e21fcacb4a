"""The headers that every answer carries: nothing inline, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils.decorators import sync_and_async_middleware


@lru_cache
def _policy(tiles: tuple[str, ...], framed_by: str) -> str:
    """The policy with the origins of a licensed base map's ``tiles``, which browsers fetch themselves."""
    origins = sorted({f" {parts.scheme}://{parts.netloc}" for parts in map(urlsplit, tiles)})
    hosts = "".join(origins)
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self'{hosts}",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob:{hosts}",
            "worker-src 'self' blob:",
            f"frame-ancestors {framed_by}",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        )
    )


def policy(framed_by: str = "'none'") -> str:
    """The content security policy of every page; ``framed_by`` says which origins may show it in a frame."""
    return _policy(tuple(settings.MAP_TILES), framed_by)


def _seal(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Content-Security-Policy", policy())
    response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
    if getattr(request, "user", None) is not None and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store" if request.user.is_authenticated else "no-cache"
    return response


def _holds_nul(request: HttpRequest) -> bool:
    """Whether a page's address holds a NUL, which no text in the database can; the API says so in its own way."""
    if request.path_info.startswith("/api/"):
        return False
    return "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "")


@sync_and_async_middleware
def security_headers(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the content security policy, keeps signed-in pages out of shared caches, and refuses addresses with a NUL."""
    from asgiref.sync import iscoroutinefunction

    if iscoroutinefunction(get_response):

        async def seal_async(request: HttpRequest) -> HttpResponse:
            response = HttpResponseBadRequest() if _holds_nul(request) else await get_response(request)
            response.headers.setdefault("Content-Security-Policy", policy())
            return response

        return seal_async

    def seal(request: HttpRequest) -> HttpResponse:
        return _seal(request, HttpResponseBadRequest() if _holds_nul(request) else get_response(request))

    return seal
