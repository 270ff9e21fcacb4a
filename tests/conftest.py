"""Fixtures for every test; how Hypothesis runs: the same examples each time, on slow machines too.
And what one test leaves in the process (the last reader's language, what is known for five seconds) is not the next one's.

``HYPOTHESIS_PROFILE=wide`` looks further, with other examples each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.signals import setting_changed
from django.test.client import ClientHandler
from django.utils import translation
from hypothesis import HealthCheck, settings

_STEADY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("steady", derandomize=True, **_STEADY)
settings.register_profile("wide", max_examples=1000, **_STEADY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def _nobody_was_here() -> None:
    translation.deactivate()
    cache.clear()


_CHAIN = ("_view_middleware", "_template_response_middleware", "_exception_middleware", "_middleware_chain")


@pytest.fixture(autouse=True, scope="session")
def _one_chain_of_middleware() -> Iterator[None]:
    """All clients go through one chain, as all visitors of a server's process do, until a setting changes.

    Each client made its own before, and WhiteNoise looked up every static file for each of them.
    """
    made: list[ClientHandler] = []
    load = ClientHandler.load_middleware

    def shared(handler: ClientHandler, is_async: bool = False) -> None:
        if not made:
            first = ClientHandler()
            load(first, is_async)
            made.append(first)
        for name in _CHAIN:
            setattr(handler, name, getattr(made[0], name))

    def forget(**_: Any) -> None:
        made.clear()

    setting_changed.connect(forget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", shared)
        yield
    setting_changed.disconnect(forget)
